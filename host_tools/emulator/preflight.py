"""What must be there before `gatelodge run` begins, each with the sentence that says so."""

import shutil

from host_tools import exit_codes
from host_tools.errors import ToolError

PROGRAMS = {
    # program: (Debian package, boards that need it)
    "mmdebstrap": ("mmdebstrap", ("qemu-virt-aarch64", "host")),
    "qemu-system-aarch64": ("qemu-system-arm", ("qemu-virt-aarch64",)),
    "setpriv": ("util-linux", ("qemu-virt-aarch64", "host")),
    "setsid": ("util-linux", ("qemu-virt-aarch64", "host")),
}


def check_programs(board: str) -> None:
    for program, (package, boards) in PROGRAMS.items():
        if board in boards and not shutil.which(program):
            raise ToolError(
                f"{program} is missing",
                f"run `make setup`, or install Debian's package {package}",
                exit_codes.MISSING_TOOL,
            )
