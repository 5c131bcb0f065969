"""Reads about texts: who may get one, and what the pages show. `access_*` fetch with the account, or
NotFound."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Site, is_uid
from chatlead.errors import NotFound
from chatlead.prepared import Among, Prepared
from chatlead.realtime.shapes import FieldSpec
from sms import ledger, wordings
from sms.models import (
    SmsConsent,
    SmsContact,
    SmsForm,
    SmsMessage,
    SmsPause,
    SmsProgramme,
    SmsSender,
    SmsSuppression,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from accounts.models import Account

Kind = SmsMessage.Kind
State = SmsMessage.State
UNDER_WAY = (State.QUEUED, State.SENDING)
# Asked for by the very text that came in: they go out whatever else is said
ANSWERS = frozenset({Kind.STOP, Kind.HELP})
NEEDS_CONSENT = {Kind.SERVICE: "service", Kind.MARKETING: "marketing"}
FAILED = (State.FAILED, State.UNDELIVERED, State.REFUSED, State.CANCELLED)
WELCOME_MINUTES = 10  # the second text waits for the first to be delivered, or so long
QUESTION_HOURS = 24  # a YES that comes later answers nothing


def access_sender(uid: str, account: Account | None = None) -> SmsSender:
    """A sender with what belongs to it; of this account, where one is named. Raises NotFound."""
    found = SmsSender.objects.select_related("account", "programme__account", "site", "department")
    mine = found.filter(account=account) if account else found
    sender = mine.filter(uid=uid).first() if is_uid(uid) else None
    if sender is None:
        raise NotFound
    return sender


def access_programme(uid: str, account: Account | None = None) -> SmsProgramme:
    """The same for a programme."""
    mine = SmsProgramme.objects.select_related("account").filter(uid=uid if is_uid(uid) else None)
    programme = (mine.filter(account=account) if account else mine).first()
    if programme is None:
        raise NotFound
    return programme


def access_site(uid: str, account: Account) -> Site:
    """The same for a website."""
    site = Site.objects.filter(account=account, uid=uid if is_uid(uid) else None).first()
    if site is None:
        raise NotFound
    return site


def access_contact(uid: str, account: Account) -> SmsContact:
    """The same for a number of the account."""
    contact = SmsContact.objects.filter(account=account, uid=uid).first()
    if contact is None:
        raise NotFound
    return contact


def name_numbers(account_id: int, rows: Iterable[Any]) -> None:
    """Each row with a `number_key` gets its `contact`, None where nothing is known of the number any more."""
    rows = list(rows)
    contacts = SmsContact.objects.filter(
        account=account_id, number_key__in={each.number_key for each in rows}
    )
    known = {each.number_key: each for each in contacts}
    for each in rows:
        each.contact = known.get(each.number_key)


def suppressions(number_key: str, programme: SmsProgramme, our_number: str = "") -> QuerySet[SmsSuppression]:
    """The blocks that are in force for a number. A block of this programme, one of the whole account, or one
    that was made for the same number of ours under another account."""
    mine = Q(account=programme.account_id) & (Q(programme=programme) | Q(programme=None))
    if our_number:
        mine |= ~Q(account=programme.account_id) & Q(our_number=our_number)
    active = SmsSuppression.objects.filter(mine, number_key=number_key, lifted_at=None)
    held = [each.pk for each in active if programme.uid not in each.except_programmes]
    return SmsSuppression.objects.filter(pk__in=held)


def is_suppressed(number_key: str, programme: SmsProgramme, our_number: str = "") -> bool:
    """Whether nothing may be sent to this number."""
    return suppressions(number_key, programme, our_number).exists()


def has_consent(programme_id: int, number_key: str, purpose: str) -> bool:
    """Whether the newest entry of the ledger about it says so."""
    entry = ledger.standing(programme_id, number_key, purpose)
    return entry is not None and entry.deed == SmsConsent.Deed.GRANTED


_forms = Prepared(
    lambda sites: SmsForm.objects.select_related("programme__account").filter(Among("site_id", sites))
)


def boxes_of_sites(site_ids: Collection[int]) -> dict[int, list[FieldSpec]]:
    """What their forms ask about texts: a box for each purpose, with its text. One query."""
    return {
        form.site_id: [
            FieldSpec(
                name=wordings.box_of(form.programme, purpose),
                label=wordings.consent_text(form.programme, purpose),
                kind="checkbox",
            )
            for purpose in SmsConsent.Purpose.values
        ]
        for form in _forms(sites=list(site_ids))
    }


def is_paused(programme: SmsProgramme) -> bool:
    """Whether a kill switch is on, of the installation, the account or the programme (R-186)."""
    if settings.SMS_OFF:
        return True
    on = SmsPause.objects.filter(account=programme.account_id, ended_at=None)
    return on.filter(Q(programme=None) | Q(programme=programme)).exists()


def why_not(message: SmsMessage) -> str:
    """Why this text may not be handed over now, as a code of `wordings.REASONS`; "" where it may.

    To be asked under the lock of its contact (`sms.locks`), so that the answer is still true when it goes.
    """
    sender, contact, kind = message.sender, message.contact, message.kind
    if message.expires_at is not None and message.expires_at <= timezone.now():
        return "too_late"
    if not contact.number:
        return "erased"
    if not sender.is_live:
        return "number_unproved"
    if sender.gateway == SmsSender.Gateway.TWILIO and not sender.is_registered:
        return "sender_unregistered"
    if kind in ANSWERS:
        return ""
    if is_paused(sender.programme):
        return "paused"
    if is_suppressed(contact.number_key, sender.programme, sender.number):
        return "stopped"
    if contact.landline:
        return "landline"
    return _why_no_consent(message)


def _why_no_consent(message: SmsMessage) -> str:
    """A conversation that the person began needs none; what we begin needs one for its purpose (R-181)."""
    programme, key, kind = message.sender.programme, message.contact.number_key, message.kind
    if kind == Kind.QUESTION:
        return "" if pending(programme, key) else "consent_missing"
    if kind == Kind.WELCOME:
        agreed = any(has_consent(programme.pk, key, each) for each in ("service", "marketing"))
        return "" if agreed else "consent_missing"
    purpose = NEEDS_CONSENT.get(Kind(kind))
    if purpose is None:
        return ""
    if not has_consent(programme.pk, key, purpose):
        return "consent_missing"
    return "" if is_confirmed(programme, message.contact) else "welcome_failed"


def pending(programme: SmsProgramme, number_key: str) -> list[SmsConsent]:
    """What was ticked for this number, purpose by purpose, and counts when the phone has said YES."""
    found = [ledger.standing(programme.pk, number_key, each) for each in SmsConsent.Purpose.values]
    return [each for each in found if each is not None and each.deed == SmsConsent.Deed.PENDING]


def is_asking(programme: SmsProgramme, contact: SmsContact) -> bool:
    """Whether a question to this number is on its way, or may be answered yet."""
    asked = SmsMessage.objects.filter(
        contact=contact, sender__programme=programme, kind=Kind.QUESTION, direction="out"
    )
    since = timezone.now() - timedelta(hours=QUESTION_HOURS)
    return asked.exclude(state__in=FAILED).filter(created_at__gt=since).exists()


def is_question_open(sender: SmsSender, contact: SmsContact) -> bool:
    """Whether a YES to this sender answers our question: it is the last that we have said to this number from
    there, HELP aside. Behind anything else, an operator's words above all, it is an answer to that (B1-8)."""
    said = SmsMessage.objects.filter(contact=contact, sender=sender, direction="out").exclude(
        handed_over_at=None
    )
    ours = said.exclude(kind__in=ANSWERS).exclude(state__in=FAILED)
    last = ours.order_by("-handed_over_at", "-id").first()
    if last is None or last.handed_over_at is None or last.kind != Kind.QUESTION:
        return False
    return last.handed_over_at > timezone.now() - timedelta(hours=QUESTION_HOURS)


def is_too_early(message: SmsMessage) -> bool:
    """Whether the text that confirms the consent is still on its way, and this one has to wait (R-182)."""
    if message.kind not in NEEDS_CONSENT:
        return False
    welcome = welcome_of(message.sender.programme, message.contact)
    if welcome is None or welcome.state in (State.DELIVERED, State.READ):
        return False
    handed = welcome.handed_over_at
    return handed is None or handed > timezone.now() - timedelta(minutes=WELCOME_MINUTES)


def is_confirmed(programme: SmsProgramme, contact: SmsContact) -> bool:
    """Whether a text that confirms a consent to this programme has arrived or is on its way (R-182)."""
    welcome = welcome_of(programme, contact)
    return welcome is not None and welcome.state not in FAILED


def welcome_of(programme: SmsProgramme, contact: SmsContact) -> SmsMessage | None:
    """The newest text that confirms a consent to this programme, a START's too: of those that did not fail,
    else of all."""
    confirming = SmsMessage.objects.filter(
        contact=contact, sender__programme=programme, kind__in=(Kind.WELCOME, Kind.START), direction="out"
    )
    sent = confirming.order_by("-id")
    return sent.exclude(state__in=FAILED).first() or sent.first()
