"""Celery tasks about chats: each calls one action and may run twice."""

from __future__ import annotations

from celery import shared_task

from chats import actions, answered, mails

__all__ = ["archive_due", "close_idle", "mails", "seal_ended", "verify_asked"]
# a worker knows the handlers of the outbox by this import


@shared_task
def close_idle() -> int:
    """Ends the chats whose visitor has been away for the grace time. Returns how many."""
    return actions.close_idle()


@shared_task
def seal_ended() -> int:
    """Seals the chats that have ended lately (R-111). Returns how many."""
    return actions.seal_ended()


@shared_task
def archive_due() -> int:
    """Moves the chats that are older than their site's limit into the archive (R-118). Then
    notes who stands in the forms of files that do not say it yet. Returns how many it moved."""
    count = actions.archive_due()
    answered.fill()
    return count


@shared_task
def verify_asked() -> int:
    """Proves the seals where somebody has asked for it. Returns of how many accounts."""
    return actions.verify_asked()
