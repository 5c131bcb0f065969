"""Where a backup is put back: a database that is taken whole or not at all.

SQLite: a new file beside the place of the database, renamed into it at the end. PostgreSQL: pg_restore writes
SQL into one transaction of psql, which is committed when the whole file was read and every table counted.
Killed at any moment either leaves what was there before.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from threading import Thread
from typing import IO, Any

from django.db import connection

from chatlead.backups.pack import Damaged
from chatlead.backups.sources import (
    CHUNK,
    POSTGRES_PART,
    SQLITE_PART,
    SourceFailed,
    counts_of_sqlite,
    first_line,
    libpq_environment,
    owner_connection,
    owner_settings,
    postgres_program,
)

# What a database may hold that was only migrated, and nobody has used
_SETUP = frozenset({"django_migrations", "django_content_type", "auth_permission", "accounts_installation"})
_FLAG = "UPDATE accounts_installation SET restoring_since = CURRENT_TIMESTAMP"


class NotEmpty(Exception):
    """There is something in the database, so nothing is restored into it; str() says what, and what to do."""


class Target(ABC):
    """`take` each piece, then `finish`, once; or `abandon`, which may follow anything. All raise SourceFailed
    where the database does not take it, and Damaged where it is not what the manifest says."""

    part: str

    @abstractmethod
    def take(self, piece: bytes) -> None: ...

    @abstractmethod
    def finish(self, counts: dict[str, int]) -> None:
        """In one step it is there for everybody, flagged not to be served (Installation.restoring_since)."""

    @abstractmethod
    def abandon(self) -> None: ...


# --- SQLite -------------------------------------------------------------------------------------------


class SqliteFile(Target):
    part = SQLITE_PART

    def __init__(self, place: Path) -> None:
        self.place = place
        self._new = place.with_name(place.name + ".restoring")
        self._new.unlink(missing_ok=True)  # of one that was killed
        self._new.touch(mode=0o600)
        self._file = self._new.open("wb")
        self._unpacker = zlib.decompressobj(wbits=31)

    def take(self, piece: bytes) -> None:
        try:
            rest = piece
            while rest:  # a megabyte at a time, whatever it unpacks to
                self._file.write(self._unpacker.decompress(rest, 1024 * 1024))
                rest = self._unpacker.unconsumed_tail
        except zlib.error:
            raise Damaged("the copy of the database does not unpack") from None

    def finish(self, counts: dict[str, int]) -> None:
        self._file.write(self._unpacker.flush())
        self._file.close()
        try:
            database = sqlite3.connect(self._new, isolation_level=None)
            try:
                compare(counts, counts_of_sqlite(database))
                if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                    raise Damaged("SQLite finds faults in the copy of the database")
                database.execute(_FLAG)
            finally:
                database.close()
        except sqlite3.Error as error:
            raise Damaged(f"the copy of the database does not open ({type(error).__name__})") from error
        with self._new.open("rb") as file:
            os.fsync(file.fileno())
        for beside in ("-wal", "-shm"):  # of the empty database: they must not be taken for the new one's
            self.place.with_name(self.place.name + beside).unlink(missing_ok=True)
        self._new.replace(self.place)
        folder = os.open(self.place.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def abandon(self) -> None:
        self._file.close()
        self._new.unlink(missing_ok=True)


# --- PostgreSQL ---------------------------------------------------------------------------------------


class PostgresDatabase(Target):
    part = POSTGRES_PART

    def __init__(self, name: str, first: str = "") -> None:
        """`first` is SQL of ours that comes before all else in the transaction."""
        environment = libpq_environment({**owner_settings(), "NAME": name})
        self._said: list[IO[bytes]] = [tempfile.TemporaryFile() for _ in "rw"]  # noqa: SIM115
        reader = [
            postgres_program("pg_restore"),
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            "--file=-",
        ]
        writer = [postgres_program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null"]
        writer += ["--set=ON_ERROR_STOP=1"]
        pipe = subprocess.PIPE
        self._reader = subprocess.Popen(
            reader, stdin=pipe, stdout=pipe, stderr=self._said[0], env=environment
        )
        self._writer = subprocess.Popen(writer, stdin=pipe, stderr=self._said[1], env=environment)
        self._say(f"SET client_min_messages = warning;\nBEGIN;\n{first}")
        self._pump = Thread(target=self._carry, name="restore-pump", daemon=True)
        self._pump.start()

    def _say(self, sql: str) -> None:
        assert self._writer.stdin is not None  # noqa: S101 it is a pipe
        try:
            self._writer.stdin.write(sql.encode())
            self._writer.stdin.flush()
        except BrokenPipeError:
            self._failed()

    def _carry(self) -> None:
        """What pg_restore makes of it, into psql, in a thread of its own: neither waits for us."""
        assert self._reader.stdout is not None and self._writer.stdin is not None  # noqa: S101 pipes
        try:
            while chunk := self._reader.stdout.read(CHUNK):
                self._writer.stdin.write(chunk)
            self._writer.stdin.flush()
        except (OSError, ValueError):
            self._reader.kill()  # psql has ended: what it said is the reason

    def take(self, piece: bytes) -> None:
        assert self._reader.stdin is not None  # noqa: S101 it is a pipe
        try:
            self._reader.stdin.write(piece)
        except BrokenPipeError:
            self._failed()

    def finish(self, counts: dict[str, int]) -> None:
        assert self._reader.stdin is not None and self._writer.stdin is not None  # noqa: S101 pipes
        try:
            self._reader.stdin.close()
            self._pump.join()
            if self._reader.wait() != 0:
                self._failed()
            for name, count in counts.items():
                self._say(_counted(name, count))
            self._say(f"UPDATE public.{_FLAG.removeprefix('UPDATE ')};\nCOMMIT;\n")
            self._writer.stdin.close()
        except BrokenPipeError:
            self._failed()
        if self._writer.wait() != 0:
            self._failed()
        self._close()

    def _failed(self) -> None:
        """Raise what psql complained of, else what pg_restore did."""
        self._reader.kill()
        if self._writer.stdin is not None:
            try:
                self._writer.stdin.close()
            except BrokenPipeError:
                pass
        self._writer.wait()
        for said in (self._said[1], self._said[0]):
            line = first_line(said)
            if "other rows" in line:
                raise Damaged(line.partition("ERROR:")[2].strip() or line)
            if line != "it said nothing":
                raise SourceFailed(f"PostgreSQL did not take it: {line}")
        raise SourceFailed("PostgreSQL did not take it")

    def abandon(self) -> None:
        """The transaction is rolled back by its end."""
        for program in (self._writer, self._reader):
            program.kill()
            program.wait()
        self._pump.join()
        self._close()

    def _close(self) -> None:
        for pipe in (self._reader.stdin, self._reader.stdout, self._writer.stdin, *self._said):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _counted(name: str, count: int) -> str:
    """Raises in the transaction, so that nothing of it is kept."""
    words = f"{name} has other rows than were dumped".replace("'", "''")
    counted = f"SELECT count(*) FROM public.{_quoted(name)}"  # noqa: S608 a table's name
    return f"DO $$ BEGIN IF ({counted}) <> {count:d} THEN RAISE EXCEPTION '{words}'; END IF; END $$;\n"


# --- both ---------------------------------------------------------------------------------------------


def compare(expected: dict[str, int], found: dict[str, int]) -> None:
    """Raises Damaged naming the first table that differs."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise Damaged(
                f"{name} has {found.get(name, 'no')} rows where {expected.get(name, 'no')} were copied"
            )


