"""The only file that knows which interpreter runs it: MicroPython 1.23 or newer, or CPython 3.11 or newer.

json      one deterministic encoding, the same bytes on both (json_text.py)
time      the system's clock, a monotonic one, and setting the first
files     what it takes for a byte to be on the flash
hashes    native where the platform has them, plain Python where not (`HMAC_IS_NATIVE`, `PBKDF2_IS_NATIVE`)
sockets   awaitables that sleep on a descriptor

Long, and one file on purpose: as four (this, the C library, hashes, sockets) it took 1.5 kB more of the heap,
where each name then stands twice, and a third longer to load (MicroPython 1.25, x86-64, compiled).
"""

import gc
import hashlib
import io
import json as _json
import os
import socket
import struct
import sys
import time

from gatelodge import json_text

MICROPYTHON = sys.implementation.name == "micropython"
# Of the compiled code that this interpreter loads; 0 on CPython, which loads none.
MPY_VERSION = getattr(sys.implementation, "_mpy", 0) & 255
# For people: ("MicroPython", "1.25.0").
INTERPRETER = (
    "MicroPython" if MICROPYTHON else "CPython",
    ".".join([str(part) for part in tuple(sys.implementation.version)[:3]]),
)

if MICROPYTHON:
    from asyncio import core as _core

    from gatelodge import io_queue
else:
    import asyncio as _asyncio

if MICROPYTHON:
    from micropython import kbd_intr as _kbd_intr

try:
    import ffi as _ffi
except ImportError:
    _ffi = None  # CPython, or a MicroPython built without libffi


# --- json ------------------------------------------------------------------------------------------

if MICROPYTHON:
    _string = _json.dumps
else:
    _ESCAPES = {code: f"\\u{code:04x}" for code in range(32)}
    _ESCAPES.update({ord('"'): '\\"', ord("\\"): "\\\\", 10: "\\n", 13: "\\r", 9: "\\t"})

    def _string(text):
        return '"' + text.translate(_ESCAPES) + '"'


def dumps(value):
    """`value` as JSON text, the same bytes on both interpreters: json_text.py says which."""
    return json_text.dumps(value, _string)


if MICROPYTHON:
    _written = io.BytesIO()  # one for all: MicroPython looks for each new text among all that it knows
    _MOST_KEPT = 4096  # bytes of it that stay in the heap

    def encoded(value):
        """`value` as JSON in UTF-8, in whatever order and spelling is fastest: for an answer of the moment,
        which nobody signs or compares. Of text, finite numbers, true, false, None, lists, dicts by text."""
        global _written
        _written.seek(0)
        _json.dump(value, _written, separators=(",", ":"))
        length = _written.tell()
        _written.seek(0)
        data = _written.read(length)
        if length > _MOST_KEPT:
            _written = io.BytesIO()
        return data

else:

    def encoded(value):
        return dumps(value).encode()


def loads(text):
    """The value of JSON in str, or in bytes of UTF-8. Raises ValueError for anything else.

    MicroPython's own reader also takes `[1 2]` and `[1,]`; nothing here relies on that being refused.
    """
    if not isinstance(text, str):
        try:
            text = str(bytes(text), "utf-8")
        except UnicodeError:
            raise ValueError("the JSON is not UTF-8")
    if "\\u" in text:
        text = json_text.without_surrogates(text)
    try:
        return _native_loads(text)
    except RuntimeError:  # CPython's RecursionError; MicroPython's reader needs no stack
        raise ValueError("the JSON is nested too deeply")


def _refuse_constant(name):
    raise ValueError(f"JSON has no {name}")


def _native_loads(text):
    if not MICROPYTHON:
        return _json.loads(text, parse_constant=_refuse_constant, strict=False)
    # MicroPython's reader forgives a missing last bracket, and a cut text would pass: 0 must come out too.
    both = _json.loads("[" + text + ",0]")
    if len(both) != 2:
        raise ValueError("syntax error in JSON")
    return both[0]


