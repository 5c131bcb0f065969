"""What the provider tells of a text of ours. States only go forward (B1-17)."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import is_uid
from chatlead.errors import NotFound
from chats.actions import Progress, set_marks
from sms import locks
from sms.actions.handing import STATES, give_up
from sms.actions.receiving import SID_MAX
from sms.models import SmsMessage, SmsSender

State = SmsMessage.State
ENDS = (State.DELIVERED, State.UNDELIVERED, State.FAILED, State.CANCELLED, State.REFUSED)
PLACES = {
    State.QUEUED: 0,
    State.SENDING: 1,
    State.UNKNOWN: 1,
    State.ACCEPTED: 2,
    State.SENT: 3,
    State.READ: 6,
}
PLACES |= dict.fromkeys(ENDS, 5)


def report(*, sender: SmsSender, uid: str, sid: str, status: str, error: str = "") -> None:
    """The provider says that the text `uid`, which it calls `sid`, is in this state. Of what is older than
    what
    is known, and of states that nobody knows, nothing is kept. Raises NotFound for a text that is not there,
    or goes by another name."""
    mine = SmsMessage.objects.filter(sender=sender, direction="out")
    message = mine.filter(uid=uid).first() if is_uid(uid) else None
    is_name = 0 < len(sid) <= SID_MAX and sid.isprintable()
    if message is None or not is_name or (message.provider_sid or sid) != sid:
        raise NotFound
    state = STATES.get(status)
    if state is None:
        return
    with locks.held(message.contact_id), transaction.atomic():
        found = SmsMessage.objects.select_related("sender__programme__account", "contact", "chat")
        message = found.select_for_update(of=("self",)).get(pk=message.pk)
        if PLACES[State(message.state)] >= PLACES[state]:
            return
        if message.provider_sid is None:  # its first answer was lost
            SmsMessage.objects.filter(pk=message.pk).update(provider_sid=sid)
        if state in (State.UNDELIVERED, State.FAILED, State.CANCELLED):
            give_up(message, state, error.replace("\x00", "")[:40])
        else:
            SmsMessage.objects.filter(pk=message.pk).update(state=state, error="", changed_at=timezone.now())
            _mark(message, state)


def _mark(message: SmsMessage, state: str) -> None:
    """The bubble in the chat says so too; marks go up to a row, so only where all before it have arrived."""
    there = (State.DELIVERED, State.READ)
    if message.chat is None or message.chat_seq is None or state not in there:
        return
    before = SmsMessage.objects.filter(chat=message.chat_id, direction="out", pk__lt=message.pk)
    if not before.exclude(state__in=there).exists():
        seq = message.chat_seq
        read = seq if state == State.READ else 0
        set_marks([Progress(message.chat.pk, "visitor", seq, read, message.chat.session_key)])
