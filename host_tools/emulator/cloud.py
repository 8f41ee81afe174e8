"""The cloud as a child process of `gatelodge run`."""

import sys
from pathlib import Path

from host_tools.emulator.process import Child

LOG = "cloud.log"
HEALTH = "/health"
SERVER_NAME = "cloud.gatelodge.internal"  # what routers ask for; the cloud's certificate bears it


class CloudProcess(Child):
    def __init__(self, run_dir: Path, ports: dict[str, int], heartbeat_s: int | None = None):
        super().__init__("cloud")
        self.run_dir = run_dir
        self.ports = ports
        self.heartbeat_s = heartbeat_s
        self.log = run_dir / LOG
        self.url = f"https://localhost:{ports['cloud']}"
        self.portal_url = f"https://localhost:{ports['portal']}"
        self.help_url = f"https://localhost:{ports['help']}"
        self.ca_file = run_dir / "cloud" / "cloud-ca.pem"

    def command(self) -> list[str]:
        factory = self.run_dir / "factory"
        heartbeat = [] if self.heartbeat_s is None else ["--heartbeat", str(self.heartbeat_s)]
        return [
            sys.executable, "-m", "host_tools.cli", "cloud", "serve", "--development",
            "--data", str(self.run_dir / "cloud"),
            "--port", str(self.ports["cloud"]),
            "--device-port", str(self.ports["cloud_devices"]),
            "--portal-port", str(self.ports["portal"]),
            "--help-port", str(self.ports["help"]),
            "--devices", str(factory / "devices.jsonl"),
            "--service-code-key", str(factory / "service_code.key"),
            "--factory-ca", str(factory / "factory-ca.pem"), *heartbeat,
        ]  # fmt: skip

    async def power_on(self) -> None:
        await self.start(self.command(), self.log)

    def describe_end(self, status: int) -> str:
        words = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"the cloud ended with status {status}" + (f" ({words[-1]})" if words else "")
