"""Drivers for labgrid: a blank router's power, and Python on its serial console.

Loaded by `imports:` of a board's labgrid.yaml in labgrid's own environment: labgrid brings a pyserial of its
own, which must not meet ours. So this file imports nothing of this project.
"""

import os
import signal
import subprocess
import time

import attr
import pexpect  # type: ignore[import-untyped]
from labgrid.driver import ExecutionError  # type: ignore[import-not-found]
from labgrid.driver.commandmixin import CommandMixin  # type: ignore[import-not-found]
from labgrid.driver.common import Driver  # type: ignore[import-not-found]
from labgrid.factory import target_factory  # type: ignore[import-not-found]
from labgrid.protocol import (  # type: ignore[import-not-found]
    CommandProtocol,
    ConsoleProtocol,
    PowerProtocol,
)
from labgrid.step import step  # type: ignore[import-not-found]

READY_TIMEOUT_S = 600  # the first run on a computer builds the board's image
STOP_TIMEOUT_S = 60
POLL_S = 0.1

RAW_BANNER = "raw REPL; CTRL-B to exit\r\n>"
LOCKED_BANNER = "This console is locked."
KNOCK = b"\r\x03\x03\x01"  # end a typed line, interrupt what runs, enter the raw REPL
KNOCKS, KNOCK_TIMEOUT_S = 60, 1.0
END = b"\x04"


@target_factory.reg_driver
@attr.s(eq=False)
class GatelodgePowerDriver(Driver, PowerProtocol):
    """`gatelodge run --blank` is the board's power supply: while it runs, the board is on."""

    program = attr.ib(validator=attr.validators.instance_of(str))
    run_dir = attr.ib(validator=attr.validators.instance_of(str))
    board = attr.ib(validator=attr.validators.instance_of(str))

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self._process = None

    def on_deactivate(self):
        self._stop()

    @Driver.check_active
    @step()
    def on(self):
        if self._process is not None and self._process.poll() is None:
            return
        os.makedirs(self.run_dir, exist_ok=True)
        command = [self.program, "run", "--blank", "--auto-ports", "--board", self.board]
        with open(os.path.join(self.run_dir, "run.out"), "ab") as out:
            self._process = subprocess.Popen(
                [*command, "--run-dir", self.run_dir], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self._wait_until_ready(self._process)

    @Driver.check_active
    @step()
    def off(self):
        self._stop()

    @Driver.check_active
    @step()
    def cycle(self):
        self._stop()
        self.on()

    def _wait_until_ready(self, process):
        """current.json is there while the board is ready."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if os.path.exists(os.path.join(self.run_dir, "current.json")):
                return
            if process.poll() is not None:
                break
            time.sleep(POLL_S)
        self._stop()
        raise ExecutionError(f"the board {self.board} did not start: see {self.run_dir}/run.out")

    def _stop(self):
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@target_factory.reg_driver
@attr.s(eq=False)
class GatelodgeBoardDriver(CommandMixin, Driver, CommandProtocol):
    """A blank router's console: a command is Python, run through MicroPython's raw REPL."""

    bindings = {"console": ConsoleProtocol}

    def on_activate(self):
        if not self._meets_raw_repl():
            raise ExecutionError("the router is locked: it takes no commands, reset it to factory state")

    @Driver.check_active
    @step(result=True)
    def get_status(self):
        """1 when commands are taken."""
        return int(self._meets_raw_repl())

    @Driver.check_active
    @step(args=["command"], result=True)
    def run(self, command, timeout=30.0, codec="utf-8", decodeerrors="strict"):
        """Return (lines of output, lines of the traceback, 0 or 1)."""
        return self._run(command, timeout=timeout, codec=codec, decodeerrors=decodeerrors)

    def _run(self, command, timeout=30.0, codec="utf-8", decodeerrors="strict"):
        self.console.write(command.encode(codec) + END)
        self.console.expect("OK", timeout=timeout)
        output = self._until_end(timeout).decode(codec, decodeerrors)
        traceback = self._until_end(timeout).decode(codec, decodeerrors)
        self.console.expect(">", timeout=timeout)
        return output.splitlines(), traceback.splitlines(), int(bool(traceback))

    def _until_end(self, timeout):
        _, before, _, _ = self.console.expect("\x04", timeout=timeout)
        return before

    def _meets_raw_repl(self):
        """Knock until the router shows its face: a prompt, or the lock. Raises ExecutionError."""
        for _ in range(KNOCKS):
            self.console.write(KNOCK)
            try:
                face, *_ = self.console.expect([RAW_BANNER, LOCKED_BANNER], timeout=KNOCK_TIMEOUT_S)
            except pexpect.TIMEOUT:
                continue
            self.console.settle(KNOCK_TIMEOUT_S)
            return self._stands_at_prompt() if face == 0 else False
        raise ExecutionError("the router says nothing: check its power and its serial port")

    def _stands_at_prompt(self):
        """Forget what earlier knocks are still answered, and stand right behind one prompt."""
        self.console.write(b"\x01")
        self.console.expect(RAW_BANNER, timeout=KNOCK_TIMEOUT_S)
        return True
