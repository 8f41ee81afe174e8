"""Forms with files (multipart/form-data, RFC 7578), of those who are signed in, on the routes that take them.

Everything is bounded before it is read: the body by its announced length, a file, the number of parts, and
how many forms are read at once.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiohttp import BodyPartReader, web

from host_tools.cloud.accounts.errors import BusyError
from host_tools.cloud.help.attachments import FILE_MAX, FILES_MAX
from host_tools.cloud.pages.render import VISIT

MULTIPART = "multipart/form-data"
FIELDS_MAX = 64 * 1024  # bytes of all that is no file
BODY_MAX = FILES_MAX * FILE_MAX + 2 * FIELDS_MAX
PARTS_MAX = 20
CHUNK = 64 * 1024
AT_ONCE = 8  # for all; one for each account
TIMEOUT_S = 120  # 15 MB at 1 Mbit/s


class Upload(NamedTuple):
    name: str
    content: bytes  # one byte too many where the file is too large


class Posted(NamedTuple):
    fields: dict[str, str]
    files: tuple[Upload, ...]


POSTED: web.RequestKey[Posted] = web.RequestKey("posted", Posted)
# (method, path) of the routes that take files.
WITH_FILES: web.AppKey[frozenset[tuple[str, str]]] = web.AppKey("with files", frozenset)
READING: web.AppKey[set[str]] = web.AppKey("reading", set)  # accounts whose form is coming in


def takes_files(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    known = resource is not None and (request.method, resource.canonical) in request.app[WITH_FILES]
    return known and request.content_type == MULTIPART and request[VISIT].account is not None


def files(request: web.Request) -> tuple[Upload, ...]:
    return request[POSTED].files if POSTED in request else ()


async def read(request: web.Request) -> dict[str, str]:
    """The form's fields; its files come from `files`. Raises BusyError, ValueError and HTTP errors."""
    if "Content-Encoding" in request.headers:
        raise ValueError("a form that is packed")  # its length would say nothing of what it becomes
    if request.content_length is None or request.content_length > BODY_MAX:
        raise web.HTTPRequestEntityTooLarge(BODY_MAX, request.content_length or 0)
    reading, account_id = request.app[READING], request[VISIT].signed_in.id
    if account_id in reading or len(reading) >= AT_ONCE:
        raise BusyError
    reading.add(account_id)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            request[POSTED] = await _read(request)
    finally:
        reading.discard(account_id)
    return request[POSTED].fields


async def _read(request: web.Request) -> Posted:
    """Raises ValueError where it is no such form."""
    fields: dict[str, str] = {}
    found: list[Upload] = []
    parts, room = await request.multipart(), FIELDS_MAX
    for _ in range(PARTS_MAX):
        part = await parts.next()
        if part is None:
            return Posted(fields, tuple(found))
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError("a part that is no field")
        if part.filename is None:
            value = await _bytes(part, room)
            room -= len(value)
            if room < 0:
                raise web.HTTPRequestEntityTooLarge(FIELDS_MAX, FIELDS_MAX - room)
            fields.setdefault(part.name, value.decode("utf-8"))
        else:
            content = await _bytes(part, FILE_MAX if len(found) < FILES_MAX else 0)
            if part.filename or content:  # a browser sends an empty part where no file was chosen
                found.append(Upload(part.filename, content))
    raise ValueError("too many parts")


async def _bytes(part: BodyPartReader, most: int) -> bytes:
    """All of it, or its first `most` + 1 bytes; the rest is read and dropped."""
    held = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        held += chunk[: most + 1 - len(held)]
    return bytes(held)
