import io
import subprocess
import sys

import pytest

from host_tools.release import elf
from host_tools.release.cpio import CpioWriter


def entries(data):
    """Read a newc archive: {name: (mode, content)} in its order."""
    found, position = {}, 0
    while position < len(data):
        assert data[position : position + 6] == b"070701"
        fields = [int(data[position + 6 + 8 * i : position + 14 + 8 * i], 16) for i in range(13)]
        name_end = position + 110 + fields[11]
        name = data[position + 110 : name_end - 1].decode()
        start = (name_end + 3) & ~3
        found[name] = (fields[1], data[start : start + fields[6]])
        position = (start + fields[6] + 3) & ~3
    return found


def archive(fill):
    out = io.BytesIO()
    cpio = CpioWriter(out)
    fill(cpio)
    cpio.close()
    return out.getvalue()


def test_a_file_brings_its_folders_once_and_before_it():
    data = archive(lambda cpio: (cpio.file("a/b/c", b"1"), cpio.file("a/b/d", b"22", 0o755)))
    assert list(entries(data)) == ["a", "a/b", "a/b/c", "a/b/d", "TRAILER!!!"]
    assert entries(data)["a/b/d"] == (0o100755, b"22")
    assert data.count(b"a/b\0") == 1


def test_a_link_holds_its_target():
    data = archive(lambda cpio: cpio.link("bin/sh", "busybox"))
    assert entries(data)["bin/sh"] == (0o120777, b"busybox")


def test_two_archives_follow_one_another_on_a_boundary():
    data = archive(lambda cpio: cpio.file("a", b"x"))
    assert len(data) % 4 == 0
    assert entries(data + data)["a"] == (0o100644, b"x")


def test_the_same_input_gives_the_same_bytes():
    assert archive(lambda cpio: cpio.file("a", b"x")) == archive(lambda cpio: cpio.file("a", b"x"))


def test_the_running_python_names_its_loader_and_its_c_library():
    with open(sys.executable, "rb") as file:
        found = elf.links(file.read())
    assert "ld-linux" in found.interpreter
    assert "libc.so.6" in found.needed


def test_the_links_are_those_that_the_loader_itself_reports():
    with open("/bin/ls", "rb") as file:
        found = elf.links(file.read())
    told = subprocess.run(["ldd", "/bin/ls"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert found.needed
    assert all(name in told for name in found.needed)


def test_something_else_than_elf_is_refused():
    with pytest.raises(ValueError):
        elf.links(b"#!/bin/sh\n")
