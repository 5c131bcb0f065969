"""A text has come in. All that follows from it is one transaction, after which the provider gets its
answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from chatlead.errors import BadField
from chatlead.realtime.shapes import Answer
from chats.actions import take_text
from sms import keywords, locks
from sms.actions import confirming, stopping
from sms.actions.sending import contact_of
from sms.models import SmsContact, SmsMessage, SmsSender, SmsThread
from sms.numbers import masked
from sms.segments import segments
from visitors.sessions import VisitorPrincipal

TEXTS = UUID("f0a3c0de-3f6b-4c39-9e0e-2f4c4f5b0d11")  # names rows of chats by the provider's ids
OF_PROVIDER = {"STOP": "stop", "START": "start", "HELP": "help"}  # OptOutType
SID_MAX = 64
NUMBER_MAX = 20
TEXT_MAX = 10_000  # the provider says 1600
DIGITS_MAX = 3


def receive(*, sender: SmsSender, form: Mapping[str, str]) -> None:
    """Takes down a text to this sender; the same one again changes nothing (B1-16). `form` is the provider's,
    its signature checked; unknown fields do not matter. Raises BadField where it is no text."""
    sid, number = form.get("MessageSid") or form.get("SmsSid") or "", form.get("From", "")
    fits = 0 < len(sid) <= SID_MAX and 0 < len(number) <= NUMBER_MAX
    if not fits or not (sid + number).isprintable():
        raise BadField(field="MessageSid")
    contact = contact_of(sender.account_id, number)
    with locks.held(contact.pk), transaction.atomic():
        if SmsMessage.objects.filter(account=sender.account_id, provider_sid=sid).exists():
            return
        contact = SmsContact.objects.get(pk=contact.pk)
        text = form.get("Body", "").replace("\x00", "")[:TEXT_MAX]
        media = form.get("NumMedia", "")
        message = SmsMessage.objects.create(
            account_id=sender.account_id,
            sender=sender,
            contact=contact,
            key=f"in:{sid}",
            provider_sid=sid,
            direction=SmsMessage.Direction.IN,
            kind=SmsMessage.Kind.CHAT,
            state=SmsMessage.State.RECEIVED,
            text=text,
            segment_count=segments(text),
            media_count=min(int(media), 100) if media.isdecimal() and len(media) <= DIGITS_MAX else 0,
        )
        _follow(sender, contact, message, form.get("OptOutType", "").upper())


def _follow(sender: SmsSender, contact: SmsContact, message: SmsMessage, of_provider: str) -> None:
    """A keyword is obeyed; everything else is said to somebody. What the provider took for a keyword is one
    (B1-14), whatever the text says; but a YES, which is a START to it, is one where we have asked (B1-8)."""
    read = keywords.read(message.text)
    meaning = OF_PROVIDER.get(of_provider) or read.meaning
    if meaning == "start" and read.meaning == "yes":
        meaning = "yes"
    answered = bool(of_provider) or _is_answered(sender, message.text)
    sid = message.provider_sid or ""
    if meaning == "stop":
        _mark(message, SmsMessage.Kind.STOP)
        word = read.word if read.meaning == "stop" else of_provider.lower()
        stopping.stop(sender=sender, contact=contact, word=word, provider_sid=sid, is_answered=answered)
    elif meaning == "help":
        _mark(message, SmsMessage.Kind.HELP)
        if not answered:
            stopping.answer_help(sender=sender, contact=contact, provider_sid=sid)
    elif meaning in ("start", "yes") and confirming.confirm(sender=sender, contact=contact, provider_sid=sid):
        _mark(message, SmsMessage.Kind.QUESTION)
    elif meaning == "start" and stopping.start(
        sender=sender, contact=contact, provider_sid=sid, is_answered=answered
    ):
        _mark(message, SmsMessage.Kind.START)
    else:
        _say(sender, contact, message)


def _is_answered(sender: SmsSender, text: str) -> bool:
    """Whether the provider has answered this by itself, without saying so."""
    if sender.answers_stop != SmsSender.Answers.GATEWAY:
        return False
    is_toll_free = sender.kind == SmsSender.Kind.TOLL_FREE
    plain = text.strip().casefold()
    also = plain in ("start", "help", "info", "unstop") and not is_toll_free
    return also or keywords.is_answered_by_provider(text, toll_free=is_toll_free)


def _mark(message: SmsMessage, kind: str) -> None:
    SmsMessage.objects.filter(pk=message.pk).update(kind=kind)


def _say(sender: SmsSender, contact: SmsContact, message: SmsMessage) -> None:
    """It stands in the person's chat with this sender, or begins one that waits in the sender's
    department."""
    text = message.text
    if message.media_count:
        files = "1 file" if message.media_count == 1 else f"{message.media_count} files"
        text = f"{text}\n[{files} not shown]".strip()
    arrived = take_text(
        principal=_principal(sender, contact),
        department=sender.department,
        ref=uuid5(TEXTS, message.provider_sid or ""),
        text=text or "[empty message]",
        name=masked(contact.number),
        answers=[
            Answer(name="channel", label="Text message to", value=sender.number or sender.programme.name)
        ],
    )
    if arrived.is_new:
        SmsThread.objects.create(
            account_id=sender.account_id,
            chat=arrived.chat,
            contact=contact,
            sender=sender,
            handled_seq=arrived.chat.last_seq,
        )
    SmsMessage.objects.filter(pk=message.pk).update(chat=arrived.chat, changed_at=timezone.now())


def _principal(sender: SmsSender, contact: SmsContact) -> VisitorPrincipal:
    """Whoever writes from this number to this sender: a visitor of the sender's site without a browser."""
    name = hashlib.sha256(f"{contact.uid}|{sender.uid}".encode()).hexdigest()
    return VisitorPrincipal(
        role="chat",
        account_id=sender.account_id,
        site_id=sender.site_id,
        site_key=sender.site.key,
        session_key=f"sms:{name[:60]}",
        browser_key="",
        ip="",
        user_agent="",
        page_url="",
        is_unlimited=True,
        new_token="",
        had_cookie=False,
    )
