"""Between a restore and its end nobody is served: who was erased since is not erased yet (B2-6).

`Installation.restoring_since` says so, and whoever serves or works asks: the server from its start until it
has read that it may serve, each readiness probe, each task until then. That is once in the life of a process
but for these: a restore refuses to begin while anybody is connected to the database.
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
SERVED_LOCK = "served.lock"  # in the data folder: who serves from SQLite holds it
_FLAG = "SELECT restoring_since FROM accounts_installation WHERE restoring_since IS NOT NULL"


class Standby:
    """Whether this process refuses everybody. It does not before `begin`: a program that serves nobody never
    asks."""

    def __init__(self) -> None:
        self.is_shut = False
        self._may_work = False
        self._stop = threading.Event()
        self._lock: int | None = None

    async def begin(self) -> None:
        """Shut, until the database says that it may be served. Returns when it has said either, or nothing
        for two seconds; goes on asking while it is shut, in a thread that no process waits for."""
        if connection.vendor == "sqlite":
            self._hold_lock()
        self.is_shut = True
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
        with contextlib.suppress(DatabaseError), own_connection():
            self.is_shut = is_flagged()

    def end(self) -> None:
        """Nobody is asked any more."""
        self._stop.set()
        self.is_shut = False
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def may_work(self) -> bool:
        """Whether a task may do what it does. Asks on the caller's connection until the answer is yes."""
        if not self._may_work:
            self._may_work = not is_flagged()
        return self._may_work

    def _hold_lock(self) -> None:
        """So that a restore sees that the file is being served."""
        try:
            import fcntl
        except ImportError:  # not on this system
            return
        folder = Path(settings.DATA_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / SERVED_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


standby = Standby()


def is_served_here() -> bool:
    """Whether a server runs on the SQLite file of this data folder."""
    try:
        import fcntl
    except ImportError:  # not on this system
        return False
    try:
        number = os.open(Path(settings.DATA_DIR) / SERVED_LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False


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
