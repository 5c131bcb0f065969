"""After about how many minutes somebody is answered (R-034), from the last waits that ended with an answer.

Learnt for each account by one bounded question a minute (`learn`, in a round), never for a visitor: whoever
tells a number takes what this process knows. Where too little is known nothing is said.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from statistics import median
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from django.utils import timezone

from chats.models import Chat

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

LATEST = 200  # chats of an account that are looked at, of all its departments
ANSWERED = 20  # of these, so many waits of a department at most
LEAST = 5  # with fewer nothing is said
DAYS = 7
LEARN_SECONDS = 60.0  # between two looks at an account
FORGET_SECONDS = 600.0  # what was learnt before that is not told any more
ACCOUNTS_AT_ONCE = 50
FINE_MINUTES, MOST_MINUTES = 5, 60  # above the first in fives; beyond the second nothing is said


class Pace(NamedTuple):
    """How a department has answered lately, in seconds: `wait` from the start to an answer, `turn` what each
    place in line took. `at` is of time.monotonic()."""

    wait: float
    turn: float
    at: float


_lock = Lock()
_looked_at: dict[int, float] = {}  # by account
_paces: dict[int | str, Pace] = {}  # by a department's database id, and by its uid


def learn(account_ids: Collection[int]) -> None:
    """Looks at the accounts that it has not looked at for a minute, the longest ago first; one query each."""
    now = monotonic()
    with _lock:
        due = [pk for pk in account_ids if now - _looked_at.get(pk, -LEARN_SECONDS) >= LEARN_SECONDS]
        due = sorted(due, key=lambda pk: _looked_at.get(pk, 0.0))[:ACCOUNTS_AT_ONCE]
        _looked_at.update(dict.fromkeys(due, now))
    for account_id in due:
        found = _paces_of(account_id)
        with _lock:
            _paces.update(found)
    with _lock:
        for known in [key for key, pace in _paces.items() if now - pace.at > FORGET_SECONDS]:
            del _paces[known]
        for pk in [pk for pk, at in _looked_at.items() if now - at > FORGET_SECONDS]:
            del _looked_at[pk]


def _paces_of(account_id: int) -> dict[int | str, Pace]:
    """{department id, and uid: its pace} of those with enough answers."""
    latest = Chat.objects.filter(account_id=account_id).order_by("-id")
    columns = ("department_id", "department__uid", "session_key", "started_at", "accepted_at", "returned_at")
    since = timezone.now() - timedelta(days=DAYS)
    waits: dict[tuple[int, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for pk, uid, key, started_at, accepted_at, returned_at in latest.values_list(*columns)[:LATEST]:
        # who writes by text waits otherwise; who came back to the line was answered twice
        if accepted_at is None or returned_at is not None or ":" in key or started_at < since:
            continue
        if len(waits[pk, uid]) < ANSWERED:
            waits[pk, uid].append((started_at, accepted_at))
    found: dict[int | str, Pace] = {}
    for (pk, uid), ended in waits.items():
        if len(ended) >= LEAST:
            found[pk] = found[uid] = _pace(ended)
    return found


def _pace(waits: Sequence[tuple[datetime, datetime]]) -> Pace:
    """Of (started, accepted): a place takes from the answer before, or from its own start, to its answer."""
    ended = sorted(waits, key=lambda wait: wait[1])
    before = [ended[0][0], *(accepted for _, accepted in ended)]
    turns = [
        (accepted - max(started, last)).total_seconds()
        for (started, accepted), last in zip(ended, before, strict=False)
    ]
    return Pace(
        wait=median((accepted - started).total_seconds() for started, accepted in ended),
        turn=median(turns),
        at=monotonic(),
    )


def minutes_to_turn(department_id: int, place: int) -> int:
    """After about how many minutes whoever has this place in line is answered; 0 where it is not known."""
    pace = _known(department_id)
    return _told(pace.turn * place) if pace and place else 0


def reply_minutes(department_uids: Collection[str]) -> dict[str, int]:
    """{department uid: after about how many minutes its visitors were answered lately}, where it is known."""
    paces = {uid: _known(uid) for uid in department_uids}
    told = {uid: _told(pace.wait) for uid, pace in paces.items() if pace}
    return {uid: minutes for uid, minutes in told.items() if minutes}


def forget() -> None:
    """What was learnt is not known any more."""
    with _lock:
        _looked_at.clear()
        _paces.clear()


def _known(department: int | str) -> Pace | None:
    pace = _paces.get(department)
    return pace if pace and monotonic() - pace.at <= FORGET_SECONDS else None


def _told(seconds: float) -> int:
    """Whole minutes as a person would say them, 0 for nothing to be said."""
    minutes = max(1, round(seconds / 60))
    if minutes > FINE_MINUTES:
        minutes = 5 * round(minutes / 5)
    return minutes if minutes <= MOST_MINUTES else 0
