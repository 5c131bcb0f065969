"""`/account/sms/consents/`: the ledger, page by page, whole as a file, and whether it is what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.http import require_safe

from accounts.members import ADMINS, member_page
from accounts.paging import between
from chatlead.realtime.files import csv_file
from sms import history, ledger, selectors
from sms.ledger import SAID
from sms.views.pages import PAGE, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

    from accounts.models import Operator
    from sms.models import SmsConsent

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
    pager = between(request, after=found.newer, before=found.older)
    told = {"found": found, "fault": fault, "is_whole": is_whole, "pager": pager}
    return page_of(request, "consents", told)


@require_safe
@member_page(ADMINS)
def download(request: HttpRequest, operator: Operator) -> StreamingHttpResponse:
    """The whole ledger, sent as it is read (B1-11)."""
    return csv_file(request, "consents.csv", COLUMNS, _rows(operator.account_id))


def _rows(account_id: int) -> Iterator[list[list[str]]]:
    for entries in ledger.batches(account_id):
        selectors.name_numbers(account_id, entries)
        yield [_row(each) for each in entries]


def _row(entry: SmsConsent) -> list[str]:
    phone = entry.contact.number if entry.contact else ""  # type: ignore[attr-defined]
    said = (str(getattr(entry, name)) for name in SAID[2:])
    return [phone, entry.programme.name, *said, entry.at.isoformat(), entry.previous, entry.sha256]


def _position(request: HttpRequest, name: str) -> int | None:
    raw = request.GET.get(name, "")
    return int(raw) if raw.isdecimal() and raw.isascii() and len(raw) <= POSITION_DIGITS else None
