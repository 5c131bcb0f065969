"""Who did what in a firm, and when (R-111, B2-18): for its admins, of their own account alone."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.members import ADMINS, member_page
from accounts.models import AuditEntry, Operator
from chatlead.cells import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

PAGE = 50
FILTERS = ("who", "kind", "since", "until")
DIGITS_MAX = 18


class _Line:
    """What echoes a row of CSV back to who streams it."""

    def write(self, text: str) -> str:
        return text


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
    given, before, names = _filters(request), request.GET.get("before", ""), _names(operator)
    rows = _found(operator, given)
    is_later = before.isascii() and before.isdecimal() and len(before) <= DIGITS_MAX
    if is_later:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    chosen = {name: value for name, value in given.items() if value}
    known = {
        "section": "audit",
        "given": given,
        "is_chosen": bool(chosen) or is_later,
        "rows": [_told(entry, names) for entry in page[:PAGE]],
        "older": urlencode(chosen | {"before": str(page[PAGE - 1].pk)}) if len(page) > PAGE else "",
        "chosen": urlencode(chosen),
        "names": names.items(),
        "kinds": [(name, words) for name, words in audit.KINDS.items() if name not in ("backup", "proof")],
    }
    return render(request, "account/privacy/audit.html", known)


@require_safe
@member_page(ADMINS)
def table(request: HttpRequest, operator: Operator) -> StreamingHttpResponse:
    """All that the filters leave, as CSV, row by row."""
    found, names = _found(operator, _filters(request)), _names(operator)
    writer = csv.writer(_Line(), lineterminator="\r\n")

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(("at", "who", "what", "action", "about", "facts"))
        for entry in found.iterator(chunk_size=500):
            told = _told(entry, names)
            cells = (told["who"], told["what"], entry.action, told["subject"], told["facts"])
            yield writer.writerow((entry.at.isoformat(), *map(harmless, cells)))

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response
