"""The second step: sign-ins with a method, codes sent out, trusted browsers, and the log of events."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# An event may go when it is a year old; nothing else ever happens to one.
SQLITE_GUARDS = (
    "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    "CREATE TRIGGER events_no_delete BEFORE DELETE ON events "
    "WHEN OLD.at > CAST(strftime('%s', 'now') AS REAL) - 31536000 "
    "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
)
POSTGRESQL_GUARDS = (
    "CREATE FUNCTION events_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF TG_OP = 'DELETE' AND OLD.at <= extract(epoch FROM now()) - 31536000 THEN RETURN OLD; END IF; "
    "RAISE EXCEPTION 'events are append-only'; END $$",
    "CREATE TRIGGER events_kept BEFORE UPDATE OR DELETE ON events "
    "FOR EACH ROW EXECUTE FUNCTION events_guard()",
)


def upgrade() -> None:
    op.drop_table("sign_ins")  # they last minutes: whoever is between two steps begins again
    _sign_ins()
    _sent_codes()
    _trusted_browsers()
    _events()
    op.add_column("sessions", sa.Column("browser_hash", sa.String(64), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("factor_asked_at", sa.Float(53), nullable=True))


def downgrade() -> None:
    op.drop_column("accounts", "factor_asked_at")
    op.drop_column("sessions", "browser_hash")
    for table in ("events", "trusted_browsers", "sent_codes", "sign_ins"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION events_guard")
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("browser_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
    )


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("first", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(4), nullable=False),
        sa.Column("ahead_step", sa.Integer(), nullable=False),
        sa.Column("phone_id", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_sign_ins_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("browser_hash", name="uq_sign_ins_browser_hash"),
    )
    op.create_index("ix_sign_ins_account_id", "sign_ins", ["account_id"])
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])


def _sent_codes() -> None:
    op.create_table(
        "sent_codes",
        sa.Column("bound_to", sa.String(64), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("bound_to", name="pk_sent_codes"),
    )
    op.create_index("ix_sent_codes_expires_at", "sent_codes", ["expires_at"])


def _trusted_browsers() -> None:
    op.create_table(
        "trusted_browsers",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_trusted_browsers_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_trusted_browsers"),
    )
    op.create_index(
        "ix_trusted_browsers_account", "trusted_browsers", ["account_id", "browser_hash"], unique=True
    )
    op.create_index("ix_trusted_browsers_used_at", "trusted_browsers", ["used_at"])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("about", sa.String(120), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_account", "events", ["account_id", "at"])
    guards = POSTGRESQL_GUARDS if op.get_bind().dialect.name == "postgresql" else SQLITE_GUARDS
    for guard in guards:
        op.execute(guard)
