"""Celery tasks about texts: each calls one action and may run twice."""

from __future__ import annotations

from celery import shared_task

from sms import actions


@shared_task
def follow_chat(chat_id: int) -> int:
    """What operators have said in a chat by text message is on its way. Returns how much."""
    return actions.follow_chat(chat_id=chat_id)


@shared_task
def follow_chats() -> int:
    """What nobody was told of, or a worker did not live to do. Returns how much."""
    return actions.follow_chats()
