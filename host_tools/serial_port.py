"""The serial line to a router at the bench. The only module that imports mpremote and pyserial.

    with BenchLine("/dev/ttyUSB0") as line:
        line.call("identify", {})       # {"model": ..., ...}; see contract/provisioning.py

The line is opened when its block begins and the raw REPL is entered with the first call, both
with a deadline. Whatever goes wrong is a ToolError that says what to do.
"""

import contextlib
import json
import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from gatelodge.contract import provisioning, stages
from gatelodge.contract.errors import BenchError
from mpremote import transport_serial  # type: ignore[import-untyped]
from mpremote.transport import TransportError, TransportExecError  # type: ignore[import-untyped]
from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]
from serial import SerialException  # type: ignore[import-untyped]
from serial.tools import list_ports  # type: ignore[import-untyped]

from host_tools import exit_codes
from host_tools.errors import ToolError

BAUD = 115200
OPEN_TIMEOUT_S = 10.0  # a USB adapter that was just plugged in needs two or three
KNOCK_TIMEOUT_S = 30.0  # a router on a slow emulator boots in ten
KNOCK_PAUSE_S = 0.5  # how long a router may think before it is knocked at again
BYTE_TIMEOUT_S = 5.0  # between two bytes that belong together
PROMPT_TIMEOUT_S = 1.0  # of a program that was interrupted; there are other ways to the prompt
WRITE_TIMEOUT_S = 15.0  # for WRITE_PIECE bytes; a router restarts in ten, and reads nothing meanwhile
WRITE_PIECE = 512  # bytes: half a second at 9600 baud
POLL_PAUSE_S = 0.005  # between looks at a port that cannot be waited for
CODE_TIMEOUT_S = 60.0  # the slowest verb, self_test, takes 1 s on the reference board
TRIES = 3  # of a text that was damaged on the line; a line that damages more needs a new cable

RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
LOCKED_BANNER = stages.LOCKED_SENTENCE.encode()
KNOCK = b"\r\x03\x03\x01"  # end a typed line, interrupt what runs, enter the raw REPL
WORDS_KEPT = 1 << 20  # bytes of one answer; the longest, a bench verb's, has a few thousand
FACES_KEPT = 4096  # bytes of what a line said last, for the two faces to be found in
QUIET_S = 0.1  # after which a router has said what it has to say
BREAK_S = 0.25  # as pyserial has it: longer than any character

# mpremote prints what it heard when it could not get in. Our own errors say it, in their place.
transport_serial.print = lambda *_: None


class Adapter(NamedTuple):
    """One serial port of this computer. Empty where the system does not know."""

    device: str
    description: str
    usb: str  # vendor and product in hex: "0403:6001"
    serial_number: str
    topology: str  # "1-1.4:1.0": bus, sockets, interface


def adapters() -> list[Adapter]:
    """The serial ports that this computer has now, in the order of their names."""
    found = [
        Adapter(
            port.device,
            port.description or "",
            "" if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}",
            port.serial_number or "",
            port.location or "",
        )
        for port in list_ports.comports()
    ]
    return sorted(found)


class _Transport(SerialTransport):
    """mpremote's, with an end to every wait: its deadlines are between two bytes, and a port may babble."""

    def read_until(
        self, min_num_bytes, ending, timeout=10, data_consumer=None, timeout_overall=None
    ):
        """Return what came, up to and with `ending` unless a deadline has passed."""
        said = bytearray()
        end = time.monotonic() + (timeout_overall or 2 * timeout)
        quiet_at = time.monotonic() + timeout
        while not said.endswith(ending) and len(said) < WORDS_KEPT:
            now = time.monotonic()
            if now >= min(end, quiet_at):
                break
            if not self.serial.in_waiting:
                time.sleep(POLL_PAUSE_S)
                continue
            said += self.serial.read(1)
            quiet_at = now + timeout
        return bytes(said)


