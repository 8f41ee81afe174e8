"""Whether an application is told of sign-outs in the internet alone. Who registered the ones before, nobody
knows: they are told as they were."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.add_column(
        "oidc_clients", sa.Column("public_only", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("oidc_clients", "public_only")
