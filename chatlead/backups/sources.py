"""What is in a backup, read from the database that is in use, while it is in use.

SQLite: the online copy, one moment of the database in a scratch file that only its owner can read; what
commits meanwhile goes on and is not in it. PostgreSQL: pg_dump in its custom format, at the same moment at
which the tables were counted. Nobody waits for either.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import environ
from django.conf import settings
from django.db import connection

CHUNK = 256 * 1024
SPARE = 64 * 1024 * 1024  # bytes of a disk that are left to everybody else
TIMES = 2.2  # of what is copied: the copy, the sealed file beside it, and some


class SourceFailed(Exception):
    """The database could not be read, or not written; str() is for staff to read and says what to do."""


class Source(ABC):
    """One moment of the database. `counts` are the rows of each table then."""

    part: str
    counts: dict[str, int]

    @abstractmethod
    def read(self) -> Iterator[bytes]:
        """The part's bytes, once. Raises SourceFailed."""


@contextmanager
def open_source(scratch: Path) -> Iterator[Source]:
    """The database as it is now, for the block. `scratch` is the caller's folder. Raises SourceFailed."""
    if connection.vendor == "postgresql":
        with _postgres() as source:
            yield source
    else:
        with _sqlite(scratch) as copied:
            yield copied


# --- room ---------------------------------------------------------------------------------------------


def make_sure_of_room(folder: Path, size: float) -> None:
    """Before anything is written: so many bytes fit onto the disk of this folder. Raises SourceFailed."""
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        wanted = int(size + SPARE) // 2**20 + 1
        raise SourceFailed(
            f"the disk of the data folder has no room: {wanted} MB are needed and {free // 2**20} MB are free"
        )


def size_of_database() -> int:
    """What a copy of SQLite's file takes, in bytes, with what waits in its log; 0 for PostgreSQL, which keeps
    its databases elsewhere."""
    if connection.vendor == "postgresql":
        return 0
    database = Path(connection.settings_dict["NAME"])
    files = (database, database.with_name(database.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


# --- SQLite -------------------------------------------------------------------------------------------

SQLITE_PART = "database.sqlite3.gz"


class _SqliteCopy(Source):
    part = SQLITE_PART

    def __init__(self, copy: Path, counts: dict[str, int]) -> None:
        self._copy, self.counts = copy, counts

    def read(self) -> Iterator[bytes]:
        packer = zlib.compressobj(1, wbits=31)
        with self._copy.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield packer.compress(chunk)
        yield packer.flush()


@contextmanager
def _sqlite(scratch: Path) -> Iterator[Source]:
    database = Path(connection.settings_dict["NAME"])
    copy = scratch / "copy.sqlite3"
    copy.touch(mode=0o600)
    try:
        source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=20)
        target = sqlite3.connect(copy, isolation_level=None)
        try:
            source.backup(target)  # in one step: stepwise it would begin anew with every commit
            target.execute("PRAGMA journal_mode=DELETE")
            # whoever puts this file in place by hand has not applied erasures again yet (B2-6)
            target.execute("UPDATE accounts_installation SET restoring_since = datetime('now')")
            counts = counts_of_sqlite(target)
        finally:
            source.close()
            target.close()
        yield _SqliteCopy(copy, counts)
    except sqlite3.Error as error:
        raise SourceFailed(f"the database file could not be copied ({type(error).__name__})") from error
    finally:
        copy.unlink(missing_ok=True)


def counts_of_sqlite(database: sqlite3.Connection) -> dict[str, int]:
    """Rows of each table; those that SQLite keeps for itself are left out."""
    names = database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    return {
        name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 names of tables
        for (name,) in names
    }


# --- PostgreSQL ---------------------------------------------------------------------------------------

POSTGRES_PART = "database.pgdump"


def owner_settings() -> dict[str, Any]:
    """How Django names the database, as the user who owns its tables: DATABASE_OWNER_URL where it is set, but
    always in the database that is in use (a test has one of its own)."""
    in_use: dict[str, Any] = connection.settings_dict
    if not settings.DATABASE_OWNER_URL:
        return in_use
    owner: dict[str, Any] = environ.Env.db_url_config(settings.DATABASE_OWNER_URL)
    return {**owner, "NAME": in_use["NAME"]}


def libpq_environment(database: dict[str, Any]) -> dict[str, str]:
    """The connection for PostgreSQL's own programs: never in their arguments, which everybody can list."""
    named = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"] or ""),
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
        "PGSSLMODE": database.get("OPTIONS", {}).get("sslmode", ""),
        "PGSSLROOTCERT": database.get("OPTIONS", {}).get("sslrootcert", ""),
        "PGCONNECT_TIMEOUT": "10",
        "PGAPPNAME": "chatlead backup",
        "LC_ALL": "C",
        "PATH": os.defpath,
    }
    return {name: value for name, value in named.items() if value}


