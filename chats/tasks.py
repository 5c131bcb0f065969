"""Celery tasks about chats: each calls one action and may run twice."""

from __future__ import annotations

from celery import shared_task

from chats import actions, mails

__all__ = ["close_idle", "mails"]  # a worker knows the handlers of the outbox by this import


@shared_task
def close_idle() -> int:
    """Ends the chats whose visitor has been away for the grace time. Returns how many."""
    return actions.close_idle()
