"""One at a time for a number: the moment in which a text to it leaves, and taking down its STOP (B1-5).

On PostgreSQL the lock is the contact's row, so it holds over all processes. On SQLite a transaction would
keep everybody from writing; there the one process that serves has a lock of its own for each number. Nobody
waits for a provider within: a STOP has to be answered in seconds, whatever the provider does (B1-15).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from sms.models import SmsContact


class _Lock:
    """Of one number, for as long as anybody holds it or waits for it."""

    def __init__(self) -> None:
        self.lock, self.users = threading.RLock(), 0


_locks: dict[int, _Lock] = {}
_guard = threading.Lock()  # of the table and the counts


@contextmanager
def held(contact_id: int) -> Iterator[None]:
    """Nobody else is in here for this contact. Not inside a transaction of the caller's: on SQLite that would
    wait with the write lock in its hands. Write in an `atomic()` of your own, which PostgreSQL commits
    with the lock's."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            list(SmsContact.objects.select_for_update().filter(pk=contact_id).values_list("pk"))
            yield
        return
    with _guard:
        mine = _locks.setdefault(contact_id, _Lock())
        mine.users += 1
    try:
        with mine.lock:
            yield
    finally:
        with _guard:
            mine.users -= 1
            if not mine.users:
                del _locks[contact_id]


def count() -> int:
    """How many numbers are locked or waited for in this process; 0 on PostgreSQL, which counts by itself."""
    return len(_locks)
