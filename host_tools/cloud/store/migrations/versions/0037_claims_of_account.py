"""The claims of an account, by an index: the page of its routers asks for the one that waits."""

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.create_index("ix_claims_account_id", "claims", ["account_id"])


def downgrade() -> None:
    op.drop_index("ix_claims_account_id", "claims")
