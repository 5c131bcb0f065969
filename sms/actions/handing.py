"""A text is handed over to the provider: once, and only where nothing speaks against it at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid5

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import outbox
from chats.actions import tell_in_chat
from sms import locks, selectors
from sms.actions.sending import HAND_OVER, LINES
from sms.actions.stopping import block
from sms.gateways import Busy, Handed, Refused, Unclear, gateway_of
from sms.models import SmsContact, SmsMessage
from sms.wordings import reason

if TYPE_CHECKING:
    from sms.gateways import Gateway
    from sms.models import SmsSender

State = SmsMessage.State
LONGEST = 1600
NO_TEXTS = frozenset({"21614", "21635"})
# The provider's states -> ours
STATES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending"), State.ACCEPTED),
    **dict.fromkeys(("sent", "partially_delivered"), State.SENT),
    "delivered": State.DELIVERED,
    "read": State.READ,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
    "canceled": State.CANCELLED,
}


class NotYet(Exception):
    """Comes back later, by the outbox."""


@outbox.handler(HAND_OVER)
def hand_over(subject: dict[str, Any], key: str) -> None:
    """Carries out an item of the outbox.

    1 The row says that it is being handed over, and that is committed: whoever finds it so later asks the
    provider before sending anything. 2 Under the lock of the number, which a STOP takes too, everything is
    looked at once more. 3 Only then it goes, and what became of it is written before the lock is given up.
    """
    found = SmsMessage.objects.select_related("sender__programme__account", "contact", "chat")
    message = found.filter(pk=subject["message"]).first()
    if message is None or message.state not in selectors.UNDER_WAY:
        return
    mine = SmsMessage.objects.filter(pk=message.pk)
    was_begun = not mine.filter(state=State.QUEUED).update(state=State.SENDING, handed_over_at=timezone.now())
    later: Exception | None = None
    with locks.held(message.contact_id):
        message.refresh_from_db()
        message.contact = SmsContact.objects.get(pk=message.contact_id)
        if message.state == State.SENDING:
            try:
                later = _hand_over(message, was_begun)
            except (Busy, Unclear) as error:
                later = _unknown(message, error)
    if later is not None:
        raise later


def _hand_over(message: SmsMessage, was_begun: bool) -> Exception | None:
    """Under the lock. What it returns is raised when what was written is committed."""
    sender, contact = message.sender, message.contact
    gateway = gateway_of(sender)
    if was_begun:  # by somebody who did not live to write what became of it
        handed = _arrived(gateway, message)
        if handed is not None:
            take_over(message, handed)
            return None
    why = selectors.why_not(message) or ("too_long" if len(message.text) > LONGEST else "")
    if why:
        give_up(message, State.REFUSED, why)
        return None
    if selectors.is_too_early(message) or _has_one_before(message):
        return _back(message, NotYet())
    try:
        handed = gateway.send(
            sender,
            to=contact.number,
            text=message.text,
            key=message.uid,
            callback=callback_of(sender, message),
        )
    except Refused as refused:
        give_up(message, State.REFUSED if refused.code == "21610" else State.FAILED, refused.code)
    except Busy as busy:
        return _back(message, busy)
    except Unclear as unclear:
        return unclear  # it stays as being handed over
    else:
        take_over(message, handed)
    return None


def _arrived(gateway: Gateway, message: SmsMessage) -> Handed | None:
    """Whether an earlier attempt arrived. The same words to the same person may have been said twice: what
    is known as another text is not this one. A question that is refused has no answer."""
    others = SmsMessage.objects.filter(contact_id=message.contact_id).exclude(provider_sid=None)
    try:
        return gateway.find(
            message.sender,
            to=message.contact.number,
            text=message.text,
            key=message.uid,
            since=message.handed_over_at or message.created_at,
            known={sid for sid in others.values_list("provider_sid", flat=True) if sid},
        )
    except Refused as refused:
        raise Unclear(refused.code) from None


def _unknown(message: SmsMessage, error: Exception) -> Exception | None:
    """Even the question whether it arrived has no answer: asked again, but not for ever."""
    if message.expires_at is None or message.expires_at > timezone.now():
        return error
    give_up(message, State.UNKNOWN, "unclear")
    return None


def _back(message: SmsMessage, error: Exception) -> Exception:
    SmsMessage.objects.filter(pk=message.pk).update(state=State.QUEUED, handed_over_at=None)
    return error


def _has_one_before(message: SmsMessage) -> bool:
    """What was said first arrives first."""
    if message.chat_id is None:
        return False
    before = SmsMessage.objects.filter(chat=message.chat_id, pk__lt=message.pk, kind=message.kind)
    return before.filter(state__in=selectors.UNDER_WAY, expires_at__gt=timezone.now()).exists()


def callback_of(sender: SmsSender, message: SmsMessage) -> str:
    """Where the provider tells the states of this very text, even where its first answer was lost."""
    path = reverse("sms_status", kwargs={"key": sender.uid, "uid": message.uid})
    return f"{settings.PUBLIC_URL or 'http://127.0.0.1:8000'}{path}"


def take_over(message: SmsMessage, handed: Handed) -> None:
    """The provider has it."""
    state = STATES.get(handed.status, State.ACCEPTED)
    with transaction.atomic():
        SmsMessage.objects.filter(pk=message.pk, state=State.SENDING).update(
            state=state, provider_sid=handed.sid
        )


def give_up(message: SmsMessage, state: str, code: str) -> None:
    """It does not arrive, for this reason; whoever wrote it in a chat reads so there. A refusal of the
    provider's because of a STOP that it knows of becomes a block of ours (B1-18)."""
    with transaction.atomic():
        done = SmsMessage.objects.filter(pk=message.pk).exclude(state=state).update(state=state, error=code)
        if not done:
            return
        if code == "21610":
            block(sender=message.sender, contact=message.contact, source="gateway")
        if code in NO_TEXTS:
            SmsContact.objects.filter(pk=message.contact_id).update(landline=True)
        if message.chat is not None and message.kind == SmsMessage.Kind.CHAT:
            perhaps = "Perhaps not" if state == State.UNKNOWN else "Not"
            line = f"{perhaps} delivered by text message: “{_begin_of(message.text)}” {reason(code)}"
            tell_in_chat(chat=message.chat, ref=uuid5(LINES, f"{message.uid}:{state}"), text=line)


def _begin_of(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39].rstrip()}…"
