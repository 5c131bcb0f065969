"""Whose a number is. What was texted to it counts for whoever has it afterwards (R-192), so by texts that
somebody signs for it they would block another firm's people or lift their STOP: nobody gets one by asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, outbox
from chatlead.errors import BadField
from sms.gateways import Busy, Refused, Unclear, gateway_of
from sms.models import SmsSender

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Operator, User

PROVE = "sms_prove"  # the kind of its items in the outbox
TAKEN = "Another account on this server sends from this number. The staff of this server can release it."
OWN = "You have a sender with this number already."
Fault = SmsSender.Fault


def claim_of(sender: SmsSender) -> tuple[str, str, str, str]:
    """What a proof is about; with anything of it changed it is none any more."""
    return sender.gateway, sender.number, sender.account_sid, sender.auth_token


def prove(sender: SmsSender, *, kept: datetime | None = None) -> None:
    """Asks the provider and says in the sender, unsaved, what came of it. Raises BadField where the number is
    the account's, but another sender on this server holds it: it keeps it until staff releases it. Who cannot
    prove a number does not learn whether anybody has it.

    `kept` is when the same number was proved for the same account SID, if it was: while the provider does not
    answer that stays so. A STOP that comes in such a moment is heard."""
    sender.proved_at, sender.fault = None, ""
    if sender.is_live:
        return
    sender.fault = _ask(sender)
    if sender.fault == Fault.NO_ANSWER:
        sender.proved_at = kept
    if sender.fault:
        return
    holder = SmsSender.objects.filter(number=sender.number, proved_at__isnull=False).exclude(pk=sender.pk)
    other = holder.first()
    if other is not None:
        raise BadField(OWN if other.account_id == sender.account_id else TAKEN, field="number")
    sender.proved_at = timezone.now()


def unless_released(sender: SmsSender, now: SmsSender) -> None:
    """A proof that is kept, `now` being the row under lock: not where staff has taken it away meanwhile."""
    if sender.fault == Fault.NO_ANSWER and now.fault == Fault.RELEASED:
        sender.proved_at, sender.fault = None, Fault.RELEASED


def _ask(sender: SmsSender) -> str:
    try:
        return "" if gateway_of(sender).owns(sender) else Fault.NOT_LISTED
    except Refused:
        return Fault.CREDENTIALS
    except (Busy, Unclear):
        return Fault.NO_ANSWER


def ask_again(sender: SmsSender) -> None:
    """In the caller's transaction: where the provider did not answer, the outbox asks until it does."""
    if sender.fault == Fault.NO_ANSWER:
        key = f"{PROVE}:{sender.uid}:{timezone.now().timestamp():.6f}"
        outbox.add(PROVE, {"sender": sender.pk}, key, sender.account_id)


class NoAnswerYet(Exception):
    """Comes back later, by the outbox."""


@outbox.handler(PROVE)
def prove_later(subject: dict[str, Any], key: str) -> None:
    """Carries out an item of the outbox."""
    sender = SmsSender.objects.filter(pk=subject["sender"], fault=Fault.NO_ANSWER).first()
    if sender is not None and prove_sender(sender=sender) == Fault.NO_ANSWER:
        raise NoAnswerYet


def prove_sender(*, sender: SmsSender, by: Operator | None = None) -> str:
    """Asks once more whose the number is. Returns the fault, "" where it is proved now. Never inside a
    transaction."""
    sender.refresh_from_db()
    if sender.is_live and not sender.fault:
        return ""
    asked = claim_of(sender)
    try:
        prove(sender, kept=sender.proved_at)
    except BadField:
        sender.fault = Fault.ANOTHERS
    try:
        with transaction.atomic():
            mine = SmsSender.objects.select_for_update().get(pk=sender.pk)
            if claim_of(mine) != asked:  # somebody has changed it meanwhile, and asked for himself
                return mine.fault
            unless_released(sender, mine)
            mine.proved_at, mine.fault = sender.proved_at, sender.fault
            mine.save(update_fields=["proved_at", "fault"])
            if not mine.fault:
                audit.note(
                    "sms.number_proved", account=mine.account_id, by=by, subject=f"sms_sender:{mine.uid}"
                )
    except IntegrityError:  # two had proved it, and the other one wrote first
        SmsSender.objects.filter(pk=sender.pk, proved_at=None).update(fault=Fault.ANOTHERS)
        sender.proved_at, sender.fault = None, Fault.ANOTHERS
    return sender.fault


def release_number(*, sender: SmsSender, by: User) -> bool:
    """Staff takes a number from a sender, for whoever can prove now that it is theirs: the sender that held
    it is neither heard nor sends. Whatever was blocked stays so. Returns False where it was not held."""
    with transaction.atomic():
        held = SmsSender.objects.filter(pk=sender.pk, proved_at__isnull=False)
        if not held.update(proved_at=None, fault=Fault.RELEASED):
            return False
        audit.note(
            "sms.number_released", account=sender.account_id, by=by, subject=f"sms_sender:{sender.uid}"
        )
    return True