class json:
    """So that `from gatelodge.compat import json` reads as usual."""

    dumps = staticmethod(dumps)
    encoded = staticmethod(encoded)
    loads = staticmethod(loads)


# --- the C library and mbedTLS, where they can be reached -------------------------------------------

# None is the interpreter itself with all it has loaded. Musl calls its libc `libc.so`.
_C_LIBRARIES = (None, "libc.so.6", "libc.so")
_CRYPTO_LIBRARIES = (None, "libmbedcrypto.so.16", "libmbedcrypto.so.7", "libmbedcrypto.so")


def _native(libraries, result, name, arguments):
    """A C function by name, or None. `arguments` as ffi spells them: p pointer, P to const, L size_t."""
    for library in libraries if _ffi else ():
        try:
            return _ffi.open(library).func(result, name, arguments)
        except OSError:
            continue  # not here: the next one
    return None


_alarm = _native(_C_LIBRARIES, "I", "alarm", "I")


def set_alarm(seconds):
    """SIGALRM ends this process after so long, unless this is called anew: 0 takes it back.

    Nothing happens where the C library is out of reach.
    """
    if _alarm is not None:
        _alarm(seconds)


_end = _native(_C_LIBRARIES, "v", "_exit", "i")


def end_where_heap_is_locked():
    """End this process, without a word to anybody, where MicroPython gives no memory though it has some.

    Needs no memory itself. A heap that is full but for one piece counts as locked. Nothing happens where the
    C library is out of reach, nor on CPython.
    """
    try:
        bytearray(1)
    except MemoryError:
        if _end is not None and gc.mem_free():
            _end(1)


_SIGINT, _SIG_IGN = 2, 1  # as every Linux has them
_signal = _native(_C_LIBRARIES, "v", "signal", "iL")  # "v": an address might not fit without memory


def hear_interrupts():
    """From now on SIGINT raises KeyboardInterrupt, wherever MicroPython's unix port stands."""
    if MICROPYTHON:
        _kbd_intr(3)


def ignore_interrupts():
    """SIGINT does nothing, until `hear_interrupts`. Needs no memory, no name and no lock.

    CPython raises between bytecodes and needs no such care. Nothing happens where no C library is in reach.
    """
    if _signal is not None:
        _signal(_SIGINT, _SIG_IGN)


# --- entropy and time ------------------------------------------------------------------------------

entropy = os.urandom


def wall_time():
    """The system's clock, in seconds since 1970. Believe it only through core/clock.py."""
    return time.time()


if not MICROPYTHON:

    def monotonic_ms():
        """Milliseconds since some moment before now: never steps, never wraps."""
        return time.monotonic_ns() // 1_000_000

elif sys.maxsize > 2**32:
    monotonic_ms = time.ticks_ms  # on 64 bits it wraps after 146 million years
else:

    def monotonic_ms():
        """As above. ticks_ms wraps after 12 days here, so ask twice in 6: the hourly clock floor does."""
        global _total_ms, _last_ticks
        ticks = time.ticks_ms()
        _total_ms += time.ticks_diff(ticks, _last_ticks)
        _last_ticks = ticks
        return _total_ms

    _total_ms, _last_ticks = 0, time.ticks_ms()

if MICROPYTHON:
    io_queue.install(monotonic_ms)


_CLOCK_REALTIME = 0
_clock_settime = _native(_C_LIBRARIES, "i", "clock_settime", "iP")


def set_wall_time(unix_s):
    """Sets the system's clock. False when this process may not, or has no way to."""
    if not MICROPYTHON:
        try:
            time.clock_settime(time.CLOCK_REALTIME, unix_s)
        except (OSError, AttributeError):
            return False
        return True
    if _clock_settime is None:
        return False
    whole = int(unix_s)
    return (
        _clock_settime(_CLOCK_REALTIME, struct.pack("@ll", whole, int((unix_s - whole) * 1_000_000_000))) == 0
    )


# --- files -----------------------------------------------------------------------------------------

