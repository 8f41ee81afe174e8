"""The style, the script and the logo: read from the slot, named by their content so that browsers keep them
for ever."""

import binascii

from gatelodge import compat
from gatelodge.web import routes
from gatelodge.web.message import Response

KEPT = "public, max-age=31536000, immutable"
_HASH_BYTES = 6  # 48 bits name a version; nobody attacks their own style sheet

# (name, extension, content type, files below the gatelodge package, joined in this order)
ROWS = (
    ("admin", "css", "text/css; charset=utf-8", ("contract/tokens.css", "web/assets/admin.css")),
    ("admin", "js", "text/javascript; charset=utf-8", ("web/assets/admin.js",)),
)


class Assets:
    """root: the directory of the gatelodge package."""

    def __init__(self, root):
        self._root = root
        self._paths = {}
        self._files = {}
        for name, extension, kind, files in ROWS:
            path = "/assets/%s.%s.%s" % (name, self._version(files), extension)
            self._paths[name + "." + extension] = path
            self._files[path] = (kind, files)
        self.logo = str(self._read("contract/logo.svg"), "utf-8").strip()

    def path(self, name):
        """Where a browser finds it: "admin.css" -> "/assets/admin.0123456789ab.css"."""
        return self._paths[name]

    def rows(self):
        return [routes.get(path, routes.ANYONE, self._serve) for path in sorted(self._files)]

    def _serve(self, visit, _values):
        kind, files = self._files[visit.request.path]
        # Read each time: a browser asks once, and the heap is for more than style.
        return Response(self._joined(files), 200, {"Content-Type": kind, "Cache-Control": KEPT})

    def _version(self, files):
        return str(binascii.hexlify(compat.sha256(self._joined(files))[:_HASH_BYTES]), "utf-8")

    def _joined(self, files):
        return b"".join([self._read(file) for file in files])

    def _read(self, name):
        with open(self._root + "/" + name, "rb") as file:
            return file.read()
