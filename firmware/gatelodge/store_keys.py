"""Every key of the store, once, with its value's shape. b64 is base-64 text, times are unix seconds."""

# int, both: time never runs below the first; a source that proves itself is bound by the second alone
# (core/clock.py). Written hourly and with each sign-in.
CLOCK_FLOOR = "clock.floor"
CLOCK_PROVEN = "clock.proven"

# {serial_number, model, service_code, device_certificate (b64 DER), admin_certificate (b64 DER),
#  admin_chain? ([b64 DER]), factory_ca (b64 DER), cloud_ca (b64 DER), cloud: {host, port, server_name},
#  ntp: [[host, port]], provisioned_at}. Written once, by the factory bench.
IDENTITY = "identity"

# b64 SEC1 DER of the P-256 key that was made here. It never leaves this router. Secret.
DEVICE_KEY = "device_key"

# bool: the serial console takes no raw REPL any more.
LOCKED = "console.locked"

# {algorithm, salt (hex), iterations, hash (hex), created_at}: the owner's password, core/password.py. Secret.
OWNER = "owner"

# [{id, name, secret (base-32), last_step, drift_steps, last_used_at}]. Secret.
AUTHENTICATORS = "authenticators"

# text: what the owner calls this router. Absent or "": nothing.
NAME = "router.name"

# {salt (hex), iterations, hashes: [hex], created_at}: the unused recovery codes, core/recovery.py. Secret.
RECOVERY = "recovery"

# {account: {factor: failures}, clients: [[address, known, {factor: failures}], ...]}, core/throttle.py: a
# restart forgives nothing.
THROTTLE = "throttle"

# [{id, hash (hex SHA-256 of the token), browser, address, created_at, last_used_at, expires_at}]: browsers
# that skip the code, owner/trust.py.
TRUSTED = "trusted"

# {id, hash (hex SHA-256 of the token), name, scopes: [text], created_at, expires_at or null, last_used_at or
# null}: a personal token of the API, by its id; owner/api_tokens.py.
API_TOKEN = "api_token.%s"

# int: how many entries the history ever had. The last ones are HISTORY % (number % 50), each {number, at:
# unix s or null when the clock was unset, address, mac, browser, method, result}, owner/history.py.
HISTORY_COUNT = "history.count"
HISTORY = "history.%02d"

# {id, account_id, before}: by which that account undoes a run of changes; owner/earlier.py. before: {key:
# value or null} of OWNER, AUTHENTICATORS and RECOVERY, or null once they are undone. Secret. And an int: for
# how many seconds of being connected it has been kept since the last change.
UNDO = "undo"
UNDO_AGE = "undo.age"

# {account_id, name, email}: the cloud account that this router belongs to; absent when to none.
CLOUD_OWNER = "cloud.owner"

# text: the id of a factory reset that the cloud has not heard of yet, cloud/client.py. Absent: none.
CLOUD_RESET = "cloud.reset"

# {version, before, slot, state, at: unix s or null}: the last update by the page, owner/updates.py. before:
# the version that ran. slot: where it is. state: "waiting" for its start, "done" or "failed".
UPDATE = "update"

# {seen: [id], running: {id: name}, outbox: [message]} of cloud/ledger.py: an id that was seen is never run
# again, and what is in the outbox is sent again until the cloud acknowledges it.
COMMANDS = "cloud.commands"

# What a factory reset leaves (owner/reset.py). Everything else is the owner's, and goes.
KEPT_AT_RESET = (CLOCK_FLOOR, CLOCK_PROVEN, IDENTITY, DEVICE_KEY, LOCKED)
