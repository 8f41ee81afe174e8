"""Registering a router from its own page: a link for one account, once.

The router's owner, signed in there, asks for it. The router shows its service code on a link that its device
key has signed, and gets an address that whoever is at the page opens in an account. That begins a claim, with
a number at both ends and an approval on the router's page, as a typed code does (claims.py).

There is one invitation for a router at a time. It ends when it is opened by an account, whatever comes of it,
or when its router withdraws it.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any

from gatelodge.contract import service_code
from gatelodge.contract.errors import ServiceCodeError
from sqlalchemy import delete, select

from host_tools.cloud.clock import Clock
from host_tools.cloud.links import link_to, new_code
from host_tools.cloud.routers.registry import service_code_hash
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Invitation, Router
from host_tools.cloud.store.secret_box import token_hash

INVITED_S = 600  # to sign in, with a code; for who has no account yet, to make one

log = logging.getLogger("cloud.claims")


class Invitations:
    def __init__(self, database: Database, clock: Clock, code_key: bytes, public_url: str):
        self._database = database
        self._clock = clock
        self._code_key = code_key
        self._public_url = public_url

    async def answer(self, serial_number: str, typed: str) -> dict[str, Any]:
        """What a router is told that asks for a link: {link, expires_s, error} of its `invitation`."""
        async with self._database.write() as session:
            router = await session.get(Router, serial_number)
            error = self._fault(router, typed)
            if error is None:
                code = new_code()
                row = Invitation(serial_number=serial_number, token_hash=token_hash(code))
                row.expires_at = self._clock() + INVITED_S
                await session.merge(row)  # a newer one takes the place of an older one
        log.info("%s asked for a link: %s", serial_number, error or "given")
        if error is not None:
            return {"link": None, "expires_s": None, "error": error}
        link = link_to(f"{self._public_url}/routers/invited", code)
        return {"link": link, "expires_s": INVITED_S, "error": None}

    async def withdraw(self, serial_number: str) -> None:
        """The router's owner wants none any more. Twice is once."""
        async with self._database.write() as session:
            await session.execute(delete(Invitation).where(Invitation.serial_number == serial_number))
        log.info("%s withdrew its link", serial_number)

    async def router(self, code: str, now: float) -> Router | None:
        """The router that the link is for, while it is good. Looking changes nothing."""
        good = (Invitation.token_hash == token_hash(code), Invitation.expires_at > now)
        joined = select(Router).join(Invitation, Invitation.serial_number == Router.serial_number)
        async with self._database.read() as session:
            return await session.scalar(joined.where(*good))

    async def spend(self, code: str, now: float) -> str | None:
        """The serial number; the link is over from here on. None where it was over before."""
        burned = delete(Invitation).where(Invitation.token_hash == token_hash(code))
        async with self._database.write() as session:
            row = await session.scalar(burned.returning(Invitation))
        return row.serial_number if row is not None and row.expires_at > now else None

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(Invitation).where(Invitation.expires_at <= now))

    def _fault(self, router: Router | None, typed: str) -> str | None:
        """Why there is no link. Its own router may know."""
        try:
            code = service_code.parse(typed)
        except ServiceCodeError:
            code = ""
        if router is None or not hmac.compare_digest(
            router.service_code_hash, service_code_hash(self._code_key, code)
        ):
            return "The cloud knows another service code of this router. Ask where you bought it."
        if router.owner_id is not None:
            return "This router belongs to an account. Its owner releases it first."
        return None
