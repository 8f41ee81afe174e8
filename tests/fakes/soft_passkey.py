"""A passkey in software, as a phone holds one: for tests of what a dishonest browser or device may send."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40  # flags (WebAuthn level 3, section 6.1)
NO_AAGUID = bytes(16)


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SoftPasskey:
    """`created = key.create(options)`, then `key.sign(options)`: what a browser's script would send, as JSON.

    sign_count: the next counter; 0 and it never counts. Everything else a test may turn against its purpose.
    """

    def __init__(self, origin, sign_count=0):
        self.origin = origin
        self.sign_count = sign_count
        self.verified = True
        self.user_handle = b""
        self.id = secrets.token_bytes(32)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options):
        asked = json.loads(options) if isinstance(options, str) else options
        self.user_handle = unb64(asked["user"]["id"])
        attested = NO_AAGUID + len(self.id).to_bytes(2, "big") + self.id + self._cose()
        data = self._authenticator_data(asked["rp"]["id"], attested)
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", asked["challenge"])
        return self._credential({"attestationObject": b64(statement), "clientDataJSON": b64(client)})

    def sign(self, options):
        asked = json.loads(options) if isinstance(options, str) else options
        data = self._authenticator_data(asked["rpId"])
        client = self._client_data("webauthn.get", asked["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        signed = {"authenticatorData": b64(data), "signature": b64(signature)}
        handle = {"userHandle": b64(self.user_handle), "clientDataJSON": b64(client)}
        return self._credential({**signed, **handle})

    def _authenticator_data(self, name, attested=b""):
        flags = PRESENT | (VERIFIED if self.verified else 0) | (ATTESTED if attested else 0)
        count = self.sign_count.to_bytes(4, "big")
        self.sign_count += 1 if self.sign_count else 0
        return hashlib.sha256(name.encode()).digest() + bytes([flags]) + count + attested

    def _client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _credential(self, response):
        return json.dumps(
            {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response}
        )

    def _cose(self):
        """ES256 on P-256 (RFC 9053, sections 2.1 and 7.1.1)."""
        point = self._key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
