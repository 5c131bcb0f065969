"""The queue of a firm: what was asked, until when, and what is done about it (R-151, R-175, R-176)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit, erasure, holds, limits
from accounts.members import ADMINS, member_page
from accounts.models import Operator
from accounts.paging import paged
from chatlead.errors import ChatLeadError, NotFound
from privacy import actions, restricting, selectors
from privacy.models import PrivacyRequest
from privacy.views.public import as_file

if TYPE_CHECKING:
    from collections.abc import Container

    from django.http import HttpRequest, HttpResponseBase

PAGE = 50
REFRESH_SECONDS = 5  # while a task is at work
SHOWN = ("open", "closed", "all")
ERASE_WORD = "erase"
State, Job, Kind = PrivacyRequest.State, PrivacyRequest.Job, PrivacyRequest.Kind
DEEDS = {
    "privacy.verified": "Proved who asks",
    "privacy.entered": "Entered",
    "privacy.export_begun": "Export begun",
    "privacy.exported": "Exported",
    "privacy.erase_begun": "Erasing begun",
    "privacy.erased": "Erased",
    "privacy.erasure_held": "Erasing waits for a legal hold",
    "privacy.refused": "Refused",
    "privacy.extended": "Extended",
    "privacy.done": "Answered",
    "privacy.restricted": "Restricted",
    "privacy.lifted": "Restriction ended",
    "privacy.due_soon": "Admins warned",
    "privacy.late": "Admins warned: late",
    "privacy.downloaded": "Copy downloaded",
}
WORDS = {
    "privacy_exports": "Copies that were made",
    "privacy_requests": "Earlier requests",
    "survey_answers": "Answers to surveys",
    "chats": "Chats",
    "chats_archived": "Chats in the archive",
    "notes": "Notes of operators",
    "transcript_requests": "Transcripts to be mailed",
    "visitors": "Names and addresses",
    "consents": "Proofs of consent",
    "legal_holds": "Reasons of legal holds that are over",
}


def _row(request: PrivacyRequest, held: Container[int] = ()) -> dict[str, Any]:
    """What the queue shows of a request; `held` are those that wait for the end of a legal hold, whose days
    do not count."""
    days = selectors.days_left(request)
    is_open = request.state in selectors.OPEN
    tone = "bad" if days < 0 else "warn" if days < settings.PRIVACY_WARN_DAYS else ""
    left = (
        "late" if days < 0 else "today" if days == 0 else "1 day left" if days == 1 else f"{days} days left"
    )
    return {
        "request": request,
        "left": left if is_open and request.pk not in held else "",
        "is_held": request.pk in held,
        "tone": tone if is_open else "",
        "is_open": is_open,
    }


@require_safe
@member_page(ADMINS)
def queue(request: HttpRequest, operator: Operator) -> HttpResponse:
    """All requests, the most urgent first."""
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    listed = paged(request, selectors.queue(operator.account, shown), PAGE)
    held = selectors.waiting_for_holds(operator.account_id)
    rows = [_row(each, held) for each in listed["page"]]
    known: dict[str, Any] = {"section": "privacy", "shown": shown, "rows": rows, **listed}
    known["hold_count"] = len(holds.active(operator.account_id))
    return render(request, "account/privacy/queue.html", known)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def search(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Finds somebody by an address, a number or an id, within the own account (R-175), and begins a request
    that came by telephone, mail or letter. By POST alone: an address of a person belongs in no URL."""
    given = {
        name: request.POST.get(name, "").replace("\x00", "").strip() for name in ("email", "phone", "visitor")
    }
    kind, details = request.POST.get("kind", Kind.ACCESS), request.POST.get("details", "").replace("\x00", "")
    known: dict[str, Any] = {"section": "privacy", "given": given, "kinds": Kind.choices, "kind": kind}
    if request.method == "POST" and "enter" in request.POST:
        try:
            if given["email"]:  # the answer goes there, in the firm's words
                limits.take("privacy:mailbox", given["email"].lower(), settings.PRIVACY_FORMS["mailbox"])
            entered = actions.enter(by=operator, kind=kind, details=details, **given)
        except ChatLeadError as error:
            known["error"] = error.message
            return render(request, "account/privacy/search.html", known, status=error.status)
        return redirect("privacy_request", uid=entered.uid)
    if request.method == "POST" and any(given.values()):
        person = selectors.find(operator.account_id, **given)
        audit.note(
            "privacy.searched",
            account=operator.account_id,
            by=operator,
            facts={"found": len(person.visitor_ids)},
        )
        known |= {
            "was_searched": True,
            "found": _named(selectors.counts(person)),
            "people": len(person.visitor_ids),
        }
    return render(request, "account/privacy/search.html", known)


