"""The style, the script and the logo: read from the slot, named by their content so that browsers keep them
for ever."""

import binascii
import hashlib

from gatelodge.web import routes
from gatelodge.web.message import PiecesResponse

KEPT = "public, max-age=31536000, immutable"
PIECE = 4096  # bytes of a file that a connection holds while it is sent
_HASH_BYTES = 6  # 48 bits name a version; nobody attacks their own style sheet

# (name, extension, content type, files below the gatelodge package, joined in this order)
ROWS = (
    ("admin", "css", "text/css; charset=utf-8", ("contract/tokens.css", "web/assets/admin.css")),
    ("admin", "js", "text/javascript; charset=utf-8", ("web/assets/admin.js",)),
)


class Assets:
    """root: the directory of the gatelodge package."""

    def __init__(self, root):
        self._paths = {}
        self._files = {}
        for name, extension, kind, files in ROWS:
            places = [root + "/" + file for file in files]
            version, length = _version(places)
            path = "/assets/%s.%s.%s" % (name, version, extension)
            self._paths[name + "." + extension] = path
            self._files[path] = (kind, places, length)
        self.logo = str(b"".join(_pieces([root + "/contract/logo.svg"])), "utf-8").strip()

    def path(self, name):
        """Where a browser finds it: "admin.css" -> "/assets/admin.0123456789ab.css"."""
        return self._paths[name]

    def rows(self):
        return [routes.get(path, routes.ANYONE, self._serve) for path in sorted(self._files)]

    def _serve(self, visit, _values):
        kind, places, length = self._files[visit.request.path]
        # Read each time: a browser asks once, and the heap is for more than style.
        return PiecesResponse(_pieces(places), length, {"Content-Type": kind, "Cache-Control": KEPT})


def _pieces(paths):
    """What the files hold, a PIECE after the other. None is open in between: who reads may be slow."""
    for path in paths:
        at, piece = 0, _read(path, 0)
        while piece:
            yield piece
            at += len(piece)
            piece = _read(path, at)


def _read(path, at):
    with open(path, "rb") as file:
        file.seek(at)
        return file.read(PIECE)


def _version(paths):
    """(text that changes with the content, length in bytes)"""
    digest, length = hashlib.sha256(), 0
    for piece in _pieces(paths):
        digest.update(piece)
        length += len(piece)
    return str(binascii.hexlify(digest.digest()[:_HASH_BYTES]), "utf-8"), length
