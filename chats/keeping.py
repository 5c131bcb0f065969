"""What is due for the archive, and whose run it is: limits, leases and what a page and /metrics say of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from chats.models import ArchivedChat, Chat, ChatSeal, KeepingRun, RetentionLimit

LEASE_SECONDS: Final = 600  # renewed before each chat
RENEW_SECONDS: Final = 60
FAULTS_KEPT: Final = 50
PAGE: Final = 200
LATE_DAYS: Final = 30
LEAST_DAYS: Final = 14  # what was missed is listed with its words for seven
MOST_DAYS: Final = 10 * 365


class LeaseLost(Exception):
    """The run is somebody else's: it stood still for longer than a lease."""


class Lease:
    """A claimed run: what it has done so far, written down now and then. `renew` before each chat."""

    def __init__(self, run: KeepingRun, until: datetime) -> None:
        self.run = run
        self.until = until
        self.done = 0
        self.failed = 0
        self.faults: list[list[str]] = []

    def fail(self, uid: str, code: str) -> None:
        """A chat that did not fit: `damaged`; or with "" what is no one chat's fault, noted once: `store`,
        `claim`, `key`, `locked`."""
        self.failed += 1
        if len(self.faults) < FAULTS_KEPT and [uid, code] not in self.faults:
            self.faults.append([uid, code])

    def renew(self) -> None:
        """Raises LeaseLost."""
        now = timezone.now()
        if self.until - now < timedelta(seconds=LEASE_SECONDS - RENEW_SECONDS):
            self._write(leased_until=now + timedelta(seconds=LEASE_SECONDS))

    def end(self) -> None:
        """The run is over. Raises LeaseLost."""
        self._write(leased_until=self.until, ended_at=timezone.now())

    def _write(self, *, leased_until: datetime, **changed: Any) -> None:
        mine = KeepingRun.objects.filter(pk=self.run.pk, leased_until=self.until, ended_at=None)
        counts = {"done_count": self.done, "failed_count": self.failed, "faults": self.faults}
        if not mine.update(leased_until=leased_until, **counts, **changed):
            raise LeaseLost
        self.until = leased_until


def open_run(account_id: int, kind: str) -> KeepingRun:
    """The run of this kind that has not ended, or a new one that waits."""
    defaults = {"asked_at": timezone.now()}
    return KeepingRun.objects.get_or_create(
        account_id=account_id, kind=kind, ended_at=None, defaults=defaults
    )[0]


def claim(run: KeepingRun) -> Lease | None:
    """The run is ours until the lease ends; None while it is somebody else's, or over."""
    now = timezone.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    claimed = KeepingRun.objects.filter(_free(now), pk=run.pk, ended_at=None)
    if not claimed.update(leased_until=until, started_at=now, done_count=0, failed_count=0, faults=[]):
        return None
    return Lease(run, until)


def asked(kind: str) -> list[KeepingRun]:
    """Runs that wait for somebody, or whose lease has ended. None while another of this kind goes on: each
    may take hours, and a worker has few hands."""
    now = timezone.now()
    waiting = KeepingRun.objects.filter(kind=kind, ended_at=None)
    if waiting.exclude(_free(now)).exists():
        return []
    return sorted(waiting, key=lambda run: run.pk)  # sorted by SQLite it would read all that have ended


def _free(now: datetime) -> Q:
    """Nobody's. A lease that ends much later than any can was given by a clock that was set back since."""
    latest = now + timedelta(seconds=2 * LEASE_SECONDS)
    return Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_until__gt=latest)


def last_runs(account_id: int) -> dict[str, KeepingRun]:
    """{kind: the newest run} of those that there were."""
    found = {}
    for kind in KeepingRun.Kind.values:
        newest = KeepingRun.objects.filter(account_id=account_id, kind=kind).order_by("-id").first()
        if newest is not None:
            found[kind] = newest
    return found


# --- what is due --------------------------------------------------------------------------------------


def _limits(account_id: int | None = None) -> list[tuple[int, int]]:
    """(site, days) of all sites that have a limit."""
    limits = RetentionLimit.objects.filter(days__gt=0)
    if account_id is not None:
        limits = limits.filter(account_id=account_id)
    return list(limits.order_by("site_id").values_list("site_id", "days"))


