"""The languages of the pages: how each counts and writes numbers, and which one a reader asked for.

Plural rules are those of gettext for whole numbers: plural(count) -> the place of the form among `forms`.
"""

from collections import namedtuple

Language = namedtuple("Language", ("tag", "name", "decimal_mark", "forms", "plural"))

MOST_ASKED = 16  # languages of a header that are looked at; browsers send two to six


def _one_or_many(count):
    return 0 if count == 1 else 1


def _below_two_or_many(count):
    return 0 if count < 2 else 1


def _never_bent(count):
    return 0


def _east_slavic(count):
    """1, 21, 31; 2 to 4, 22 to 24; the rest, with 11 to 14."""
    if count % 10 == 1 and count % 100 != 11:
        return 0
    return 1 if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else 2


ENGLISH = Language("en", "English", ".", 2, _one_or_many)
LANGUAGES = (
    ENGLISH,
    Language("nl", "Nederlands", ",", 2, _one_or_many),
    Language("fr", "Français", ",", 2, _below_two_or_many),
    Language("de", "Deutsch", ",", 2, _one_or_many),
    Language("ru", "Русский", ",", 3, _east_slavic),
    Language("uk", "Українська", ",", 3, _east_slavic),
    Language("tr", "Türkçe", ",", 1, _never_bent),
)
BY_TAG = {language.tag: language for language in LANGUAGES}


def chosen(tag, accepted):
    """The tag of the language to answer in. tag: what the reader chose here, or None. accepted: the field
    Accept-Language (RFC 9110 section 12.5.4), or None."""
    return tag if tag in BY_TAG else best(accepted or "")


def best(accepted):
    """The tag of the first of the most wanted that is here; of de-CH, de is taken (RFC 4647, lookup)."""
    found, most = ENGLISH.tag, 0
    for part in accepted.split(",")[:MOST_ASKED]:
        name, _, parameter = part.partition(";")
        tag, weight = name.strip().lower().split("-")[0], _weight(parameter)
        if tag in BY_TAG and weight > most:
            found, most = tag, weight
    return found


def _weight(parameter):
    """Thousandths of "q=0.8"; what is no number counts for nothing."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1000
    whole, _, rest = value.strip().partition(".")
    digits = whole + (rest + "000")[:3]
    is_weight = name.strip().lower() == "q" and len(whole) == 1 and _is_number(digits)
    return min(int(digits), 1000) if is_weight else 0


def _is_number(digits):
    return all(character in "0123456789" for character in digits)
