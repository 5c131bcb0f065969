"""Side effects that must not be lost: a row in the transaction that wants them, carried out afterwards (V-7).

An item is claimed by a lease, carried out at least once, and tells the handler its `key`, so that the
receiving side can see a repetition. A failure comes back later and later; after ATTEMPTS the item is dead and
stays for somebody to look at. A broker may forget: the sweep finds what is due in the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import Account, OutboxItem

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60
RENEW_SECONDS = 20.0
LONGEST_SECONDS = 3600  # a handler that takes longer hangs
ATTEMPTS = 12
FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 3600
SWEEP_LIMIT = 500

Handler = Callable[[dict[str, Any], str], None]
_handlers: dict[str, Handler] = {}


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Decorator: `f(subject, key)` carries out items of this kind. It may be called twice with one key."""

    def register(function: Handler) -> Handler:
        if kind in _handlers and _handlers[kind] is not function:
            raise ValueError(f"{kind} has two handlers")
        _handlers[kind] = function
        return function

    return register


def add(kind: str, subject: dict[str, Any], key: str, account: Account | int | None = None) -> bool:
    """Wants this done. Call it inside the transaction that gives the reason; `subject` holds ids only.

    The same `key` again changes nothing and returns False. The work begins after the commit.
    """
    if kind not in _handlers:
        raise ValueError(f"no handler for {kind}")
    account_id = account.pk if isinstance(account, Account) else account
    item, is_new = OutboxItem.objects.get_or_create(
        key=key,
        defaults={"kind": kind, "subject": subject, "account_id": account_id, "due_at": timezone.now()},
    )
    if is_new:
        transaction.on_commit(lambda: _hint(item.pk), robust=True)
    return is_new


def hurry(key: str) -> None:
    """What waits under this key to be tried again, and whose reason to wait is gone, is due at once."""
    now = timezone.now()
    waits = OutboxItem.objects.filter(key=key, state=OutboxItem.State.PENDING, leased_until=None)
    for item_id in waits.filter(due_at__gt=now).values_list("id", flat=True):
        OutboxItem.objects.filter(pk=item_id).update(due_at=now)
        _hint(item_id)


def _hint(item_id: int) -> None:
    """Tells a worker at once; where the broker does not answer, the sweep is soon enough."""
    try:
        app = import_string(settings.CELERY_APP)
        app.send_task("accounts.tasks.deliver", args=[item_id], retry=False)
    except Exception as error:  # kombu raises what its transport raises
        logger.warning("no broker (%s); the sweep will find outbox item %s", type(error).__name__, item_id)


def due_ids() -> list[int]:
    """Items that wait for somebody: due, and claimed by nobody whose lease still holds."""
    now = timezone.now()
    _come_back_from_the_future(now)
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    waiting = OutboxItem.objects.filter(free, state=OutboxItem.State.PENDING, due_at__lte=now)
    return list(waiting.order_by("due_at", "id").values_list("id", flat=True)[:SWEEP_LIMIT])


def _come_back_from_the_future(now: datetime) -> None:
    """The clock was set back: what was wanted or claimed only later would wait for as long as that."""
    lease = timedelta(seconds=LEASE_SECONDS)
    waiting = OutboxItem.objects.filter(state=OutboxItem.State.PENDING)
    waiting.filter(created_at__gt=now + lease).update(created_at=now, due_at=now)
    waiting.filter(leased_until__gt=now + 2 * lease).update(leased_until=now + lease)


class Backlog(NamedTuple):
    """What is not done: how many items, and how long the oldest has been wanted."""

    waiting_count: int
    age_seconds: float


def backlog() -> Backlog:
    """As it is now; those that were given up are not counted."""
    waiting = OutboxItem.objects.filter(state=OutboxItem.State.PENDING)
    found = waiting.aggregate(count=Count("id"), oldest=Min("created_at"))
    oldest = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return Backlog(found["count"], max(0.0, age))


def carry_out(item_id: int) -> bool:
    """Claims the item and carries it out; True when it is done now. Safe to call twice, and at the same time.

    1 the claim is one statement, so one caller wins; 2 the work is outside any transaction; 3 a caller that
    dies in between leaves a lease that ends, and the item is carried out again under the same key;
    4 one that lives and takes long, an export say, keeps its lease, so that nobody makes the same beside it.
    """
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    mine = OutboxItem.objects.filter(free, pk=item_id, state=OutboxItem.State.PENDING, due_at__lte=now)
    lease = now + timedelta(seconds=LEASE_SECONDS)
    if not mine.update(leased_until=lease, attempt_count=F("attempt_count") + 1):
        return False
    item = OutboxItem.objects.get(pk=item_id)
    claim = _Claim(item_id, lease)
    try:
        with claim.renewed():
            _handlers[item.kind](item.subject, item.key)
    except Exception as error:  # whatever it was: it comes back later
        is_dead = item.attempt_count >= ATTEMPTS
        delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (item.attempt_count - 1))
        claim.rows().update(
            leased_until=None,
            due_at=timezone.now() + timedelta(seconds=delay),
            last_error=type(error).__name__[:200],
            state=OutboxItem.State.DEAD if is_dead else OutboxItem.State.PENDING,
        )
        level = logging.ERROR if is_dead else logging.WARNING
        logger.log(
            level,
            "outbox item %s (%s) failed at attempt %s: %s",
            item.pk,
            item.kind,
            item.attempt_count,
            type(error).__name__,
        )
        return False
    claim.rows().update(state=OutboxItem.State.DONE, done_at=timezone.now(), leased_until=None, last_error="")
    return True


class _Claim:
    """An item that is ours until `until`."""

    def __init__(self, item_id: int, until: datetime) -> None:
        self._item_id, self._until = item_id, until

    def rows(self) -> QuerySet[OutboxItem]:
        """The item; nothing where somebody else has claimed it since."""
        return OutboxItem.objects.filter(pk=self._item_id, leased_until=self._until)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """The lease does not end within the block."""
        over = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(over,), name="outbox-lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()

    def _renew(self, over: threading.Event) -> None:
        try:
            for _ in range(round(LONGEST_SECONDS / RENEW_SECONDS)):
                if over.wait(RENEW_SECONDS):
                    return
                until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
                try:
                    if not self.rows().update(leased_until=until):
                        return
                    self._until = until
                except DatabaseError as error:  # two more attempts before the lease ends
                    logger.warning("a lease was not renewed (%s)", type(error).__name__)
        finally:
            connections.close_all()  # this thread's
