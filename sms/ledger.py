"""The ledger of consents: appended to, never changed, each entry chained to the one before (B1-11)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from sms.models import SmsConsent, SmsLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """One more entry, in the caller's transaction; the account's others wait until it ends. `at` is now, but
    for an entry that was brought along from another installation."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an entry belongs to the deed that it proves")
    SmsLedger.objects.get_or_create(account_id=programme.account_id)
    book = SmsLedger.objects.select_for_update().get(account_id=programme.account_id)
    now = said.pop("at", None) or timezone.now()
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
    for entries in batches(account_id):
        for entry in entries:
            position += 1
            if entry.position != position:
                return Fault(position, "missing")
            if entry.previous != head or digest(entry) != entry.sha256:
                return Fault(position, "changed")
            head = entry.sha256
    book = SmsLedger.objects.filter(account=account_id).first()
    told = (book.head, book.entry_count) if book else (START, 0)
    return None if told == (head, position) else Fault(position + 1, "missing")


class Page(NamedTuple):
    """Entries of a ledger, the newest first. `newer` and `older` are the positions from which to go on there,
    None where there is nothing. `total` is of the whole ledger; `fault` what is wrong with these entries."""

    entries: list[SmsConsent]
    newer: int | None
    older: int | None
    total: int
    fault: Fault | None


def page(account_id: int, size: int, *, before: int | None = None, after: int | None = None) -> Page:
    """So many entries, by their place: the newest, those before a position, or those after one. Reads no more
    than these and the two beside them, whose hashes they are held against."""
    book = SmsLedger.objects.filter(account=account_id).first()
    mine = SmsConsent.objects.filter(account=account_id).select_related("programme")
    if after is not None:
        nearest = list(mine.filter(position__gt=after).order_by("position")[: size + 1])[::-1]
        found = nearest[-size:]
        above = nearest[0] if len(nearest) > size else None
        below = mine.filter(position__lte=after).order_by("-position").first()
    else:
        rows = mine if before is None else mine.filter(position__lt=before)
        nearest = list(rows.order_by("-position")[: size + 1])
        found = nearest[:size]
        below = nearest[size] if len(nearest) > size else None
        newer = mine.filter(position__gte=before).order_by("position") if before is not None else mine.none()
        above = newer.first()
    head, count = (book.head, book.entry_count) if book else (START, 0)
    follows = (above.position, above.previous) if above else (count + 1, head)
    return Page(
        entries=found,
        newer=found[0].position if found and above else None,
        older=found[-1].position if found and below else None,
        total=count,
        fault=_fault(found, below, follows),
    )


def _fault(entries: list[SmsConsent], below: SmsConsent | None, follows: tuple[int, str]) -> Fault | None:
    """Whether each follows the one before it and says what it said, and what comes next follows them."""
    position, head = (below.position, below.sha256) if below else (0, START)
    for entry in reversed(entries):
        position += 1
        if entry.position != position:
            return Fault(position, "missing")
        if entry.previous != head or digest(entry) != entry.sha256:
            return Fault(position, "changed")
        head = entry.sha256
    if follows[0] != position + 1:
        return Fault(position + 1, "missing")
    return None if follows[1] == head else Fault(position + 1, "changed")


def batches(account_id: int, size: int = 500) -> Iterator[list[SmsConsent]]:
    """The whole ledger, the oldest first; each batch is a question of its own, in whatever thread asks."""
    last = 0
    mine = SmsConsent.objects.filter(account=account_id).select_related("programme").order_by("position")
    while found := list(mine.filter(position__gt=last)[:size]):
        yield found
        last = found[-1].position


def standing(programme_id: int, number_key: str, purpose: str) -> SmsConsent | None:
    """The newest entry about a number, a programme and a purpose: it alone counts."""
    mine = SmsConsent.objects.filter(programme=programme_id, number_key=number_key, purpose=purpose)
    return mine.order_by("-position").first()
