"""A text is handed over to the provider: once, and only where nothing speaks against it at that moment."""

from __future__ import annotations

from contextlib import contextmanager
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
from sms.models import SmsContact, SmsMessage, SmsSender
from sms.wordings import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sms.gateways import Gateway

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


class TakenMeanwhile(NotYet):
    """Somebody else was at this row since we looked; what became of it is seen later."""


class Never(Exception):
    """It does not go; `why` is a code of `wordings.REASONS`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@outbox.handler(HAND_OVER)
def hand_over(subject: dict[str, Any], key: str) -> None:
    """Carries out an item of the outbox, which nobody else carries out as long as this one lives.

    1 The row says that it is being handed over, and that is committed: whoever finds it so later asks the
    provider before sending anything. 2 What speaks against it is found before anybody is called. 3 When the
    connection stands, the text leaves under the lock of the number, which a STOP takes too, and everything is
    looked at once more there (`_leaving`). 4 The provider's answer is waited for without any lock, so that a
    STOP is committed at once, however long that takes; what it says is written under the lock.
    """
    message = _fetched(subject["message"])
    if message is None or message.state not in selectors.UNDER_WAY:
        return
    waits = SmsMessage.objects.filter(pk=message.pk, state=State.QUEUED)
    was_begun = not waits.update(state=State.SENDING, changed_at=timezone.now())
    message = _fetched(message.pk)
    if message is None or message.state != State.SENDING:
        return
    try:
        later = _hand_over(message, was_begun)
    except (Busy, Unclear) as error:
        later = _unknown(message, error)
    if later is not None:
        raise later
    _next(message)


def _fetched(pk: int) -> SmsMessage | None:
    found = SmsMessage.objects.select_related("sender__programme__account", "contact", "chat")
    return found.filter(pk=pk).first()


def _hand_over(message: SmsMessage, was_begun: bool) -> Exception | None:
    """What it returns comes back later. Raises Busy and Unclear where nobody knows of an earlier attempt."""
    sender = message.sender
    gateway = gateway_of(sender)
    if was_begun:  # by somebody who did not live to write what became of it
        handed = _arrived(gateway, message)
        if handed is not None:
            _take_over(message, handed)
            return None
    try:
        _look(message)
        handed = gateway.send(
            sender,
            to=message.contact.number,
            text=message.text,
            key=message.uid,
            callback=callback_of(sender, message),
            leaving=_leaving(message),
        )
    except Never as never:
        _give_up(message, State.REFUSED, never.why)
    except Refused as refused:
        _give_up(message, State.REFUSED if refused.code == "21610" else State.FAILED, refused.code)
    except (TakenMeanwhile, Unclear) as unclear:
        return unclear  # it stays as being handed over
    except (NotYet, Busy) as early:
        if not was_begun:  # else an earlier attempt may arrive yet: it is asked for again
            mine = SmsMessage.objects.filter(pk=message.pk, state=State.SENDING)
            mine.update(state=State.QUEUED, handed_over_at=None)
        return early
    else:
        _take_over(message, handed)
    return None


def _look(message: SmsMessage) -> None:
    """Raises Never where it may not go, NotYet where it may not go now."""
    why = selectors.why_not(message) or ("too_long" if len(message.text) > LONGEST else "")
    if why == "number_unproved" and message.sender.fault == SmsSender.Fault.NO_ANSWER:
        raise NotYet  # the provider is asked whose the number is until it answers
    if why:
        raise Never(why)
    if selectors.is_too_early(message) or _has_one_before(message):
        raise NotYet


@contextmanager
def _leaving(message: SmsMessage) -> Iterator[None]:
    """The moment in which it leaves (B1-5). A STOP was committed before, and is seen here; or it is committed
    after, and finds the text gone. Nothing within waits for anybody. Raises Never, NotYet, TakenMeanwhile."""
    with locks.held(message.contact_id):
        now = timezone.now()
        fresh = _fetched(message.pk)
        if fresh is None:
            raise TakenMeanwhile
        _look(fresh)
        ours = SmsMessage.objects.filter(pk=message.pk, state=State.SENDING, changed_at=message.changed_at)
        if not ours.update(changed_at=now, handed_over_at=message.handed_over_at or now):
            raise TakenMeanwhile
        yield


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
    _give_up(message, State.UNKNOWN, "unclear")
    return None


def _has_one_before(message: SmsMessage) -> bool:
    """What was said first arrives first."""
    if message.chat_id is None:
        return False
    before = SmsMessage.objects.filter(chat=message.chat_id, pk__lt=message.pk, kind=message.kind)
    return before.filter(state__in=selectors.UNDER_WAY, expires_at__gt=timezone.now()).exists()


def _next(message: SmsMessage) -> None:
    """What had to wait for this one need not wait until it is tried again."""
    if message.chat_id is not None:
        after = SmsMessage.objects.filter(chat=message.chat_id, pk__gt=message.pk, kind=message.kind)
        uid = after.filter(state=State.QUEUED).order_by("pk").values_list("uid", flat=True).first()
        if uid is not None:
            outbox.hurry(f"{HAND_OVER}:{uid}")


def callback_of(sender: SmsSender, message: SmsMessage) -> str:
    """Where the provider tells the states of this very text, even where its first answer was lost."""
    path = reverse("sms_status", kwargs={"key": sender.uid, "uid": message.uid})
    return f"{settings.PUBLIC_URL or 'http://127.0.0.1:8000'}{path}"


def _take_over(message: SmsMessage, handed: Handed) -> None:
    """The provider has it. It may have told of a later state already, and then that one stays."""
    mine = SmsMessage.objects.filter(pk=message.pk, state=State.SENDING)
    state = STATES.get(handed.status, State.ACCEPTED)
    mine.update(state=state, provider_sid=handed.sid, changed_at=timezone.now())


def _give_up(message: SmsMessage, state: str, code: str) -> None:
    with locks.held(message.contact_id), transaction.atomic():
        if SmsMessage.objects.filter(pk=message.pk, state=State.SENDING).exists():
            give_up(message, state, code)


def give_up(message: SmsMessage, state: str, code: str) -> None:
    """It does not arrive, for this reason; whoever wrote it in a chat reads so there. A refusal of the
    provider's because of a STOP that it knows of becomes a block of ours (B1-18). Under the lock."""
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
