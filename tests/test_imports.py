"""The arrows of the house: who may import whom. Every file is parsed, nothing is run."""

import ast
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHELLS = ("web", "owner", "cloud", "console", "router", "network", "store", "streams")

# What both interpreters have and a decision may use. No json: dicts in, dicts out; shells encode them.
PURE_STANDARD = {"binascii", "collections", "hashlib", "math", "re", "struct"}

# Base modules that any shell may use: they hold no decisions and know no shell.
BASE = ("compat", "tasks", "log", "store_keys", "text", "catalogue", "refusals", "install")


def python_files(top):
    for folder, _, names in os.walk(os.path.join(ROOT, top)):
        for name in sorted(names):
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def imported_modules(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield ("." * node.level + (node.module or ""), node.lineno)
            else:
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def inside(module, package):
    return module == package or module.startswith(package + ".")


def allowed(path, module):
    """Whether the file may import the module (a module, or module.name for `from module import name`)."""
    place = path.replace(os.sep, "/")
    top = module.split(".")[0]
    if module.startswith("."):
        return False  # one spelling for a module: absolute
    if top == "tests":
        return place.startswith("tests/")
    if place.startswith("firmware/gatelodge/contract/"):
        return inside(module, "gatelodge.contract") or top in PURE_STANDARD
    if place.startswith("firmware/gatelodge/core/"):
        packages = ("gatelodge.contract", "gatelodge.core", "gatelodge.compat")
        return any(inside(module, p) for p in packages) or top in PURE_STANDARD
    if place.startswith("firmware/gatelodge/"):
        return firmware_allowed(place.removeprefix("firmware/gatelodge/"), module)
    if place.startswith("host_tools/"):
        if top == "gatelodge":
            return inside(module, "gatelodge.contract")
        if top in ("mpremote", "serial"):
            return place == "host_tools/serial_port.py"
    return True


def firmware_allowed(place, module):
    if module.split(".")[0] == "host_tools":
        return False
    if place == "compat.py" and inside(module, "gatelodge"):
        return module in ("gatelodge.json_text", "gatelodge.io_queue")  # its own two parts
    if place == "daemon.py" or not inside(module, "gatelodge"):
        return True
    shell = place.split("/")[0].removesuffix(".py")
    friends = ("contract", "core", *BASE, shell)
    return any(inside(module, "gatelodge." + friend) for friend in friends)


@pytest.mark.parametrize("path", [*python_files("firmware"), *python_files("host_tools")])
def test_file_imports_only_what_its_place_allows(path):
    imported = imported_modules(path)
    wrong = [f"{path}:{line}: {module}" for module, line in imported if not allowed(path, module)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "path, module",
    [
        ("firmware/gatelodge/contract/link.py", "asyncio"),
        ("firmware/gatelodge/contract/link.py", "gatelodge.core.totp"),
        ("firmware/gatelodge/core/totp.py", "socket"),
        ("firmware/gatelodge/core/totp.py", "gatelodge.store.Store"),
        ("firmware/gatelodge/web/server.py", "gatelodge.store.Store"),
        ("firmware/gatelodge/cloud/client.py", "gatelodge.streams"),
        ("firmware/gatelodge/compat.py", "gatelodge.contract.errors"),
        ("host_tools/cli.py", "gatelodge.core.totp"),
        ("host_tools/factory/bench.py", "mpremote.transport_serial"),
        ("firmware/main.py", "tests.fakes"),
        ("host_tools/cloud/app.py", "tests.fakes"),
    ],
)
def test_a_forbidden_arrow_is_seen(path, module):
    assert not allowed(path, module)


def test_only_compat_asks_which_interpreter_runs():
    """`sys.implementation` and its relatives are compat's business alone."""
    for path in python_files("firmware/gatelodge"):
        if path.endswith("gatelodge/compat.py"):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            assert "sys.implementation" not in file.read(), path


def test_shells_are_the_ones_that_exist():
    gatelodge = os.path.join(ROOT, "firmware", "gatelodge")
    if "--collect-only" in sys.argv:
        return
    for shell in SHELLS:
        place = os.path.join(gatelodge, shell)
        assert os.path.exists(place) or os.path.exists(place + ".py"), shell
