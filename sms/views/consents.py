"""`/account/sms/consents/`: the ledger, page by page, whole as a file, and whether it is what was written."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.members import ADMINS, member_page
from chatlead.cells import harmless
from chatlead.realtime import pool
from sms import history, ledger, selectors
from sms.ledger import SAID
from sms.views.pages import PAGE, page_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from django.http import HttpRequest, HttpResponse

    from accounts.models import Operator

POSITION_DIGITS = 18
# The account is one, programmes are named
COLUMNS = ("phone", "programme", *SAID[2:], "at", "previous", "sha256")


@require_safe
@member_page(ADMINS)
def consents(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Entries by their place, held against each other; with `?whole=yes` against all there are."""
    account_id = operator.account_id
    before, after = _position(request, "before"), _position(request, "after")
    found = ledger.page(account_id, PAGE, before=before, after=after)
    selectors.name_numbers(account_id, found.entries)
    for each in found.entries:
        each.source_name = history.SOURCES.get(each.source, each.source)  # type: ignore[attr-defined]
    is_all = found.newer is None and found.older is None
    is_whole = is_all or request.GET.get("whole") == "yes"
    fault = ledger.check(account_id) if is_whole and not is_all else found.fault
    return page_of(request, "consents", {"found": found, "fault": fault, "is_whole": is_whole})


@require_safe
@member_page(ADMINS)
def download(request: HttpRequest, operator: Operator) -> StreamingHttpResponse:
    """The whole ledger, sent as it is read (B1-11)."""
    lines = _lines(operator.account_id)
    # the server of sockets sends what comes on its loop; a test asks without one
    answer = StreamingHttpResponse(
        _in_threads(lines) if isinstance(request, ASGIRequest) else lines,
        content_type="text/csv; charset=utf-8",
    )
    answer["Content-Disposition"] = 'attachment; filename="consents.csv"'
    return answer


async def _in_threads(lines: Iterator[str]) -> AsyncIterator[str]:
    while part := await pool.run(next, lines, ""):
        yield part


def _lines(account_id: int) -> Iterator[str]:
    """A batch at a time, the first with the names of the columns."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    yield file.getvalue()
    for entries in ledger.batches(account_id):
        selectors.name_numbers(account_id, entries)
        file.seek(0)
        file.truncate()
        for each in entries:
            phone = each.contact.number if each.contact else ""  # type: ignore[attr-defined]
            said = (str(getattr(each, name)) for name in SAID[2:])
            row = (phone, each.programme.name, *said, each.at.isoformat(), each.previous, each.sha256)
            writer.writerow([harmless(cell, with_phones=True) for cell in row])
        yield file.getvalue()


def _position(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name, "")
    return int(raw) if raw.isdecimal() and raw.isascii() and len(raw) <= POSITION_DIGITS else None
