"""The inventory of installed libraries: all that the cloud loads is in it, and nothing of development."""

import json
import subprocess
import sys
from importlib import metadata

from host_tools import cli
from host_tools.cloud import libraries

# Others load these where they happen to be installed; the cloud asks for neither.
BY_CHANCE = {libraries.OURS, "setuptools", "pygments"}
# What `import host_tools.cloud.service` loads, by the packages that brought it.
LOADED = """
import sys, json
import host_tools.cloud.service
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_every_package_that_the_cloud_loads_is_in_it():
    loaded = subprocess.check_output([sys.executable, "-c", LOADED], text=True, timeout=120)
    owners = metadata.packages_distributions()
    packages = {libraries.canonical(each) for name in json.loads(loaded) for each in owners.get(name, ())}
    found = libraries.installed()
    assert packages - BY_CHANCE <= set(found)
    assert {"aiohttp", "cryptography", "cffi", "sqlalchemy", "greenlet"} <= set(found)
    assert not {"pytest", "mypy", "playwright", "libraries"} & set(found)


def test_it_is_written_as_cyclonedx(capsys, tmp_path):
    assert cli.main(["cloud", "check", "--data", str(tmp_path), "--libraries"]) == 0
    bill = json.loads(capsys.readouterr().out)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    known = {each["name"]: each for each in bill["components"]}
    address = f"pkg:pypi/aiohttp@{metadata.version('aiohttp')}"
    assert known["aiohttp"]["purl"] == address and known["aiohttp"]["version"] in address


def test_an_extra_is_followed_only_where_it_is_asked_for():
    without = libraries.installed(extras=frozenset())
    assert "asyncpg" in libraries.installed() and "asyncpg" not in without
    assert "greenlet" in without  # sqlalchemy[asyncio]
