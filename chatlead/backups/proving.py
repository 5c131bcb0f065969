"""A backup is only one when it was restored: each week the newest goes into a scratch database (V-12).

1. fetched, from off-site where that is set up: the copy that is there when this machine is not
2. restored as a real one is: every part by its digest, every table by its count
3. migrations, the chain over what was done, the seals of chats that have ended, a look by the application,
   and the files of archived chats beside the backup: each is there, opens and fits its seal
4. the scratch database goes; one that was left behind by somebody who was killed goes before
"""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts import audit
from accounts.models import Account, Backup, BackupProof, Site
from chatlead import age
from chatlead.backups import files, keep, restoring
from chatlead.backups.alone import alone
from chatlead.backups.making import FAULTS, close_the_cut_off, words_of
from chatlead.backups.pack import Damaged
from chatlead.backups.sources import (
    TIMES,
    SourceFailed,
    make_sure_of_room,
    owner_connection,
    size_of_database,
)
from chatlead.backups.targets import PostgresDatabase, SqliteFile, Target, scratch_settings
from chatlead.stores import NotInStore
from chats import keeping, sealing
from chats.models import Chat, Message

logger = logging.getLogger(__name__)

EVERY = timedelta(days=7)
RETRY = timedelta(hours=12)  # after one that failed
PREFIX = "chatlead_scratch_"  # of a PostgreSQL database that anybody may drop


class Found(NamedTuple):
    """What a look into a restored database found."""

    seal_count: int
    file_count: int


def is_due(now: datetime) -> bool:
    """Whether the newest backup is to be proved: none was for a week, and there is one."""
    if not Backup.objects.filter(state=Backup.State.DONE).exists():
        return False
    passed = BackupProof.objects.filter(state=BackupProof.State.PASSED, started_at__gt=now - EVERY)
    return not passed.exists() and not BackupProof.objects.filter(started_at__gt=now - RETRY).exists()


def prove_newest() -> BackupProof:
    """Restore the newest backup into a scratch database, look at it, and drop it. Returns the report, PASSED
    or FAILED with the reason. Raises AtWork."""
    with alone():
        close_the_cut_off()
        place, url = list(keep.stores().items())[-1]  # off-site where there is one
        proof = BackupProof.objects.create(started_at=timezone.now(), place=place)
        problem = "a fault of ours: see the log"
        try:
            _prove(proof, url)
            problem = ""
        except age.NoKeyFits:
            problem = "it does not open: it was encrypted to a key that is not here, or its head is changed"
        except age.Undecryptable:
            problem = "it does not open: it is cut off or changed"
        except (Damaged, NotInStore, *FAULTS) as fault:
            problem = words_of(fault)
        except DatabaseError as fault:
            problem = f"the restored database cannot be read ({type(fault).__name__})"
        finally:
            proof.state = BackupProof.State.FAILED if problem else BackupProof.State.PASSED
            proof.problem, proof.ended_at = problem[:300], timezone.now()
            proof.save()
    if problem:
        logger.error("a backup could not be proved: see /admin/backups/")
    return proof


def _prove(proof: BackupProof, url: str) -> None:
    identities = keep.identities()
    with keep.scratch_folder() as folder, tempfile.TemporaryFile(dir=folder) as listed:
        make_sure_of_room(folder, TIMES * size_of_database())
        proof.name, file = restoring.fetch(url, folder)

        def into(make: Callable[[], Target]) -> restoring.Read:
            return restoring.read_into(file, make, identities, is_own=True, listed=listed)

        def look_at(name: str, read: restoring.Read) -> Found:
            return look(name, (lambda: files.prove(url, listed)) if read.has_list else None)

        if connection.vendor == "postgresql":
            with _scratch_database() as name:
                read = into(lambda: PostgresDatabase(name))
                found = look_at(name, read)
        else:
            place = folder / "scratch.sqlite3"
            read = into(lambda: SqliteFile(place))
            found = look_at(str(place), read)
    proof.backup_made_at = read.made_at
    proof.table_count, proof.row_count = len(read.counts), sum(read.counts.values())
    proof.seal_count, proof.file_count = found.seal_count, found.file_count


@contextmanager
def _scratch_database() -> Iterator[str]:
    """An empty PostgreSQL database for the block, of a name that no real one has."""
    import psycopg

    name = f"{PREFIX}{secrets.token_hex(8)}"
    with owner_connection() as owner:
        for (left,) in owner.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^{PREFIX}[0-9a-f]{{16}}$"]
        ).fetchall():
            drop_scratch(owner, left)
        try:
            owner.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
        except psycopg.errors.InsufficientPrivilege:
            raise SourceFailed(
                "the database's user may not create a scratch database: set DATABASE_OWNER_URL to one who may"
            ) from None
        try:
            yield name
        finally:
            drop_scratch(owner, name)


def drop_scratch(owner: Any, name: str) -> None:
    """Drop the database if there is one. A restore that was killed leaves its session behind: it is ended.

    Not WITH (FORCE), which is refused to all but superusers while autovacuum is in the database; without it
    PostgreSQL ends autovacuum by itself, and waits 5 s for all to go."""
    owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = %s AND backend_type = 'client backend'",
        [name],
    )
    owner.execute(f'DROP DATABASE IF EXISTS "{name}"')


@contextmanager
def _in_database(name: str) -> Iterator[None]:
    """This thread reads another database for the block, by the same models and functions."""
    before = connections[DEFAULT_DB_ALIAS]
    wrapper: Any = connections.create_connection(DEFAULT_DB_ALIAS)
    wrapper.settings_dict = scratch_settings(name)
    connections[DEFAULT_DB_ALIAS] = wrapper
    try:
        yield
    finally:
        wrapper.close()
        connections[DEFAULT_DB_ALIAS] = before


def look(name: str, prove_files: Callable[[], int] | None = None) -> Found:
    """Read a restored database as the application would, and have its files proved. Raises Damaged,
    SourceFailed, StoreUnavailable, age.BadKey, DatabaseError."""
    if connection.vendor == "sqlite":
        assert Path(name).name == "scratch.sqlite3"  # noqa: S101 never the one in use
    with _in_database(name):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise Damaged("it has not all migrations: it was made before the last upgrade")
        verdict = audit.verify()
        if verdict.broken_at is not None:
            raise Damaged(f"the record of what was done is broken at link {verdict.broken_at}")
        for account in Account.objects.order_by("-pk")[:20]:
            list(Site.objects.filter(account=account)[:20])
        for chat in Chat.objects.select_related("site", "department").order_by("-pk")[:50]:
            numbers = list(Message.objects.filter(chat=chat).order_by("seq").values_list("seq", flat=True))
            if len(numbers) > chat.last_seq or numbers != sorted(set(numbers)):
                raise Damaged("a chat has other messages than it counts")
        return Found(seal_count=_verified_seals(), file_count=prove_files() if prove_files else 0)


def _verified_seals() -> int:
    """How many seals hold of chats that lie in this database. Raises Damaged for one that does not."""
    count = 0
    for chat in keeping.sealed_chats():
        if chat.archived_at is not None:
            continue  # its rows are in a file: files.prove
        faults = sealing.verify_chain(chat)
        if faults:
            raise Damaged(f"the seal of a chat does not hold: {faults[0]}")
        count += 1
    return count
