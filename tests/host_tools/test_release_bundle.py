import io
import json
import os
import tarfile

import pytest
from gatelodge.contract import bundle as contract

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import bundle, signing


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The bundle of this very source tree."""
    return bundle.build(tmp_path_factory.mktemp("build"))


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_the_bundle_is_what_its_manifest_promises(built):
    files = members(built)
    manifest = contract.check_manifest(json.loads(files.pop("manifest.json")))
    del files["manifest.sig"]
    for path, content in files.items():
        contract.check_content(manifest, path, content)
    contract.check_complete(manifest, files)


def test_the_bundle_is_signed_by_this_computers_key(built):
    files = members(built)
    ours = signing.public_half(signing.developer_key())
    assert signing.is_signed(files["manifest.json"], files["manifest.sig"], ours)
    assert not signing.is_signed(files["manifest.json"] + b" ", files["manifest.sig"], ours)


def test_the_router_can_read_every_header(built):
    data = built.read_bytes()
    paths, position = [], 0
    while (header := contract.parse_header(data[position : position + contract.BLOCK])) is not None:
        paths.append(header[0])
        position += contract.BLOCK + -(-header[1] // contract.BLOCK) * contract.BLOCK
    assert paths == list(members(built))
    assert paths[:2] == [contract.MANIFEST, contract.SIGNATURE]


def test_the_same_sources_give_the_same_bytes(built, tmp_path):
    assert bundle.build(tmp_path).read_bytes() == built.read_bytes()


def test_the_bundle_holds_compiled_code_and_assets_but_no_sources(built):
    paths = members(built)
    assert "gatelodge/contract/board.mpy" in paths
    assert "gatelodge/contract/tokens.css" in paths
    assert not [path for path in paths if path.endswith((".py", ".pyi", ".md"))]
    assert "main.mpy" not in paths
    assert {path.split("/")[0] for path in paths} == {contract.MANIFEST, contract.SIGNATURE, "gatelodge"}


def test_the_build_time_is_in_the_manifest_and_beside_the_code(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795281600")
    files = members(bundle.build(tmp_path))
    assert json.loads(files["manifest.json"])["built_at"] == 1795281600
    assert json.loads(files["gatelodge/build.json"]) == {"version": bundle.version(), "built_at": 1795281600}


def test_sources_without_a_repository_were_built_at_the_time_of_the_newest(monkeypatch, tmp_path):
    for name, written_at in (("a.py", 1795281600), ("b.py", 1795281700)):
        source = tmp_path / "firmware" / "gatelodge" / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.touch()
        os.utime(source, (written_at, written_at))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(bundle.places, "ROOT", tmp_path)
    monkeypatch.setattr(bundle.places, "FIRMWARE", tmp_path / "firmware")
    assert bundle.build_time() == 1795281700


def test_python_that_micropython_does_not_know_is_one_sentence(tmp_path):
    source = tmp_path / "new.py"
    source.write_text("match 1:\n    case 1:\n        pass\n")
    with pytest.raises(ToolError) as caught:
        bundle.compile_source(source, "gatelodge/new.py", tmp_path / "out.mpy")
    assert caught.value.exit_code == exit_codes.BUNDLE_BUILD
    assert "gatelodge/new.py does not compile" in str(caught.value)


def test_an_archive_is_plain_ustar_without_owners():
    data = bundle.archive({"a": b"1"}, 7)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        member = tar.getmember("a")
    assert (member.mtime, member.uid, member.uname, member.mode) == (7, 0, "", 0o644)
