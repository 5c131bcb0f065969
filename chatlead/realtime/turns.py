"""Whose turn it is, when strangers ask for more than the threads can do (D-2).

A page, or a command that reads the database, takes milliseconds of a thread, and strangers can ask for
thousands at once; behind them stood the ticket without which nobody comes back into a chat, an operator who
accepts one, and the word that an operator is there. So a bounded number is in work, and for the rest the
networks take turns.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

from chatlead.realtime.admission import Line, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WAITING = 1000  # beyond it the largest network gives way: each may hold the body of its request


class Turns:
    """`most` at once. On the loop only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._line = Line()
        self.inside = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._line)

    @asynccontextmanager
    async def of(self, network: str) -> AsyncIterator[bool]:
        """Wait for one's turn; False where there is none, because too many of this network wait."""
        has_turn = await self._begin(network)
        try:
            yield has_turn
        finally:
            if has_turn:
                self._end()

    async def _begin(self, network: str) -> bool:
        if self.inside < self._most and not len(self._line):
            self.inside += 1
            return True
        if len(self._line) >= WAITING:
            gone = self._line.give_way(network)
            if gone is None:
                return False
            if not gone.done():
                gone.set_result(-1.0)
        turn: Turn = asyncio.get_running_loop().create_future()
        self._line.join(network, (monotonic(), turn))
        try:
            return await turn >= 0
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result() >= 0:
                self._end()
            raise

    def _end(self) -> None:
        self.inside -= 1
        while self.inside < self._most and len(self._line):
            _, turn = self._line.next()
            if not turn.done():
                self.inside += 1
                turn.set_result(0.0)
