"""What happens to a request, state by state (R-150, R-151). Each is one transaction, and is audited."""

from __future__ import annotations

import hmac
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit, erasure, outbox
from accounts.models import User
from chatlead.errors import BadField, ChatLeadError, MissingField, NotFound, UnderLegalHold
from chats import prechat
from privacy import mails, selectors
from privacy.models import PrivacyExport, PrivacyRequest
from visitors.actions import forget_closed
from visitors.models import Visitor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.models import Account, Operator

State, Kind, Proof, Origin, Job = (
    PrivacyRequest.State,
    PrivacyRequest.Kind,
    PrivacyRequest.Proof,
    PrivacyRequest.Origin,
    PrivacyRequest.Job,
)
LEGAL = {
    State.RECEIVED: {State.VERIFIED, State.REFUSED},
    State.VERIFIED: {State.IN_WORK, State.DONE, State.REFUSED},
    State.IN_WORK: {State.DONE, State.REFUSED},
    State.DONE: set(),
    State.REFUSED: set(),
}
CODE_DIGITS = 8
CODE_TRIES = 5
EXTENSION_DAYS = 60
TEXT_MAX = 4000


class IllegalStep(ChatLeadError):
    """A request cannot go from the state it is in to the one that was asked for."""

    code = "illegal_step"
    status = 409

    def __init__(self, actual: str, wanted: str) -> None:
        super().__init__(f"A request that is {actual} cannot become {wanted}.")


class WrongCode(ChatLeadError):
    """The code is not the one that was mailed, or is too old, or was tried too often. Which, is not said."""

    code = "wrong_code"
    status = 403


# --- from outside -------------------------------------------------------------------------------------


def receive(
    *, kind: str, email: str, language: str, account: Account | None = None, details: str = ""
) -> PrivacyRequest:
    """Somebody asks by the form; a code is on its way to the address, whether anything is kept or not.

    Without an account it is a request to the whole service. Nobody hears of it before it is proved.
    """
    request = _new(kind=kind, origin=Origin.FORM, account=account, email=email, details=details)
    request.language = language
    with transaction.atomic():
        request.save()
        _send_code(request)
    return request


def mailbox_of(*, uid: str) -> str:
    """What is counted when somebody wants another code: the address that it goes to, so that many requests
    fill no mailbox; where there is none the uid, so that nothing is told by it."""
    found = PrivacyRequest.objects.filter(uid=uid).values_list("email", flat=True).first()
    return found or uid


def resend_code(*, uid: str) -> None:
    """Another code goes to the address of a request that has one; otherwise nothing happens, and nobody who
    asks can tell."""
    with transaction.atomic():
        request = PrivacyRequest.objects.select_for_update().filter(uid=uid).exclude(email="").first()
        if request is not None:
            _send_code(request)


def _send_code(request: PrivacyRequest) -> None:
    request.code_number += 1
    request.code_tries = 0
    request.code_until = timezone.now() + timedelta(minutes=settings.PRIVACY_CODE_MINUTES)
    request.save(update_fields=["code_number", "code_tries", "code_until"])
    key = f"{mails.CODE}:{request.uid}:{request.code_number}"
    outbox.add(mails.CODE, {"request": request.pk, "number": request.code_number}, key, request.account_id)


def prove(*, uid: str, code: str) -> PrivacyRequest:
    """The mailed code was typed in: the request is verified, or was before and is shown again.

    Raises WrongCode, also for a request that is not there. A code is good once and for some tries; the
    number of tries outlives a refusal, because it is counted in a transaction of its own.
    """
    with transaction.atomic():
        request = PrivacyRequest.objects.select_for_update().filter(uid=uid).first()
        if request is None or not _is_code_open(request):
            raise WrongCode("This code is not right, or too old.")
        request.code_tries += 1
        request.save(update_fields=["code_tries"])
        given = code.strip().replace(" ", "")  # compared as bytes: it may hold any character
        is_right = hmac.compare_digest(mails.code_of(request).encode(), given.encode())
    if not is_right:
        raise WrongCode("This code is not right, or too old.")
    # reads every form that was ever filled in: not with SQLite's one write lock in the hand
    firms = selectors.accounts_with(request.email) if request.account_id is None else []
    with transaction.atomic():
        request = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
        if not _is_code_open(request, used=True):
            raise WrongCode("This code is not right, or too old.")
        request.code_until = None  # good once
        request.save(update_fields=["code_until"])
        if request.state == State.RECEIVED:
            _verified(request, Proof.CODE, firms=firms)
    return request


