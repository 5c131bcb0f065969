"""What follows here from what happens below: rows only, in the transaction of the one who sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from chats.signals import chat_begun
from sms.actions import take_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chats.models import Chat


@receiver(chat_begun, dispatch_uid="what was ticked in the form of a chat is taken down")
def boxes_are_taken(chat: Chat, boxes: Sequence[str], ticked: Sequence[str], **_: Any) -> None:
    take_boxes(chat=chat, boxes=boxes, ticked=ticked)
