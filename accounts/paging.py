"""Lists of `/account/` page by page, all in the same way: templates/account/pager.html shows the `pager`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.paginator import Paginator

from chatlead.keys import Unreadable, decrypted, encrypted

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

PLACES = ("page", "before", "after")  # what of an address says where in a list somebody is
TOKEN_MAX = 200


class Pager(NamedTuple):
    """The ways to the two pages beside this one, as query strings with all else that the address says; ""
    where there is none. `number` and `pages` are 0 where nobody has counted the pages."""

    newer: str
    older: str
    number: int = 0
    pages: int = 0


def paged(request: HttpRequest, rows: QuerySet[Any], size: int) -> dict[str, Any]:
    """`{"page": these rows, "pager": its Pager}` for a template, by `?page=N`; the nearest page there is for
    a number that makes no sense."""
    page = Paginator(rows, size).get_page(request.GET.get("page"))
    newer = _with(request, "page", page.previous_page_number()) if page.has_previous() else ""
    older = _with(request, "page", page.next_page_number()) if page.has_next() else ""
    return {"page": page, "pager": Pager(newer, older, page.number, page.paginator.num_pages)}


def between(request: HttpRequest, *, after: object = None, before: object = None) -> Pager:
    """For a list that goes on from a place in it: `?after=` leads to what is newer, `?before=` to what is
    older; None where there is nothing."""
    newer = "" if after is None else _with(request, "after", after)
    return Pager(newer, "" if before is None else _with(request, "before", before))


def _with(request: HttpRequest, name: str, value: object) -> str:
    query = request.GET.copy()
    for each in PLACES:
        query.pop(each, None)
    query[name] = str(value)
    return query.urlencode()


def place(account_id: int, pk: int) -> str:
    """A row's place in a list of an account, for an address: nobody reads a number of the database in it. It
    stays good while rows are added and removed."""
    return encrypted(f"place:{account_id}:{pk}")


def place_in(account_id: int, token: str) -> int | None:
    """Where `place` says, None for what it has not made, or made for another account."""
    if not token.isascii() or not token or len(token) > TOKEN_MAX:
        return None
    try:
        kind, account, pk = decrypted(token).split(":")
    except (Unreadable, ValueError):
        return None
    return int(pk) if (kind, account) == ("place", str(account_id)) else None
