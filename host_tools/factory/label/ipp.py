"""Ask the printing system how a job is: Get-Job-Attributes of IPP (RFC 8011 section 4.3.4, RFC 8010).

`lpstat` lists a job that was given up among those that are completed, without saying so.
"""

import http.client
import re
import socket
import struct

REQUEST_TIMEOUT_S = 10.0
MOST_BYTES = 65536  # an answer with one attribute has 200

VERSION, GET_JOB_ATTRIBUTES, REQUEST_ID = b"\x02\x00", 0x0009, 1
OPERATION, END = b"\x01", b"\x03"
CHARSET, LANGUAGE, URI, KEYWORD = 0x47, 0x48, 0x45, 0x44
JOB_STATE = re.compile(rb"\x23\x00\x09job-state\x00\x04(.{4})", re.DOTALL)  # an enum of four bytes

# RFC 8011 section 5.3.7
HELD, STOPPED, CANCELED, ABORTED, COMPLETED = 4, 6, 7, 8, 9


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path: str):
        super().__init__("localhost", timeout=REQUEST_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def job_state(server: str, number: int) -> int:
    """Return the job's state. `server`: HOST:PORT or a socket's path, as `lpstat -H` says. Raises OSError."""
    connection = LocalConnection(server) if server.startswith("/") else _tcp(server)
    try:
        headers = {"Content-Type": "application/ipp"}
        connection.request("POST", "/jobs/", _request(number), headers)
        answer = connection.getresponse().read(MOST_BYTES)
    except http.client.HTTPException as error:
        raise OSError(f"{server} does not speak HTTP") from error
    finally:
        connection.close()
    found = JOB_STATE.search(answer)
    if found is None:
        raise OSError(f"{server} says nothing of the job {number}")
    return struct.unpack(">i", found[1])[0]


def _tcp(server: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server, timeout=REQUEST_TIMEOUT_S)


def _request(number: int) -> bytes:
    attributes = (
        (CHARSET, "attributes-charset", "utf-8"),
        (LANGUAGE, "attributes-natural-language", "en"),
        (URI, "job-uri", f"ipp://localhost/jobs/{number}"),
        (KEYWORD, "requested-attributes", "job-state"),
    )
    body = b"".join(_attribute(*one) for one in attributes)
    return VERSION + struct.pack(">HI", GET_JOB_ATTRIBUTES, REQUEST_ID) + OPERATION + body + END


def _attribute(tag: int, name: str, value: str) -> bytes:
    """Section 3.1.4 of RFC 8010: tag, and name and value behind their lengths."""
    return struct.pack(f">BH{len(name)}sH", tag, len(name), name.encode(), len(value)) + value.encode()
