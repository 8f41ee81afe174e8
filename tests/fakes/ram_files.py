"""A file system in the heap of a board that has none: run on the board, it mounts itself at /ram.

Bare-metal MicroPython as Debian's source builds it has the VFS and no file system. This one has files, no
folders, and MicroPython's own protocol for both (its manual, "vfs: control of virtual filesystems").
"""

import io

import vfs

ENOENT = 2
REGULAR = 0x8000


class RamFile(io.IOBase):
    def __init__(self, content):
        self._content = content
        self._at = 0

    def seek(self, offset, whence=0):
        self._at = offset + (0, self._at, len(self._content))[whence]
        return self._at

    def readinto(self, buffer):
        data = self._content[self._at : self._at + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def read(self, size=-1):
        end = len(self._content) if size < 0 else self._at + size
        data = bytes(self._content[self._at : end])
        self._at += len(data)
        return data

    def write(self, data):
        self._content[self._at : self._at + len(data)] = data
        self._at += len(data)
        return len(data)

    def ioctl(self, request, argument):
        return 0  # nothing to flush, nothing to close

    def flush(self):
        """Heap is heap."""

    def close(self):
        """The content belongs to the file system."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RamFiles:
    def __init__(self):
        self._files = {}

    def mount(self, readonly, mkfs):
        """Nothing to make."""

    def umount(self):
        """Nothing to leave."""

    def open(self, path, mode):
        if mode[0] == "w":
            self._files[path] = bytearray()
        return RamFile(self._find(path))

    def stat(self, path):
        return (REGULAR, 0, 0, 0, 0, 0, len(self._find(path)), 0, 0, 0)

    def ilistdir(self, path):
        return iter([(name.lstrip("/"), REGULAR, 0, len(self._files[name])) for name in self._files])

    def remove(self, path):
        self._find(path)
        del self._files[path]

    def rename(self, old, new):
        self._files[new] = self._find(old)
        del self._files[old]

    def _find(self, path):
        if path not in self._files:
            raise OSError(ENOENT)
        return self._files[path]


vfs.mount(RamFiles(), "/ram")