def _is_code_open(request: PrivacyRequest, *, used: bool = False) -> bool:
    most = CODE_TRIES + 1 if used else CODE_TRIES
    return bool(request.code_until and request.code_until > timezone.now() and request.code_tries < most)


def receive_proved(
    *, visitor: Visitor, kind: str, language: str, email: str = "", details: str = ""
) -> PrivacyRequest:
    """A visitor asks from her live chat, which proves who she is: she asks about her own chats, and needs no
    address. `email`, where she gives one, is for the answer alone."""
    request = _new(kind=kind, origin=Origin.CHAT, account=visitor.account, email=email, details=details)
    request.language = language
    request.visitor_uids = [visitor.uid]
    with transaction.atomic():
        request.save()
        _verified(request, Proof.SESSION)
    return request


# --- by the firm --------------------------------------------------------------------------------------


def enter(
    *, by: Operator, kind: str, email: str = "", phone: str = "", visitor: str = "", details: str = ""
) -> PrivacyRequest:
    """A request that came by telephone, mail or letter. Raises MissingField where nothing says of whom, and
    BadField for what is no address."""
    if email.strip():
        email = prechat.check_email(email, "email")
    request = _new(kind=kind, origin=Origin.STAFF, account=by.account, email=email, details=details)
    request.phone = phone.strip()[:40]
    if visitor:
        found = selectors.find(by.account_id, visitor=visitor).visitor_ids
        uids = Visitor.objects.filter(pk__in=found).values_list("uid", flat=True)
        request.visitor_uids = sorted(uids)
        if not found:
            raise NotFound("No visitor of yours has this id.")
    if not (request.email or request.phone or request.visitor_uids):
        raise MissingField(
            "Say who it is about: an email address, a telephone number or a visitor.", field="email"
        )
    with transaction.atomic():
        request.save()
        _note("privacy.entered", request, by)
    return request


def confirm_identity(*, by: Operator, request: PrivacyRequest) -> None:
    """The firm has made sure who asks."""
    with transaction.atomic():
        _verified(selectors.access_request(by, request.uid, lock=True), Proof.STAFF, by)


def begin(*, by: Operator, request: PrivacyRequest, job: str, with_internal: bool = False) -> None:
    """Has the copy made, or everything erased; a task does it. Again while it is under way: nothing happens.

    What is found is written down first, because after an erasure nothing leads to it. Raises IllegalStep; and
    UnderLegalHold where a hold keeps it: the erasure waits for its end then, and the person is told.
    """
    # reads much, and so before the transaction, which on SQLite keeps everybody from writing
    person = selectors.person_of(selectors.access_request(by, request.uid))
    uids = sorted(Visitor.objects.filter(pk__in=person.visitor_ids).values_list("uid", flat=True))
    found = selectors.counts(person)
    with transaction.atomic():
        request = selectors.access_request(by, request.uid, lock=True)
        if selectors.is_under_way(request):
            return
        if request.state != State.IN_WORK:
            _step(request, State.IN_WORK)
        request.visitor_uids, request.found = uids, found
        request.job, request.with_internal = job, with_internal
        request.job_done = request.job_total = 0
        request.save(update_fields=["visitor_uids", "found", "job", "with_internal", "job_done", "job_total"])
        kind = mails.ERASE if job == Job.ERASE else mails.EXPORT
        key = f"{kind}:{request.uid}:{timezone.now().timestamp():.3f}"
        outbox.add(kind, {"request": request.pk, "by": by.uid}, key, request.account_id)
        _note(f"privacy.{job}_begun", request, by, {"found": sum(request.found.values())})
    if job == Job.ERASE and erasure.hold_on(person) is not None:
        raise UnderLegalHold


