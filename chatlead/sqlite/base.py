"""The backend itself; see the package's docstring."""

from __future__ import annotations

import re
import sqlite3
import threading
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from chatlead.sqlite.fair_lock import FairLock

_locks: dict[str, FairLock] = {}
_locks_guard = threading.Lock()

READS = frozenset({"select", "pragma", "explain", "values"})
WRITES_INSIDE = re.compile(r"\b(insert|update|delete|replace)\b", re.IGNORECASE)


def lock_of(database: str) -> FairLock:
    """The one lock of a database file in this process."""
    with _locks_guard:
        return _locks.setdefault(database, FairLock())


def writes(sql: str) -> bool:
    """Whether a statement may write. In doubt it does: a turn taken in vain costs microseconds."""
    words = sql.split(None, 1)
    if not words:
        return False
    verb = words[0].lower()
    if verb == "with":
        return WRITES_INSIDE.search(sql) is not None
    return verb not in READS


class FairCursor(base.SQLiteCursorWrapper):
    """Takes a turn for each write outside a transaction; inside, the transaction has it already."""

    def __init__(self, connection: sqlite3.Connection, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self.wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> Any:
        wrapper = self.wrapper
        if wrapper.has_turn or not wrapper.autocommit or not writes(query):
            return super().execute(query, params)
        wrapper.take_turn()
        try:
            return super().execute(query, params)
        finally:
            wrapper.end_turn()

    def executemany(self, query: str, param_list: Any) -> Any:
        wrapper = self.wrapper
        if wrapper.has_turn or not wrapper.autocommit:
            return super().executemany(query, param_list)
        wrapper.take_turn()
        try:
            return super().executemany(query, param_list)
        finally:
            wrapper.end_turn()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that waits for its turn before it writes.

    Raises OperationalError "database is locked" when the turn does not come within
    `OPTIONS["timeout"]` (5 s by default), as SQLite itself would.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_turn = False
        self._turns: FairLock | None = None

    def take_turn(self) -> None:
        """Wait for the lock of this database file; to be paired with `end_turn`."""
        self._turns = lock_of(str(self.settings_dict["NAME"]))
        if not self._turns.acquire(float(self.settings_dict["OPTIONS"].get("timeout", 5))):
            raise OperationalError("database is locked (waited for the other threads of this process)")
        self.has_turn = True

    def end_turn(self) -> None:
        """Give the lock back; nothing where it is not held."""
        if self.has_turn and self._turns is not None:
            self.has_turn = False
            self._turns.release()

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=lambda connection: FairCursor(connection, self))

    def _start_transaction_under_autocommit(self) -> None:
        self.take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self.end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.end_turn()  # where it fails, Django rolls back or closes, and that ends the turn

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self.end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self.end_turn()
