"""Between a restore and its end nobody is served: who was erased since is not erased yet (B2-6).

`Installation.restoring_since` says so, and whoever serves or works asks: the server from its start until it
has read that it may serve, each readiness probe, each task until then. That is once in the life of a process
but for these: a restore refuses to begin while anybody is connected to the database.

SQLite has nobody who could say that: the file itself is exchanged. Who serves from it shares a lock of the
data folder, a restore has it alone (`unserved`), and until a server has its share it neither opens the file
nor serves anybody: what it wrote would go into a file without a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections

logger = logging.getLogger(__name__)

SECONDS = 2.0  # a database that has not answered by then does not answer
AGAIN_SECONDS = 1.0
SERVED_LOCK = "served.lock"  # in the data folder: who serves from SQLite shares it, who restores has it alone
_FLAG = "SELECT restoring_since FROM accounts_installation WHERE restoring_since IS NOT NULL"


class Standby:
    """Whether this process refuses everybody. It does not before `begin`: a program that serves nobody never
    asks."""

    def __init__(self) -> None:
        self.is_shut = False
        self._may_work = False
        self._stop = threading.Event()
        self._wants_share = False
        self._share: int | None = None
        self._sharing = threading.Lock()  # the probes and the thread of `begin` both look

    async def begin(self) -> None:
        """Shut, until the database says that it may be served, and on SQLite until no restore has it. Returns
        when it has said either, or nothing for two seconds; goes on asking while it is shut, in a thread that
        no process waits for."""
        self.is_shut = True
        self._wants_share = connection.vendor == "sqlite"
        self._stop = threading.Event()
        loop, asked = asyncio.get_running_loop(), asyncio.Event()

        def keep_asking(stop: threading.Event) -> None:
            self._ask()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(asked.set)
            while self.is_shut and not stop.wait(AGAIN_SECONDS):
                self._ask()

        threading.Thread(target=keep_asking, args=(self._stop,), name="standby", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                await asked.wait()
        if self.is_shut:
            logger.warning("nobody is served: the database does not say that it may be")

    def _ask(self) -> None:
        """A database that does not answer, or has no tables yet, has nothing to serve either."""
        if not self.has_share():
            return
        with contextlib.suppress(DatabaseError), own_connection():
            self.is_shut = is_flagged()

    def end(self) -> None:
        """Nobody is asked any more."""
        self._stop.set()
        with self._sharing:
            self._wants_share = False
            if self._share is not None:
                os.close(self._share)
                self._share = None
        self.is_shut = False

    def may_work(self) -> bool:
        """Whether a task may do what it does. Asks on the caller's connection until the answer is yes."""
        if not self.has_share():
            return False
        if not self._may_work:
            self._may_work = not is_flagged()
        return self._may_work

    def wait_for_share(self) -> None:
        """For a process that works on the file before it serves: returns when no restore has it."""
        self._wants_share = connection.vendor == "sqlite"
        if not self.has_share():
            logger.warning("a restore of this data folder is under way: waiting for its end")
        while not self.has_share():
            self._stop.wait(AGAIN_SECONDS)

    def has_share(self) -> bool:
        """Whether the file of the database is one to open: no restore is about to exchange it. Once it is, it
        stays so until `end`. Always where it is no file, or this process does not serve."""
        with self._sharing:
            if self._wants_share and self._share is None:
                self._share = _locked(is_alone=False)
            return self._share is not None or not self._wants_share


standby = Standby()


@contextmanager
def unserved() -> Iterator[bool]:
    """False where a server runs on the SQLite file of this data folder; else True, and for the block no other
    comes to serve it. On PostgreSQL always True: it says itself who is connected."""
    if connection.vendor != "sqlite":
        yield True
        return
    lock = _locked(is_alone=True)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _locked(*, is_alone: bool) -> int | None:
    """The lock, to be closed; None where others have it. The system lets go of it for whoever dies."""
    folder = Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    number = os.open(folder / SERVED_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        import fcntl
    except ImportError:  # not on this system
        return number
    try:
        fcntl.flock(number, (fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return None
    return number


def is_flagged() -> bool:
    """Whether a restore of this database is not finished."""
    with connection.cursor() as cursor:
        cursor.execute(_FLAG)
        return cursor.fetchone() is not None


@contextmanager
def own_connection() -> Iterator[None]:
    """This thread's connection for the block, outside of the pool: a pool that is used up is a busy server,
    not one that cannot work."""
    wrapper: Any = connections.create_connection(DEFAULT_DB_ALIAS)
    options = {key: value for key, value in wrapper.settings_dict["OPTIONS"].items() if key != "pool"}
    if wrapper.vendor == "postgresql":
        options["connect_timeout"] = int(SECONDS)
    wrapper.settings_dict = {**wrapper.settings_dict, "OPTIONS": options}
    connections[DEFAULT_DB_ALIAS] = wrapper
    try:
        yield
    finally:
        wrapper.close()
        del connections[DEFAULT_DB_ALIAS]
