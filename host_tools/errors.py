"""The one error that host tools raise on purpose, for `gatelodge` to print and turn into an exit status."""

from host_tools import exit_codes


class ToolError(Exception):
    """What is wrong, what to do about it, and the exit status that says so to a script.

    Both texts are parts of one sentence: no capital, no full stop. Neither holds a secret.
    """

    def __init__(self, message: str, remedy: str = "", exit_code: int = exit_codes.FAILED):
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message
