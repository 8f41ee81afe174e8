"""The OpenID provider: applications, what they hold, and what signs for us."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    _clients()
    _grants()
    _logins()


def _clients() -> None:
    op.create_table(
        "oidc_clients",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("redirect_uris", sa.Text(), nullable=False),
        sa.Column("after_logout_uris", sa.Text(), nullable=False),
        sa.Column("logout_uri", sa.String(400), nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oidc_clients"),
    )
    op.create_table(
        "oidc_keys",
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_oidc_keys"),
    )
    op.create_table(
        "oidc_consents",
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("given_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_oidc_consents_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc_clients.id"], name="fk_oidc_consents_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "client_id", name="pk_oidc_consents"),
    )


def _grants() -> None:
    op.create_table(
        "oidc_codes",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("family", sa.String(32), nullable=False),
        sa.Column("redirect_uri", sa.String(400), nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("nonce", sa.String(200), nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("signed_in_at", sa.Float(53), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_oidc_codes_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc_clients.id"], name="fk_oidc_codes_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name="pk_oidc_codes"),
    )
    op.create_index("ix_oidc_codes_expires_at", "oidc_codes", ["expires_at"])
    op.create_table(
        "oidc_tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("family", sa.String(32), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("signed_in_at", sa.Float(53), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_oidc_tokens_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc_clients.id"], name="fk_oidc_tokens_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_oidc_tokens"),
    )
    op.create_index("ix_oidc_tokens_account_id", "oidc_tokens", ["account_id"])
    op.create_index("ix_oidc_tokens_expires_at", "oidc_tokens", ["expires_at"])
    op.create_index("ix_oidc_tokens_family", "oidc_tokens", ["family"])
    op.create_table(
        "oidc_devices",
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("user_code_hash", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=True),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("signed_in_at", sa.Float(53), nullable=False),
        sa.Column("asked_at", sa.Float(53), nullable=False),
        sa.Column("interval_s", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_oidc_devices_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc_clients.id"], name="fk_oidc_devices_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_hash", name="pk_oidc_devices"),
        sa.UniqueConstraint("user_code_hash", name="uq_oidc_devices_user_code_hash"),
    )
    op.create_index("ix_oidc_devices_expires_at", "oidc_devices", ["expires_at"])


def _logins() -> None:
    op.create_table(
        "oidc_logins",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc_clients.id"], name="fk_oidc_logins_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "client_id", name="pk_oidc_logins"),
    )
    op.create_index("ix_oidc_logins_due_at", "oidc_logins", ["due_at"])


def downgrade() -> None:
    for table in (
        "oidc_logins",
        "oidc_devices",
        "oidc_tokens",
        "oidc_codes",
        "oidc_consents",
        "oidc_keys",
        "oidc_clients",
    ):
        op.drop_table(table)
