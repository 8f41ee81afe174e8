"""The phone-home shell: one WebSocket to the cloud around contract/link.py.

client = CloudClient(
    identity,      # of the store: {serial_number, model, service_code, cloud: {server_name}}
    open_stream,   # async () -> Stream, connected to the cloud by mutual TLS; else LineError or TlsError
    clock,         # .now() -> unix s, .state -> text, .set(unix_s, "cloud")
    store,         # Store: CLOUD_OWNER and COMMANDS are kept in it
    facts,         # () -> {firmware, uptime_s, load, memory_free_kb, wan_up}; load is the 1-minute one
    commands,      # {name: async (args) -> value dict or None}, see contract.messages.COMMANDS. What
                   # "reboot" returns is not sent: its result is, after the restart. Claims are built in
    entropy,       # (n) -> random bytes
    on_change,     # () called after .state, .owner or .claim changed; or None
    before_release,  # () -> (records to store with a release, the id by which the cloud undoes it or None)
)
await client.run()    # for ever; cancel it to stop (it says goodbye)
client.state          # {state: CONNECTING|ONLINE|OFFLINE, since: unix s, owner, last_error: text or None,
                      # releasing: whether the cloud has yet to hear of a release}
client.claim          # None or {claim_id, account: {name, email}, number, expires_at: unix s, expires_s}
client.answer_claim(claim_id, approved)    # StateError when that claim is not waiting any more
client.release()      # give the router back: it has no owner on return, and the cloud hears of it. StateError
client.invite()       # ask for a link by which an account may register it: .invitation shows it. StateError
client.invitation     # None, or as invitation.Invitation.current
client.uninvite()     # show that link no more, and have the cloud end it
await client.report(fields)  # send a part of what "diagnostics" asked for, now or never. LineError
client.notify(kind, at, address, browser, undo_id)  # have the cloud tell the owner, if any: messages.NOTICES
"""

import asyncio
import binascii

from gatelodge import log, store_keys
from gatelodge.cloud import ledger
from gatelodge.cloud.claims import Claims
from gatelodge.cloud.connection import Connection
from gatelodge.cloud.invitation import Invitation
from gatelodge.compat import json, monotonic_ms
from gatelodge.contract import messages
from gatelodge.contract.errors import GatelodgeError, LineError, MessageError, OurError, StateError
from gatelodge.core.backoff import RANDOM_BYTES, Backoff
from gatelodge.tasks import Tasks
from gatelodge.text import N_

CONNECTING = "connecting"
ONLINE = "online"
OFFLINE = "offline"

VALUE_LIMIT = 2048  # bytes of a result's value: the ledger keeps up to 16 of them on the flash
HEARTBEAT_FACTS = ("uptime_s", "load", "memory_free_kb", "wan_up")

# The `reason` of a TlsError: who refused whom, for the log and, translated, for the pages.
REFUSALS = {
    "untrusted": N_("cloud refused: its certificate is not signed by the CA this router trusts"),
    "name": N_("cloud refused: its certificate is for another name"),
    "expired": N_("cloud refused: its certificate is not valid at this router's time"),
    "alert": N_("the cloud refused this router's certificate"),
}

BROKEN = N_("the connection to the cloud broke")


def _nothing():
    """Nobody keeps anything that undoes a release."""
    return {}, None


