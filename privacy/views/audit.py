"""Who did what in a firm, and when (R-111, B2-18): for its admins, of their own account alone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.members import ADMINS, member_page
from accounts.models import AuditEntry, Operator
from accounts.paging import between, place, place_in
from chatlead.realtime.files import csv_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

PAGE = 50
FILTERS = ("who", "kind", "since", "until")
COLUMNS = ("at", "who", "what", "action", "about", "facts")
BATCH = 500


def _filters(request: HttpRequest) -> dict[str, str]:
    """As they were chosen; what makes no sense chooses nothing."""
    given = {name: request.GET.get(name, "").replace("\x00", "")[:40] for name in FILTERS}
    for name in ("since", "until"):
        given[name] = given[name] if _day(given[name]) else ""
    if given["kind"] not in audit.KINDS:
        given["kind"] = ""
    return given


def _day(text: str) -> datetime | None:
    """The beginning of a day, UTC."""
    try:
        day = parse_date(text)
        return datetime.combine(day + timedelta(days=1), time(), UTC) - timedelta(days=1) if day else None
    except (ValueError, OverflowError):
        return None


def _found(operator: Operator, given: dict[str, str]) -> QuerySet[AuditEntry]:
    until = _day(given["until"])
    return audit.found(
        operator.account_id,
        actor=given["who"],
        kind=given["kind"],
        since=_day(given["since"]),
        until=until + timedelta(days=1) if until else None,
    )


def _names(operator: Operator) -> dict[str, str]:
    of_firm = Operator.objects.filter(account=operator.account).order_by("name", "id")
    return dict(of_firm.values_list("uid", "name"))


def _told(entry: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    """An entry as people read it."""
    if entry.actor == AuditEntry.Actor.OPERATOR:
        who = names.get(entry.actor_uid, "Somebody who has left")
    else:
        who = "ChatLead, by itself" if entry.actor == AuditEntry.Actor.SERVICE else "Staff of ChatLead"
    facts = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sorted(entry.facts.items()))
    return {
        "at": entry.at,
        "who": who,
        "what": audit.WORDS.get(entry.action, entry.action),
        "facts": facts,
        "request": entry.subject.removeprefix("privacy:") if entry.subject.startswith("privacy:") else "",
        "subject": entry.subject,
    }


@require_safe
@member_page(ADMINS)
def entries(request: HttpRequest, operator: Operator) -> HttpResponse:
    """A page of them, the newest first; `?before=` goes on below a place in the list."""
    given, names = _filters(request), _names(operator)
    rows = _found(operator, given)
    before = place_in(operator.account_id, request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows[: PAGE + 1])
    chosen = {name: value for name, value in given.items() if value}
    older = place(operator.account_id, page[PAGE - 1].pk) if len(page) > PAGE else None
    known = {
        "section": "audit",
        "given": given,
        "is_chosen": bool(chosen) or before is not None,
        "rows": [_told(entry, names) for entry in page[:PAGE]],
        "pager": between(request, before=older),
        "chosen": urlencode(chosen),
        "names": names.items(),
        "kinds": [(name, words) for name, words in audit.KINDS.items() if name not in ("backup", "proof")],
    }
    return render(request, "account/privacy/audit.html", known)


@require_safe
@member_page(ADMINS)
def table(request: HttpRequest, operator: Operator) -> StreamingHttpResponse:
    """All that the filters leave, as CSV, sent as it is read."""
    found, names = _found(operator, _filters(request)), _names(operator)
    return csv_file(request, "audit.csv", COLUMNS, _rows(found, names))


def _rows(found: QuerySet[AuditEntry], names: dict[str, str]) -> Iterator[list[list[str]]]:
    rest = found
    while batch := list(rest[:BATCH]):
        yield [_row(entry, _told(entry, names)) for entry in batch]
        rest = found.filter(pk__lt=batch[-1].pk)


def _row(entry: AuditEntry, told: dict[str, Any]) -> list[str]:
    at = entry.at.isoformat()
    return [at, told["who"], told["what"], entry.action, told["subject"], told["facts"]]
