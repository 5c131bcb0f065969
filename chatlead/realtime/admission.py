"""Who comes in when ten thousand come at once (V-9).

`admit` and `welcome` are the dearest thing a socket asks for. So they have threads of their own, and a
bounded number of them is in work at once; the others wait in their order, operators before visitors. Whoever
would wait for too long is sent away with an appointment: each a time of its own, at the pace at which people
get in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

from django.conf import settings

FIRST_PACE = 0.02  # seconds a person, as long as it is not known
LATEST_SECONDS = 60.0
SMOOTHING = 0.05


class Admission:
    """The door of one process. On the loop only."""

    def __init__(self) -> None:
        self.inside = 0
        self._waiting: tuple[deque[tuple[float, asyncio.Future[float]]], ...] = (deque(), deque())
        self._pace = FIRST_PACE
        self._last = 0.0  # when somebody left while others were waiting
        self._booked = 0.0  # the last appointment

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting))

    async def enter(self, *, first: bool = False) -> float:
        """Wait for one's turn. 0.0: it has come, and `leave` must follow. Else the seconds after which to
        come back."""
        if self.inside < settings.ADMISSIONS and not len(self):
            self.inside += 1
            return 0.0
        line = self._waiting[0 if first else 1]
        if len(line) >= settings.ADMISSION_QUEUE:  # a crowd of visitors sends no operator away
            return self._appointment()
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        line.append((monotonic(), turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result() == 0.0:
                self.leave()
            raise

    def leave(self) -> None:
        """What was begun with `enter` is done: it is the next one's turn."""
        self.inside -= 1
        now = monotonic()
        if len(self):
            if self._last:
                self._pace += SMOOTHING * (min(now - self._last, 1.0) - self._pace)
            self._last = now
        else:
            self._last = 0.0
        for waiting in self._waiting:
            while waiting and self.inside < settings.ADMISSIONS:
                since, turn = waiting.popleft()
                if turn.done():
                    continue
                if now - since > settings.ADMISSION_SECONDS:
                    turn.set_result(self._appointment())
                else:
                    self.inside += 1
                    turn.set_result(0.0)

    def _appointment(self) -> float:
        now = monotonic()
        self._booked = max(self._booked, now + len(self) * self._pace) + self._pace
        if self._booked > now + LATEST_SECONDS:
            self._booked = now + LATEST_SECONDS / 2
        return self._booked - now
