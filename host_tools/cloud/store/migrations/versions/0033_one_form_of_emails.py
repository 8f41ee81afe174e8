"""An e-mail's domain is kept as people read it: "xn--e1afmkfd.xn--p1ai" was another than its own letters.

Two accounts may have come of that. The one that is named as people read it keeps the address, else the elder;
the other is left as it is, where an operator finds it by its id, and is named here. No two are joined: what
each has stays its own.
"""

import logging
import unicodedata

import idna
import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
ACCOUNTS = sa.table("accounts", sa.column("id"), sa.column("email"), sa.column("created_at"))
# No account hangs on these: what would be there twice stays there twice.
OTHERS = ("sign_ups", "email_changes")
log = logging.getLogger("cloud.migration")


def upgrade() -> None:
    connection = op.get_bind()
    found = connection.execute(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.created_at, ACCOUNTS.c.id)).all()
    held = {row.email for row in found}
    for row in found:
        email = as_read(row.email)
        if email == row.email:
            continue
        if email in held:
            log.warning("the account %s keeps an e-mail that another account has: ask its person", row.id)
            continue
        held.add(email)
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.id == row.id).values(email=email))
    for name in OTHERS:
        table = sa.table(name, sa.column("email"))
        for (email,) in connection.execute(sa.select(table.c.email).distinct()).all():
            connection.execute(table.update().where(table.c.email == email).values(email=as_read(email)))


def downgrade() -> None:
    """What is kept was valid before, too."""


def as_read(email: str) -> str:
    name, at, domain = email.rpartition("@")
    return unicodedata.normalize("NFC", name + at + ".".join(map(_letters, domain.split("."))))


def _letters(label: str) -> str:
    try:
        return idna.ulabel(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label