def live_target() -> Target:
    """The database in use, which must be empty and nobody else's; on SQLite the caller sees to it that nobody
    serves it (standby.unserved), until it is restored. Raises NotEmpty, SourceFailed."""
    if connection.vendor != "postgresql":
        place = Path(connection.settings_dict["NAME"])
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            _refuse_if_used(place)
        connection.close()
        return SqliteFile(place)
    database = connection.settings_dict["NAME"]
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
    with owner_connection() as owner:
        tables = [name for (name,) in owner.execute(_TABLES).fetchall()]
        for name in tables:
            if name not in _SETUP and _has_rows(owner, name):
                raise NotEmpty(_refusal(name))
        others = owner.execute(_OTHERS).fetchone()[0]
        if others:
            raise NotEmpty(
                f"{others} other connections to this database are open: stop servers, workers and beat"
            )
        functions = [name for (name,) in owner.execute(_FUNCTIONS).fetchall()]
    emptying = [f"DROP TABLE {_quoted(name)} CASCADE;\n" for name in tables]
    emptying += [f"DROP FUNCTION {name} CASCADE;\n" for name in functions]
    return PostgresDatabase(database, "".join(emptying))


def _has_rows(database: Any, name: str) -> bool:
    found = database.execute(f"SELECT 1 FROM {_quoted(name)} LIMIT 1").fetchone()  # noqa: S608 a table's name
    return found is not None


# What a migration may have made there; functions that belong to no extension
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_FUNCTIONS = (
    "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
    "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
)
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND application_name <> 'chatlead backup' "
    "AND backend_type = 'client backend'"
)


def _refuse_if_used(place: Path) -> None:
    try:
        database = sqlite3.connect(place, timeout=5)
        try:
            found = counts_of_sqlite(database)
        finally:
            database.close()
    except sqlite3.Error as error:
        raise SourceFailed(f"{place.name} is there and is no database: move it away") from error
    for name, count in found.items():
        if count and name not in _SETUP:
            raise NotEmpty(_refusal(name))


def _refusal(table: str) -> str:
    return (
        f"the database is not empty ({table} has rows), and a restore never overwrites: give it an empty one "
        "(move the SQLite file away, or make a new PostgreSQL database and name it in DATABASE_URL)"
    )


def scratch_settings(name: str) -> dict[str, Any]:
    """How Django reaches a scratch database: as the one in use, by its owner, without a pool."""
    known = owner_settings() if connection.vendor == "postgresql" else connection.settings_dict
    options = {key: value for key, value in known.get("OPTIONS", {}).items() if key != "pool"}
    return {**connection.settings_dict, **known, "NAME": name, "OPTIONS": options}
