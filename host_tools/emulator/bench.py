"""The factory's bench at the emulated router: its keys are in the run directory, its cable is the pty."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.emulator.cloud import SERVER_NAME
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.label import of_board, terminal_label, write_label
from host_tools.factory.provision import Cloud, provision
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.unit import lock_proof
from host_tools.serial_port import BenchLine


def authority(directory: Path) -> FactoryAuthority:
    return FactoryAuthority.create_or_load(directory)


def cloud(ca_file: Path, host: str, ports: dict[str, int]) -> Cloud:
    """Where this run's router phones home: `host` is what the router calls this computer."""
    certificate = x509.load_pem_x509_certificate(ca_file.read_bytes()).public_bytes(Encoding.DER)
    return Cloud(certificate, host, ports["cloud_devices"], SERVER_NAME, [(host, ports["ntp"])])


def wait_for_console(port: Path) -> None:
    """Return when the router speaks at its serial port, blank or locked. Raises ToolError."""
    with BenchLine(str(port)) as line:
        line.is_locked()


def provision_unit(
    port: Path,
    factory: FactoryAuthority,
    names: list[str],
    where: Cloud,
    label: Path,
    board_file: Path,
    keep: Callable[[dict[str, Any]], None],
    progress: Callable[[str, str], None],
) -> UnitRecord:
    """Provision the router at the port; `keep` gets what the run must know before the bench forgets it.

    `label` is written as the board beside `board_file` has it.
    """
    # Without the tries that take a restart: this router is for developers, and they wait for it.
    ways = lock_proof.QUICK
    unit = provision(str(port), factory, names=names, cloud=where, progress=progress, ways=ways)
    write_label(unit, label, of_board(board_file))
    keep(unit._asdict())
    Records(factory).forget(unit.serial_number)
    return unit


def label(unit: dict[str, Any]) -> str:
    """The label for the terminal, of what `keep` was given."""
    return terminal_label(UnitRecord(**unit)).rstrip()


def grouped(unit: dict[str, Any]) -> str:
    return UnitRecord(**unit).grouped_code
