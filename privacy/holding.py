"""A firm places and lifts a legal hold, and what wants to be erased meanwhile waits for its end (R-071)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts import audit, erasure, outbox
from accounts.models import LegalHold
from chatlead.errors import MissingField, NotFound
from privacy import held, mails, selectors
from privacy.models import PrivacyRequest
from visitors.models import Visitor

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.erasure import Person
    from accounts.models import Operator

REASON_MAX = 1000
ERASE_VISITORS = "erase_visitors"


def place(*, by: Operator, visitor_ids: Collection[int], reason: str) -> LegalHold:
    """Nothing of these visitors of the operator's account is erased from now on; an erasure that is at work
    stops before the next kind of data. Raises MissingField without a reason, NotFound without a visitor, and
    StoreUnavailable: then no hold is placed, and nothing can be erased either, because both are written down
    outside of the database first."""
    if not reason.strip():
        raise MissingField("Say why it must be kept.", field="reason")
    known = Visitor.objects.filter(account_id=by.account_id, pk__in=visitor_ids)
    ids = sorted(known.values_list("pk", flat=True))
    if not ids:
        raise NotFound("There is nobody of whom anything is kept.")
    hold = LegalHold(
        account=by.account,
        visitors=ids,
        reason=reason.strip()[:REASON_MAX],
        placed_by=by,
        placed_at=timezone.now(),
    )
    held.keep(hold)
    with transaction.atomic():
        hold.save()
        _note("privacy.hold_placed", hold, by, {"visitors": len(ids)})
    return hold


def lift(*, by: Operator, hold: LegalHold) -> int:
    """The hold ends, and what waited for that goes on; returns how many erasures. Again: 0. Raises
    StoreUnavailable: then the hold stays."""
    if hold.lifted_at is not None:
        return 0
    now = timezone.now()
    hold.lifted_at = now
    held.keep(hold)
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
        if hold.lifted_at is not None:
            return 0
        waiting, hold.waiting = hold.waiting, []
        hold.lifted_at, hold.lifted_by = now, by
        hold.save(update_fields=["lifted_at", "lifted_by", "waiting"])
        count = sum(_go_on(hold, number, errand) for number, errand in enumerate(waiting))
        _note("privacy.hold_lifted", hold, by, {"waited": len(waiting)})
    return count


def _go_on(hold: LegalHold, number: int, errand: dict[str, Any]) -> bool:
    """False where nobody wants it any more."""
    if "request" not in errand:
        subject = {"account": hold.account_id, **errand}
        return outbox.add(ERASE_VISITORS, subject, f"held:{hold.uid}:{number}", hold.account_id)
    locked = PrivacyRequest.objects.select_for_update(of=("self",))
    request = locked.filter(pk=errand["request"], state=PrivacyRequest.State.IN_WORK).first()
    if request is None or selectors.is_under_way(request):
        return False
    request.job = PrivacyRequest.Job.ERASE
    request.job_done = request.job_total = 0
    request.save(update_fields=["job", "job_done", "job_total"])
    return outbox.add(mails.ERASE, errand, f"{mails.ERASE}:{request.uid}:held:{hold.uid}", hold.account_id)


def wait(person: Person, errand: dict[str, Any]) -> LegalHold | None:
    """Where a hold keeps something of the person, the errand waits for its end; None where it may be carried
    out. Asked for again it waits once. Raises StoreUnavailable."""
    while (found := erasure.hold_on(person)) is not None:
        with transaction.atomic():
            mine = LegalHold.objects.select_for_update(of=("self",)).select_related("account", "placed_by")
            hold = mine.filter(pk=found.pk, lifted_at=None).first()
            if hold is None:
                continue  # lifted in this moment: is there another one?
            if errand not in hold.waiting:
                hold.waiting = [*hold.waiting, errand]
                hold.save(update_fields=["waiting"])
                facts = {"hold": hold.uid, "reason": errand.get("reason", "request")}
                audit.note("privacy.erasure_held", account=hold.account_id, by=None, facts=facts)
            if "request" in errand:
                _tell(hold, errand["request"])
        held.keep(hold)
        return hold
    return None


def _tell(hold: LegalHold, request_id: int) -> None:
    """In the transaction in which its erasure begins to wait: the request is nobody's job, and its person is
    told, once for each hold."""
    PrivacyRequest.objects.filter(pk=request_id).update(job=PrivacyRequest.Job.NONE)
    outbox.add(mails.HELD, {"request": request_id}, f"{mails.HELD}:{request_id}:{hold.uid}", hold.account_id)


def _note(action: str, hold: LegalHold, by: Operator, facts: dict[str, Any]) -> None:
    audit.note(action, account=hold.account_id, by=by, subject=f"hold:{hold.uid}", facts=facts)