def finish(*, by: Operator, request: PrivacyRequest, answer: str = "") -> None:
    """The firm has done what was asked (a correction, an answer); `answer` is what the person reads.
    Raises IllegalStep for a copy, an erasure and a restriction, which end when they were carried out."""
    known = selectors.access_request(by, request.uid)
    if known.kind in (Kind.ACCESS, Kind.ERASE, Kind.RESTRICT) and known.state in selectors.OPEN:
        raise IllegalStep(f"a request to {known.kind}", State.DONE)
    found = known.found or selectors.counts(selectors.person_of(known))
    with transaction.atomic():
        request = selectors.access_request(by, request.uid, lock=True)
        request.found = request.found or found
        close(request, State.DONE, reason=answer)
        _note("privacy.done", request, by)


def refuse(*, by: Operator, request: PrivacyRequest, reason: str) -> None:
    """Raises MissingField without a reason (R-151), IllegalStep once it has ended or while a job runs."""
    if not reason.strip():
        raise MissingField("Say why: the person who asked reads it.", field="reason")
    with transaction.atomic():
        request = selectors.access_request(by, request.uid, lock=True)
        if selectors.is_under_way(request):
            raise IllegalStep(f"{State.IN_WORK} ({request.job})", State.REFUSED)
        close(request, State.REFUSED, reason=reason)
        _note("privacy.refused", request, by)


def extend(*, by: Operator, request: PrivacyRequest, reason: str) -> None:
    """Two months more, told with a reason, once, and before the first time is over (B2-1)."""
    if not reason.strip():
        raise MissingField("Say why it takes longer: the person who asked reads it.", field="reason")
    with transaction.atomic():
        request = selectors.access_request(by, request.uid, lock=True)
        now = timezone.now()
        if (
            request.state not in (State.VERIFIED, State.IN_WORK)
            or request.extended_at
            or now >= request.due_at
        ):
            raise IllegalStep(request.state, "extended")
        request.extended_at, request.reason = now, reason.strip()[:TEXT_MAX]
        request.due_at += timedelta(days=EXTENSION_DAYS)
        request.warned_at = request.escalated_at = None
        request.save()
        _note("privacy.extended", request, by)
        _mail(mails.EXTENDED, request)


# --- what they have in common -------------------------------------------------------------------------


def close(request: PrivacyRequest, state: str, *, reason: str = "") -> None:
    """Ends a request whose row the caller's transaction holds, and tells who asked. Where there is no
    address to tell it to, who it was is forgotten at once."""
    _step(request, state)
    request.closed_at = timezone.now()
    request.job, request.code_until = Job.NONE, None
    request.reason = reason.strip()[:TEXT_MAX]
    request.save()
    if request.email:
        _mail(mails.CLOSED, request)
    elif not selectors.is_restricting(request):
        mails.forget(request.pk)


def _step(request: PrivacyRequest, state: str) -> None:
    """Raises IllegalStep for what LEGAL does not name."""
    if state not in LEGAL[State(request.state)]:
        raise IllegalStep(request.state, state)
    moved = PrivacyRequest.objects.filter(pk=request.pk, state=request.state).update(state=state)
    if moved != 1:
        raise IllegalStep("another one by now", state)
    request.state = state


def _verified(
    request: PrivacyRequest, proof: str, by: Operator | None = None, *, firms: Sequence[Account] = ()
) -> None:
    _step(request, State.VERIFIED)
    request.proof, request.verified_at = proof, timezone.now()
    request.save()
    _note("privacy.verified", request, by, {"proof": proof})
    if request.account_id is None:
        _pass_on(request, firms)
        return
    _mail(mails.ACKNOWLEDGED, request)
    _mail(mails.ARRIVED, request)


