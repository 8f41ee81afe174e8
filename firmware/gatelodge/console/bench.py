"""The bench's verbs on the router: contract/provisioning.py made true.

    Bench(store, clock, router, board, version, slot=slot)

store    the journal; every answer waits until what it tells is on the flash
clock    .set(unix_s, "bench") -> bool, .refusal, .is_set (core/clock.py with the daemon's monotonic time)
router   .facts() and .interfaces(), see router/
board    the checked board.json, a dict
version  the firmware's version, text
slot     the one that runs, "a" or "b"

The factory calls `bench.exchange(text)`, a person `bench.call(verb, request)`; request and answer are JSON.
What is wrong with a request is the answer's "error"; only a fault in this firmware raises.
"""

from binascii import a2b_base64, b2a_base64, hexlify

from gatelodge import compat, log, store_keys
from gatelodge.console.standing import Standing
from gatelodge.contract import provisioning, service_code
from gatelodge.contract.errors import BenchError, GatelodgeError
from gatelodge.core import slots

# What only one verb uses is imported in it. A locked router, which has none, does not load this module.

REQUEST_LIMIT = 16384  # characters; write_identity with four certificates is under 6000


class Bench(Standing):
    def __init__(self, store, clock, router, board, version, entropy=compat.entropy, slot=None):
        super().__init__(store, board, version)
        self._clock = clock
        self._router = router
        self._entropy = entropy
        self._slot = slot
        self._has_installed = False

    @property
    def closing(self):
        """Why this start takes no more code, or None: the router is locked, or new firmware waits."""
        if self.is_locked:
            return "the console was locked"
        return "firmware was installed" if self._has_installed else None

    @property
    def banner(self):
        words = (
            "Gatelodge %s on %s, speaking MicroPython's REPL\r\nType \"bench.help()\" for the bench's verbs."
        )
        return words % (self._version, self._board["model"])

    def help(self):
        """Print the verbs."""
        for verb in provisioning.VERBS:
            print("bench.call(%r, %r)  %s" % (verb.name, [name for name, _ in verb.request], verb.summary))

    def exchange(self, sealed):
        """Return the sealed answer to a sealed "verb request" (contract/provisioning.py)."""
        try:
            words = provisioning.unseal(sealed).split(" ", 1)
        except BenchError as error:
            return provisioning.seal(_error(error))
        return provisioning.seal(self.call(*words))

    def call(self, name, request="{}"):
        """Return the JSON answer, {"ok": {...}} or {"error": "one sentence"}, to a JSON request."""
        try:
            return compat.json.dumps({"ok": self._call(name, request)})
        except GatelodgeError as error:
            log.warning("bench", "%s: %s", name, error)
            return _error(error)

    def _call(self, name, request):
        verb = provisioning.find_verb(name)
        provisioning.next_state(self.state, name)
        if len(request) > REQUEST_LIMIT:
            raise BenchError("the request is longer than %d characters: send less" % REQUEST_LIMIT)
        fields = provisioning.check_request(verb, _read(request))
        answer = provisioning.check_reply(verb, _VERBS[name](self, fields))
        log.info("bench", "%s: done", name)
        return answer

    # --- verbs ---

    def _identify(self, _):
        return {
            "model": self._board["model"],
            "board": self._board["name"],
            "firmware": self._version,
            "mac": self._mac(),
            "serial_number": self.serial_number,
            "state": self.state,
            "flash_mb": self._board["flash_mb"],
        }

    def _make_key(self, _):
        from gatelodge.core import csr, p256

        if self._store.get(store_keys.DEVICE_KEY) is None:
            key = csr.sec1_private_key(p256.generate(self._entropy(p256.KEY_RANDOM_BYTES)))
            self._store.put(store_keys.DEVICE_KEY, _text(key))
        return {"public_key": _text(p256.encode_point(p256.public_key(self._key())))}

    def _certificate_request(self, request):
        from gatelodge.core import csr

        data = csr.certificate_request(self._key(), request["serial_number"], provisioning.ORGANIZATION)
        return {"csr": _text(data)}

    def _write_identity(self, request):
        self._check_certificates(request)
        self._set_time(request)
        identity = {name: request[name] for name in request if name != "time"}
        identity["model"] = self._board["model"]
        identity["provisioned_at"] = int(request["time"])
        identity["service_code"] = self._service_code(request["serial_number"])
        self._is_tested = False
        floor = max(int(request["time"]), self._store.get(store_keys.CLOCK_FLOOR, 0))
        floors = {store_keys.CLOCK_FLOOR: floor, store_keys.CLOCK_PROVEN: int(request["time"])}
        floors[store_keys.IDENTITY] = identity
        self._store.put_many(floors)
        return {
            "service_code": identity["service_code"],
            "fingerprint": hexlify(compat.sha256(_bytes(request["device_certificate"]))).decode(),
        }

    def _set_time(self, request):
        if not self._clock.set(request["time"], "bench"):
            raise BenchError("the bench's time is %s: set the bench's clock" % self._clock.refusal)
        return {"set": True}

    def _self_test(self, _):
        from gatelodge.console import self_test

        parts = self_test.Parts(
            self._store, self._clock, self._router, self._key(), self._entropy, self._board["state_dir"]
        )
        checks = self_test.run(parts)
        self._is_tested = all(check["ok"] for check in checks)
        return {"passed": self._is_tested, "checks": checks}

    def _lock(self, _):
        self._store.put(store_keys.LOCKED, True)  # on the flash before the host hears of it
        return {"locked": True}

    def _flash_target(self, _):
        return {
            "path": self._incoming,
            "release_key": self._board["release_key"],
            "mpy_version": compat.MPY_VERSION,
            "slot": self._slot,
            "firmware": self._version,
        }

    def _install(self, _):
        from gatelodge import install

        root, slot = self._board["state_dir"], slots.other(self._slot)
        received = install.Received(self._incoming, self._board["release_key"])
        install.finish(received.check())
        install.finish(received.unpack(root + "/slots/" + slot))
        install.put_on_trial(root, self._slot)
        compat.remove(self._incoming)
        self._has_installed = True
        return {"slot": slot, "firmware": received.manifest["version"]}

    # --- parts ---

    @property
    def _incoming(self):
        return self._board["state_dir"] + "/incoming.tar"

    def _key(self):
        from gatelodge.core import csr

        return csr.read_sec1_private_key(_bytes(self._store.get(store_keys.DEVICE_KEY)))

    def _service_code(self, serial_number):
        """A router keeps the code that a bench has already read for this serial number."""
        before = self._store.get(store_keys.IDENTITY)
        if before is not None and before["serial_number"] == serial_number:
            return before["service_code"]
        return service_code.generate(self._entropy(service_code.RANDOM_BYTES))

    def _check_certificates(self, request):
        from gatelodge.core import certificate, p256

        authority = _bytes(request["factory_ca"])
        ours = p256.public_key(self._key())
        certificate.check(_bytes(request["device_certificate"]), authority, ours, request["serial_number"])
        certificate.check(_bytes(request["admin_certificate"]), authority, ours)
        certificate.read(_bytes(request["cloud_ca"]))

    def _mac(self):
        for interface in self._router.interfaces():
            if interface["role"] == "lan":
                return interface["mac"]
        return ""


_VERBS = {
    "identify": Bench._identify,
    "make_key": Bench._make_key,
    "certificate_request": Bench._certificate_request,
    "write_identity": Bench._write_identity,
    "set_time": Bench._set_time,
    "self_test": Bench._self_test,
    "flash_target": Bench._flash_target,
    "install": Bench._install,
    "lock": Bench._lock,
}


def _error(error):
    return compat.json.dumps({"error": str(error), "damaged": isinstance(error, provisioning.DamagedError)})


def _text(data):
    return b2a_base64(data).decode().strip()


def _bytes(text):
    try:
        return a2b_base64(text)
    except ValueError:
        raise BenchError("a field is not whole base 64: send it again")


def _read(text):
    try:
        return compat.json.loads(text)
    except ValueError:
        raise BenchError("the request is not JSON: send an object")
