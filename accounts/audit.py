"""The record of what subscribers and staff do (R-111, B2-18): noted in the transaction of the deed, chained
by a task, and shown to be whole by `verify`.

The database refuses to change or to delete a row, and whoever takes that away from it breaks the chain. A
chain says nothing of what was cut off its end; so each new end is logged, outside of the database.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef
from django.utils import timezone

from accounts.models import Account, AuditEntry, AuditLink, Operator, User

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

START = "0" * 64  # what the first link follows
CHAINED_AT_ONCE = 5000
# Each action in the words of who reads it, by its kind; tests/privacy/test_audit_page.py finds one without.
KINDS = {
    "account": "The account",
    "chat": "Conversations",
    "survey": "Surveys",
    "sms": "Text messages",
    "privacy": "Privacy",
    "retention": "Keeping conversations",
    "seals": "Seals",
    "backup": "Backups",
    "proof": "Backups",
}
WORDS = {
    "account.deleted": "Deleted the account",
    "account.target_set": "Set within how long visitors are to be answered",
    "backup.asked": "Asked for a backup",
    "backup.restored": "Restored a backup",
    "chat.closed_under_18": "Erased a visitor who is under 18",
    "privacy.done": "Answered a privacy request",
    "privacy.downloaded": "Downloaded the copy of a privacy request",
    "privacy.due_soon": "Warned the admins of a privacy request that is due soon",
    "privacy.entered": "Entered a privacy request",
    "privacy.erase_begun": "Had a person erased",
    "privacy.erased": "Erased a person",
    "privacy.erasure_held": "Left an erasure waiting for a legal hold",
    "privacy.export_begun": "Had the copy for a privacy request made",
    "privacy.exported": "Made the copy for a privacy request",
    "privacy.extended": "Took more time for a privacy request",
    "privacy.hold_lifted": "Lifted a legal hold",
    "privacy.hold_placed": "Placed a legal hold",
    "privacy.late": "Warned the admins of a privacy request that is late",
    "privacy.lifted": "Ended the restriction of a person's data",
    "privacy.refused": "Refused a privacy request",
    "privacy.restricted": "Restricted a person's data",
    "privacy.searched": "Looked for a person",
    "privacy.verified": "Made sure who asks",
    "proof.asked": "Asked for a backup to be tried",
    "retention.changed": "Changed how long conversations are kept",
    "seals.verified": "Had the seals of conversations checked",
    "sms.form_changed": "Chose what a chat's form asks about text messages",
    "sms.number_proved": "Proved that a number is ours",
    "sms.number_released": "Released a number for others",
    "sms.paused": "Stopped all text messages",
    "sms.programme_added": "Added a programme of text messages",
    "sms.resumed": "Let text messages go out again",
    "sms.sender_added": "Added a sender of text messages",
    "sms.sender_changed": "Changed a sender of text messages",
    "sms.yes_changed": "Chose whether a consent to text messages needs a YES",
    "survey.closed_under_18": "Erased who said to be under 18",
    "survey.published": "Published a survey",
    "survey.switched_off": "Switched a survey off",
    "survey.switched_on": "Switched a survey on",
    "survey.vendor_switched_off": "Left our questions out of surveys",
    "survey.vendor_switched_on": "Let our questions into surveys",
}
# An entry that is older and has no link was added behind the back of the task, or the task does not run.
UNCHAINED_MINUTES = 60


def note(
    action: str,
    *,
    account: Account | int | None,
    by: Operator | User | None,
    subject: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """Notes a deed; call it inside the transaction of the deed, so that neither is there without the other.

    `action` is like "survey.published", `subject` like "survey:<uid>"; `facts` hold ids, counts and words of
    ours, never a personal datum. `by` is None for what the service does by itself.
    """
    actor = AuditEntry.Actor.SERVICE
    if by is not None:
        actor = AuditEntry.Actor.OPERATOR if isinstance(by, Operator) else AuditEntry.Actor.USER
    now = timezone.now()
    AuditEntry.objects.create(
        account_id=account.pk if isinstance(account, Account) else account,
        action=action,
        actor=actor,
        actor_uid=by.uid if by is not None else "",
        subject=subject,
        facts=facts or {},
        # SQLite and PostgreSQL keep microseconds; the digest holds them as text
        at=now,
    )


def entries(account: Account | int) -> QuerySet[AuditEntry]:
    """What was done in an account, the newest first."""
    account_id = account.pk if isinstance(account, Account) else account
    return AuditEntry.objects.filter(account_id=account_id).order_by("-id")


def found(
    account: Account | int,
    *,
    actor: str = "",
    kind: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Those by somebody (an operator's uid, or "service"), of a kind, from `since` on and before `until`."""
    mine = entries(account)
    if actor == AuditEntry.Actor.SERVICE:
        mine = mine.filter(actor=actor)
    elif actor:
        mine = mine.filter(actor=AuditEntry.Actor.OPERATOR, actor_uid=actor)
    if kind:
        mine = mine.filter(action__startswith=f"{kind}.")
    if since is not None:
        mine = mine.filter(at__gte=since)
    return mine if until is None else mine.filter(at__lt=until)


