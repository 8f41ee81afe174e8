"""Chats in Telegram, and the links that offer one."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "telegram_chats",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("chat", sa.String(20), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_telegram_chats_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_telegram_chats"),
    )
    op.create_index("ix_telegram_chats_account", "telegram_chats", ["account_id", "chat"], unique=True)
    op.create_table(
        "telegram_links",
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("chat", sa.String(20), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_telegram_links_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name="pk_telegram_links"),
        sa.UniqueConstraint("token_hash", name="uq_telegram_links_token_hash"),
    )
    op.create_index("ix_telegram_links_expires_at", "telegram_links", ["expires_at"])


def downgrade() -> None:
    op.drop_table("telegram_links")
    op.drop_table("telegram_chats")