rename = os.rename  # replaces an existing file, in one step, on both
remove = os.remove
remove_directory = os.rmdir  # an empty one


def sync_file(file):
    """What was written to the open file is on the flash when this returns."""
    file.flush()  # on MicroPython's unix port this is fsync itself
    if not MICROPYTHON:
        os.fsync(file.fileno())


def sync_directory(path):
    """The names in the directory (a rename, a new file) are on the flash when this returns."""
    if MICROPYTHON:
        with open(path) as directory:  # the unix port opens a directory as it opens a file
            directory.flush()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_fadvise = _native(_C_LIBRARIES, "i", "posix_fadvise64", "iqqi") or _native(
    _C_LIBRARIES, "i", "posix_fadvise", "iqqi"  # musl's, whose offsets always have 64 bits
)
_FADV_DONTNEED = 4


def drop_cached(path):
    """The next read of the file comes from the flash, not from memory. False when the platform has no way."""
    with open(path, "rb") as file:
        if not MICROPYTHON:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return True
        return _fadvise is not None and _fadvise(file.fileno(), 0, 0, _FADV_DONTNEED) == 0


def exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def is_regular_file(path):
    """Whether the path is an ordinary file: not a device, a pipe or a directory."""
    try:
        return os.stat(path)[0] & 0o170000 == 0o100000
    except OSError:
        return False


def file_mode(path):
    """The permission bits. OSError when there is no such file."""
    return os.stat(path)[0] & 0o777


def file_size(path):
    """In bytes. OSError when there is no such file."""
    return os.stat(path)[6]


def listdir(path):
    """The names in a directory, sorted."""
    return sorted(os.listdir(path))


