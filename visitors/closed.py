"""Browsers from which nothing is collected any more, because somebody there is under 18 (R-070)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from chatlead.errors import UnderAge
from visitors.models import ClosedBrowser, Visitor, VisitorSession

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

DAYS = 365  # whoever was a child may be none by then, and a browser is seldom kept for longer


def key_of(known_as: str) -> str:
    """By which a browser is closed that is known by this hash, of its id or of a live session."""
    return hashlib.sha256(f"closed|{known_as}".encode()).hexdigest()


def keys_of(account_id: int, visitor_ids: Collection[int]) -> set[str]:
    """All by which the browsers of these visitors may be known again. A telephone number is none (`sms:`)."""
    mine = Visitor.objects.filter(account_id=account_id, pk__in=visitor_ids).exclude(browser_key=None)
    sessions = VisitorSession.objects.filter(account_id=account_id, visitor_id__in=visitor_ids)
    known = {*mine.values_list("browser_key", flat=True), *sessions.values_list("key", flat=True)}
    return {key_of(each) for each in known if each and ":" not in each}


def among(known_as: Iterable[str]) -> set[str]:
    """Those of these hashes whose browser is closed; one query."""
    keys = {key_of(each): each for each in known_as if each}
    if not keys:
        return set()
    return {keys[key] for key in ClosedBrowser.objects.filter(key__in=keys).values_list("key", flat=True)}


def check(*known_as: str) -> None:
    """Raises UnderAge where one of these hashes is of a closed browser."""
    if among(known_as):
        raise UnderAge


def is_visitor_closed(account_id: int, visitor_id: int) -> bool:
    """Whether the visitor's browser is, while anything leads to it."""
    keys = keys_of(account_id, [visitor_id])
    return bool(keys) and ClosedBrowser.objects.filter(key__in=keys).exists()
