"""What is over goes, and what has waited long enough is done."""

from __future__ import annotations

from host_tools.cloud.accounts import costs
from host_tools.cloud.parts import Parts


async def prune(parts: Parts) -> int:
    """How many waiting changes were carried out."""
    now = parts.clock()
    done = await parts.waiting.carry_out()
    for owner in (
        parts.reminders,  # before what they tell of goes
        parts.sessions, parts.sign_ups, parts.codes, parts.challenges, parts.resets, parts.email_changes,
        parts.undoing, parts.trusted, parts.telegram, parts.pushes, parts.events, parts.oidc, parts.post,
        parts.claims, parts.invitations, parts.notices, parts.undos, parts.tokens, parts.help,
        parts.help.diagnostics,
    ):  # fmt: skip
        await owner.prune(now)
    await costs.prune(parts.database, now)
    await parts.turnstile.prune()
    return done