def _named(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Counts under the words of people, without what was not found."""
    return [
        (WORDS.get(name, name.replace("_", " ").capitalize()), count)
        for name, count in counts.items()
        if count
    ]


@require_http_methods(["GET", "HEAD"])
@member_page(ADMINS)
def one(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """A request: what was asked, what was found, what can be done, what was done."""
    return _page(request, operator, selectors.access_request(operator, uid))


def _page(
    request: HttpRequest, operator: Operator, found: PrivacyRequest, error: str = "", status: int = 200
) -> HttpResponse:
    is_open = found.state in selectors.OPEN
    counts, hold = found.found or {}, None
    if is_open:
        person = selectors.person_of(found)
        hold = erasure.hold_on(person)
        counts = counts if found.job else selectors.counts(person)
    held = selectors.waiting_for_holds(operator.account_id)
    subject = f"privacy:{found.uid}"
    history = list(audit.entries(operator.account).filter(subject=subject).order_by("id"))
    names = dict(Operator.objects.filter(account=operator.account).values_list("uid", "name"))
    certificate = found.certificate
    known = {
        "section": "privacy",
        "asked": found,
        "row": _row(found, held),
        "hold": hold,
        "found": _named(counts),
        "is_open": is_open,
        "is_under_way": selectors.is_under_way(found),
        "copy": selectors.copy_of(found),
        "is_restricting": selectors.is_restricting(found),
        "certificate": certificate,
        "erased": [
            (
                WORDS.get(each["kind"], each["kind"].replace("_", " ").capitalize()),
                each["found"],
                each["left"],
            )
            for each in certificate["kinds"]
        ]
        if certificate
        else [],
        "history": [
            (entry, DEEDS.get(entry.action, entry.action), names.get(entry.actor_uid, ""))
            for entry in history
        ],
        "error": error,
        "erase_word": ERASE_WORD,
        "can_extend": found.state in (State.VERIFIED, State.IN_WORK) and not found.extended_at,
    }
    response = render(request, "account/privacy/request.html", known, status=status)
    if known["is_under_way"] and request.method != "POST":
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


@member_page(ADMINS)
@require_POST
def do(request: HttpRequest, operator: Operator, uid: str) -> HttpResponseBase:
    """One step: `do` names it. What is refused is said on the request's page."""
    found = selectors.access_request(operator, uid)
    step = request.POST.get("do", "")
    reason = request.POST.get("reason", "").replace("\x00", "")
    try:
        said = _step(request, operator, found, step, reason)
    except ChatLeadError as error:
        found.refresh_from_db()
        return _page(request, operator, found, error.message, error.status)
    messages.success(request, said, extra_tags="good")
    return redirect("privacy_request", uid=uid)


def _step(request: HttpRequest, operator: Operator, found: PrivacyRequest, step: str, reason: str) -> str:
    if step == "confirm":
        actions.confirm_identity(by=operator, request=found)
        return "Noted: you have made sure who asks."
    if step == "export":
        actions.begin(by=operator, request=found, job=Job.EXPORT, with_internal="internal" in request.POST)
        return "The copy is being made."
    if step == "erase":
        if request.POST.get("word", "").strip().lower() != ERASE_WORD:
            raise ChatLeadError(f"Nothing was erased: type the word {ERASE_WORD} to confirm.", field="word")
        actions.begin(by=operator, request=found, job=Job.ERASE)
        return "Everything is being erased."
    if step == "restrict":
        restricting.restrict(by=operator, request=found)
        return "Everything is kept and nothing else is done with it, until you end the restriction."
    if step == "lift":
        restricting.lift(by=operator, request=found, reason=reason)
        return "The restriction has ended; your reason is on its way."
    if step == "refuse":
        actions.refuse(by=operator, request=found, reason=reason)
        return "The request is refused; your reason is on its way."
    if step == "extend":
        actions.extend(by=operator, request=found, reason=reason)
        return "You have two months more; your reason is on its way."
    if step == "finish":
        actions.finish(by=operator, request=found, answer=reason)
        return "The request is done."
    raise NotFound


@sensitive_post_parameters()
@member_page(ADMINS)
@require_POST
def download(request: HttpRequest, operator: Operator, uid: str) -> HttpResponseBase:
    """The copy, for an admin who types their password again (B2-4)."""
    found = selectors.access_request(operator, uid)
    copy = selectors.copy_of(found)
    if copy is None:
        raise NotFound
    limits.take("privacy:password", operator.uid, settings.LOGIN_FAILURES)
    if not operator.user.check_password(request.POST.get("password", "")):
        return _page(request, operator, found, "This is not your password.", 403)
    audit.note("privacy.downloaded", account=operator.account_id, by=operator, subject=f"privacy:{uid}")
    return as_file(request, copy)


@require_safe
@member_page(ADMINS)
def certificate(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """What was erased, as JSON (R-176). Raises NotFound where nothing was."""
    found = selectors.access_request(operator, uid)
    if found.certificate is None:
        raise NotFound
    text = json.dumps(found.certificate, indent=2, sort_keys=True) + "\n"
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="erasure-{found.uid}.json"'
    return response
