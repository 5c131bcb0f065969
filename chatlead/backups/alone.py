"""One at a time, over all processes and machines: a backup, a proof or a restore.

On PostgreSQL a lock of a connection of its own, on SQLite a lock of a file; both are let go of by the system
when the process dies, however it dies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from chatlead.backups.sources import owner_connection

_NUMBER = 0x0C4A71EAD  # of PostgreSQL's lock: any, but always the same


class AtWork(Exception):
    """Another backup, proof or restore is under way."""


@contextmanager
def alone() -> Iterator[None]:
    """For the block. Raises AtWork, SourceFailed."""
    if connection.vendor == "postgresql":
        with owner_connection() as owner:
            if not owner.execute("SELECT pg_try_advisory_lock(%s)", [_NUMBER]).fetchone()[0]:
                raise AtWork("a backup, a proof or a restore is under way")
            try:
                yield
            finally:
                # the end of the connection lets go of it too, but some time later
                with suppress(Exception):
                    owner.execute("SELECT pg_advisory_unlock(%s)", [_NUMBER])
        return
    import fcntl

    path = Path(settings.DATA_DIR) / "backup.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AtWork("a backup, a proof or a restore is under way") from None
        yield
    finally:
        os.close(number)
