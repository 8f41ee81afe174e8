"""Write cpio archives as the kernel's initramfs wants them: format "newc", always the same bytes.

Source: Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel. Archives may
follow one another in one initramfs when each ends on a 4-byte boundary; a later file replaces an
earlier one of the same name.
"""

import stat
from typing import BinaryIO

TRAILER = "TRAILER!!!"


class CpioWriter:
    def __init__(self, out: BinaryIO):
        self.out = out
        self.inode = 0
        self.folders: set[str] = set()

    def folder(self, path: str) -> None:
        """Add a directory and those above it, each once."""
        if path in self.folders or not path:
            return
        self.folder(path.rpartition("/")[0])
        self.folders.add(path)
        self._entry(path, stat.S_IFDIR | 0o755, b"")

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        self.folder(path.rpartition("/")[0])
        self._entry(path, stat.S_IFREG | mode, data)

    def link(self, path: str, target: str) -> None:
        self.folder(path.rpartition("/")[0])
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def close(self) -> None:
        self._entry(TRAILER, 0, b"")

    def _entry(self, path: str, mode: int, data: bytes) -> None:
        name = path.encode() + b"\0"
        self.inode += 1
        links = 2 if stat.S_ISDIR(mode) else 1
        # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        fields = (self.inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.out.write(_padded(header + name))
        self.out.write(_padded(data))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
