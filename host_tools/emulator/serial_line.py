"""The serial cable between an emulated router and this computer: a pty that stays while routers come and go.

One end is a file descriptor of the router's (QEMU's UART, or the daemon's own terminal), the other
is a pty, whose path is a link in the run directory. As on a real cable, what nobody reads is lost.
"""

import asyncio
import os
import tty
from pathlib import Path

CHUNK = 4096
LOST_AFTER_S = 0.5  # a reader that takes nothing for so long is not there


class SerialLine:
    def __init__(self, link: Path):
        self.link = link
        self.router: int | None = None
        self.to_host = b""
        self.to_router = b""
        self.loss_timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.host, self.far_end = os.openpty()
        # We keep the far end open ourselves: else the pty hangs up whenever mpremote closes it.
        tty.setraw(self.far_end)
        os.set_blocking(self.host, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.far_end))
        self.loop.add_reader(self.host, self._host_says)

    def attach(self, router: int) -> None:
        """Plug the cable into a router's descriptor, which we own from now on."""
        self.detach()
        os.set_blocking(router, False)
        self.router = router
        self.loop.add_reader(router, self._router_says)

    def detach(self) -> None:
        if self.router is None:
            return
        self.loop.remove_reader(self.router)
        self.loop.remove_writer(self.router)
        os.close(self.router)
        self.router = None
        if self.to_router:
            self.to_router = b""
            self.loop.add_reader(self.host, self._host_says)

    def close(self) -> None:
        self.detach()
        self._forget_loss()
        self.loop.remove_reader(self.host)
        self.loop.remove_writer(self.host)
        os.close(self.host)
        os.close(self.far_end)
        self.link.unlink(missing_ok=True)

    def _host_says(self) -> None:
        try:
            self.to_router = os.read(self.host, CHUNK)
        except BlockingIOError:
            return
        if self.router is None:
            self.to_router = b""  # nothing is plugged in
            return
        self._write_router()

    def _write_router(self) -> None:
        assert self.router is not None
        self.to_router = self.to_router[_write(self.router, self.to_router) :]
        if self.to_router:
            # Back-pressure, as flow control has it: no more from the host until this is gone.
            self.loop.remove_reader(self.host)
            self.loop.add_writer(self.router, self._write_router)
        else:
            self.loop.remove_writer(self.router)
            self.loop.add_reader(self.host, self._host_says)

    def _router_says(self) -> None:
        assert self.router is not None
        try:
            self.to_host = os.read(self.router, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: the other side of a pty has closed
            self.to_host = b""
        if not self.to_host:
            self.detach()
            return
        self._write_host()

    def _write_host(self) -> None:
        self._forget_loss()
        self.to_host = self.to_host[_write(self.host, self.to_host) :]
        if self.to_host:
            if self.router is not None:
                self.loop.remove_reader(self.router)
            self.loop.add_writer(self.host, self._write_host)
            self.loss_timer = self.loop.call_later(LOST_AFTER_S, self._lose)
            return
        self._host_is_served()

    def _lose(self) -> None:
        self.to_host = b""
        self._host_is_served()

    def _host_is_served(self) -> None:
        self.loop.remove_writer(self.host)
        if self.router is not None:
            self.loop.add_reader(self.router, self._router_says)

    def _forget_loss(self) -> None:
        if self.loss_timer:
            self.loss_timer.cancel()
            self.loss_timer = None


def _write(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0
    except OSError:  # the router has gone; its reader sees that next
        return len(data)
