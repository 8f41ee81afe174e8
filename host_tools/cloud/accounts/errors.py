"""What a person is told when a form cannot be carried out."""

from host_tools.cloud.languages.figures import within
from host_tools.cloud.languages.text import N_, _


class RefusedError(Exception):
    """`field` names the form's field ("" for the whole form); `sentence` says what is wrong, and what to do.

    It is a key of the catalogues (languages/text.py), `values` are those of its placeholders.
    """

    def __init__(self, field: str, sentence: str, **values: object):
        super().__init__(sentence % values if values else sentence)
        self.field = field
        self.sentence = sentence
        self.values = values

    @property
    def text(self) -> str:
        """In the language of whoever it is told to."""
        return _(self.sentence, **self.values)


class ThrottledError(RefusedError):
    """Too often. `wait_s` until the next attempt is allowed."""

    def __init__(self, wait_s: float):
        self.wait_s = max(1, int(wait_s + 0.999))
        super().__init__("", N_("Too many attempts. Try again %(when)s."), when=f"in {self.wait_s} s")

    @property
    def text(self) -> str:
        return _(self.sentence, when=within(rounded_up(self.wait_s)))


class BusyError(Exception):
    """A bound is reached: passwords to hash, messages to send, live pages. It passes."""


class NotTheirsError(Exception):
    """It does not exist, or belongs to somebody else: nobody is told which."""


def rounded_up(seconds: int) -> int:
    """To whole minutes from a minute and a half on: whoever comes back then is let in."""
    return seconds if seconds < 90 else -(-seconds // 60) * 60