class BenchLine:
    """One serial port. `port` is a device such as /dev/ttyUSB0, a pty, rfc2217://HOST:PORT or socket://HOST:PORT.

    `check` is called at every look at the line, many times a second: what it raises ends whatever waits.
    """

    def __init__(
        self,
        port: str,
        baud: int = BAUD,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        check: Callable[[], None] = lambda: None,
    ):
        self.port = port
        self._baud = baud
        self._open_timeout_s = open_timeout_s
        self._check = check
        self._transport: _Transport | None = None
        self._in_raw_repl = False

    def __enter__(self) -> "BenchLine":
        deadline = time.monotonic() + self._open_timeout_s
        while True:
            try:
                self._transport = _Transport(self.port, self._baud, timeout=BYTE_TIMEOUT_S)
                if "://" not in self.port:  # pyserial's network ports have a deadline of their own
                    self._transport.serial.write_timeout = WRITE_TIMEOUT_S
                self._watch(self._transport.serial)
                return self
            except (TransportError, OSError, SerialException) as error:
                if time.monotonic() > deadline:
                    raise _no_port(self.port) from error
            except ValueError as error:  # pyserial's word for a URL of a kind that it does not know
                remedy = "name a device, rfc2217://HOST:PORT or socket://HOST:PORT"
                wrong = f"{self.port!r} is no serial port"
                raise ToolError(wrong, remedy, exit_codes.SERIAL_PORT) from error
            self._check()
            time.sleep(0.25)

    def __exit__(self, *_: object) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return
        with contextlib.suppress(
            OSError, SerialException
        ):  # the router or its adapter may be gone: nothing to say
            if self._in_raw_repl:
                transport.exit_raw_repl()
            transport.close()

    # --- bench ---

    def call(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the router's checked answer to a bench verb.

        Raises ToolError: refused by the router, or the line broke.
        """
        verb = provisioning.find_verb(name)
        text = f"{name} {json.dumps(provisioning.check_request(verb, request), sort_keys=True)}"
        for _ in range(TRIES):
            answer = self._exchange(text)
            if not answer.get("damaged"):
                return self._take(verb, answer)
        raise ToolError(
            f"{self.port} damaged {TRIES} texts one after the other",
            "check the cable and the ground, then start this bench again",
            exit_codes.SERIAL_PORT,
        )

    def execute(self, source: str, timeout_s: float = CODE_TIMEOUT_S) -> str:
        """Run Python on a blank router and return what it printed. Raises ToolError.

        `timeout_s`: how long it may say nothing.
        """
        if not self._in_raw_repl:
            self.enter_raw_repl()
        with self._line_errors():
            output, error = self._open.exec_raw(source, timeout=timeout_s)
        if error:
            last = error.decode(errors="replace").strip().splitlines()[-1]
            raise ToolError(
                f"the router's firmware failed: {last}",
                "keep this router for its makers",
                exit_codes.HANDSHAKE,
            )
        return output.decode(errors="replace")

    def enter_raw_repl(self) -> None:
        if self.is_locked():
            raise ToolError(
                f"the router at {self.port} is locked",
                "it is provisioned already; reset it to factory state to start over",
                exit_codes.REFUSED_BY_BOARD,
            )

    # --- a program that speaks for itself ---

    @property
    def is_in_raw_repl(self) -> bool:
        return self._in_raw_repl

    def start_program(self, source: str) -> None:
        """Start Python on a blank router and leave it the line: `send` is its input, `receive` its output.

        The next `execute` knocks, which ends it; who has interrupted it calls `await_prompt`.
        """
        if not self._in_raw_repl:
            self.enter_raw_repl()
        with self._line_errors():
            self._open.exec_raw_no_follow(source)
        self._in_raw_repl = False

    def await_prompt(self) -> None:
        """Stand at the raw REPL's prompt again, once an interrupted program has ended; else knock later."""
        with self._line_errors(), contextlib.suppress(TransportError):
            self._open.follow(PROMPT_TIMEOUT_S)
            self._in_raw_repl = True

    def send(self, data: bytes) -> None:
        """Write all of it. Raises ToolError when the port takes nothing for long, or is gone."""
        with self._line_errors():
            for start in range(0, len(data), WRITE_PIECE):
                self._open.serial.write(data[start : start + WRITE_PIECE])

    def receive(self, timeout_s: float) -> bytes:
        """Return what has come, b"" when nothing came in time."""
        with self._line_errors():
            serial = self._open.serial
            if not serial.inWaiting():
                self._wait_readable(timeout_s)
            return serial.read(serial.in_waiting) if serial.in_waiting else b""

    def _wait_readable(self, timeout_s: float) -> None:
        serial = self._open.serial
        try:
            select.select([serial.fileno()], [], [], max(0.0, timeout_s))
        except (AttributeError, ValueError):  # io.UnsupportedOperation too: rfc2217:// has no descriptor
            end = time.monotonic() + timeout_s
            while not serial.in_waiting and time.monotonic() < end:
                time.sleep(POLL_PAUSE_S)

    @property
    def has_speed(self) -> bool:
        """Whether the port is a line with a speed, as far as this end can tell: no pty, no plain socket."""
        device = os.path.realpath(self.port)
        return not device.startswith("/dev/pts/") and not self.port.startswith("socket://")

    def set_speed(self, baud: int) -> None:
        with self._line_errors():
            self._open.serial.flush()  # what is still on its way leaves at the old speed
            try:
                self._open.serial.baudrate = baud
            except ValueError as error:
                wrong = f"the adapter of {self.port} cannot do {baud} baud"
                raise ToolError(wrong, "choose another speed", exit_codes.SERIAL_PORT) from error

    # --- knocking ---

    def is_locked(self, timeout_s: float = KNOCK_TIMEOUT_S) -> bool:
        """Knock until the router shows its face: False is the raw REPL, which is then entered; True the lock.

        Raises ToolError when it shows neither in time.
        """
        deadline = time.monotonic() + timeout_s
        said = b""
        with self._line_errors():
            while time.monotonic() < deadline:
                said = self._knock(said)
                if RAW_BANNER in said:
                    return not self._meet_raw_repl()
                if LOCKED_BANNER in said:
                    return True
        what = f"says {said[-60:]!r}" if said else "says nothing"
        raise ToolError(
            f"the router at {self.port} {what}",
            "check its power, the cable and that this is its serial port",
            exit_codes.HANDSHAKE,
        )

    def locked_status(self, timeout_s: float = BYTE_TIMEOUT_S) -> dict[str, str]:
        """Return what a locked router's `status` says, by name. `timeout_s`: between two bytes."""
        self._settle()
        with self._line_errors():
            self._open.serial.write(b"\x03status\r")
            said = self._open.read_until(1, b"\r\n> ", timeout=timeout_s)
        pairs = [line.split(": ", 1) for line in said.decode(errors="replace").splitlines() if ": " in line]
        return dict(pairs)

    # --- trying the lock ---

    def provoke(self, data: bytes, signs: tuple[bytes, ...], timeout_s: float = BYTE_TIMEOUT_S) -> bytes:
        """Send what nobody asked for, and return what is said until it is quiet after one of the signs."""
        self._settle()
        self.send(data)
        return self.hear(signs, timeout_s)

    def hear(self, signs: tuple[bytes, ...], timeout_s: float) -> bytes:
        said, deadline = b"", time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            more = self.receive(QUIET_S)
            said = (said + more)[-FACES_KEPT:]
            if not more and any(sign in said for sign in signs):
                break
        return said

    def send_break(self) -> None:
        with self._line_errors():
            self._open.serial.send_break(BREAK_S)

    def mpremote_gets_in(self, timeout_s: float) -> bool:
        """Whether mpremote, by its own code, reaches a raw REPL."""
        self._settle()
        try:
            self._open.enter_raw_repl(timeout_overall=timeout_s)
        except TransportError:
            return False
        except (OSError, SerialException) as error:
            raise _no_port(self.port) from error
        return True

    def _settle(self) -> None:
        """Let what is still on its way arrive, and forget it."""
        with self._line_errors():
            for _ in range(20):
                time.sleep(0.05)
                if not self._open.serial.inWaiting():
                    return
                self._open.serial.read(self._open.serial.inWaiting())

    def _meet_raw_repl(self) -> bool:
        """Stand right before the prompt, as mpremote expects; earlier knocks may still be answered."""
        self._settle()
        self._open.serial.write(b"\x01")
        self._in_raw_repl = self._open.read_until(1, RAW_BANNER, timeout=BYTE_TIMEOUT_S).endswith(RAW_BANNER)
        if not self._in_raw_repl:
            raise TransportError("the raw REPL did not answer again")
        return True

    def _knock(self, said: bytes) -> bytes:
        serial = self._open.serial
        serial.write(KNOCK)
        end = time.monotonic() + KNOCK_PAUSE_S
        while time.monotonic() < end:
            waiting = serial.inWaiting()
            if waiting:
                said = (said + serial.read(waiting))[-FACES_KEPT:]
            if RAW_BANNER in said or LOCKED_BANNER in said:
                return said
            time.sleep(0.01)
        return said

    # --- parts ---

    def _watch(self, serial: Any) -> None:
        """Have mpremote's own loops look at the clock that ours look at: they all ask how much has come."""
        look = serial.inWaiting

        def look_and_check() -> int:
            self._check()
            return look()

        serial.inWaiting = look_and_check

    @property
    def _open(self) -> _Transport:
        if self._transport is None:
            raise RuntimeError("the line is used outside its block")
        return self._transport

    def _exchange(self, text: str) -> dict[str, Any]:
        output = self.execute(f"print(bench.exchange({provisioning.seal(text)!a}))")
        try:
            answer = json.loads(provisioning.unseal(output.strip()))
        except (provisioning.DamagedError, ValueError):
            return {"damaged": True}
        return answer if isinstance(answer, dict) else {"damaged": True}

    def _take(self, verb: Any, answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            wrong = str(answer["error"]).rstrip(".")
            raise ToolError(f"the router refused {verb.name}: {wrong}", exit_code=exit_codes.REFUSED_BY_BOARD)
        try:
            return provisioning.check_reply(verb, answer.get("ok"))
        except BenchError as error:
            raise ToolError(str(error), exit_code=exit_codes.REFUSED_BY_BOARD) from error

    @contextlib.contextmanager
    def _line_errors(self) -> Iterator[None]:
        try:
            yield
        except TransportExecError as error:
            raise ToolError(
                "the router's firmware failed", "keep this router for its makers", exit_codes.HANDSHAKE
            ) from error
        except (TransportError, struct.error) as error:
            self._in_raw_repl = False
            raise ToolError(
                f"the router at {self.port} stopped in the middle of an answer",
                "check its power and the cable, then start this bench again",
                exit_codes.HANDSHAKE,
            ) from error
        except (OSError, SerialException) as error:
            raise _no_port(self.port) from error


def _no_port(port: str) -> ToolError:
    return ToolError(
        f"cannot use the serial port {port}",
        "check that it exists, that you may read and write it, and that no other program has it open",
        exit_codes.SERIAL_PORT,
    )
