"""A router without hardware: the reference board under QEMU, or the daemon on this computer."""