def _due_of(site_ids: Collection[int], days: int) -> QuerySet[Chat]:
    before = timezone.now() - timedelta(days=days)
    return Chat.objects.filter(site_id__in=site_ids, archived_at=None, closed_at__lt=before)


def due(account_id: int, without: Collection[int], most: int) -> list[tuple[int, str]]:
    """(id, uid) of some chats of an account that are older than their site's limit, the oldest of each site
    first."""
    found: list[tuple[int, str]] = []
    for site_id, days in _limits(account_id):
        waiting = _due_of([site_id], days).exclude(pk__in=without).order_by("closed_at")
        found += waiting.values_list("pk", "uid")[: most - len(found)]
        if len(found) >= most:
            break
    return found


def accounts_with_work() -> list[int]:
    """Accounts that have a limit, or something unfinished in the store."""
    unfinished = ArchivedChat.objects.filter(~Q(state=ArchivedChat.State.KEPT) | ~Q(other_name=""))
    limited = RetentionLimit.objects.filter(days__gt=0)
    return sorted({*unfinished.values_list("account_id", flat=True)}
                  | {*limited.values_list("account_id", flat=True)})  # fmt: skip


class Due(NamedTuple):
    """What waits for the archive: how many chats, and for how long the oldest has been over its limit."""

    chat_count: int
    age_seconds: float


def due_everywhere() -> Due:
    """For /metrics: one query for each number of days that is somebody's limit."""
    by_days: dict[int, list[int]] = {}
    for site_id, days in _limits():
        by_days.setdefault(days, []).append(site_id)
    count, age = 0, 0.0
    for days, site_ids in by_days.items():
        found = _due_of(site_ids, days).aggregate(count=Count("id"), oldest=Min("closed_at"))
        count += found["count"]
        if found["oldest"]:
            over = timezone.now() - found["oldest"] - timedelta(days=days)
            age = max(age, over.total_seconds())
    return Due(count, age)


# --- seals --------------------------------------------------------------------------------------------


def chats_grown() -> list[int]:
    """Chats in the database whose logs go beyond their seal, of the seals of the last LATE_DAYS: however many
    there are, a night reads the new ones. What comes later is sealed when its chat moves to the archive."""
    grown = ~Q(last_seq=F("chat__last_seq")) | ~Q(last_staff_seq=F("chat__last_staff_seq"))
    since = timezone.now() - timedelta(days=LATE_DAYS)
    seals = ChatSeal.objects.order_by("-pk")
    rest, found = seals, list[int]()
    while page := list(rest.values_list("pk", "sealed_at")[:PAGE]):
        if max(sealed_at for _, sealed_at in page) < since:
            break
        first, last = page[-1][0], page[0][0]
        late = seals.filter(grown, pk__gte=first, pk__lte=last, chat__archived_at=None)
        found += late.values_list("chat_id", flat=True)
        rest = seals.filter(pk__lt=first)
    return found


def sealed_chats(account_id: int | None = None, uid: str = "") -> Iterator[Chat]:
    """All chats that are sealed, of one account or of all, or the one of this uid; with site and department,
    page by page."""
    sealed = Chat.objects.filter(sealed_at__isnull=False).select_related("site", "department")
    if account_id is not None:
        sealed = sealed.filter(account_id=account_id)
    if uid:
        sealed = sealed.filter(uid=uid)
    last = 0
    while page := list(sealed.filter(pk__gt=last).order_by("pk")[:PAGE]):
        yield from page
        last = page[-1].pk


class Kept(NamedTuple):
    """Chats of one site that have ended, by where they are."""

    ended: int
    sealed: int
    archived: int


def counts_of(account_id: int) -> dict[int, Kept]:
    """{site: its counts}."""
    ended = Chat.objects.filter(account_id=account_id, closed_at__isnull=False).values("site_id").order_by()
    found = ended.annotate(all=Count("id"), seals=Count("sealed_at"), files=Count("archived_at"))
    return {each["site_id"]: Kept(each["all"], each["seals"], each["files"]) for each in found}
