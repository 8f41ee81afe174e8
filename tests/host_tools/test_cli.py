import errno
import importlib.util
import sys
import types

import pytest

from host_tools import cli, exit_codes
from host_tools.errors import ToolError


@pytest.fixture
def verb(monkeypatch):
    """A verb `try it` whose outcome a test chooses."""
    module = types.ModuleType("tests_try_it", "Try it.")
    module.add_arguments = lambda parser: parser.add_argument("--times", type=int, default=1)
    module.run = lambda args: exit_codes.OK
    monkeypatch.setitem(sys.modules, "tests_try_it", module)
    monkeypatch.setattr(cli, "VERBS", (cli.Verb("try it", "tests_try_it", "try something"),))
    return module


def test_a_verb_gets_its_own_arguments_and_gives_the_exit_status(verb):
    verb.run = lambda args: args.times
    assert cli.main(["try", "it", "--times", "7"]) == 7


def test_a_tool_error_is_one_sentence_on_stderr_and_its_exit_status(verb, capsys):
    def fail(args):
        raise ToolError("port 8443 is taken", "stop nginx", exit_codes.PORT_TAKEN)

    verb.run = fail
    assert cli.main(["try", "it"]) == exit_codes.PORT_TAKEN
    captured = capsys.readouterr()
    assert captured.err == "gatelodge: port 8443 is taken: stop nginx\n"
    assert captured.out == ""


def test_a_full_disk_is_one_sentence_and_its_exit_status(verb, capsys):
    def fail(args):
        raise OSError(errno.ENOSPC, "No space left on device")

    verb.run = fail
    assert cli.main(["try", "it"]) == exit_codes.DISK_FULL
    assert capsys.readouterr().err == "gatelodge: the disk is full: free some of it and try again\n"


def test_an_unknown_verb_is_a_usage_error_that_lists_the_verbs(verb, capsys):
    assert cli.main(["tyr", "it"]) == exit_codes.USAGE
    captured = capsys.readouterr()
    assert "there is no verb 'tyr it'" in captured.err
    assert "gatelodge try it  try something" in captured.err


def test_help_lists_the_verbs_on_stdout(verb, capsys):
    assert cli.main([]) == exit_codes.OK
    assert "try something" in capsys.readouterr().out


def test_every_verb_names_a_module_that_exists():
    missing = [verb.words for verb in cli.VERBS if importlib.util.find_spec(verb.module) is None]
    assert missing == []


def test_no_exit_status_means_two_things():
    numbers = [value for name, value in vars(exit_codes).items() if name.isupper()]
    assert len(numbers) == len(set(numbers))
