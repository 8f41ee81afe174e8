"""Why a message was not handed over."""


class DeliveryError(Exception):
    """The text is for the log: it names no recipient and no secret.

    permanent: it makes no sense to try again; retry_after_s: nor before the other side allows it.
    """

    def __init__(self, text: str, *, permanent: bool = False, retry_after_s: float | None = None):
        super().__init__(text)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
