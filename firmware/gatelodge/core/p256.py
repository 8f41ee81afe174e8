"""ECDSA over the NIST curve P-256: make a key, sign, verify (FIPS 186-4, SEC 1, RFC 6979).

Hand-written because the platform has none of it: MicroPython can *use* a P-256 key in TLS, but
has no call to make one, to sign a certificate request or to check a signature.

**Not constant time.** Python's integers are not, so nothing here could be. Signing happens at
the factory's bench only, a handful of times in a router's life, over a serial line, with
nobody but the operator to time it; afterwards the key is used by mbedTLS alone. Verifying
handles no secret. Do not sign with this module for a peer that can measure the answer.

Points are Jacobian (X, Y, Z) with x = X/Z^2, y = Y/Z^3, and the point at infinity has Z = 0:
one field inversion at the end instead of one at each step. A key, a signature and a verification take
140 ms each on the reference board (an emulated Cortex-A53), 13 ms on an x86.
"""

from gatelodge import compat
from gatelodge.contract.errors import TheirError

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF  # the field
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # the order of G
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

KEY_RANDOM_BYTES = 40  # 64 bits more than the order: the bias of the remainder is below 2**-64
_INFINITY = (1, 1, 0)


class CurveError(TheirError):
    """Bytes that are no key on this curve."""


def generate(random_bytes):
    """Return the private key, 1..N-1, made of 40 random bytes (FIPS 186-4 B.4.1)."""
    if len(random_bytes) != KEY_RANDOM_BYTES:
        raise ValueError("a P-256 key takes %d random bytes, not %d" % (KEY_RANDOM_BYTES, len(random_bytes)))
    return int.from_bytes(random_bytes, "big") % (N - 1) + 1


def public_key(private_key):
    """Return the public point (x, y) of a private key."""
    return _affine(_multiply(private_key, G))


def encode_point(point):
    """Return the 65 bytes of a point, uncompressed (SEC 1 section 2.3.3)."""
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def decode_point(data):
    """Return the point (x, y) of 65 bytes. Raises CurveError unless it lies on the curve."""
    if len(data) != 65 or data[0] != 4:
        raise CurveError("a P-256 public key is 65 bytes that start with 04: send it uncompressed")
    x = int.from_bytes(data[1:33], "big")
    y = int.from_bytes(data[33:], "big")
    if x >= P or y >= P or (y * y - (x * x * x - 3 * x + B)) % P:
        raise CurveError("the public key is not a point of P-256: make a new key")
    return x, y


def sign(private_key, digest):
    """Return the signature (r, s) of a SHA-256 digest, with RFC 6979's nonce."""
    e = int.from_bytes(digest, "big") % N
    r = s = 0
    nonces = _nonces(private_key, digest)
    while not (r and s):
        k = next(nonces)
        r = _affine(_multiply(k, G))[0] % N
        s = _inverse(k, N) * (e + r * private_key) % N
    return r, s


def verify(point, digest, r, s):
    """Whether (r, s) signs the SHA-256 digest under the public point (FIPS 186-4 section 6.4)."""
    if not (0 < r < N and 0 < s < N) or len(digest) != 32:
        return False
    w = _inverse(s, N)
    u1 = int.from_bytes(digest, "big") * w % N
    u2 = r * w % N
    total = _add(_multiply(u1, G), _multiply(u2, point))
    return total[2] != 0 and _affine(total)[0] % N == r


def _nonces(private_key, digest):
    """Yield RFC 6979's candidates for k (section 3.2), with HMAC-SHA256."""
    seed = private_key.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    value = b"\x01" * 32
    key = b"\0" * 32
    for separator in (b"\0", b"\x01"):
        key = compat.hmac_sha256(key, value + separator + seed)
        value = compat.hmac_sha256(key, value)
    while True:
        value = compat.hmac_sha256(key, value)
        k = int.from_bytes(value, "big")
        if 0 < k < N:
            yield k
        key = compat.hmac_sha256(key, value + b"\0")
        value = compat.hmac_sha256(key, value)


def _inverse(value, modulus):
    return pow(value, modulus - 2, modulus)  # Fermat; MicroPython's pow takes no -1


def _affine(point):
    x, y, z = point
    inverse = _inverse(z, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _multiply(scalar, point):
    """Return scalar times the affine point, four bits at a time: 256 doublings, 64 additions."""
    base = (point[0], point[1], 1)
    table = [_INFINITY, base]
    for i in range(2, 16):
        table.append(_double(table[i // 2]) if i % 2 == 0 else _add(table[i - 1], base))
    result = _INFINITY
    for shift in range(252, -1, -4):
        for _ in range(4):
            result = _double(result)
        result = _add(result, table[(scalar >> shift) & 15])
    return result


def _double(point):
    """dbl-2001-b of the Explicit-Formulas Database, for curves with a = -3."""
    x, y, z = point
    if not z:
        return point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    y3 = (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P
    return x3, y3, 2 * y * z % P


def _add(a, b):
    """add-1998-cmo-2 of the Explicit-Formulas Database, with its special cases."""
    if not a[2]:
        return b
    if not b[2]:
        return a
    z1z1 = a[2] * a[2] % P
    z2z2 = b[2] * b[2] % P
    u1 = a[0] * z2z2 % P
    s1 = a[1] * b[2] * z2z2 % P
    h = (b[0] * z1z1 - u1) % P
    r = (b[1] * a[2] * z1z1 - s1) % P
    if not h:
        return _INFINITY if r else _double(a)
    hh = h * h % P
    hhh = h * hh % P
    v = u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * a[2] * b[2] % P
