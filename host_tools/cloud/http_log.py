"""What aiohttp logs of its own accord: faults of ours, and never what a peer has sent."""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError


class NotTheirBytes(logging.Filter):
    """Leaves out malformed requests: each was answered with 400, and aiohttp quotes them, cookies and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | RequestPayloadError)


HTTP_LOG = logging.getLogger("cloud.http")
HTTP_LOG.addFilter(NotTheirBytes())
