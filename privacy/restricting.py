"""Article 18: all that is kept of somebody stays, and nothing else is done with it (B2-7, R-175)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts import audit, outbox
from chatlead.errors import MissingField
from chats import actions as chats
from privacy import actions, mails, selectors
from privacy.models import PrivacyRequest
from sms import actions as sms
from visitors.actions import release_visitors
from visitors.models import Visitor

if TYPE_CHECKING:
    from accounts.models import Operator

State = PrivacyRequest.State


def restrict(*, by: Operator, request: PrivacyRequest) -> None:
    """All that is kept of the person stays, and nothing else is done with it until `lift` (B2-7): no screen
    shows it, nothing is sent, and whoever comes back is a stranger. The person is told. Raises IllegalStep.

    Whom a survey alone has an address of is found by that, too. Killed half way, it is simply done again.
    """
    known = selectors.access_request(by, request.uid)
    if known.kind != PrivacyRequest.Kind.RESTRICT or State.DONE not in actions.LEGAL[State(known.state)]:
        raise actions.IllegalStep(f"{known.state} ({known.kind})", "restricted")
    person = selectors.person_of(known)
    ids = person.visitor_ids | selectors.visitors_of_surveys(person)
    uids = sorted(Visitor.objects.filter(pk__in=ids).values_list("uid", flat=True))
    found = selectors.counts(person)
    # 1 written down, so that whoever is killed here finds them again
    PrivacyRequest.objects.filter(pk=known.pk, state=known.state).update(visitor_uids=uids)
    # 2 on no screen, on no way to anybody
    chats.withhold_chats(account_id=by.account_id, visitor_ids=ids)
    sms.withhold_texts(account_id=by.account_id, visitor_ids=ids)
    # 3 done, and told
    with transaction.atomic():
        request = selectors.access_request(by, request.uid, lock=True)
        request.visitor_uids, request.found, request.restricted_at = uids, found, timezone.now()
        actions.close(request, State.DONE)
        _note("privacy.restricted", request, by, {"visitors": len(uids)})


def lift(*, by: Operator, request: PrivacyRequest, reason: str) -> None:
    """The end of a restriction; the person reads why, where an address is known. Raises MissingField without
    a reason, IllegalStep where none is in force. Whoever another request restricts stays so."""
    if not reason.strip():
        raise MissingField("Say why: the person who asked reads it.", field="reason")
    with transaction.atomic():
        request = selectors.access_request(by, request.uid, lock=True)
        if not selectors.is_restricting(request):
            raise actions.IllegalStep(request.state, "lifted")
        request.lifted_at, request.reason = timezone.now(), reason.strip()[: actions.TEXT_MAX]
        request.save(update_fields=["lifted_at", "reason"])
        uids = {*request.visitor_uids} - selectors.uids_restricted(by.account_id)
        ids = Visitor.objects.filter(account_id=by.account_id, uid__in=uids).values_list("pk", flat=True)
        release_visitors(account_id=by.account_id, visitor_ids=list(ids))
        _note("privacy.lifted", request, by)
        if request.email:
            key = f"{mails.LIFTED}:{request.uid}"
            outbox.add(mails.LIFTED, {"request": request.pk}, key, request.account_id)
        else:
            mails.forget(request.pk)


def _note(action: str, request: PrivacyRequest, by: Operator, facts: dict[str, object] | None = None) -> None:
    told = {"kind": str(request.kind), **(facts or {})}
    audit.note(action, account=request.account_id, by=by, subject=f"privacy:{request.uid}", facts=told)
