"""Who is there: an operator's intent, the lease that makes it true, and the watch over all leases (V-14).

Reads only; `accounts.actions` writes what they tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Installation, Operator
from chatlead.prepared import Among, Prepared

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

WATCH_TURNS = 4  # so many turns without anybody who looked are a break in the watch


def is_really_online(operator: Operator) -> bool:
    """Online is the intent, and nobody has found the operator gone (`expire_leases`, which also tells)."""
    return (
        operator.availability == Operator.Availability.ONLINE
        and operator.suspended_at is None
        and operator.lease_until is not None
    )


def watch_seconds() -> float:
    """How often each web process writes down who is there, and one of them looks who has gone."""
    return float(settings.LEASE_SECONDS) / 6


@dataclass(frozen=True, slots=True)
class Turn:
    """To look who is there, as of `at`; `may_judge`: and to say who has gone."""

    at: datetime
    may_judge: bool


def watch_turn() -> timedelta:
    """After so long it is the turn of whoever comes next; WATCH_TURNS of them without one are a break."""
    return timedelta(seconds=watch_seconds() * 0.8)


def watched_since() -> datetime | None:
    """Since when it was seen without a break who is there; None where nobody has looked yet."""
    return Installation.objects.values_list("watched_since", flat=True).filter(pk=1).first()


def is_watched(now: datetime) -> bool:
    """Whether somebody looks who is there, by this clock. It may have been set a moment ago, before anybody
    noticed; then no time says how long anything has been. True where nobody has looked yet."""
    found = Installation.objects.values_list("watched_at", flat=True).filter(pk=1).first()
    turn = watch_turn()
    return found is None or now - WATCH_TURNS * turn <= found <= now + turn


def long_ago() -> datetime:
    """Who has been gone since before this moment comes back as Away."""
    return timezone.now() - timedelta(seconds=settings.AWAY_SECONDS)


def away_since_when(operator_ids: Collection[int]) -> dict[int, datetime]:
    """{operator: since when they were gone}, of those whose intent became Away for it; in one query."""
    return {pk: gone_at for pk, gone_at in _away(operators=operator_ids) if gone_at is not None}


_away = Prepared(
    lambda operators: Operator.objects.filter(
        Among("pk", operators),
        availability=Operator.Availability.AWAY,
        lease_until__isnull=False,
        gone_at__isnull=False,
    ).values_list("pk", "gone_at")
)


def lost_operators(now: datetime | None = None) -> QuerySet[Operator]:
    """Who has been gone for so long, or was never there, that no visitor should wait for them any more."""
    over = (now or timezone.now()) - timedelta(seconds=settings.RETURN_SECONDS)
    return Operator.objects.filter(Q(gone_at=None) | Q(gone_at__lte=over), lease_until=None)


def hold_if_lost(operator_id: int, now: datetime | None = None) -> Operator | None:
    """The operator, where they are lost still; their coming back then waits for the transaction's end."""
    return lost_operators(now).select_for_update(no_key=True).filter(pk=operator_id).first()
