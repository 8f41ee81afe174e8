import shutil

import pytest

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import board_image, packages, places


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_that_could_not_be_filled_leaves_nothing(tmp_path):
    def fill(folder):
        (folder / "half").write_text("x")
        raise OSError("power cut")

    with pytest.raises(OSError):
        places.whole_folder(tmp_path / "made", fill)
    assert left_in(tmp_path) == []


def test_a_folder_is_filled_once(tmp_path):
    calls = []
    for _ in range(2):
        places.whole_folder(tmp_path / "made", lambda folder: calls.append(folder.name))
    assert calls == ["made"]


def test_a_file_that_could_not_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    places.write_whole(path, b"old")
    with pytest.raises(TypeError):
        places.write_whole(path, "no bytes")
    assert path.read_bytes() == b"old"
    assert left_in(tmp_path) == ["file"]


def test_a_full_disk_is_said_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 5_000_000))
    with pytest.raises(ToolError) as caught:
        packages.fetch("trixie", "arm64", ["micropython"], tmp_path / "packages.tar")
    assert caught.value.exit_code == exit_codes.DISK_FULL
    assert "has 5 MB left" in str(caught.value)
    assert left_in(tmp_path) == []


def test_a_missing_mmdebstrap_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as caught:
        packages.fetch("trixie", "arm64", ["micropython"], tmp_path / "packages.tar")
    assert caught.value.exit_code == exit_codes.MISSING_TOOL
    assert "make setup" in str(caught.value)


@pytest.mark.parametrize("name", sorted(folder.parent.name for folder in places.BOARDS.glob("*/board.json")))
def test_every_board_is_correct_and_bears_its_folders_name(name):
    assert board_image.load_board(name)["name"] == name


def test_an_unknown_board_is_refused_with_those_there_are():
    with pytest.raises(ToolError) as caught:
        board_image.load_board("toaster")
    assert "choose one of host, qemu-virt-aarch64" in str(caught.value)