class CloudClient:
    def __init__(
        self,
        identity,
        open_stream,
        clock,
        store,
        facts,
        commands,
        entropy,
        on_change=None,
        before_release=_nothing,
    ):
        self._identity = identity
        self._open_stream = open_stream
        self._clock = clock
        self._store = store
        self._facts = facts
        self._entropy = entropy
        self._on_change = on_change
        self._before_release = before_release
        self._boot_id = binascii.hexlify(entropy(8)).decode()
        self._backoff = Backoff()
        self._commands = dict(commands)
        self._commands["claim"] = self._show_claim
        self._commands["claim_cancel"] = self._cancel_claim
        self._connection = None  # while the link is open
        self._takes = {}  # younger messages that this cloud takes (contract.messages.YOUNGER)
        self._tasks = Tasks("cloud")
        self._state = {"state": CONNECTING, "since": clock.now(), "last_error": None}
        self._record = store.get(store_keys.COMMANDS) or ledger.empty()
        self._keep(ledger.after_restart(self._record))
        self._claims = Claims(monotonic_ms, ledger.answered_claims(self._record))
        self._invitation = Invitation(monotonic_ms)

    # --- what the admin page sees ---

    @property
    def owner(self):
        """{account_id, name, email}, or None."""
        return self._store.get(store_keys.CLOUD_OWNER)

    @property
    def state(self):
        state = dict(self._state)
        state["owner"] = self.owner
        state["releasing"] = bool(ledger.released_accounts(self._record))
        return state

    @property
    def claim(self):
        return self._claims.current(self._clock.now())

    @property
    def invitation(self):
        return self._invitation.current()

    def answer_claim(self, claim_id, approved):
        """Take the owner's answer: durable on return, sent now or at the next connection. Or StateError."""
        self._check_room()
        self._claims.answer(claim_id)
        message = {"type": "claim_answer", "claim_id": claim_id, "approved": bool(approved)}
        self._keep(ledger.owed(self._record, message))
        log.info("link", "claim %s was %s", claim_id, "approved" if approved else "refused")
        self._tasks.start(self._deliver(message), "claim answer")
        self._changed()

    def release(self):
        """Give the router back to nobody: durable on return. Or StateError."""
        owner = self.owner
        if owner is None:
            raise StateError(N_("This router belongs to no account."))
        self._check_room()
        records, undo_id = self._before_release()
        message = {"type": "release", "release_id": self._new_id(), "account_id": owner["account_id"]}
        message["undo"] = undo_id
        record = records[store_keys.COMMANDS] = ledger.owed(self._record, message)
        self._store.put_many(records, (store_keys.CLOUD_OWNER,))
        self._record = record
        log.info("link", "the owner released this router from account %s", owner["account_id"])
        self._tasks.start(self._deliver(message), "release")
        self._changed()

    def invite(self):
        """Ask the cloud for a link; it comes within a moment. Nothing is kept: who is offline asks again."""
        if self.owner is not None:
            raise StateError(N_("This router belongs to an account. Release it first."))
        if self._connection is None:
            raise StateError(
                N_("The router is not connected to the cloud. Wait until it is, then start again.")
            )
        if not self._takes.get("invite"):
            raise StateError(N_("This cloud cannot start it here. Enter the service code in your account."))
        message = {"type": "invite", "invite_id": self._new_id()}
        message["service_code"] = self._identity["service_code"]
        self._invitation.ask(message["invite_id"])
        self._tasks.start(self._deliver(message), "invite")
        self._changed()

    def uninvite(self):
        """Offline, or at a cloud that knows of no withdrawal, the link works for its ten minutes."""
        if self._invitation.id is not None and self._takes.get("uninvite"):
            message = {"type": "uninvite", "invite_id": self._invitation.id}
            self._tasks.start(self._deliver(message), "uninvite")
        self._invitation.drop()
        self._changed()

    def notify(self, kind, at, address, browser, undo_id=None):
        """Durable on return, sent now or at the next connection. Nothing while the router is nobody's.

        undo_id: by which the cloud can have it undone."""
        if kind not in messages.NOTICES:
            raise OurError("there is no notice %s" % kind)
        owner = self.owner
        if owner is None:
            return
        message = {"type": "notice", "notice_id": self._new_id(), "account_id": owner["account_id"]}
        at = None if at is None else int(at)
        message.update({"kind": kind, "at": at, "address": address, "browser": browser, "dropped": 0})
        message["undo"] = undo_id
        self._keep(ledger.noticed(self._record, messages.check(message, messages.ROUTER)))
        self._tasks.start(self._deliver(message), "notice")

    async def report(self, fields):
        """Nothing is kept: without a link it is lost, and the cloud asks again."""
        if self._connection is None:
            raise LineError("the link broke before the report was sent")
        await self._connection.send(dict(fields, type="report"))

    def forget(self):
        """The router was reset: what was its owner's is gone from the store, and goes from here."""
        self._record = ledger.empty()
        self._claims = Claims(monotonic_ms)
        self._invitation.drop()

    def _check_room(self):
        if ledger.is_outbox_full(self._record):
            raise StateError(
                N_("The cloud has not taken earlier answers yet. Try again when it is connected.")
            )

    def _new_id(self):
        return binascii.hexlify(self._entropy(8)).decode()

    # --- connecting, for ever ---

    async def run(self):
        try:
            while True:
                await asyncio.sleep(self._backoff.next_delay_ms(self._entropy(RANDOM_BYTES)) / 1000)
                await self._call()
        finally:
            await self._tasks.close()

    async def _call(self):
        """One connection, from dialling to its end. Raises nothing but cancellation."""
        try:
            stream = await self._open_stream()
            await self._converse(Connection(stream, self._entropy))
        except (GatelodgeError, OSError) as error:
            self._offline(refusal_text(error))
        except Exception as error:
            # A fault of ours must not cut the router off until somebody restarts it.
            log.exception("link", "the link failed", error)
            self._offline(N_("the link failed; the log says how"))

    async def _converse(self, connection):
        reason, cause = "shutdown", None
        try:
            await connection.open(self._identity["cloud"]["server_name"])
            await connection.send(self._hello())
            while True:
                await self._handle(connection, await connection.receive(self._heartbeat_facts))
        except (GatelodgeError, OSError) as error:
            reason, cause = refusal_text(error)[:200], error
            raise
        finally:
            self._connection = None
            await connection.close(reason, cause)

    def _hello(self):
        facts = self._facts()
        return {
            "type": "hello",
            "serial_number": self._identity["serial_number"],
            "model": self._identity["model"],
            "firmware": facts["firmware"],
            "boot_id": self._boot_id,
            "uptime_s": facts["uptime_s"],
            "owner": self.owner["account_id"] if self.owner else None,
            "clock_state": self._clock.state,
            "reset": self._store.get(store_keys.CLOUD_RESET),
            "takes": {name: name in self._commands for name in messages.YOUNGER_COMMANDS},
        }

    def _heartbeat_facts(self):
        facts = self._facts()
        return {name: facts[name] for name in HEARTBEAT_FACTS}

    def _offline(self, text):
        log.warning("link", "%s", text)
        self._set_state(OFFLINE, text)

    def _set_state(self, state, last_error):
        since = self._state["since"] if self._state["state"] == state else self._clock.now()
        self._state = {"state": state, "since": since, "last_error": last_error}
        self._changed()

    def _changed(self):
        if self._on_change is not None:
            self._on_change()

    # --- the cloud's messages ---

    async def _handle(self, connection, message):
        await _HANDLERS[message["type"]](self, connection, message)

    async def _on_welcome(self, connection, message):
        self._clock.set(message["time_ms"] / 1000, "cloud")
        self._backoff.welcomed(message["reconnect_window_s"])
        self._set_owner(self._owner_in(message))
        self._takes = message["takes"] or {}
        self._connection = connection
        log.info("link", "online; heartbeat every %d s", message["heartbeat_s"])
        self._set_state(ONLINE, None)
        for owed in self._record["outbox"]:
            await self._send_owed(connection, owed)

    def _owner_in(self, welcome):
        """Whom the cloud names. Until it has acknowledged a reset, that is the owner before: nobody, here."""
        reset = self._store.get(store_keys.CLOUD_RESET)
        if reset is None:
            return welcome["owner"]
        if welcome["reset"] != reset:
            log.warning("link", "the cloud has not taken the reset: it does not know of resets yet")
            return None
        self._store.delete(store_keys.CLOUD_RESET)
        log.info("link", "the cloud knows that this router was reset")
        return welcome["owner"]

    async def _on_heartbeat_ack(self, connection, message):
        """The link has noted that the cloud is there."""

    async def _on_command(self, connection, message):
        command_id = message["id"]
        if command_id in self._record["seen"]:
            await connection.send({"type": "accepted", "id": command_id})
            for result in ledger.results_of(self._record, command_id):
                await connection.send(result)
            return
        try:
            args = self._check_command(message)
        except (MessageError, StateError) as error:
            # Nothing is run, so nothing is remembered: a repeat is judged anew.
            await connection.send(ledger.result(command_id, error=str(error)[:300]))
            return
        self._keep(ledger.taken(self._record, command_id, message["name"]))
        await connection.send({"type": "accepted", "id": command_id})
        self._tasks.start(self._execute(command_id, message["name"], args), message["name"])

    def _check_command(self, message):
        args = messages.check_command(message["name"], message["args"])
        if message["name"] not in self._commands:
            raise MessageError("this router cannot %s" % message["name"])
        if ledger.is_full(self._record):
            raise StateError("the router is busy with earlier commands")
        return args

    async def _on_result_ack(self, connection, message):
        self._keep(ledger.acknowledged(self._record, "result", message["id"]))

    async def _on_claim_answer_ack(self, connection, message):
        self._keep(ledger.acknowledged(self._record, "claim_answer", message["claim_id"]))

    async def _on_release_ack(self, connection, message):
        self._keep(ledger.acknowledged(self._record, "release", message["release_id"]))
        self._changed()

    async def _on_notice_ack(self, connection, message):
        self._keep(ledger.acknowledged(self._record, "notice", message["notice_id"]))

    async def _on_invitation(self, connection, message):
        self._invitation.answered(message)
        self._changed()

    async def _on_owner(self, connection, message):
        self._set_owner(message["owner"])
        self._changed()

    async def _on_goodbye(self, connection, message):
        raise LineError("the cloud said goodbye: %s" % message["reason"])

    def _set_owner(self, owner):
        if owner == self.owner or (owner and owner["account_id"] in ledger.released_accounts(self._record)):
            return  # the same, or one who gave the router up, which the cloud has not heard yet
        self._invitation.drop()
        self._keep(ledger.without_notices(self._record, owner["account_id"] if owner else None))
        if owner is None:
            self._store.delete(store_keys.CLOUD_OWNER)
            log.info("link", "the cloud released this router from its account")
        else:
            self._store.put(store_keys.CLOUD_OWNER, owner)
            log.info("link", "the cloud registered this router to account %s", owner["account_id"])

    # --- commands ---

    async def _execute(self, command_id, name, args):
        log.info("link", "command %s %s", name, command_id)
        try:
            value = await self._commands[name](args)
        except GatelodgeError as error:
            await self._finish(ledger.result(command_id, error=str(error)[:300]))
        except Exception as error:
            log.exception("link", "command %s failed" % name, error)
            await self._finish(ledger.result(command_id, error="the router failed at it; its log says how"))
        else:
            if name not in ledger.ENDS_IN_RESTART:
                await self._finish(_fitting(ledger.result(command_id, value)))

    async def _finish(self, result):
        self._keep(ledger.finished(self._record, result))
        await self._deliver(result)

    async def _deliver(self, message):
        """Send what the ledger owes, if there is a link. Else it is sent after the next welcome."""
        connection = self._connection
        if connection is None:
            return
        try:
            await self._send_owed(connection, message)
        except (GatelodgeError, OSError) as error:
            log.debug("link", "%s is sent again later: %s", message["type"], error)

    async def _send_owed(self, connection, message):
        kind = message["type"]
        if kind in messages.YOUNGER and not self._takes.get(kind):
            log.warning("link", "this cloud cannot take a %s: it waits for a younger one", kind)
        else:
            await connection.send(message)

    def _keep(self, record):
        """Durable first, then true."""
        if record != self._record:
            self._store.put(store_keys.COMMANDS, record)
            self._record = record

    async def _show_claim(self, args):
        if self._claims.show(args):
            self._invitation.drop()  # it has led to this, or somebody was quicker
            log.info("link", "claim %s waits for the owner's answer", args["claim_id"])
            self._changed()

    async def _cancel_claim(self, args):
        self._claims.cancel(args["claim_id"])
        self._changed()


_HANDLERS = {
    "welcome": CloudClient._on_welcome,
    "heartbeat_ack": CloudClient._on_heartbeat_ack,
    "command": CloudClient._on_command,
    "result_ack": CloudClient._on_result_ack,
    "claim_answer_ack": CloudClient._on_claim_answer_ack,
    "release_ack": CloudClient._on_release_ack,
    "notice_ack": CloudClient._on_notice_ack,
    "invitation": CloudClient._on_invitation,
    "owner": CloudClient._on_owner,
    "goodbye": CloudClient._on_goodbye,
}


def refusal_text(error):
    """One sentence for the log and the dashboard: who refused whom, or what broke."""
    return REFUSALS.get(getattr(error, "reason", None)) or str(error) or BROKEN


def _fitting(result):
    """The result, or one that says that its value does not fit into a message."""
    try:
        messages.check(result, messages.ROUTER)
        fits = len(json.dumps(result["value"])) <= VALUE_LIMIT
    except (MessageError, TypeError, ValueError):
        fits = False
    return result if fits else ledger.result(result["id"], error="the answer does not fit into a message")
