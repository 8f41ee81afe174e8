"""A disk that loses its power: what a process wrote, call by call, and what may be left of it.

    disk = Disk(place)
    for call in record(command, trace):
        if disk.take(call):
            disk.leave(directory, dice)

POSIX promises of a write that was not synced: nothing. So any of its sectors may be on the disk, in any
order, or none; a name in a directory is there when the directory was synced. Names are kept in their order,
as journalling file systems do. Memory that is mapped (SQLite's index of the log) is noise after a cut.
"""

import itertools
import os
import re
import subprocess
from pathlib import Path

CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,link,linkat,rename,close"
LINE = re.compile(r"(\w+)\((.*)\)\s+= (\d+)")  # of strace; a call that failed has another end
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
SECTOR = 512  # bytes, that are on the disk or not
OUT = 1
HANDLERS = {"fdatasync": "_fsync", "unlinkat": "_unlink", "linkat": "_link"}


def record(command, trace, timeout_s=120, **options):
    """Run the command, which must be one process, and return its calls: (name, texts, rest, result)."""
    strace = ["strace", "-o", trace, "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
    subprocess.run([*strace, *command], check=True, timeout=timeout_s, stdout=subprocess.DEVNULL, **options)
    with open(trace, encoding="ascii") as file:
        return [call for call in map(_call, file) if call is not None]


def _call(line):
    found = LINE.match(line)
    if found is None:
        return None
    name, arguments, result = found.groups()
    texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
    return name, texts, TEXT.sub("", arguments).split(","), int(result)


class Disk:
    def __init__(self, place):
        self.place = str(place)
        self.said = b""  # what the process wrote to its output
        self.syncs = 0
        self._names = {}  # as the process sees them: path -> number of the file
        self._kept_names = {}
        self._kept = {}  # number -> what is on the disk for sure
        self._loose = []  # in their order: (number, offset, bytes) or (number, size, None)
        self._loose_names = []  # (path, number or None)
        self._open = {}  # descriptor -> number, or the path of a directory
        self._at = {}  # descriptor -> where the next write without an offset goes
        self._numbers = itertools.count()

    def take(self, call):
        """Return whether the call has changed what may be left, or what was said."""
        name, texts, rest, result = call
        before = (len(self._loose), len(self._loose_names), self.syncs, len(self.said))
        getattr(self, HANDLERS.get(name, "_" + name))(texts, rest, result)
        return before != (len(self._loose), len(self._loose_names), self.syncs, len(self.said))

    # --- calls ---

    def _openat(self, texts, rest, result):
        path = os.fsdecode(texts[0])
        self._open.pop(result, None)
        self._at[result] = 0
        if path == self.place or path.startswith(self.place + "/"):
            if "O_CREAT" in rest[2] and path not in self._names:
                number = next(self._numbers)
                self._kept[number] = b""
                self._name(path, number)
            elif "O_TRUNC" in rest[2]:
                self._loose.append((self._names[path], 0, None))
            self._open[result] = self._names.get(path, path)

    def _close(self, texts, rest, result):
        self._open.pop(int(rest[0]), None)

    def _write(self, texts, rest, result):
        descriptor = int(rest[0])
        number = self._open.get(descriptor)
        if isinstance(number, int):
            self._loose.append((number, self._at[descriptor], texts[0][:result]))
            self._at[descriptor] += result
        elif descriptor == OUT:
            self.said += texts[0]

    def _pwrite64(self, texts, rest, result):
        number = self._open.get(int(rest[0]))
        if isinstance(number, int):
            self._loose.append((number, int(rest[3]), texts[0][:result]))

    def _ftruncate(self, texts, rest, result):
        number = self._open.get(int(rest[0]))
        if isinstance(number, int):
            self._loose.append((number, int(rest[1]), None))

    def _fsync(self, texts, rest, result):
        found = self._open.get(int(rest[0]))
        if isinstance(found, int):
            self._kept = self._with([write for write in self._loose if write[0] == found])
            self._loose = [write for write in self._loose if write[0] != found]
        elif found is not None:
            mine = [change for change in self._loose_names if str(Path(change[0]).parent) == found]
            self._kept_names = _renamed(self._kept_names, mine)
            self._loose_names = [change for change in self._loose_names if change not in mine]
        self.syncs += found is not None

    def _unlink(self, texts, rest, result):
        if os.fsdecode(texts[0]) in self._names:
            self._name(os.fsdecode(texts[0]), None)

    def _link(self, texts, rest, result):
        old, new = map(os.fsdecode, texts)
        if old in self._names:
            self._name(new, self._names[old])

    def _rename(self, texts, rest, result):
        self._link(texts, rest, result)
        self._unlink(texts, rest, result)

    def _name(self, path, number):
        self._names = _renamed(self._names, [(path, number)])
        self._loose_names.append((path, number))

    # --- the cut ---

    def leave(self, directory, dice):
        """Write into the directory what a cut now may leave there."""
        names = _renamed(self._kept_names, self._loose_names[: dice.randint(0, len(self._loose_names))])
        share = dice.choice((0, 0.5, 1))  # of the sectors
        left = self._with([piece for write in self._loose for piece in _torn(write, dice, share)])
        for path, number in names.items():
            if str(Path(path).parent) == self.place:
                noise = path.endswith("-shm")
                (directory / Path(path).name).write_bytes(dice.randbytes(32768) if noise else left[number])

    def _with(self, writes):
        """What is kept, and these writes."""
        files = {number: bytearray(content) for number, content in self._kept.items()}
        for number, offset, data in writes:
            content = files[number]
            size = offset if data is None else max(len(content), offset + len(data))
            content[len(content) :] = bytes(max(0, size - len(content)))
            if data is None:
                del content[size:]
            else:
                content[offset : offset + len(data)] = data
        return {number: bytes(content) for number, content in files.items()}


def _torn(write, dice, share):
    number, offset, data = write
    if data is None:
        return [write] if dice.random() < share else []
    ends = [0, *range(SECTOR - offset % SECTOR, len(data), SECTOR), len(data)]
    pieces = [(number, offset + start, data[start:end]) for start, end in itertools.pairwise(ends)]
    return [piece for piece in pieces if dice.random() < share]


def _renamed(names, changes):
    names = dict(names)
    for path, number in changes:
        names.pop(path, None)
        if number is not None:
            names[path] = number
    return names
