"""The commonest passwords, as the list of the PyPI package zxcvbn has them, are refused by the router."""

import pytest
from gatelodge.core import commonest, new_password, password
from zxcvbn.frequency_lists import FREQUENCY_LISTS

COMMONEST = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= password.SHORTEST][:3000]


def made_of(words):
    """The filter of the words, as core/commonest.py keeps it."""
    cells = [0] * len(commonest.FILTER)
    for word in words:
        for place in commonest.places(word, len(cells) * commonest.BITS_EACH):
            cells[place // commonest.BITS_EACH] |= 1 << place % commonest.BITS_EACH
    return "".join(commonest.ALPHABET[cell] for cell in cells)


def test_each_of_the_3000_commonest_is_refused_in_whatever_case():
    for word in COMMONEST:
        for text in (word, word.upper(), word.capitalize()):
            assert new_password.refusal(text) == password.COMMON, text


def test_the_filter_is_made_of_those_that_the_rules_let_through(monkeypatch):
    monkeypatch.setattr(commonest, "holds", lambda text: False)
    assert made_of(word for word in COMMONEST if new_password.refusal(word) is None) == commonest.FILTER


def test_hardly_any_other_password_is_refused():
    words = [f"{a} {b}" for a in FREQUENCY_LISTS["english_wikipedia"][100:200] for b in ("lantern", "weir")]
    words += [f"{number:x}-river" for number in range(10**6, 10**6 + 5000)]
    refused = [word for word in words if commonest.holds(word)]
    assert len(refused) <= len(words) // 200


@pytest.mark.parametrize("text", ["a lantern above the river gate", "seven herons left the weir"])
def test_a_good_one_is_taken(text):
    assert new_password.refusal(text) is None
