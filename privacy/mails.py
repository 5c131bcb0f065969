"""Mails about requests: to who asks, in their language, and to the firm's admins. They name no datum but the
address they go to, and the outbox holds ids alone."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import formats, translation
from django.utils.crypto import salted_hmac

from accounts import outbox
from accounts.members import ADMINS
from accounts.models import Account, Operator
from privacy import languages
from privacy.models import PrivacyExport, PrivacyRequest

CODE = "privacy_code"
ACKNOWLEDGED = "privacy_acknowledged"
EXTENDED = "privacy_extended"
CLOSED = "privacy_closed"
HELD = "privacy_held"
LIFTED = "privacy_lifted"
ARRIVED = "privacy_arrived"
SOON = "privacy_due_soon"
LATE = "privacy_late"
# carried out in privacy/tasks.py
EXPORT = "privacy_export"
ERASE = "privacy_erase"

Kind, State = PrivacyRequest.Kind, PrivacyRequest.State


def code_of(request: PrivacyRequest) -> str:
    """The eight digits that were mailed last: made anew each time, so that no table holds them."""
    told = f"{request.uid}|{request.code_number}|{request.email}"
    digest = salted_hmac("chatlead.privacy.code", told, algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**8:08d}"


def forget(request_id: int) -> None:
    """Who asked is forgotten: the answer is on its way, or cannot be."""
    PrivacyRequest.objects.filter(pk=request_id).update(email="", phone="", details="", reason="")


def address(path: str) -> str:
    """The whole address of a page; where it is not known where we are reached, its path."""
    return f"{settings.PUBLIC_URL}{path}"


# --- to who asks --------------------------------------------------------------------------------------


@outbox.handler(CODE)
def mail_code(subject: dict[str, Any], key: str) -> None:
    """The code that proves who asks. An older one than the newest is of no use any more."""
    request = _request(subject)
    if request is None or not request.email or request.code_number != subject["number"]:
        return
    words = languages.words(request.language)
    minutes = str(settings.PRIVACY_CODE_MINUTES)
    lines = [words["code_intro"], code_of(request), words["code_until"].replace("{}", minutes)]
    _send(request, key, words["code_subject"], [*lines, words["unasked"]])


@outbox.handler(ACKNOWLEDGED)
def mail_acknowledged(subject: dict[str, Any], key: str) -> None:
    """It is with the firm, which answers until a day."""
    request = _request(subject)
    if request is None or not request.email:
        return
    words = languages.words(request.language)
    text = words["acknowledged"].replace("{firm}", _firm(request)).replace("{day}", _day(request))
    _send(request, key, words["subject"].replace("{}", _firm(request)), [text, _link(request, words)])


@outbox.handler(EXTENDED)
def mail_extended(subject: dict[str, Any], key: str) -> None:
    """It takes longer, and why."""
    request = _request(subject)
    if request is None or not request.email:
        return
    words = languages.words(request.language)
    text = words["extended"].replace("{firm}", _firm(request)).replace("{day}", _day(request))
    _send(request, key, words["subject"].replace("{}", _firm(request)), [text, request.reason])


@outbox.handler(HELD)
def mail_held(subject: dict[str, Any], key: str) -> None:
    """What was to be erased is kept for a legal claim, and what becomes of it; no more than that is said of
    the claim (R-071)."""
    request = _request(subject)
    if request is None or not request.email or request.state != State.IN_WORK:
        return
    words = languages.words(request.language)
    lines = [words["held"].replace("{firm}", _firm(request)), words["complain"], _link(request, words)]
    _send(request, key, words["subject"].replace("{}", _firm(request)), lines)


@outbox.handler(CLOSED)
def mail_closed(subject: dict[str, Any], key: str) -> None:
    """The end; who asked is forgotten then, but for a copy that is still to be fetched with a code."""
    request = _request(subject)
    if request is None or not request.email:
        return
    words = languages.words(request.language)
    firm = _firm(request)
    has_copy = PrivacyExport.objects.filter(request=request).exists()
    if request.account_id is None:
        lines = _passed_on(request, words)
    elif request.state == State.REFUSED:
        lines = [words["refused"].replace("{firm}", firm), request.reason, words["complain"]]
    elif has_copy:
        days = str(settings.PRIVACY_EXPORT_DAYS)
        lines = [words["copy"].replace("{firm}", firm).replace("{days}", days), _link(request, words)]
    elif request.restricted_at is not None:
        lines = [words["restricted"].replace("{firm}", firm)]
    elif request.certificate is not None:
        lines = [words["erased"].replace("{firm}", firm), words["erased_backups"]]
    else:
        found = sum((request.found or {}).values())
        lines = [words["kept" if found else "nothing_kept"].replace("{firm}", firm), request.reason]
    _send(request, key, words["subject"].replace("{}", firm), [each for each in lines if each])
    if not has_copy and (request.restricted_at is None or request.lifted_at is not None):
        forget(request.pk)


@outbox.handler(LIFTED)
def mail_lifted(subject: dict[str, Any], key: str) -> None:
    """A restriction has ended, and why; then who asked is forgotten."""
    request = _request(subject)
    if request is None or not request.email:
        return
    words, firm = languages.words(request.language), _firm(request)
    lines = [words["lifted"].replace("{firm}", firm), request.reason]
    _send(request, key, words["subject"].replace("{}", firm), lines)
    forget(request.pk)


def _passed_on(request: PrivacyRequest, words: dict[str, str]) -> list[str]:
    """Which firms have it now, and whether we keep something for ourselves (R-150)."""
    found = request.found or {}
    names = list(
        Account.objects.filter(pk__in=found.get("firms", ())).order_by("name").values_list("name", flat=True)
    )
    lines = [words["passed_on"], *(f"– {name}" for name in names)] if names else [words["no_firm"]]
    return [*lines, words["log_in" if found.get("log_in") else "no_log_in"]]


# --- to the firm --------------------------------------------------------------------------------------


@outbox.handler(ARRIVED)
def mail_arrived(subject: dict[str, Any], key: str) -> None:
    """A request waits."""
    _tell_admins(subject, key, "A privacy request waits", "Somebody has asked about their own data.")


@outbox.handler(SOON)
def mail_soon(subject: dict[str, Any], key: str) -> None:
    """Five days are left."""
    _tell_admins(
        subject, key, "A privacy request is due soon", "A privacy request has not been answered yet."
    )


@outbox.handler(LATE)
def mail_late(subject: dict[str, Any], key: str) -> None:
    """The day has come."""
    words = "The day on which a privacy request had to be answered has come. Answer it now, or say why not."
    _tell_admins(subject, key, "A privacy request is late", words)


def _tell_admins(subject: dict[str, Any], key: str, title: str, words: str) -> None:
    """Each in a mail of their own; nothing of who asks stands in it."""
    request = _request(subject)
    if request is None or request.account is None or request.state in (State.DONE, State.REFUSED):
        return
    admins = Operator.objects.filter(account=request.account, role__in=ADMINS, suspended_at=None)
    to = list(admins.filter(user__is_active=True).values_list("user__email", flat=True))
    page = address(reverse("privacy_request", args=[request.uid]))
    body = f"{words}\n\n{request.get_kind_display()}. Answer until {_day(request)}.\n{page}\n"
    for number, each in enumerate(to):
        EmailMessage(subject=title, body=body, to=[each], headers=_headers(f"{key}:{number}")).send()


def _request(subject: dict[str, Any]) -> PrivacyRequest | None:
    return PrivacyRequest.objects.select_related("account").filter(pk=subject["request"]).first()


def _firm(request: PrivacyRequest) -> str:
    return " ".join(request.account.name.split()) if request.account else "ChatLead"


def _day(request: PrivacyRequest) -> str:
    with translation.override(request.language):
        return formats.date_format(request.due_at, "DATE_FORMAT")


def _link(request: PrivacyRequest, words: dict[str, str]) -> str:
    return f"{words['page']}\n{address(reverse('privacy_asked', args=[request.uid]))}"


def _send(request: PrivacyRequest, key: str, subject: str, lines: list[str]) -> None:
    headers = _headers(key) | {"Content-Language": request.language}
    EmailMessage(subject=subject, body="\n\n".join(lines) + "\n", to=[request.email], headers=headers).send()


def _headers(key: str) -> dict[str, str]:
    """A repetition under the same key carries the same Message-ID."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    number = hashlib.sha256(key.encode()).hexdigest()[:32]
    return {"Message-ID": f"<{number}@{domain}>", "Auto-Submitted": "auto-generated"}