def makedirs(path):
    """Makes the directory and those above it, as far as they are missing."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        part = "/".join(parts[:count])
        if part and not exists(part):
            os.mkdir(part)


_chmod = _native(_C_LIBRARIES, "i", "chmod", "si")


def make_private(path):
    """Mode 0600: only the owner of this process reads it. False when the platform offers no way."""
    if not MICROPYTHON:
        os.chmod(path, 0o600)
        return True
    return _chmod is not None and _chmod(path, 0o600) == 0


# --- hashes ----------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def sha1(data):
    return hashlib.sha1(data).digest()


_BLOCK = 64  # bytes, of SHA-1 and of SHA-256


def _python_hmac(digest, key, message):
    """RFC 2104."""
    if len(key) > _BLOCK:
        key = digest(key)
    key = key + bytes(_BLOCK - len(key))
    inner = digest(bytes([b ^ 0x36 for b in key]) + message)
    return digest(bytes([b ^ 0x5C for b in key]) + inner)


def _python_pbkdf2_sha256(password, salt, iterations, length):
    """RFC 8018 section 5.2, with the two padded keys hashed once."""
    key = sha256(password) if len(password) > _BLOCK else password
    key = key + bytes(_BLOCK - len(key))
    inner, outer = bytes([b ^ 0x36 for b in key]), bytes([b ^ 0x5C for b in key])
    result = b""
    block = 0
    while len(result) < length:
        block += 1
        last = sha256(outer + sha256(inner + salt + struct.pack(">I", block)))
        total = int.from_bytes(last, "big")
        for _ in range(iterations - 1):
            last = sha256(outer + sha256(inner + last))
            total ^= int.from_bytes(last, "big")
        result += total.to_bytes(32, "big")
    return result[:length]


def _mbedtls():
    """(hmac_sha1, hmac_sha256, pbkdf2_sha256) of the library that MicroPython's TLS has loaded, or Nones.

    Digests are asked for by name, because mbedTLS 2 and 3 number them differently.
    """
    by_name = _native(_CRYPTO_LIBRARIES, "p", "mbedtls_md_info_from_string", "s")
    number_of = _native(_CRYPTO_LIBRARIES, "i", "mbedtls_md_get_type", "p")
    hmac = _native(_CRYPTO_LIBRARIES, "i", "mbedtls_md_hmac", "pPLPLp")
    pbkdf2 = _native(_CRYPTO_LIBRARIES, "i", "mbedtls_pkcs5_pbkdf2_hmac_ext", "iPLPLIIp")
    if not (by_name and number_of and hmac):
        return None, None, None

    def hmac_with(info, size):
        digest = bytearray(size)  # one for all calls: making it costs as much as filling it

        def native_hmac(key, message):
            if hmac(info, key, len(key), message, len(message), digest) != 0:
                raise OSError("mbedTLS refused an HMAC")
            return bytes(digest)

        return native_hmac

    def native_pbkdf2(password, salt, iterations, length):
        derived = bytearray(length)
        if pbkdf2(sha256_number, password, len(password), salt, len(salt), iterations, length, derived) != 0:
            raise OSError("mbedTLS refused a key derivation")
        return bytes(derived)

    sha256_number = number_of(by_name("SHA256"))
    return hmac_with(by_name("SHA1"), 20), hmac_with(by_name("SHA256"), 32), native_pbkdf2 if pbkdf2 else None


def _same(native, ours, *arguments):
    """A native function is taken only if it gives what plain Python gives: no wrong ABI goes unseen."""
    return native is not None and native(*arguments) == ours(*arguments)


def _python_hmac_sha1(key, message):
    return _python_hmac(sha1, key, message)


def _python_hmac_sha256(key, message):
    return _python_hmac(sha256, key, message)


if MICROPYTHON:
    hmac_sha1, hmac_sha256, pbkdf2_sha256 = _mbedtls()
    HMAC_IS_NATIVE = _same(hmac_sha1, _python_hmac_sha1, b"key", b"message") and _same(
        hmac_sha256, _python_hmac_sha256, b"key", b"message"
    )
    PBKDF2_IS_NATIVE = _same(pbkdf2_sha256, _python_pbkdf2_sha256, b"password", b"salt", 2, 40)
    if not HMAC_IS_NATIVE:
        hmac_sha1, hmac_sha256 = _python_hmac_sha1, _python_hmac_sha256
    if not PBKDF2_IS_NATIVE:
        pbkdf2_sha256 = _python_pbkdf2_sha256
else:
    import hmac as _hmac

    HMAC_IS_NATIVE = PBKDF2_IS_NATIVE = True

    def hmac_sha1(key, message):
        return _hmac.digest(key, message, "sha1")

    def hmac_sha256(key, message):
        return _hmac.digest(key, message, "sha256")

    def pbkdf2_sha256(password, salt, iterations, length):
        return hashlib.pbkdf2_hmac("sha256", password, salt, iterations, length)


def aes256(key, blocks):
    """Each 16-byte block enciphered by AES-256 (FIPS 197): the bare cipher, for core/backup.py's mode.

    MicroPython brings it with its TLS. On CPython it comes with the host tools' libraries."""
    if MICROPYTHON:
        import cryptolib

        return cryptolib.aes(key, _ECB).encrypt(blocks)
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(blocks)  # noqa: S305 - a mode's part


_ECB = 1


def constant_time_equal(a, b):
    """Whether two byte strings are equal, in a time that tells only their lengths."""
    if len(a) != len(b):
        return False
    difference = 0
    for x, y in zip(a, b):  # noqa: B905 - MicroPython's zip has no strict, and the lengths are equal
        difference |= x ^ y
    return difference == 0


# --- sockets ---------------------------------------------------------------------------------------

