"""STOP, START and HELP, however they reach us: by text, from the provider, by phone, mail or chat."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid5

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chatlead.errors import BadField
from chats.actions import tell_in_chat
from sms import ledger, locks, selectors, wordings
from sms.actions import confirming
from sms.actions.sending import LINES, contact_of, queue
from sms.models import SmsConsent, SmsContact, SmsMessage, SmsProgramme, SmsSuppression, SmsThread
from sms.numbers import e164

if TYPE_CHECKING:
    from accounts.models import Operator
    from sms.models import SmsSender

CONFIRM_MINUTES = 5  # after that no confirmation is sent (B1-6)
HELP_SECONDS = 60
# What becomes of a consent by a STOP. Whoever was asked for a YES, and said STOP, has not agreed to anything:
# there is nothing that a START could bring back
ENDED: dict[str, SmsConsent.Deed] = {
    SmsConsent.Deed.GRANTED: SmsConsent.Deed.WITHDRAWN,
    SmsConsent.Deed.PENDING: SmsConsent.Deed.NO_CONSENT,
}
BY_HAND = {"phone": "By phone", "email": "By e-mail", "chat": "In a chat", "letter": "By letter"}
Purpose = SmsConsent.Purpose


def block(
    *,
    sender: SmsSender | None,
    contact: SmsContact,
    source: str,
    programme: SmsProgramme | None = None,
    word: str = "",
    note: str = "",
    provider_sid: str = "",
) -> SmsSuppression | None:
    """From the commit of the caller's transaction on, under the contact's lock, this number gets nothing more
    of the account's, or of the programme's (`SMS_REVOKE_SCOPE`): the block, the withdrawal of what was agreed
    to and the end of what waits are one (R-195). None where the number was blocked before."""
    of = programme or (sender.programme if sender else None)
    if of is None:
        raise ValueError("a block is of a programme")
    our_number = sender.number if sender else ""
    if selectors.is_suppressed(contact.number_key, of):
        return None
    is_all = settings.SMS_REVOKE_SCOPE == "tenant"
    old = SmsSuppression.objects.filter(
        account=of.account_id, programme=None, number_key=contact.number_key, lifted_at=None
    )
    now = timezone.now()
    if is_all:
        old.update(lifted_at=now)  # one with exceptions: a new one without them takes its place
    found = SmsSuppression.objects.create(
        account_id=of.account_id,
        programme=None if is_all else of,
        number_key=contact.number_key,
        our_number=our_number,
        source=source,
        word=word,
        note=note,
        provider_sid=provider_sid,
        created_at=now,
    )
    programmes = SmsProgramme.objects.filter(account=of.account_id) if is_all else [of]
    for each in programmes:
        for purpose in Purpose.values:
            standing = ledger.standing(each.pk, contact.number_key, purpose)
            deed = ENDED.get(standing.deed) if standing else None
            if deed is not None:
                said = {"source": source, "note": note, "provider_sid": provider_sid}
                ledger.append(each, contact.number_key, purpose, deed, **said)
    _cancel(contact, None if is_all else of)
    _tell(contact, f"{found.uid}", "This person wants no more text messages: none reaches them any more.")
    return found


def _cancel(contact: SmsContact, programme: SmsProgramme | None) -> None:
    """What waits will never go. Answers to STOP and HELP are no such texts."""
    waiting = SmsMessage.objects.filter(contact=contact, state=SmsMessage.State.QUEUED)
    waiting = waiting.exclude(kind__in=selectors.ANSWERS)
    if programme is not None:
        waiting = waiting.filter(sender__programme=programme)
    waiting.update(state=SmsMessage.State.CANCELLED, error="stopped")


def stop(*, sender: SmsSender, contact: SmsContact, word: str, provider_sid: str, is_answered: bool) -> None:
    """The person has texted STOP. Exactly one confirmation, unless the provider has sent one (R-194)."""
    found = block(sender=sender, contact=contact, source="sms", word=word, provider_sid=provider_sid)
    if found is None or is_answered:
        return
    queue(
        sender=sender,
        contact=contact,
        kind=SmsMessage.Kind.STOP,
        text=wordings.stopped(sender.programme),
        key=f"stop:{found.uid}",
        expires_at=found.created_at + timedelta(minutes=CONFIRM_MINUTES),
    )


def answer_help(*, sender: SmsSender, contact: SmsContact, provider_sid: str) -> None:
    """One text, for anybody, once a minute at most; nothing is agreed to or withdrawn by it (R-197)."""
    now = timezone.now()
    if contact.help_at is not None and contact.help_at > now - timedelta(seconds=HELP_SECONDS):
        return
    SmsContact.objects.filter(pk=contact.pk).update(help_at=now)
    text = wordings.helping(sender.programme)
    kind = SmsMessage.Kind.HELP
    queue(sender=sender, contact=contact, kind=kind, text=text, key=f"help:{provider_sid}")


def start(*, sender: SmsSender, contact: SmsContact, provider_sid: str, is_answered: bool) -> bool:
    """The person comes back to this programme: the block ends, and what had been agreed to before the STOP is
    agreed to again, in new entries. Who had agreed to nothing has still agreed to nothing (R-198); of what
    was ticked for this number meanwhile, and needs a YES, the question follows. False where nothing was
    blocked: then it is a word like any other."""
    programme = sender.programme
    now = timezone.now()
    was_blocked = False
    for each in selectors.suppressions(contact.number_key, programme, sender.number):
        was_blocked = True
        # a block that another account has made stays that account's: the person has not come back to it
        if each.programme_id is None or each.account_id != programme.account_id:
            each.except_programmes = [*each.except_programmes, programme.uid]
        else:
            each.lifted_at = now
        each.save(update_fields=["except_programmes", "lifted_at"])
    if not was_blocked:
        return False
    has_agreed = False
    for purpose in Purpose.values:
        last = ledger.standing(programme.pk, contact.number_key, purpose)
        has_agreed |= last is not None and last.deed in (SmsConsent.Deed.GRANTED, SmsConsent.Deed.WITHDRAWN)
        if last is not None and last.deed == SmsConsent.Deed.WITHDRAWN:
            granted = SmsConsent.Deed.GRANTED
            said = {"text": "START", "text_sha256": wordings.sha256("START"), "provider_sid": provider_sid}
            ledger.append(programme, contact.number_key, purpose, granted, source="start", **said)
    _tell(contact, f"start:{provider_sid}", "This person has texted START: text messages reach them again.")
    # the provider's own answer names no programme; it is enough where ours was sent before
    if has_agreed and not (is_answered and selectors.is_confirmed(programme, contact)):
        kind, text = SmsMessage.Kind.START, wordings.started(programme)
        queue(sender=sender, contact=contact, kind=kind, text=text, key=f"start:{provider_sid}")
    if selectors.pending(programme, contact.number_key):
        confirming.ask(sender=sender, contact=contact, key=provider_sid)
    return True


def opt_out(*, operator: Operator, programme: SmsProgramme, phone: str, source: str, note: str = "") -> bool:
    """Somebody has asked by phone, mail or chat to get no more texts: the same as a STOP, but for the
    confirmation (R-196). Returns False where the number was blocked before. Raises BadField."""
    if source not in BY_HAND:
        raise BadField("Choose how they asked.", field="source")
    contact = contact_of(operator.account_id, e164(phone))
    with locks.held(contact.pk), transaction.atomic():
        note = " ".join(note.split())[:200]
        return block(sender=None, contact=contact, source=source, programme=programme, note=note) is not None


def _tell(contact: SmsContact, about: str, line: str) -> None:
    """Operators who have a chat with this number read it there."""
    threads = SmsThread.objects.select_related("chat").filter(contact=contact, is_over=False)
    for thread in threads.order_by("chat_id"):  # as the journal takes their locks
        tell_in_chat(chat=thread.chat, ref=uuid5(LINES, about), text=line)
