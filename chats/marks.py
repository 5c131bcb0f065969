"""How far everybody has read, written once a second for all chats of this process."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from chatlead.realtime import pool
from chatlead.realtime.faults import report

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from chatlead.realtime.hub import Hub

logger = logging.getLogger(__name__)

SECONDS = 1.0  # between two writes
FIRST = 0.02  # after a pause: what comes in this time goes together


class Coalescer:
    """Takes marks on the loop and hands the largest of each key to `write`, in a database thread.

    The first after a pause is written at once, then all that came in a second together. What could not be
    written is kept and tried again.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, write: Callable[[Sequence[tuple[Any, int, int]]], None]
    ) -> None:
        self._loop = loop
        self._write = write
        self._pending: dict[Hashable, tuple[int, int]] = {}
        self._written_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, key: Hashable, delivered: int, read: int) -> None:
        """`key` has come so far; smaller numbers than before change nothing."""
        old = self._pending.get(key, (0, 0))
        self._pending[key] = (max(old[0], delivered), max(old[1], read))
        if self._timer is None and self._task is None:
            self._wait()

    async def settle(self) -> None:
        """Write what there is now; for the end of a process."""
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            await self._flush()

    def _wait(self) -> None:
        due = max(self._loop.time() + FIRST, self._written_at + SECONDS)
        self._timer = self._loop.call_at(due, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = self._loop.create_task(self._flush())

    async def _flush(self) -> None:
        taken, self._pending = self._pending, {}
        try:
            await pool.run(self._write, [(key, *mark) for key, mark in taken.items()])
        except Exception as error:
            report(logger, "marks were not written", error)
            for key, mark in taken.items():
                newer = self._pending.get(key, (0, 0))
                self._pending[key] = (max(newer[0], mark[0]), max(newer[1], mark[1]))
        self._written_at = self._loop.time()
        self._task = None
        if self._pending:
            self._wait()


_of_hub: WeakKeyDictionary[Hub, Coalescer] = WeakKeyDictionary()


def of(hub: Hub, write: Callable[[Sequence[tuple[Any, int, int]]], None]) -> Coalescer:
    """The one of this process."""
    found = _of_hub.get(hub)
    if found is None:
        found = _of_hub[hub] = Coalescer(hub.loop, write)
    return found


async def settle(hub: Hub) -> None:
    """Write what this process has kept."""
    found = _of_hub.get(hub)
    if found is not None:
        await found.settle()
