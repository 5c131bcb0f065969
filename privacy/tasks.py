"""What is carried out for a request, safe to be killed and done again (B2-4, B2-6, R-176); and the clock."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit, erasure, outbox
from accounts.erasure import Person
from accounts.models import Operator
from chatlead.errors import UnderLegalHold
from chats.actions import end_chats
from privacy import actions, exports, holding, mails, selectors, tombstones
from privacy.models import PrivacyExport, PrivacyRequest

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5  # so often an erasure looks again: somebody may have written in this moment


class NotAllErased(Exception):
    """Something of the person is still there; the outbox comes back to it."""


@outbox.handler(mails.EXPORT)
def make_export(subject: dict[str, Any], key: str) -> None:
    """Makes the copy, and ends the request with it. Made again it replaces the one before."""
    request = _at_work(subject, PrivacyRequest.Job.EXPORT)
    if request is None or request.account is None:
        return
    person = selectors.person_of(request)
    firm, made_at = request.account.name, timezone.now().isoformat(timespec="seconds")
    told = partial(_progress, request.pk)
    with tempfile.TemporaryFile() as content:  # without a name: gone with the worker
        with exports.collect(person, with_internal=request.with_internal, progress=told) as found:
            shared = exports.recipients(person.account_id)
            exports.write_zip(found, content, firm=firm, made_at=made_at, shared_with=shared)
        _keep_export(request, subject, content, found.counts)


def _keep_export(
    request: PrivacyRequest, subject: dict[str, Any], content: IO[bytes], counts: dict[str, int]
) -> None:
    assert request.account is not None  # noqa: S101 who made it has looked
    now = timezone.now()
    with transaction.atomic():
        locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        if locked.job != PrivacyRequest.Job.EXPORT:
            return  # another worker was faster
        PrivacyExport.objects.filter(request=locked).delete()
        copy = PrivacyExport.objects.create(
            account=request.account,
            request=locked,
            byte_count=content.seek(0, os.SEEK_END),
            created_at=now,
            expires_at=now + timedelta(days=settings.PRIVACY_EXPORT_DAYS),
        )
        exports.keep(copy, content)
        locked.found = counts
        actions.close(locked, PrivacyRequest.State.DONE)
        _note("privacy.exported", locked, _by(subject), {"rows": sum(locked.found.values())})


@outbox.handler(mails.ERASE)
def carry_out_erasure(subject: dict[str, Any], key: str) -> None:
    """Erases all kinds, and writes the certificate. 1 the stone, so that no restore brings it back; 2 the
    rows and files; 3 only when nothing is left, the end of the request. Killed anywhere, it is made again:
    the visitors were written down when it began. What a legal hold keeps waits for its end (R-071)."""
    request = _at_work(subject, PrivacyRequest.Job.ERASE)
    if request is None:
        return
    person = selectors.person_of(request)
    errand = {"request": request.pk, "by": subject.get("by", "")}
    if holding.wait(person, errand) is not None:
        return
    stone = tombstones.write(person, request_uid=request.uid)
    left = _erase(person, errand, partial(_progress, request.pk))
    if left is None:
        return
    now = timezone.now().isoformat(timespec="seconds")
    with transaction.atomic():
        locked = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        if locked.job != PrivacyRequest.Job.ERASE:
            return
        found = locked.found or {}
        locked.certificate = {
            "request": locked.uid,
            "received_at": locked.received_at.isoformat(timespec="seconds"),
            "erased_at": now,
            "kinds": [{"kind": name, "found": found.get(name, 0), "left": left[name]} for name in left],
            "kept": dict(sorted(erasure.kept().items())),
            "tombstone": stone,
        }
        locked.save(update_fields=["certificate"])
        actions.close(locked, PrivacyRequest.State.DONE)
        _note("privacy.erased", locked, _by(subject), {"rows": sum(found.values())})


@outbox.handler(holding.ERASE_VISITORS)
def erase_visitors(subject: dict[str, Any], key: str) -> None:
    """What another app has reason to erase, `{"account", "visitors", "reason"}` by database ids, the
    reason a word of ours: somebody under age (R-071), say."""
    person = Person(subject["account"], visitor_ids=frozenset(subject["visitors"]))
    errand = {"visitors": sorted(person.visitor_ids), "reason": subject["reason"]}
    if holding.wait(person, errand) is not None:
        end_chats(account_id=person.account_id, visitor_ids=person.visitor_ids)
        return
    found = sum(selectors.counts(person).values())
    tombstones.write(person)
    if _erase(person, errand) is None:
        return
    facts = {"reason": subject["reason"], "visitors": len(person.visitor_ids), "found": found}
    audit.note("privacy.erased", account=person.account_id, by=None, facts=facts)


def _progress(request_id: int, done: int, total: int) -> None:
    """So many kinds of data are done, for the request's page; a worker that begins again counts anew."""
    PrivacyRequest.objects.filter(pk=request_id).update(job_done=done, job_total=total)


def _erase(
    person: Person, errand: dict[str, Any], progress: Callable[[int, int], None] | None = None
) -> dict[str, int] | None:
    """{kind: what is left}, all 0; None where a legal hold was placed meanwhile, for which the rest waits.
    Raises NotAllErased."""
    for _ in range(ROUNDS):
        try:
            erasure.erase(person, progress)
        except UnderLegalHold:
            if holding.wait(person, errand) is not None:
                return None
            continue
        left = selectors.counts(person)
        if not any(left.values()):
            return left
    raise NotAllErased(", ".join(name for name, count in left.items() if count))


def _at_work(subject: dict[str, Any], job: str) -> PrivacyRequest | None:
    found = PrivacyRequest.objects.select_related("account").filter(pk=subject["request"], job=job)
    return found.first()


def _by(subject: dict[str, Any]) -> Operator | None:
    return Operator.objects.filter(uid=subject.get("by", "")).first()


def _note(action: str, request: PrivacyRequest, by: Operator | None, facts: dict[str, Any]) -> None:
    audit.note(action, account=request.account_id, by=by, subject=f"privacy:{request.uid}", facts=facts)


@shared_task
def watch_deadlines() -> int:
    """Warns of requests whose day is near. Returns how many mails that makes."""
    return actions.watch_deadlines()


@shared_task
def tidy() -> int:
    """Forgets what nobody proved, and copies whose time is over. Returns how many rows."""
    return actions.tidy()
