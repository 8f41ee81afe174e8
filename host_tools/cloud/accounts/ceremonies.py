"""WebAuthn's two ceremonies (level 3, sections 7.1 and 7.2), by the library py_webauthn. Pure: no clock, no
store.

User verification is required in both: a passkey is the device and what unlocks it, two factors in one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

import webauthn
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json,
    parse_authentication_credential_json,
    parse_client_data_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from host_tools.cloud.accounts.challenges import CHALLENGE_S
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_

NAME = "Gatelodge"
NOT_MADE = N_("The browser made no passkey that works here. Try again.")
NOT_SIGNED = N_("That passkey is not known here, or it was not unlocked. Try again, or use another way.")
VERIFIED = UserVerificationRequirement.REQUIRED


class Site(NamedTuple):
    """As browsers know us: a passkey is good for one name, an answer for one origin."""

    name: str  # the RP ID: "account.example.org"
    origin: str  # "https://account.example.org"


class Made(NamedTuple):
    credential_id: bytes
    public_key: bytes  # COSE
    sign_count: int
    synced: bool


class Answer(NamedTuple):
    """What a browser sent, not yet believed."""

    credential_id: bytes
    challenge: bytes
    user_handle: str  # the account's id, "" where none was sent


def creation_options(
    site: Site, account_id: str, email: str, name: str, challenge: bytes, held: Iterable[bytes]
) -> str:
    """What the browser's script asks a device to make, as JSON. `held`: credentials that it has already."""
    options = webauthn.generate_registration_options(
        rp_id=site.name,
        rp_name=NAME,
        user_id=account_id.encode(),  # random: a device shows it to whoever holds it
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=CHALLENGE_S * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
        ),
        exclude_credentials=_descriptors(held),
    )
    return options_to_json(options)


def request_options(site: Site, challenge: bytes, allowed: Iterable[bytes] = ()) -> str:
    """What the browser's script asks a device to sign. `allowed`: none, and the device says who it is."""
    options = webauthn.generate_authentication_options(
        rp_id=site.name,
        challenge=challenge,
        timeout=CHALLENGE_S * 1000,
        allow_credentials=_descriptors(allowed),
        user_verification=VERIFIED,
    )
    return options_to_json(options)


def challenge_of(text: str) -> bytes:
    """The challenge that a new credential answers. Raises RefusedError."""
    try:
        data = json.loads(text)["response"]["clientDataJSON"]
        return parse_client_data_json(base64url_to_bytes(data)).challenge
    except Exception as error:  # a stranger's bytes, and a parser that names no end of errors
        raise RefusedError("", NOT_MADE) from error


def read_answer(text: str) -> Answer:
    """Raises RefusedError."""
    try:
        credential = parse_authentication_credential_json(text)
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        handle = (credential.response.user_handle or b"").decode()
    except Exception as error:  # as above
        raise RefusedError("", NOT_SIGNED) from error
    return Answer(credential.raw_id, challenge, handle)


def check_made(site: Site, text: str, challenge: bytes) -> Made:
    """Raises RefusedError."""
    try:
        found = webauthn.verify_registration_response(
            credential=text,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise RefusedError("", NOT_MADE) from error
    synced = found.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    return Made(found.credential_id, found.credential_public_key, found.sign_count, synced)


def check_signed(site: Site, text: str, challenge: bytes, public_key: bytes) -> int:
    """The counter that was signed. Raises RefusedError.

    The library would refuse a counter that went back before it looks at the signature: whoever knows a
    credential's id could make its owner doubt it. We compare after it (passkeys.py).
    """
    try:
        found = webauthn.verify_authentication_response(
            credential=text,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise RefusedError("", NOT_SIGNED) from error
    return found.new_sign_count


def went_back(stored: int, signed: int) -> bool:
    """Section 6.1.1: a counter that does not grow tells of a copy. Devices that do not count say 0."""
    return (stored > 0 or signed > 0) and signed <= stored


def credential_hash(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()


def _descriptors(ids: Iterable[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each) for each in ids]
