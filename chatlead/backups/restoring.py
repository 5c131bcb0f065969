"""From a file of a backup to a database that may be served (R-116, R-117, B2-6, V-3).

1. nobody else is at work, the database is empty, the key is there, the file is there
2. it is read once: what is in it is checked while it is put into the database, which takes all or nothing and
   is flagged not to be served
3. migrations that are newer than the backup
4. the files of archived chats, where the archive has lost them
5. erasures since then, and before, are applied again
6. a new epoch, so that every client starts afresh; the flag goes

Whoever is stopped after 2 goes on with `manage.py restore --finish`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts import audit
from accounts.models import Backup, Installation, new_uid
from chatlead.backups import erased, files, keep
from chatlead.backups.making import FIELD_KEY_TEST, FORMAT
from chatlead.backups.pack import Damaged, unseal
from chatlead.backups.sources import SourceFailed, make_sure_of_room
from chatlead.backups.targets import Target
from chatlead.keys import Unreadable, decrypted

logger = logging.getLogger(__name__)


class Read(NamedTuple):
    """What a file said of itself. `warnings` are for whoever restores it."""

    made_at: datetime
    counts: dict[str, int]
    warnings: list[str]
    has_list: bool  # of the files of archived chats; the first version had none


def fetch(url: str, folder: Path, name: str = "") -> tuple[str, Path]:
    """Bring a backup here, the newest unless named: its name and its file in `folder`. Raises
    StoreUnavailable, NotInStore, SourceFailed where there is none, or no room for it."""
    store = keep.opened(url)
    if not name:
        found = keep.backups_in(store)
        if not found:
            raise SourceFailed(f"there is no backup in {store.label}")
        name = found[0].name
        make_sure_of_room(folder, found[0].size)
    elif keep.made_at(name) is None:
        raise SourceFailed(f"{name} is neither a file here nor the name of a backup: see `restore --list`")
    file = folder / "fetched"
    store.get_to(name, file)
    return name, file


def read_into(
    file: Path,
    make_target: Callable[[], Target],
    identities: list[str],
    *,
    is_own: bool = False,
    listed: IO[bytes] | None = None,
) -> Read:
    """Put what is in the file into the target, which is made when the file has said that it fits; all of it
    or nothing. Its list of files goes to `listed`. With `is_own` only what was made under one of our field
    keys: anybody may encrypt to a recipient. Raises Damaged, age.Undecryptable, age.BadKey, SourceFailed, and
    what `make_target` raises."""
    head: dict[str, Any] = {}
    targets: list[Target] = []
    warnings: list[str] = []

    def begin(said: dict[str, Any]) -> None:
        warnings.extend(_check_head(said))
        if is_own and settings.FIELD_KEYS and (warnings or not said["field_key"]):
            raise SourceFailed("it was not made under one of CHATLEAD_FIELD_KEYS: by whom is not known")
        head.update(said)
        targets.append(make_target())

    def take(part: str, piece: bytes) -> None:
        if part == files.PART:
            if listed is not None:
                listed.write(piece)
            return
        if part != targets[0].part:
            raise Damaged(f"it holds {part}, which nobody knows here")
        targets[0].take(piece)

    try:
        with file.open("rb") as source:
            manifest = unseal(source, identities, begin=begin, take=take)
        targets[0].finish(manifest["counts"])
    except BaseException:
        for target in targets:
            target.abandon()
        raise
    has_list = any(part["name"] == files.PART for part in manifest["parts"])
    return Read(datetime.fromisoformat(head["made_at"]), manifest["counts"], warnings, has_list)


def _check_head(head: dict[str, Any]) -> list[str]:
    if head.get("format") not in (1, FORMAT):
        raise SourceFailed("another version of ChatLead made this backup: restore it with that one")
    if head["engine"] != connection.vendor:
        raise SourceFailed(
            f"this is a backup of {head['engine']}, and DATABASE_URL names {connection.vendor}: set it so"
        )
    known = {".".join(each) for each in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    newer = sorted(set(head["migrations"]) - known)
    if newer:
        raise SourceFailed(
            f"a newer version of ChatLead made this backup (it has {newer[0]}): install that version"
        )
    if not head["field_key"]:
        return (
            ["it was made without CHATLEAD_FIELD_KEYS: be sure where it comes from"]
            if settings.FIELD_KEYS
            else []
        )
    try:
        fits = bool(settings.FIELD_KEYS) and decrypted(head["field_key"]) == FIELD_KEY_TEST
    except Unreadable:
        fits = False
    return (
        []
        if fits
        else ["CHATLEAD_FIELD_KEYS lacks the key of this backup: encrypted columns stay unreadable"]
    )


def is_unfinished() -> bool:
    """Whether this database was restored and is not to be served yet."""
    try:
        return Installation.objects.exclude(restoring_since=None).exists()
    except DatabaseError:  # there are no tables
        return False


class Finished(NamedTuple):
    """What was erased again, by kind, and what became of the archive's files."""

    erased: dict[str, int]
    files: files.Brought


def finish(stores: Sequence[str], *, list_is_lost: bool = False) -> Finished:
    """What is left to do before it may be served (3 to 6); `stores` are the addresses where files of the
    archive may lie beside backups. May be done twice. Raises what erased.reapply raises."""
    connection.close()  # it may be one to the file that was there before
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
    brought = files.bring_back(stores)
    again = erased.reapply(is_lost=list_is_lost)  # of these files too
    # its own record was under way at the moment that it is a copy of
    own = Backup.objects.filter(state=Backup.State.RUNNING).order_by("-started_at").first()
    if own is not None:
        own.state, own.ended_at, own.problem = Backup.State.DONE, timezone.now(), ""
        own.save(update_fields=["state", "ended_at", "problem"])
    from sms.actions import after_restore  # here, so that a server need not load this to make none

    with transaction.atomic():
        after_restore()
        audit.note("backup.restored", account=None, by=None, facts={"erased": again})
        Installation.objects.update(epoch=new_uid(), restoring_since=None)
    return Finished(again, brought)
