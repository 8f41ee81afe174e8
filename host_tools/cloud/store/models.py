"""The schema, one class per table. Times are Unix seconds (float); hashes are lowercase hex.

Whatever a browser, a message or a label carries as a secret is kept as a hash only; an authenticator's
secret, which must be read again, is sealed (store/secret_box.py).
"""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Named constraints: Alembic can only alter what has a name.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
HASH = String(64)
CODE_HASH = String(140)  # argon2id over a keyed hash, as a PHC string behind the id of its key
ID = String(32)
EMAIL = String(254)  # RFC 5321 section 4.5.3.1.3: a path holds 256 octets with its brackets


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {float: Float(53), bytes: LargeBinary, int: Integer}


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    email: Mapped[str] = mapped_column(EMAIL, unique=True)
    user_name: Mapped[str | None] = mapped_column(String(64))  # of before; it signs nobody in (N1)
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    country: Mapped[str] = mapped_column(String(2))
    password_hash: Mapped[str] = mapped_column(String(200))  # "" until an imported customer sets one
    terms_version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(8), server_default="")  # "" until one is chosen
    time_zone: Mapped[str] = mapped_column(String(40), server_default="")  # IANA's name; "" is UTC
    disabled_at: Mapped[float | None]  # by an operator: nobody signs in
    role: Mapped[str] = mapped_column(String(10), server_default="")  # of support staff (help/roles.py)
    created_at: Mapped[float]
    factor_asked_at: Mapped[float | None]  # when it was first led to choose a second factor
    passkeys_only_at: Mapped[float | None]  # since when only passkeys sign in (accounts/passkeys_only.py)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class SignUp(Base):
    """A sign-up that waits for its e-mail to be confirmed. No account exists before that.

    `taken` marks one whose e-mail has an account already: it looks the same and can never be confirmed.
    """

    __tablename__ = "sign_ups"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    browser_hash: Mapped[str] = mapped_column(HASH, index=True)
    email: Mapped[str] = mapped_column(EMAIL)
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    country: Mapped[str] = mapped_column(String(2))
    password_hash: Mapped[str] = mapped_column(String(200))
    terms_version: Mapped[str] = mapped_column(String(20))
    taken: Mapped[bool]
    code_hash: Mapped[str] = mapped_column(HASH)
    link_hash: Mapped[str] = mapped_column(HASH, unique=True)
    tries: Mapped[int]
    sent_at: Mapped[float]
    code_expires_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class SignIn(Base):
    """A sign-in between its steps, bound to the browser that began it (accounts/signin.py).

    `number`: what the new browser shows, and whoever agrees to it on a trusted one types there.
    """

    __tablename__ = "sign_ins"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    browser_hash: Mapped[str] = mapped_column(HASH, unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    first: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    method: Mapped[str] = mapped_column(String(20))
    tries: Mapped[int]
    number: Mapped[str] = mapped_column(String(4))
    phone_id: Mapped[str] = mapped_column(ID)  # which of several to text or call; "" the first
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[float]
    asked_at: Mapped[float] = mapped_column(Float(53), server_default="0")  # by the present method
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class SentCode(Base):
    """A code that was sent out, by what it is bound to: one sign-in, one session. A newer one replaces it."""

    __tablename__ = "sent_codes"
    bound_to: Mapped[str] = mapped_column(HASH, primary_key=True)  # a purpose and an id (accounts/codes.py)
    code_hash: Mapped[str] = mapped_column(HASH)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(EMAIL)
    tries: Mapped[int]
    sends: Mapped[int]
    sent_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class TrustedBrowser(Base):
    """A browser that may skip the second step at one account."""

    __tablename__ = "trusted_browsers"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    browser_hash: Mapped[str] = mapped_column(HASH)
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[float]
    used_at: Mapped[float] = mapped_column(Float(53), index=True)
    reminded_at: Mapped[float | None]  # that nobody uses it (accounts/reminders.py)


class Event(Base):
    """What happened to an account's safety. Rows are only ever added (the database refuses anything else).

    No foreign key: it outlives what it tells of.
    """

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ID)
    at: Mapped[float]
    kind: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(200))


class Session(Base):
    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    token_hash: Mapped[str] = mapped_column(HASH, unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(200))
    browser_hash: Mapped[str] = mapped_column(HASH)
    created_at: Mapped[float]
    acted_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)
    # An authenticator that is being set up: it is nobody's factor until a code has proved it.
    enrolment: Mapped[bytes | None]
    enrolment_expires_at: Mapped[float | None]
    # When its person last proved again who they are, in each part (accounts/proof.py).
    proved_at: Mapped[float | None]
    second_proved_at: Mapped[float | None]
    # The token before that: good for what was under way (accounts/sessions.py).
    former_hash: Mapped[str | None] = mapped_column(HASH, index=True)
    former_until: Mapped[float | None]


