"""The router's real phone-home client, store and streams under MicroPython, without the rest of the daemon.

    micropython tests/fakes/phone_home.py CONFIG.json

CONFIG: {serial_number, host, port, server_name, cloud_ca, certificate, key (base-64 DER), store: path,
answer: true | false | null (what the owner says to a claim), releases: whether the owner gives the router
back at once, tells: path}. The log goes to stderr; what else happens is told as JSON lines in the file
`tells`. A reboot ends the process with code 64.
"""

import asyncio
import binascii
import sys
import time

from gatelodge import compat, log
from gatelodge.cloud.client import CloudClient
from gatelodge.compat import json
from gatelodge.store import FlashFiles, Store
from gatelodge.streams.stream import client_context, open_tls

CONNECT_MS = 5000
RESTART = 64


class SystemClock:
    state = "synced"

    def __init__(self, tell):
        self.tell = tell

    def now(self):
        return int(time.time())

    def set(self, unix_s, source):
        self.tell({"clock": source, "error_s": abs(int(unix_s) - self.now())})


class PhoneHome:
    def __init__(self, config):
        self.config = config
        self.restart = asyncio.Event()
        der = [binascii.a2b_base64(config[name]) for name in ("cloud_ca", "certificate", "key")]
        self.context = client_context(*der)
        self.store = Store(FlashFiles(), config["store"])
        self.store.open()
        identity = {
            "serial_number": config["serial_number"],
            "model": "Phone home",
            "service_code": "000G40R40M30E209Z",
            "cloud": {"server_name": config["server_name"]},
        }
        commands = {"reboot": self.reboot, "identify": self.identify}
        self.client = CloudClient(
            identity, self.open_stream, SystemClock(self.tell), self.store, facts, commands, compat.entropy,
            self.changed,
        )
        self.client._backoff.welcomed(1)  # as if it knew this cloud: no test waits long

    def tell(self, event):
        with open(self.config["tells"], "a") as file:
            file.write(json.dumps(event) + "\n")

    async def open_stream(self):
        config = self.config
        return await open_tls(config["host"], config["port"], self.context, config["server_name"], CONNECT_MS)

    async def reboot(self, args):
        self.tell({"ran": "reboot"})
        self.restart.set()

    async def identify(self, args):
        self.tell({"ran": "identify"})
        return {"lights": 3}

    def changed(self):
        self.tell({"state": self.client.state})
        if self.config.get("releases") and self.client.owner is not None:
            self.client.release()
        claim = self.client.claim
        if claim is not None:
            self.tell({"claim": claim})
            if self.config["answer"] is not None:
                self.client.answer_claim(claim["claim_id"], self.config["answer"])


def facts():
    return {"firmware": "0.1.0", "uptime_s": 7, "load": 0.25, "memory_free_kb": 4096, "wan_up": True}


async def main(path):
    with open(path) as file:
        home = PhoneHome(json.loads(file.read()))
    calling = asyncio.create_task(home.client.run())
    await home.restart.wait()
    calling.cancel()
    try:
        await calling
    except asyncio.CancelledError:
        log.info("phone_home", "restarting")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    sys.exit(RESTART)
