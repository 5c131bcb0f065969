"""A lock whose waiters are served in the order in which they came, some of them first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_thread = threading.local()


@contextmanager
def journal_first() -> Iterator[None]:
    """Writes of this thread go before those of all other threads that wait, until the block ends."""
    before = getattr(_thread, "first", False)
    _thread.first = True
    try:
        yield
    finally:
        _thread.first = before


class FairLock:
    """Not reentrant; any thread may release what another took. The lock is handed over, never raced for:
    whoever takes it again right after releasing it stands behind those who waited."""

    __slots__ = ("_first", "_guard", "_held", "_others")

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._first: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait for a turn, at most `timeout` seconds. False: it did not come, nothing is held."""
        with self._guard:
            if not self._held:  # then nobody waits: a release hands over to a waiter
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            queue = self._first if getattr(_thread, "first", False) else self._others
            queue.append(turn)
        if turn.acquire(timeout=max(0.0, timeout)):
            return True
        with self._guard:
            try:
                queue.remove(turn)
            except ValueError:  # handed to us between the timeout and the guard
                return True
            return False

    def release(self) -> None:
        """Give the lock to the next in line."""
        with self._guard:
            if self._first:
                self._first.popleft().release()
            elif self._others:
                self._others.popleft().release()
            else:
                self._held = False
