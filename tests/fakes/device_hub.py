"""A device hub without routers: it implements DeviceHub's side towards the rest of the cloud.

`connect` and `disconnect` are the router's plug; `answer`, `release` and `invite` are what the owner presses
on its page, `reset` what somebody does who is at it.
"""

import asyncio
import time

from host_tools.cloud.devices.callbacks import Callbacks
from host_tools.cloud.devices.commands import DeviceOffline


class FakeDeviceHub:
    def __init__(self, callbacks=Callbacks()):  # noqa: B008 - it is frozen
        self._call = callbacks
        self.release, self.invite = callbacks.on_release, callbacks.on_invite
        self.notice, self.uninvite = callbacks.on_notice, callbacks.on_uninvite
        self.report, self.ended = callbacks.on_report, callbacks.on_result
        self._online = {}
        self.claims = {}  # serial_number: the claim that its page shows
        self.owners = {}  # serial_number: whom the router was last told
        self.commands = []  # (serial_number, name)
        self.asked = []  # (serial_number, command_id, name, args) of what `ask` sent
        self.result = asyncio.Future()  # of every command: a dict, or an exception

    async def connect(self, serial_number, **status):
        known = {"state": "online", "since": int(time.time()), "heard": int(time.time()), "firmware": "0.1.0"}
        self._online[serial_number] = {**known, "uptime_s": 61, "load": 0.25, "wan_up": True, **status}
        await self._edge(serial_number, "online", self._online[serial_number])

    async def disconnect(self, serial_number):
        status = self._online.pop(serial_number)
        await self._edge(serial_number, "offline", {**status, "state": "offline"})

    async def answer(self, serial_number, approved):
        await self._call.on_claim_answer(serial_number, self.claims[serial_number]["claim_id"], approved)

    async def reset(self, serial_number):
        """The router comes back from a reset: the hub says so before it is online."""
        await self._call.on_reset(serial_number)
        await self.connect(serial_number)

    def online(self, serial_number):
        status = self._online.get(serial_number)
        return dict(status) if status else None

    async def command(self, serial_number, name, args, timeout_s):
        self._require(serial_number)
        self.commands.append((serial_number, name))
        return await asyncio.shield(self.result)

    async def ask(self, serial_number, command_id, name, args):
        if serial_number not in self._online:
            return False
        self.asked.append((serial_number, command_id, name, args))
        return True

    async def start_claim(self, serial_number, claim, timeout_s=10):
        self._require(serial_number)
        self.claims[serial_number] = claim

    async def cancel_claim(self, serial_number, claim_id, timeout_s=10):
        self._require(serial_number)
        if self.claims.get(serial_number, {}).get("claim_id") == claim_id:
            del self.claims[serial_number]

    async def set_owner(self, serial_number, owner):
        self.owners[serial_number] = owner
        return serial_number in self._online

    def _require(self, serial_number):
        if serial_number not in self._online:
            raise DeviceOffline("The router is offline. Check its power and its internet connection.")

    async def _edge(self, serial_number, state, status):
        if self._call.on_edge is not None:
            await self._call.on_edge(serial_number, state, status)
