"""One backup: read, packed, encrypted, kept in every store that is set up; and the record of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.models import Backup, BackupCopy, BackupProof, Installation, User
from chatlead import age
from chatlead.backups import erased, files, keep
from chatlead.backups.alone import alone
from chatlead.backups.pack import Packing, seal
from chatlead.backups.sources import (
    TIMES,
    Source,
    SourceFailed,
    make_sure_of_room,
    open_source,
    size_of_database,
)
from chatlead.keys import encrypted
from chatlead.stores import NotInStore, StoreRefused, StoreUnavailable

logger = logging.getLogger(__name__)

FORMAT = 2  # 1 had no list of files
FIELD_KEY_TEST = "chatlead"  # encrypted with the key of the columns, so that a restore sees whether it fits
RETRY = timedelta(minutes=30)  # after one that failed
AHEAD = timedelta(hours=1)  # of another machine's clock, at most
FAULTS = (SourceFailed, StoreUnavailable, age.BadKey, OSError)


def make_backup(asked_by: User | None = None, places: Collection[str] = ()) -> Backup:
    """Make one now, for every store that is set up, or for those at `places`. Returns its record, DONE or
    FAILED with the reason. Raises AtWork."""
    urls = {place: url for place, url in keep.stores().items() if place in places or not places}
    with alone():
        close_the_cut_off()
        backup = Backup.objects.create(started_at=timezone.now(), asked_by=asked_by)
        try:
            _make(backup, urls)
        except FAULTS as fault:
            problem = words_of(fault)
            for place, url in urls.items():  # what is too old goes whether there is a new one or not (B2-6)
                throw_away(place, url)
        except BaseException:
            _end(backup, Backup.State.FAILED, "a fault of ours: see the log")
            raise
        else:
            failed = [copy for copy in backup.copies.all() if copy.state == BackupCopy.State.FAILED]
            problem = "; ".join(f"{copy.get_place_display()}: {copy.problem}" for copy in failed)
        # files that the archive lacks are said, but are no reason to make the same every half hour
        _end(backup, Backup.State.FAILED if problem else Backup.State.DONE, problem or backup.problem)
    if problem:
        logger.error("a backup has failed: see /admin/backups/")
    return backup


def close_the_cut_off() -> None:
    """Whoever holds the lock is the only one at work: others that seem to be were killed."""
    said = {"problem": "it was cut off: the process was ended", "ended_at": timezone.now()}
    Backup.objects.filter(state=Backup.State.RUNNING).update(state=Backup.State.FAILED, **said)
    BackupProof.objects.filter(state=BackupProof.State.RUNNING).update(state=BackupProof.State.FAILED, **said)


def notice_the_killed() -> None:
    """What seems to be at work and is not is said to have failed, so that staff can ask for another. Raises
    AtWork, SourceFailed."""
    running = (Backup.objects.filter(state=Backup.State.RUNNING),
               BackupProof.objects.filter(state=BackupProof.State.RUNNING))  # fmt: skip
    if any(each.exists() for each in running):
        with alone():
            close_the_cut_off()


def come_back_from_the_future(now: datetime) -> None:
    """The clock was set back: what was made "later" counts as made now. Otherwise none would be due, nor
    missed by anybody, until then."""
    for each in (Backup, BackupProof):
        each.objects.filter(started_at__gt=now + AHEAD).update(started_at=now)


def last_hour(now: datetime) -> datetime:
    """When the day's backup was due last, by CHATLEAD_BACKUP_HOUR: of UTC, so no country's clock skips or
    repeats it."""
    now = now.astimezone(UTC)
    due = now.replace(hour=settings.BACKUP_HOUR, minute=0, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)


def next_hour(now: datetime) -> datetime:
    return last_hour(now) + timedelta(days=1)


def lacking(now: datetime) -> list[str]:
    """The stores for which the day's backup is still to be made: they have none that was begun since its
    hour, and nobody has tried for half an hour. A new installation has its first one at the next hour.

    A store that fails for a day is tried again by itself: were the others filled each half hour, they would
    soon hold nothing but today.
    """
    due = last_hour(now)
    made = Installation.objects.filter(pk=1).values_list("created_at", flat=True).first()
    if made is None or made > due:
        return []
    since = Backup.objects.filter(started_at__gte=due)
    # a backup without a copy is the one that this database was restored from
    kept = BackupCopy.objects.filter(backup__in=since, state=BackupCopy.State.KEPT)
    having = set(kept.values_list("place", flat=True))
    found = [place for place in keep.stores() if place not in having]
    return [] if since.filter(started_at__gte=now - RETRY).exists() else found


def head_of(source: Source, at: datetime) -> dict[str, Any]:
    """What a restore must know before it takes anything."""
    return {
        "format": FORMAT,
        "made_at": at.isoformat(),
        "engine": connection.vendor,
        "part": source.part,
        "epoch": Installation.objects.values_list("epoch", flat=True).first() or "",
        "migrations": sorted(".".join(each) for each in MigrationRecorder(connection).applied_migrations()),
        "field_key": encrypted(FIELD_KEY_TEST) if settings.FIELD_KEYS else "",
    }


def _make(backup: Backup, urls: dict[str, str]) -> None:
    to = keep.recipients()
    erased.mark()
    with keep.scratch_folder() as scratch:
        sealed = scratch / "sealed"
        make_sure_of_room(scratch, TIMES * (size_of_database() or _last_size()))
        copying = files.Copying(urls)
        if len(copying.closed) == len(urls):  # nobody would take it
            for place, url in urls.items():
                _keep(backup, place, url, sealed, copying)
            return
        with open_source(scratch) as source:
            packing = Packing()

            def content() -> Iterator[bytes]:
                yield from packing.head(head_of(source, backup.started_at))
                yield from packing.part(source.part, source.read())
                # after the moment of the database: what it names lies in the stores, or a newer one
                yield from packing.part(files.PART, copying.lines())
                yield from packing.manifest({"counts": source.counts})

            sealed.touch(mode=0o600)
            with sealed.open("wb") as target:
                seal(content(), target, to)
            backup.row_count = sum(source.counts.values())
        backup.name, backup.size = keep.new_name(backup.started_at), sealed.stat().st_size
        backup.file_count, backup.problem = copying.count, copying.problem
        backup.save(update_fields=["name", "size", "row_count", "file_count"])
        for place, url in urls.items():
            _keep(backup, place, url, sealed, copying)
        copying.throw_away()


def _last_size() -> int:
    """Of the last backup, in bytes: as large may the next one be."""
    made = Backup.objects.filter(size__gt=0).order_by("-started_at")
    return made.values_list("size", flat=True).first() or 0


def _keep(backup: Backup, place: str, url: str, sealed: Path, copying: files.Copying) -> None:
    """One store has it, or its record says why not; that one fails does not keep the other from trying. One
    that lacks files of the archive has the backup nevertheless, and its record says what it lacks."""
    state, problem = BackupCopy.State.KEPT, copying.problem_of(place)
    try:
        if place in copying.closed:
            raise StoreUnavailable(problem)
        store = keep.opened(url)
        store.sweep()
        store.put(backup.name, sealed)
        there = {each.name: each.size for each in keep.backups_in(store)}
        if there.get(backup.name) != backup.size:
            raise StoreUnavailable(f"{store.label} has taken it and does not have it")
    except (StoreUnavailable, NotInStore, OSError) as fault:
        state, problem = BackupCopy.State.FAILED, words_of(fault)
    BackupCopy.objects.create(backup=backup, place=place, state=state, problem=problem, at=timezone.now())
    if place not in copying.closed:  # one that is full has room again when what is too old has gone
        throw_away(place, url, but=backup.name if state == BackupCopy.State.KEPT else "")


def throw_away(place: str, url: str, *, but: str = "") -> int:
    """Delete what is too old or too much, by keep.expired, in one store; never the one of the name `but`,
    which was just made, whatever the clock says. Returns how many went. A store that lets nothing be deleted
    (write once) has a rule of its own, which docs/running.md gives."""
    try:
        store = keep.opened(url)
        others = [each for each in keep.backups_in(store) if each.name != but]
        newest = [keep.Kept(but, 0, timezone.now())] if but else []
        gone = keep.expired(
            [*newest, *others],
            now=timezone.now(),
            count=settings.BACKUP_KEEP_COUNT,
            days=settings.BACKUP_KEEP_DAYS,
        )
        for each in gone:
            store.delete(each.name)
    except StoreRefused:
        return 0
    except StoreUnavailable as fault:
        logger.warning("old backups were not thrown away (%s)", type(fault).__name__)
        return 0
    names = [each.name for each in gone]
    copies = BackupCopy.objects.filter(backup__name__in=names, place=place, state=BackupCopy.State.KEPT)
    copies.update(state=BackupCopy.State.EXPIRED, at=timezone.now())
    return len(gone)


def _end(backup: Backup, state: str, problem: str) -> None:
    backup.state, backup.problem, backup.ended_at = state, problem[:300], timezone.now()
    backup.save(update_fields=["state", "problem", "ended_at"])


def words_of(fault: BaseException) -> str:
    """For people: ours as they are, the system's without paths."""
    said = (fault.strerror or "a file failed") if isinstance(fault, OSError) else str(fault)
    return said[:300]
