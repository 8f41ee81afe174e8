"""Backup and restore: what an owner would not want to set again, in one file (core/backup.py).

    file = backups.make(visitor, password, with_secrets, firmware)
    inside = backups.look(file, password)
    backups.restore(visitor, file, password)

What opens this router is in it only when that was asked for: its password and its authenticators. Never in
it: what belongs to this one router (its key, its certificates, its service code), what somebody has used up,
ended or revoked since (recovery codes, trusted browsers, sessions, API tokens: a restored file must not bring
them back), and what happened here (the history, the throttle, the registration in a cloud account).

A restore is one change of the store. It never switches two-factor off, and no code that was used before it
works again. The caller has asked for proof.
"""

from collections import namedtuple

from gatelodge import log, store_keys
from gatelodge.compat import json
from gatelodge.contract.errors import ValueRangeError
from gatelodge.core import backup, base32, totp
from gatelodge.core import password as passwords
from gatelodge.owner.keeper import clean_name
from gatelodge.refusals import refusal

# Keys of the store. A file of a newer firmware may have more: it is refused.
SETTINGS = (store_keys.NAME,)
SECRETS = (store_keys.OWNER, store_keys.AUTHENTICATORS)

# made_at: unix s, or None when the clock was unset. name: of the router, "" for none. authenticators: their
# names. has_secrets: whether the password and the authenticators are in it.
Inside = namedtuple(
    "Inside", ("made_at", "serial_number", "firmware", "name", "has_secrets", "authenticators")
)

_OWNER_FIELDS = {"algorithm": str, "salt": str, "iterations": int, "hash": str, "created_at": (int, float)}
_ROW_FIELDS = {
    "id": str,
    "name": str,
    "secret": str,
    "last_step": int,
    "drift_steps": int,
    "last_used_at": (int, float),
}
LATEST_S = 2**33  # the year 2242: what comes later is not shown as a date
_MOST_ROWS = 8  # owner.security.MOST_AUTHENTICATORS


class Backups:
    """security: owner.security.Security."""

    def __init__(self, keeper, security):
        self._keeper = keeper
        self._security = security

    def make(self, visitor, password, with_secrets, firmware):
        """Return the bytes of the file. Raises SigninError of "password"."""
        keeper = self._keeper
        keeper.check_new_password(password)
        kept = SETTINGS + SECRETS if with_secrets else SETTINGS
        values = {key: keeper.store.get(key) for key in kept if keeper.store.get(key) is not None}
        content = {
            "made_at": keeper.clock.now() if keeper.clock.is_set else None,
            "serial_number": keeper.identity()["serial_number"],
            "firmware": firmware,
            "values": values,
        }
        salt = keeper.entropy(backup.SALT_BYTES)
        file = backup.seal(json.dumps(content).encode(), password, salt, keeper.iterations())
        result = "backup with secrets made" if with_secrets else "backup made"
        keeper.keep(keeper.history.record(visitor, result))
        return file

    def look(self, file, password):
        """Return Inside. Raises SigninError of "backup" or "password"."""
        return _inside(self._opened(file, password))

    def restore(self, visitor, file, password):
        """Take over what is inside. Returns Inside, as `look` does.

        With secrets in it every session ends, this one too, and what a new password ends besides."""
        content = self._opened(file, password)
        inside, values = _inside(content), content["values"]
        if inside.has_secrets:
            self._security.take_over(self._unused(values), visitor, "backup restored")
        else:
            records = self._keeper.history.record(visitor, "backup restored")
            records.update(values)
            self._keeper.keep(records)
        log.warning("owner", "a backup of %s was restored", inside.serial_number)
        return inside

    def _unused(self, values):
        """The records, with no code in them that may have been used since the backup was made."""
        if not values.get(store_keys.AUTHENTICATORS):
            values.pop(store_keys.AUTHENTICATORS, None)  # a restore does not switch two-factor off
            return values
        clock, store = self._keeper.clock, self._keeper.store
        reached_s = clock.now() if clock.is_set else store.get(store_keys.CLOCK_FLOOR, 0)
        # Of any code up to this moment, and the tolerance beyond, nobody knows whether it was used.
        reached = totp.step_at(reached_s) + totp.TOLERANCE_STEPS
        # One that is here already may be ahead of that: the clock was set back meanwhile.
        used = {row["secret"]: row["last_step"] for row in store.get(store_keys.AUTHENTICATORS, [])}
        for row in values[store_keys.AUTHENTICATORS]:
            row["last_step"] = max(row["last_step"], reached, used.get(row["secret"], reached))
        return values

    def _opened(self, file, password):
        """The content, checked: whoever knows the password can have made any."""
        try:
            content = json.loads(backup.unseal(file, password))
        except backup.BackupError as error:
            raise refusal(error.why)
        except ValueRangeError:  # no such password can have sealed it
            raise refusal(backup.NOT_GENUINE)
        except ValueError:
            raise refusal(backup.NOT_ONE)
        if not _is_content(content):
            raise refusal(backup.NEWER)
        return content


def _inside(content):
    values = content["values"]
    return Inside(
        content["made_at"],
        content["serial_number"],
        content["firmware"],
        values.get(store_keys.NAME, ""),
        store_keys.OWNER in values,
        [row["name"] for row in values.get(store_keys.AUTHENTICATORS, [])],
    )


def _is_content(content):
    if not isinstance(content, dict) or set(content) != {"made_at", "serial_number", "firmware", "values"}:
        return False
    values = content["values"]
    if not isinstance(values, dict) or not set(values) <= set(SETTINGS + SECRETS):
        return False
    return _are_texts(content) and _are_values(values)


def _are_texts(content):
    made_at = content["made_at"]
    texts = content["serial_number"], content["firmware"]
    fits = all(isinstance(text, str) and len(text) <= 64 for text in texts)
    return fits and (made_at is None or _is_moment(made_at))


def _are_values(values):
    name = values.get(store_keys.NAME, "")
    rows = values.get(store_keys.AUTHENTICATORS, [])
    owner = values.get(store_keys.OWNER)
    # The password without the authenticators, or the other way round, was never made.
    if (owner is None) != (store_keys.AUTHENTICATORS not in values):
        return False
    if not isinstance(name, str) or not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        return False
    fits = name == clean_name(name, "") and all(_is_authenticator(row) for row in rows)
    return fits and (owner is None or _is_owner(owner))


def _is_authenticator(row):
    if not _has(row, _ROW_FIELDS):
        return False
    try:
        return len(base32.decode(row["secret"])) == totp.SECRET_BYTES
    except ValueRangeError:
        return False


def _is_owner(record):
    return _has(record, _OWNER_FIELDS) and passwords.is_record(record)


def _has(record, fields):
    if not isinstance(record, dict) or set(record) != set(fields):
        return False
    return all(isinstance(record[name], fields[name]) for name in fields)


def _is_moment(value):
    return isinstance(value, (int, float)) and 0 <= value < LATEST_S
