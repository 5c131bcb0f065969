"""What follows here from what happens below: rows only, in the transaction of the one who sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from chats.signals import chat_closed
from surveys.actions import offer_survey

if TYPE_CHECKING:
    from datetime import datetime

    from chats.models import Chat


@receiver(chat_closed, dispatch_uid="a survey is offered after a chat")
def survey_is_offered(chat: Chat, state: str, at: datetime, **_: Any) -> None:
    offer_survey(chat=chat, state=state, at=at)