class Authenticator(Base):
    __tablename__ = "authenticators"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    secret: Mapped[bytes]
    algorithm: Mapped[str] = mapped_column(String(6), default="SHA1", server_default="SHA1")
    last_step: Mapped[int]
    # What is known of its clock, and the last code that was of another time (accounts/totp.py).
    drift_s: Mapped[int] = mapped_column(default=0, server_default="0")
    stray_step: Mapped[int] = mapped_column(default=0, server_default="0")
    stray_at: Mapped[float] = mapped_column(Float(53), default=0.0, server_default="0")
    stray_by: Mapped[str] = mapped_column(ID, default="", server_default="")
    created_at: Mapped[float]
    used_at: Mapped[float]


class RecoveryCode(Base):
    __tablename__ = "recovery_codes"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(CODE_HASH)  # accounts/recovery_sets.py
    used_at: Mapped[float | None]


class Phone(Base):
    """A phone number that a code has reached."""

    __tablename__ = "phones"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(20))  # E.164
    created_at: Mapped[float]
    used_at: Mapped[float]


class Spending(Base):
    """What an account's messages have cost on one day (accounts/costs.py)."""

    __tablename__ = "spendings"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since 1970, in UTC
    cents: Mapped[int]


class Throttle(Base):
    """One number per key (accounts/throttle.py): when the next attempt would be due at an even pace."""

    __tablename__ = "throttles"
    key: Mapped[str] = mapped_column(HASH, primary_key=True)
    due_at: Mapped[float] = mapped_column(Float(53), index=True)


class Router(Base):
    """A router that the factory reported, and whose it is."""

    __tablename__ = "routers"
    serial_number: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(80))
    service_code_hash: Mapped[str] = mapped_column(HASH, unique=True)
    certificate_fingerprint: Mapped[str] = mapped_column(HASH)
    made_at: Mapped[float]
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    owned_at: Mapped[float | None]
    first_owned_at: Mapped[float | None]  # by anybody: the warranty counts from it, whoever owns it now
    sold_on: Mapped[str | None] = mapped_column(String(10))  # YYYY-MM-DD, where the factory knows
    state: Mapped[str] = mapped_column(String(10))
    heard_at: Mapped[float | None]
    firmware: Mapped[str] = mapped_column(String(64))


class Claim(Base):
    """One account asks for one router.

    `serial_number` is None where the code led nowhere: only the row knows.
    """

    __tablename__ = "claims"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    serial_number: Mapped[str | None] = mapped_column(ForeignKey("routers.serial_number"), index=True)
    number: Mapped[str] = mapped_column(String(6))
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[float]
    expires_at: Mapped[float]


class Invitation(Base):
    """A link, shown on a router's own page, by which one account may begin a claim of it."""

    __tablename__ = "invitations"
    serial_number: Mapped[str] = mapped_column(ForeignKey("routers.serial_number"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(HASH, unique=True)
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class Notice(Base):
    """A router's notice that its owner was told of: the router repeats it until it hears so."""

    __tablename__ = "notices"
    serial_number: Mapped[str] = mapped_column(ForeignKey("routers.serial_number"), primary_key=True)
    notice_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    taken_at: Mapped[float] = mapped_column(Float(53), index=True)


class Command(Base):
    """What an owner asked of a router, and how it ended."""

    __tablename__ = "commands"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    serial_number: Mapped[str] = mapped_column(ForeignKey("routers.serial_number"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(300))
    asked_at: Mapped[float]
    ended_at: Mapped[float | None]


class Message(Base):
    """A message on its way (delivery/progress.py).

    Its body may hold a code: it is emptied when the message has left or was given up. While a worker has it,
    `due_at` is when its claim ends.
    """

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(EMAIL)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    extra: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(HASH, index=True)  # what it serves: `bound_to` of a code, or nothing
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int]
    due_at: Mapped[float]
    created_at: Mapped[float]
    expires_at: Mapped[float | None]  # of a code: later it is not sent
    reference: Mapped[str] = mapped_column(String(64))  # the carrier's name of it
    why: Mapped[str] = mapped_column(String(120))  # why it was not sent the last time; names no recipient


class OutboxMessage(Base):
    """What would have been sent, in development."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(EMAIL)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]


Index("ix_accounts_user_name", Account.user_name, unique=True)
Index("ix_trusted_browsers_account", TrustedBrowser.account_id, TrustedBrowser.browser_hash, unique=True)
Index("ix_phones_account", Phone.account_id, Phone.number, unique=True)
Index("ix_events_account", Event.account_id, Event.at)
# Few rows of many. In a question it has to stand letter by letter as in the index.
OF_CLIENTS = text("substr(kind, 1, 7) = 'client_'")
Index("ix_events_clients", Event.id, sqlite_where=OF_CLIENTS, postgresql_where=OF_CLIENTS)
Index("ix_claims_account", Claim.account_id, Claim.created_at)
Index("ix_commands_router", Command.serial_number, Command.asked_at)
Index("ix_messages_due", Message.state, Message.due_at)
