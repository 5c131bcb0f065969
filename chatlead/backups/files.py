"""The files of archived chats beside the backups (R-116, R-118): each is copied once into every store.

They are encrypted, never change under one name, and are many, so a backup does not hold them: it holds their
list, in the form of `sha256sum`, and beside the backups lies `archive/NAME` for each line. What no row of the
archive names any more is marked by `gone/NAME`, and deleted when the mark is as old as a backup may become:
so long an older backup may need it, and no longer may what was erased be kept. In a bucket, which may have a
rule that deletes by age, a copy that is needed is written again before that.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import IO, NamedTuple

from django.conf import settings
from django.utils import timezone

from chatlead.backups import keep
from chatlead.backups.pack import Damaged
from chatlead.errors import ArchiveDamaged, ArchiveLocked
from chatlead.stores import BucketStore, NotInStore, Store, Stored, StoreRefused, StoreUnavailable
from chats import archive, seals
from chats.models import ArchivedChat, ChatSeal

logger = logging.getLogger(__name__)

PART = "archive.sha256"
FOLDER, GONE = "archive", "gone"
PAGE = 500
OPENED_MOST = 20_000  # files that one proof opens; of more it opens as many, others each time


def _rows() -> Iterator[ArchivedChat]:
    """The files that the database names, with their chats, page by page; without those that an erasure has
    taken whole, because nobody could read them."""
    kept = ArchivedChat.objects.filter(state=ArchivedChat.State.KEPT).exclude(size=0).select_related("chat")
    last = 0
    while page := list(kept.filter(pk__gt=last).order_by("pk")[:PAGE]):
        yield from page
        last = page[-1].pk


class _Place:
    """One store of backups, and which files it had when we looked."""

    def __init__(self, url: str) -> None:
        self.store: Store = keep.opened(url)
        self.there = _by_name(self.store, FOLDER)
        self.problem = ""

    def needs(self, file: ArchivedChat) -> bool:
        """Whether the copy is missing, or a bucket's rule may delete it before the backups that list it."""
        found = self.there.get(file.name)
        if found is None or found.size != file.size:
            return True
        renewed = timezone.now() - timedelta(days=settings.BACKUP_KEEP_DAYS) / 2
        return isinstance(self.store, BucketStore) and found.modified_at < renewed


def _by_name(store: Store, folder: str) -> dict[str, Stored]:
    return {each.name.removeprefix(f"{folder}/"): each for each in store.list(folder)}


class Copying:
    """The files of one backup on their way into the stores. `count` files are listed, `lost` are not where
    the archive should have them; `problems` says of each place what its store complained of, `closed` of
    those that did not answer at all."""

    def __init__(self, places: dict[str, str]) -> None:
        self.count = self.lost = 0
        self.archive_problem = ""
        self._archive: Store | None = None
        self.closed: dict[str, str] = {}
        self._names: set[str] = set()
        self._places: dict[str, _Place] = {}
        for place, url in places.items():
            try:
                self._places[place] = _Place(url)
            except StoreUnavailable as fault:
                self.closed[place] = str(fault)

    def problem_of(self, place: str) -> str:
        """Why files are missing there; "" where none is."""
        return self._places[place].problem if place in self._places else self.closed.get(place, "")

    @property
    def problem(self) -> str:
        """What is wrong with the archive itself, in words."""
        if self.archive_problem:
            return f"archived chats were not copied: {self.archive_problem}"
        if self.lost:
            return f"{self.lost} archived chats have no file that fits: run `manage.py verify_archive`"
        return ""

    def lines(self) -> Iterator[bytes]:
        """Copies what is not there yet; a line for each file that is. What is killed here is gone on with by
        the next backup."""
        for row in _rows():
            file: ArchivedChat | None = row
            wanting = [each for each in self._places.values() if not each.problem and each.needs(row)]
            if wanting:
                self._names.add(row.name)
                file = self._copy(row, wanting)
            if file is not None:
                self._names.add(file.name)
                self.count += 1
                yield f"{file.sha256}  {FOLDER}/{file.name}\n".encode()

    def _copy(self, file: ArchivedChat, wanting: list[_Place]) -> ArchivedChat | None:
        """The row as it is now, when its file was read; None where that is not to be had."""
        if self.archive_problem:
            return None
        try:
            self._archive = self._archive or archive.store()
            found = _read(file, self._archive)
        except StoreUnavailable as fault:
            self.archive_problem = str(fault)
            return None
        if found is None:
            self.lost += 1
            return None
        now, data = found
        for place in wanting:
            try:
                place.store.put(f"{FOLDER}/{now.name}", data)
            except StoreUnavailable as fault:
                place.problem = f"archived chats: {fault}"
        return now

    def throw_away(self) -> None:
        """Mark what nobody names any more, and delete what was marked long enough ago."""
        if self.archive_problem:
            return
        old = timezone.now() - timedelta(days=settings.BACKUP_KEEP_DAYS)
        for place in self._places.values():
            try:
                self._throw_away(place, old)
            except StoreRefused:  # nothing may be deleted there: the bucket's own rule does it
                pass
            except StoreUnavailable as fault:
                logger.warning("files of old backups were not thrown away (%s)", type(fault).__name__)

    def _throw_away(self, place: _Place, old: datetime) -> None:
        marks = _by_name(place.store, GONE)
        for name in place.there.keys() - self._names:
            mark = marks.get(name)
            if mark is None:
                place.store.put(f"{GONE}/{name}", b"no row names this file any more\n")
            elif mark.modified_at < old:
                place.store.delete(f"{FOLDER}/{name}")
                place.store.delete(f"{GONE}/{name}")
        for name in marks.keys() & self._names:  # a restore has brought its row back
            place.store.delete(f"{GONE}/{name}")


