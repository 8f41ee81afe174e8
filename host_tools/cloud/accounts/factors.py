"""Authenticators and recovery codes: how one is added, used and removed; what any second factor changes."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import drift, signin, totp, trusted, undo
from host_tools.cloud.accounts.again import Again, count
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.proof import SECOND
from host_tools.cloud.accounts.recovery_sets import FreshSet, RecoverySets
from host_tools.cloud.accounts.sessions import outlive_others
from host_tools.cloud.accounts.totp_rule import CLASSIC, TotpRule
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator, Session
from host_tools.cloud.store.secret_box import SecretBox, new_id

ENROLMENT_S = 900  # to install an app and come back
AUTHENTICATORS_MAX = 5
# Of several authenticators the one speaks that the code is worth most to.
MERITS = (
    totp.RIGHT, totp.LEARNED, totp.USED, totp.LATE, totp.EARLY, totp.BEHIND, totp.AHEAD, totp.WRONG,
)  # fmt: skip
EVENTS = {totp.RIGHT: signin.RIGHT, totp.LEARNED: signin.RIGHT, totp.USED: signin.USED}
NOTHING = totp.Outcome(totp.WRONG, totp.State())
TOO_MANY = N_("An account holds %(count)s authenticators. Remove one first.")
WRONG_RECOVERY = N_("That recovery code is not right, or has been used. Each works once.")


class Verdict(NamedTuple):
    event: str  # of signin.TRANSITIONS
    text: str  # for the page, when it was not right, in the reader's language
    said: str = ""  # of an authenticator: the word of totp.py


class Enrolment(NamedTuple):
    secret: str
    uri: str
    algorithm: str  # of totp.ALGORITHMS


class Pending(NamedTuple):
    """What a session keeps, sealed, of an authenticator that is not saved yet."""

    secret: str
    algorithm: str

    def packed(self) -> str:
        return f"{self.algorithm}:{self.secret}"

    @classmethod
    def of(cls, text: str) -> Pending:
        algorithm, _, secret = text.rpartition(":")  # of before there were several: the secret alone
        return cls(secret, algorithm or totp.SHA1)


class Enrolled(NamedTuple):
    codes: list[str]  # ten new recovery codes where it is the account's first authenticator, else none
    drift_s: int  # its clock minus ours


class Factors:
    """`again`: what asks once more before a factor changes. `recovery`: the sets of recovery codes. `rule`:
    what new authenticators are made with.
    """

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        again: Again,
        changes: Changes,
        recovery: RecoverySets,
        rule: TotpRule = CLASSIC,
    ):
        self.again = again
        self.rule = rule
        self.recovery = recovery
        self._database = database
        self._box = box
        self._changes = changes

    async def check_authenticator(
        self, session: AsyncSession, account_id: str, text: str, by: str, visit: Visit
    ) -> Verdict:
        """Use a code up, in the caller's transaction: a session made in it exists only with the step
        written. `by`: the sign-in or the session that gave it.
        """
        code = totp.digits(text)
        held = list(await session.scalars(_of_account(account_id)))
        outcomes = [await self._take(session, each, code, by, visit) for each in held]
        best = min(outcomes, key=lambda each: MERITS.index(each.verdict), default=NOTHING)
        return Verdict(EVENTS.get(best.verdict, signin.WRONG), drift.refusal(best, visit.now), best.verdict)

    async def check_recovery(
        self, session: AsyncSession, account_id: str, code_hash: str, now: float
    ) -> Verdict:
        """As check_authenticator, of a code that `recovery` has hashed before the transaction."""
        used = await self.recovery.use(session, account_id, code_hash, now)
        return Verdict(signin.RIGHT, "") if used else Verdict(signin.WRONG, _(WRONG_RECOVERY))

    async def authenticators(self, account_id: str) -> list[Authenticator]:
        async with self._database.read() as session:
            return list(await session.scalars(_of_account(account_id)))

    async def code_left_s(self, account_id: str, now: float) -> float | None:
        """For how long the code is good that shows on the authenticator that was used last."""
        held = await self.authenticators(account_id)
        last = max(held, key=lambda each: each.used_at, default=None)
        return totp.left_s(last.drift_s, now) if last else None

    async def asked(self, visit: Visit) -> None:
        """The person has been led to choose a second factor: once is enough."""
        if visit.signed_in.factor_asked_at is not None:
            return
        async with self._database.write() as session:
            row = await session.get_one(Account, visit.signed_in.id)
            row.factor_asked_at = visit.now

    async def begin_enrolment(self, visit: Visit, wanted: str = "") -> Enrolment:
        """The key to be set up in this session: the same one until it is saved or 15 minutes old.

        wanted: another algorithm than the rule's, where the rule allows it.
        """
        algorithm = self.rule.chosen(wanted)
        async with self._database.write() as session:
            row = await session.get_one(Session, visit.open_session.id)
            pending = self._pending(row, visit.now)
            if pending is None or pending.algorithm != algorithm:
                pending = Pending(totp.new_secret(algorithm), algorithm)
                row.enrolment = self._box.seal(pending.packed())
                row.enrolment_expires_at = visit.now + ENROLMENT_S
        uri = totp.uri(pending.secret, visit.signed_in.email, algorithm)
        return Enrolment(pending.secret, uri, algorithm)

    async def finish_enrolment(self, name: str, code: str, password: str, visit: Visit) -> Enrolled:
        """Save the authenticator, proved by a code; every other session ends. Raises RefusedError."""
        await self.again.check("add an authenticator", password, visit)
        account = visit.signed_in
        fresh = await self.prepare(visit)
        async with self._database.write() as session:
            row = await session.get_one(Session, visit.open_session.id)
            pending, state = self._proved(row, code, visit.now)
            held = list(await session.scalars(_of_account(account.id)))
            if len(held) >= AUTHENTICATORS_MAX:
                raise RefusedError("", TOO_MANY, count=AUTHENTICATORS_MAX)
            row.enrolment = None
            codes = await self.chosen(session, fresh, visit)
            await count(session, (SECOND,), visit)  # its code is in use at this moment
            added = self._new_authenticator(account.id, name, pending, state, visit.now)
            session.add(added)
            steps = undo.dropping(added)
            await self._changes.tell(session, "authenticator_added", name, visit, steps=steps)
        self._changes.wake()
        return Enrolled(codes, state.drift_s)

    async def prepare(self, visit: Visit) -> FreshSet | None:
        """Before the transaction of `chosen`: the codes that it will ask for. Raises BusyError."""
        async with self._database.read() as session:
            held = await holdings(session, visit.signed_in.id, visit)
        return None if signin.two_factor(held) else await self.recovery.fresh(visit.signed_in.id)

    async def chosen(self, session: AsyncSession, fresh: FreshSet | None, visit: Visit) -> list[str]:
        """Before a second factor is added, in the caller's transaction: every other session ends (H6).

        With the first one nobody is trusted any more, and there are recovery codes: they are returned.
        """
        account_id = visit.signed_in.id
        await outlive_others(session, visit)
        if signin.two_factor(await holdings(session, account_id, visit)):
            return []
        await trusted.forget_all(session, account_id)
        if fresh is None:  # the last factor was removed between two statements: hashed where others wait
            fresh = await self.recovery.fresh(account_id)
        return await self.recovery.replace(session, account_id, fresh)

    async def dropped(self, session: AsyncSession, visit: Visit) -> None:
        """After a second factor was removed: with the last one go the recovery codes."""
        account_id = visit.signed_in.id
        await session.flush()
        if not signin.two_factor(await holdings(session, account_id, visit)):
            await self.recovery.drop(session, account_id)

    async def remove(self, authenticator_id: str, password: str, visit: Visit) -> None:
        """Remove an authenticator; with the last one go the recovery codes. Raises RefusedError,
        NotTheirsError.
        """
        await self.again.check("remove an authenticator", password, visit)
        account = visit.signed_in
        async with self._database.write() as session:
            held = {row.id: row for row in await session.scalars(_of_account(account.id))}
            gone = held.get(authenticator_id)
            if gone is None:
                raise NotTheirsError
            steps = undo.restoring(gone)
            await session.delete(gone)
            await self.dropped(session, visit)
            await self._changes.tell(session, "authenticator_removed", gone.name, visit, steps=steps)
        self._changes.wake()

    async def new_recovery_codes(self, password: str, visit: Visit) -> list[str]:
        """Ten new codes; the old set is void. Raises RefusedError."""
        await self.again.check("make recovery codes", password, visit)
        fresh = await self.recovery.fresh(visit.signed_in.id)
        async with self._database.write() as session:
            steps = undo.voiding_recovery()
            await self._changes.tell(session, "recovery_codes_made", "", visit, steps=steps)
            codes = await self.recovery.replace(session, visit.signed_in.id, fresh)
        self._changes.wake()
        return codes

    def _pending(self, row: Session, now: float) -> Pending | None:
        """None also where the rule has changed since."""
        if row.enrolment is None or now >= (row.enrolment_expires_at or 0):
            return None
        pending = Pending.of(self._box.open(row.enrolment))
        return pending if pending.algorithm in self.rule.allowed else None

    def _proved(self, row: Session, code: str, now: float) -> tuple[Pending, totp.State]:
        pending = self._pending(row, now)
        if pending is None:
            raise RefusedError("", "This key has expired. Scan the new one.")
        given = totp.digits(code)
        state = totp.first(pending.secret, given, now, pending.algorithm)
        if state is None:
            if totp.is_of_another(pending.secret, given, now, pending.algorithm):
                known = totp.ALGORITHMS[pending.algorithm].name
                raise RefusedError("code", drift.OTHER_HASH, hash=known)
            raise RefusedError("code", drift.WRONG_CODE)
        return pending, state

    def _new_authenticator(
        self, account_id: str, name: str, pending: Pending, state: totp.State, now: float
    ) -> Authenticator:
        return Authenticator(
            id=new_id(),
            account_id=account_id,
            name=name,
            secret=self._box.seal(pending.secret),
            algorithm=pending.algorithm,
            last_step=state.last_step,  # the code that proved it is used up
            drift_s=state.drift_s,
            created_at=now,
            used_at=now,
        )

    async def _take(
        self, session: AsyncSession, held: Authenticator, code: str, by: str, visit: Visit
    ) -> totp.Outcome:
        before = totp.State(*(getattr(held, name) for name in totp.State._fields))
        found = totp.judge(self._box.open(held.secret), code, before, by, visit.now, held.algorithm)
        if found.state == before:
            return found
        is_right = found.verdict in (totp.RIGHT, totp.LEARNED)
        changed = found.state._asdict() | ({"used_at": visit.now} if is_right else {})
        # A second bolt: a writer is alone (store/database.py), so of two browsers with one code one is in.
        as_before = (Authenticator.id == held.id, Authenticator.last_step == before.last_step)
        write = update(Authenticator).where(*as_before).values(changed).returning(Authenticator.id)
        if await session.scalar(write) is None:
            return totp.Outcome(totp.USED, found.state)
        if found.verdict == totp.LEARNED:
            note(session, held.account_id, "clock_learned", visit, held.name)
        return found


def _of_account(account_id: str):
    theirs = select(Authenticator).where(Authenticator.account_id == account_id)
    return theirs.order_by(Authenticator.created_at, Authenticator.id)