def postgres_program(name: str) -> str:
    """Where `pg_dump` or another of PostgreSQL's programs is, of the server's own major version where there
    is one: what a newer one writes an older server may not understand. Debian keeps them out of PATH. Raises
    SourceFailed."""
    with owner_connection() as owner:
        major = owner.info.server_version // 10000
    there = {
        int(path.parent.parent.name): path
        for path in Path("/usr/lib/postgresql").glob(f"[0-9][0-9]/bin/{name}")
    }
    found = there.get(major) or shutil.which(name) or there.get(max(there, default=0))
    if not found:
        raise SourceFailed(f"{name} is missing: install PostgreSQL's client programs (postgresql-client)")
    return str(found)


@contextmanager
def owner_connection(name: str = "") -> Iterator[Any]:
    """A connection of one's own, of psycopg, outside of the pool; to the database in use or to `name`."""
    import psycopg

    database = owner_settings()
    options = {key: value for key, value in database.get("OPTIONS", {}).items() if key.startswith("ssl")}
    try:
        opened = psycopg.connect(
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            dbname=name or database["NAME"],
            connect_timeout=10,
            application_name="chatlead backup",
            autocommit=True,
            **options,
        )
    except psycopg.OperationalError as error:
        raise SourceFailed("the database does not answer") from error
    with opened:
        yield opened


class _PostgresDump(Source):
    part = POSTGRES_PART

    def __init__(self, snapshot: str, counts: dict[str, int]) -> None:
        self._snapshot, self.counts = snapshot, counts

    def read(self) -> Iterator[bytes]:
        command = [postgres_program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
        command += ["--no-password", "--lock-wait-timeout=60s", f"--snapshot={self._snapshot}"]
        environment = libpq_environment(owner_settings())
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
            ) as program,
        ):
            assert program.stdout is not None  # noqa: S101 it is a pipe
            try:
                while chunk := program.stdout.read(CHUNK):
                    yield chunk
            except BaseException:
                program.kill()
                raise
            if program.wait() != 0:
                raise SourceFailed(f"pg_dump ended with {program.returncode}: {first_line(said)}")


def first_line(said: IO[bytes]) -> str:
    """What a program of PostgreSQL complains of first, without the rows that it may quote after that."""
    said.seek(0)
    lines = said.read(10_000).decode(errors="replace").splitlines()
    return next((line.strip() for line in lines if line.strip()), "it said nothing")[:200]


@contextmanager
def _postgres() -> Iterator[Source]:
    with owner_connection() as owner:
        owner.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = owner.execute("SELECT pg_export_snapshot()").fetchone()[0]
        yield _PostgresDump(snapshot, counts_of_postgres(owner))
        owner.execute("ROLLBACK")


def counts_of_postgres(database: Any) -> dict[str, int]:
    """Rows of each table of the schema `public`."""
    names = database.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    ).fetchall()
    return {
        name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 names of tables
        for (name,) in names
    }
