"""Celery tasks about texts: each calls one action and may run twice."""

from __future__ import annotations

from celery import shared_task

from sms import actions


@shared_task
def follow_chats() -> int:
    """What operators have said in chats by text message is on its way. Returns how much."""
    return actions.follow_chats()
