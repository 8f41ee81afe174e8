"""What a person is told when a form cannot be carried out."""


class RefusedError(Exception):
    """`field` names the form's field ("" for the whole form); `text` is one sentence: what is wrong, what
    to do.
    """

    def __init__(self, field: str, text: str):
        super().__init__(text)
        self.field = field
        self.text = text


class ThrottledError(RefusedError):
    """Too often. `wait_s` until the next attempt is allowed."""

    def __init__(self, wait_s: float):
        self.wait_s = max(1, int(wait_s + 0.999))
        super().__init__("", f"Too many attempts. Try again in {spoken(self.wait_s)}.")


class BusyError(Exception):
    """A bound is reached: passwords to hash, messages to send, live pages. It passes."""


class NotTheirsError(Exception):
    """It does not exist, or belongs to somebody else: nobody is told which."""


def spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} s"
    return f"{(seconds + 59) // 60} minutes"
