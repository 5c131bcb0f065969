"""The ledger of consents: appended to, never changed, each entry chained to the one before (B1-11)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from sms.models import SmsConsent, SmsLedger

if TYPE_CHECKING:
    from sms.models import SmsProgramme

START = "0" * 64
# What an entry says, and its hash covers, in this order
SAID = (
    *("account_id", "programme_id", "uid", "position", "number_key", "channel", "purpose", "deed", "source"),
    *("text", "text_sha256", "text_version", "form_field", "default_ticked", "provider_sid", "note"),
    *("page_url", "ip", "user_agent"),
)


class Fault(NamedTuple):
    """The first place at which the ledger is not what was written."""

    position: int
    what: str


def append(programme: SmsProgramme, number_key: str, purpose: str, deed: str, **said: Any) -> SmsConsent:
    """One more entry, in the caller's transaction; the account's others wait until it ends."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an entry belongs to the deed that it proves")
    SmsLedger.objects.get_or_create(account_id=programme.account_id)
    book = SmsLedger.objects.select_for_update().get(account_id=programme.account_id)
    now = timezone.now()
    entry = SmsConsent(
        account_id=programme.account_id,
        programme=programme,
        position=book.entry_count + 1,
        number_key=number_key,
        purpose=purpose,
        deed=deed,
        at=now.replace(microsecond=now.microsecond // 1000 * 1000),
        previous=book.head,
        **said,
    )
    entry.sha256 = digest(entry)
    entry.save(force_insert=True)
    book.head, book.entry_count = entry.sha256, entry.position
    book.save(update_fields=["head", "entry_count"])
    return entry


def digest(entry: SmsConsent) -> str:
    """The hash of what an entry says, and of the one before it."""
    said = [str(getattr(entry, name)) for name in SAID] + [entry.at.isoformat(), entry.previous]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def check(account_id: int) -> Fault | None:
    """Reads the whole ledger of an account; None where every entry is as it was written and none is
    missing."""
    head, position = START, 0
    for entry in SmsConsent.objects.filter(account=account_id).order_by("position").iterator(500):
        position += 1
        if entry.position != position:
            return Fault(position, "missing")
        if entry.previous != head or digest(entry) != entry.sha256:
            return Fault(position, "changed")
        head = entry.sha256
    book = SmsLedger.objects.filter(account=account_id).first()
    told = (book.head, book.entry_count) if book else (START, 0)
    return None if told == (head, position) else Fault(position + 1, "missing")


def standing(programme_id: int, number_key: str, purpose: str) -> SmsConsent | None:
    """The newest entry about a number, a programme and a purpose: it alone counts."""
    mine = SmsConsent.objects.filter(programme=programme_id, number_key=number_key, purpose=purpose)
    return mine.order_by("-position").first()
