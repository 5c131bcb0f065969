"""Texts become rows and items of the outbox; what operators say in a chat by text message follows its log."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import outbox
from chats.models import Chat, Message
from sms.models import SmsContact, SmsMessage, SmsSender, SmsThread
from sms.numbers import e164, key_of
from sms.segments import segments

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

HAND_OVER = "sms"  # the kind of its items in the outbox
LINES = UUID("6e1c8f4e-52b7-4a0c-9d3f-0d7a51c3b9e4")  # names the lines in chats by what they are about
REPLY_MINUTES = 60  # a reply that could not be handed over for so long is not sent any more, and that is said
# nothing is sent later; shorter than the outbox goes on (accounts/outbox.py), so that the row says so
WAITS = timedelta(hours=2)
FOLLOWED = 200  # read at once


def contact_of(account_id: int, number: str) -> SmsContact:
    """The row of a number, made at the first time; of one that was erased, filled in anew."""
    contact, _ = SmsContact.objects.get_or_create(
        account_id=account_id, number_key=key_of(number), defaults={"number": number}
    )
    if contact.number != number:
        SmsContact.objects.filter(pk=contact.pk).update(number=number)
        contact.number = number
    return contact


def queue(
    *,
    sender: SmsSender,
    contact: SmsContact,
    kind: str,
    text: str,
    key: str,
    chat: Chat | None = None,
    chat_seq: int | None = None,
    expires_at: datetime | None = None,
) -> SmsMessage:
    """A text that is to go out, in the caller's transaction; the same `key` again is the same text, sent
    once.

    Whether it may go is looked at when it is handed over, not here.
    """
    message, is_new = SmsMessage.objects.get_or_create(
        account_id=sender.account_id,
        key=key,
        defaults={
            "sender": sender,
            "contact": contact,
            "direction": SmsMessage.Direction.OUT,
            "kind": kind,
            "state": SmsMessage.State.QUEUED,
            "text": text,
            "segment_count": segments(text),
            "chat": chat,
            "chat_seq": chat_seq,
            "expires_at": expires_at or timezone.now() + WAITS,
        },
    )
    if is_new:
        outbox.add(HAND_OVER, {"message": message.pk}, f"{HAND_OVER}:{message.uid}", sender.account_id)
    return message


def send(*, sender: SmsSender, phone: str, purpose: str, text: str, key: str) -> SmsMessage:
    """A text that we begin, to somebody who has agreed to this purpose (R-181). Raises BadField for what is
    no number; everything else is found when it is handed over, and stands in the row."""
    contact = contact_of(sender.account_id, e164(phone))
    with transaction.atomic():
        return queue(sender=sender, contact=contact, kind=purpose, text=text, key=f"send:{key}")


def hint(chat_id: int) -> None:
    """Tells a worker that something was said in this chat. Where the broker does not answer, or this process
    ends before, the timer finds it: what counts is the position in the thread's row."""
    try:
        import_string(settings.CELERY_APP).send_task("sms.tasks.follow_chat", args=[chat_id], retry=False)
    except Exception as error:  # kombu raises what its transport raises
        logger.warning("no broker (%s); the timer will find what is to be texted", type(error).__name__)


def follow_chat(*, chat_id: int) -> int:
    """What operators have said in this chat since the last time is on its way; returns how much.

    1 Whoever else follows it is waited for, so that no hint is lost between his look and his end; 2 the log
    is read up to its end as the chat's row has it; 3 each row becomes a text under a key of its own; 4 the
    position moves with them in one transaction. So nothing is left out and nothing goes twice, wherever this
    ends.
    """
    with transaction.atomic():
        list(SmsThread.objects.select_for_update().filter(chat=chat_id, is_over=False).values_list("pk"))
        threads = SmsThread.objects.select_related("chat", "sender", "contact")
        thread = threads.filter(chat=chat_id, is_over=False).first()
        if thread is None:
            return 0
        end = thread.chat.last_seq
        said = _said(thread, end)
        for row in said:
            queue(
                sender=thread.sender,
                contact=thread.contact,
                kind=SmsMessage.Kind.CHAT,
                text=row.text,
                key=f"chat:{thread.chat.uid}:{row.seq}",
                chat=thread.chat,
                chat_seq=row.seq,
                expires_at=timezone.now() + timedelta(minutes=REPLY_MINUTES),
            )
        is_over = thread.chat.state not in (Chat.State.WAITING, Chat.State.ACTIVE)
        SmsThread.objects.filter(pk=thread.pk).update(handled_seq=end, is_over=is_over)
        return len(said)


def follow_chats() -> int:
    """The same for all chats in which something was said that nobody has followed; and those that have ended
    are over. The net below the hints."""
    going_on = SmsThread.objects.filter(is_over=False).order_by("id").values_list("pk", "chat", "handled_seq")
    last, count = 0, 0
    while found := list(going_on.filter(pk__gt=last)[:FOLLOWED]):
        # two questions, each by its index: joined, a plan may go through all chats
        chats = Chat.objects.filter(pk__in=[chat_id for _, chat_id, _ in found]).order_by()
        now = {pk: (seq, state) for pk, seq, state in chats.values_list("pk", "last_seq", "state")}
        for _, chat_id, handled in found:
            if chat_id not in now:  # its account was deleted between the two
                continue
            seq, state = now[chat_id]
            if seq > handled or state not in (Chat.State.WAITING, Chat.State.ACTIVE):
                count += follow_chat(chat_id=chat_id)
        last = found[-1][0]
    return count


def _said(thread: SmsThread, end: int) -> Sequence[Message]:
    """An operator's words that are not on their way yet; what was deleted meanwhile is said to nobody."""
    rows = Message.objects.filter(chat=thread.chat_id, seq__gt=thread.handled_seq, seq__lte=end)
    return list(rows.filter(author="operator", kind="text").exclude(text="").order_by("seq"))
