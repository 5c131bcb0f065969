"""Which visitors of an account are under legal hold (R-071). Who places and lifts one: privacy/holding.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import LegalHold
from chatlead.errors import UnderLegalHold

if TYPE_CHECKING:
    from collections.abc import Collection


def active(account_id: int) -> list[LegalHold]:
    """Those that were not lifted, the oldest first."""
    return list(LegalHold.objects.filter(account_id=account_id, lifted_at=None).order_by("placed_at", "id"))


def held_visitors(account_id: int) -> set[int]:
    """Everybody in this account of whom nothing may be erased, by database id."""
    return {visitor_id for hold in active(account_id) for visitor_id in hold.visitors}


def on(account_id: int, visitor_ids: Collection[int]) -> LegalHold | None:
    """The hold on one of these visitors; None where there is none."""
    wanted = set(visitor_ids)
    return next((hold for hold in active(account_id) if wanted & {*hold.visitors}), None)


def check(account_id: int, visitor_ids: Collection[int]) -> None:
    """Raises UnderLegalHold where one of them is held."""
    if on(account_id, visitor_ids) is not None:
        raise UnderLegalHold