def _read(file: ArchivedChat, store: Store) -> tuple[ArchivedChat, bytes] | None:
    """The row and what its file holds, also where an erasure replaces it in this moment; None where there is
    no such file or another one. Raises StoreUnavailable."""
    while True:
        try:
            data = store.get(file.name)
        except NotInStore:
            data = b""
        if hashlib.sha256(data).hexdigest() == file.sha256:
            return file, data
        now = ArchivedChat.objects.filter(pk=file.pk, state=ArchivedChat.State.KEPT).first()
        if now is None or (now.name, now.sha256) == (file.name, file.sha256):
            return None
        file = now


# --- back into the archive ----------------------------------------------------------------------------


class Brought(NamedTuple):
    """What a restore did: files that came back into the archive, and those that are nowhere."""

    file_count: int
    missing_count: int


def bring_back(urls: Sequence[str]) -> Brought:
    """Every file that the restored database names is in the archive, from the first store of backups that has
    it; what is there already is left alone. May be repeated. Raises StoreUnavailable."""
    count = missing = 0
    here: Store | None = None
    opened: dict[str, Store] = {}
    for row in _rows():
        if here is None:
            here = archive.store()
            there = {each.name for each in here.list()}
            uids = {archive.uid_in(name) for name in there}
        if row.name in there:
            continue
        if row.chat.uid in uids and archive.adopt(row.chat):  # an erasure has replaced it since
            continue
        data = _of_stores(row, urls, opened)
        if data is None:
            missing += 1
            continue
        here.put(row.name, data)
        count += 1
    return Brought(count, missing)


def _of_stores(file: ArchivedChat, urls: Sequence[str], opened: dict[str, Store]) -> bytes | None:
    """From the first that has it; `opened` grows by those that were asked: a connection serves all files."""
    fault: StoreUnavailable | None = None
    for url in urls:
        try:
            if url not in opened:
                opened[url] = keep.opened(url)
            data = opened[url].get(f"{FOLDER}/{file.name}")
        except NotInStore:
            continue
        except StoreUnavailable as unavailable:
            fault = unavailable
            continue
        if hashlib.sha256(data).hexdigest() == file.sha256:
            return data
    if fault is not None:
        raise fault
    return None


# --- the proof ----------------------------------------------------------------------------------------


def prove(url: str, listed: IO[bytes]) -> int:
    """Every file of a backup's list is in this store; up to OPENED_MOST of them, chosen anew each time, open
    and fit the seals of the database that is read now. Returns how many are listed. Raises Damaged,
    StoreUnavailable, age.BadKey."""
    archive.recipients()  # whoever has no key here is told that, not that files are damaged
    hashes = dict(_lines(listed))
    store = keep.opened(url)
    there = _by_name(store, FOLDER)
    for name in hashes:
        if name not in there:
            raise Damaged("the file of an archived chat is not beside the backups")
    names = {archive.uid_in(name): name for name in hashes}
    most = min(OPENED_MOST, len(hashes))
    chosen = set(SystemRandom().sample(sorted(hashes), most))
    for row in _rows():
        # replaced by an erasure while the backup was made, the list has the newer one
        name = row.name if row.name in hashes else names.get(row.chat.uid, "")
        if not name:
            raise Damaged("an archived chat is not in the backup's list of files")
        if name in chosen:
            chosen.discard(name)
            _prove_one(row, _checked(store, name, hashes[name]))
    for name in chosen:  # of chats that moved while the backup was made: their rows are in the database
        _opened(_checked(store, name, hashes[name]))
    return len(hashes)


def _lines(listed: IO[bytes]) -> Iterator[tuple[str, str]]:
    listed.seek(0)
    for line in listed:
        digest, _, path = line.decode().rstrip("\n").partition("  ")
        yield path.removeprefix(f"{FOLDER}/"), digest


def _checked(store: Store, name: str, digest: str) -> bytes:
    try:
        data = store.get(f"{FOLDER}/{name}")
    except NotInStore:
        raise Damaged("the file of an archived chat is not beside the backups") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise Damaged("the file of an archived chat is not the one that was copied")
    return data


def _opened(data: bytes) -> dict[str, object]:
    try:
        return archive.opened(data)
    except ArchiveLocked:
        raise Damaged("the file of an archived chat is locked to another key than the archive's") from None
    except ArchiveDamaged:
        raise Damaged("the file of an archived chat does not open with the archive's key") from None


def _prove_one(row: ArchivedChat, data: bytes) -> None:
    known = ChatSeal.objects.filter(chat=row.chat).first()
    try:
        found = archive.contents_of(_opened(data), row.chat)
    except ArchiveDamaged:
        raise Damaged("the file of an archived chat is another chat's") from None
    if known is None or seals.faults(row.chat.uid, known.digest, found.links, found.rows):
        raise Damaged("the file of an archived chat does not fit its seal")