def chain() -> int:
    """Links the entries that have no link yet; returns how many. Safe to run twice and at the same time: of
    two that take the same number one fails and leaves the rest to the next run.

    Not by position: on PostgreSQL an entry of a lower number may be committed after one of a higher. But not
    among all that there ever were either, every five minutes: from the oldest of the last CHAINED_AT_ONCE
    links on. What is missed there, `verify` finds. Where there is nothing to do, nobody waits for a lock.
    """
    newest = AuditLink.objects.order_by("-number").values_list("number", flat=True).first() or 0
    lately = AuditLink.objects.filter(number__gt=newest - CHAINED_AT_ONCE)
    oldest = lately.aggregate(oldest=Min("entry_id"))["oldest"] if newest > CHAINED_AT_ONCE else None
    unchained = _unchained().filter(pk__gt=oldest or 0)
    if not unchained.exists():
        return 0
    try:
        with transaction.atomic():
            last = AuditLink.objects.order_by("-number").first()
            number, digest = (last.number, last.sha256) if last else (0, START)
            links = []
            for entry in unchained.order_by("id")[:CHAINED_AT_ONCE]:
                number, digest = number + 1, _sha256(digest, entry)
                links.append(AuditLink(number=number, entry_id=entry.pk, sha256=digest))
            AuditLink.objects.bulk_create(links)
    except IntegrityError:
        return 0
    if links:
        logger.info("the audit chain ends at %s with %s", number, digest)
    return len(links)


@dataclass(frozen=True)
class Verdict:
    """`broken_at` is the number of the first link that does not fit, None where all do. `unchained_count`
    are entries that should have had a link long since; `count` are the links that were read."""

    count: int
    broken_at: int | None = None
    unchained_count: int = 0

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None and not self.unchained_count


def verify() -> Verdict:
    """Reads the whole chain: no link is missing, and each entry is what it was when it was linked."""
    expected, digest = 1, START
    for link, entry in _linked():
        if link.number != expected or entry is None or _sha256(digest, entry) != link.sha256:
            return Verdict(expected - 1, broken_at=expected)
        expected, digest = expected + 1, link.sha256
    before = timezone.now() - timedelta(minutes=UNCHAINED_MINUTES)
    return Verdict(expected - 1, unchained_count=_unchained().filter(at__lt=before).count())


def _unchained() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(~Exists(AuditLink.objects.filter(entry_id=OuterRef("pk"))))


def _linked() -> Iterator[tuple[AuditLink, AuditEntry | None]]:
    """The links in order, each with its entry, where that is still there."""
    after = 0
    while page := list(AuditLink.objects.filter(number__gt=after).order_by("number")[:CHAINED_AT_ONCE]):
        found = AuditEntry.objects.in_bulk([link.entry_id for link in page])
        for link in page:
            yield link, found.get(link.entry_id)
        after = page[-1].number


def _sha256(before: str, entry: AuditEntry) -> str:
    told = [
        before,
        entry.pk,
        entry.account_id,
        entry.action,
        entry.actor,
        entry.actor_uid,
        entry.subject,
        entry.facts,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