if MICROPYTHON:

    def wait_readable(sock, deadline_ms=None, answer=None):
        """Sleeps until the raw socket can be read, has failed, or the deadline of monotonic_ms has come.

        Never on a TLS object: that is asked every millisecond. answer: io_queue.py's, which may be called
        while the task sleeps on; it is no more than a faster way of being woken.
        """
        yield _core._io_queue.sleep(sock, 0, deadline_ms, answer)

    def wait_writable(sock, deadline_ms=None):
        """The same until the raw socket can be written."""
        yield _core._io_queue.sleep(sock, 1, deadline_ms)

    def wake(sock):
        """Wakes whoever sleeps on the socket, and forgets it. Before every close: the number may return."""
        _core._io_queue.forget(sock)

    # One for all: `read(n)` takes n bytes of the heap each time, however few arrive.
    _received = memoryview(bytearray(4096))

    def receive(channel, length):
        """Some of what a socket or TLS object has, at most `length` (which is 4096 at most); b"" at its end,
        None when none yet."""
        count = channel.readinto(_received, length)
        return None if count is None else bytes(_received[:count])

    def glimpse(channel, length):
        """As `receive`, but good until the next of either: to look whether it is worth keeping."""
        count = channel.readinto(_received, length)
        return None if count is None else _received[:count]

    def transmit(channel, data):
        """How many bytes of `data` a socket or TLS object took; None when none yet."""
        return channel.write(data)

    def address_of(socket_address):
        """(host, port) of what accept gives."""
        family, host, port = socket.sockaddr(socket_address)[:3]
        return socket.inet_ntop(family, host), port

else:
    _sleeping = {}  # (socket, reads) -> (future, descriptor, how to unregister it)

    async def wait_readable(sock, deadline_ms=None, answer=None):
        """Sleeps until the raw socket can be read, has failed, or the deadline of monotonic_ms has come."""
        loop = _asyncio.get_running_loop()
        await _ready((sock, True), loop.add_reader, loop.remove_reader, deadline_ms)

    async def wait_writable(sock, deadline_ms=None):
        """The same until the raw socket can be written."""
        loop = _asyncio.get_running_loop()
        await _ready((sock, False), loop.add_writer, loop.remove_writer, deadline_ms)

    async def _ready(key, add, remove, deadline_ms):
        loop, number = _asyncio.get_running_loop(), key[0].fileno()
        future = loop.create_future()
        _sleeping[key] = future, number, remove
        add(number, _wake_one, key)
        left_ms = None if deadline_ms is None else max(0, deadline_ms - monotonic_ms())
        alarm = None if left_ms is None else loop.call_later(left_ms / 1000, _wake_one, key)
        try:
            await future
        finally:
            if alarm is not None:
                alarm.cancel()
            _wake_one(key)

    def _wake_one(key):
        future, number, remove = _sleeping.pop(key, (None, None, None))
        if future is not None:
            remove(number)
            future.done() or future.set_result(None)

    def wake(sock):
        """Wakes whoever sleeps on the socket, and forgets it. Before every close: the number may return."""
        _wake_one((sock, True))
        _wake_one((sock, False))

    def receive(channel, length):
        """What a socket has, up to `length` bytes; b"" at its end, None when there is nothing yet."""
        try:
            return channel.recv(length)
        except BlockingIOError:
            return None

    glimpse = receive

    def transmit(channel, data):
        """How many bytes of `data` a socket took; None when none yet."""
        try:
            return channel.send(data)
        except BlockingIOError:
            return None

    def address_of(socket_address):
        """(host, port) of what accept gives."""
        return socket_address[:2]


def heap_bytes():
    """How large the heap is. On CPython it ends with the computer's memory."""
    return gc.mem_free() + gc.mem_alloc() if MICROPYTHON else sys.maxsize


def collect_every(count):
    """Collect garbage each time so many bytes were allocated, not only when the heap is full."""
    if MICROPYTHON:
        gc.threshold(count)


def unload(modules):
    """Forget modules by their full names, so that the heap has room for others: an import loads them anew."""
    for name in modules:
        package, last = name.rsplit(".", 1)
        sys.modules.pop(name, None)
        if hasattr(sys.modules.get(package), last):
            delattr(sys.modules[package], last)


def print_exception(error, file=None):
    """The traceback, on stderr unless told otherwise."""
    if MICROPYTHON:
        sys.print_exception(error, file or sys.stderr)
    else:
        import traceback

        traceback.print_exception(error, file=file or sys.stderr)