def _pass_on(request: PrivacyRequest, firms: Sequence[Account]) -> None:
    """A request to the whole service: each of the firms that keep something gets its own, and hears of no
    other (R-150). The person hears who they are, and whether we keep something for ourselves."""
    for account in firms:
        own = _new(
            kind=request.kind,
            origin=Origin.FORM,
            account=account,
            email=request.email,
            details=request.details,
        )
        own.language, own.received_at, own.due_at = request.language, request.received_at, request.due_at
        own.save()
        _step(own, State.VERIFIED)
        own.proof, own.verified_at = Proof.CODE, timezone.now()
        own.save()
        _note("privacy.verified", own, None, {"proof": Proof.CODE})
        _mail(mails.ARRIVED, own)
    has_login = User.objects.filter(email=request.email).exists()
    request.found = {"firms": [account.pk for account in firms], "log_in": has_login}
    request.save(update_fields=["found"])
    close(request, State.DONE)


def _new(*, kind: str, origin: str, account: Account | None, email: str, details: str) -> PrivacyRequest:
    if kind not in Kind.values:
        raise BadField("Choose what you want to ask for.", field="kind")
    now = timezone.now()
    return PrivacyRequest(
        account=account,
        kind=kind,
        origin=origin,
        email=email.strip().lower(),
        details=details.strip()[:TEXT_MAX],
        received_at=now,
        due_at=due_after(now),
    )


def due_after(received_at: datetime) -> datetime:
    """When an answer is due: the days are counted from the receipt, proving included (B2-10)."""
    return received_at + timedelta(days=settings.PRIVACY_DAYS)


def _mail(kind: str, request: PrivacyRequest) -> None:
    key = f"{kind}:{request.uid}:{math.floor(request.due_at.timestamp())}"
    outbox.add(kind, {"request": request.pk}, key, request.account_id)


def _note(
    action: str, request: PrivacyRequest, by: Operator | None, facts: dict[str, object] | None = None
) -> None:
    told = {"kind": str(request.kind), **(facts or {})}
    audit.note(action, account=request.account_id, by=by, subject=f"privacy:{request.uid}", facts=told)


def watch_deadlines() -> int:
    """Warns the admins of each request five days before its day, and again, louder, on it; once each.
    Returns how many mails that makes."""
    now = timezone.now()
    waiting = PrivacyRequest.objects.filter(account__isnull=False, state__in=(State.VERIFIED, State.IN_WORK))
    entered = PrivacyRequest.objects.filter(state=State.RECEIVED, origin=Origin.STAFF)
    soon = now + timedelta(days=settings.PRIVACY_WARN_DAYS)
    told = selectors.waiting_for_holds()  # their people know that it is kept, and nobody may do anything
    count = 0
    for pk in (waiting | entered).filter(due_at__lte=soon).exclude(pk__in=told).values_list("pk", flat=True):
        with transaction.atomic():
            request = PrivacyRequest.objects.select_for_update().get(pk=pk)
            is_late = request.due_at <= now
            if request.state not in selectors.OPEN or (
                request.escalated_at if is_late else request.warned_at
            ):
                continue
            request.warned_at = request.warned_at or now
            request.escalated_at = now if is_late else None
            request.save(update_fields=["warned_at", "escalated_at"])
            _mail(mails.LATE if is_late else mails.SOON, request)
            _note("privacy.late" if is_late else "privacy.due_soon", request, None)
            count += 1
    return count


def tidy() -> int:
    """Forgets what nobody has proved for a week, copies whose time is over, and who has asked for them; and
    which browsers were closed a year ago. Returns how many requests and copies are gone."""
    now = timezone.now()
    forget_closed()
    fetched = PrivacyRequest.objects.filter(closed_at__lt=now - timedelta(days=settings.PRIVACY_EXPORT_DAYS))
    fetched = fetched.exclude(selectors.IN_FORCE)
    for pk in fetched.exclude(email="", phone="", details="", reason="").values_list("pk", flat=True):
        mails.forget(pk)
    unproved = PrivacyRequest.objects.filter(state=State.RECEIVED, origin=Origin.FORM)
    count = unproved.filter(received_at__lt=now - timedelta(days=7)).delete()[0]
    return count + PrivacyExport.objects.filter(expires_at__lte=now).delete()[0]
