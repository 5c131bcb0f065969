"""Those who come and those who go do so a few in a turn of the loop, so that those who stay have their turns
too (V-9).

Ten thousand whose lines are cut are gone within a second, and ask for new sockets within the next. A turn of
the loop deals with all that has come since the last one, at some tenths of a millisecond each, so a chat that
goes on would wait for seconds. What is said on a connection for the first time, and what its end leaves to be
done, therefore wait here, and a few are let through before everybody else is heard again. Who has come to
nothing meanwhile takes nobody's place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

A_TURN = 8
LOOKS = 4 * A_TURN  # at who waits, in a turn in which most have come to nothing
FULL = (
    8 * A_TURN
)  # wait here: who comes then is better off in the system's backlog, which costs nobody a turn
Call = Callable[[], bool]


class Door:
    """One direction of this process. On one loop at a time."""

    def __init__(self) -> None:
        self._waiting: deque[Call] = deque()
        self._places = A_TURN
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def is_open(self) -> bool:
        """Whether one more may pass in this turn, and takes its place. Else it has to `wait`."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the first of a turn, or of another loop
            self._waiting.clear()  # whoever waited on another loop is gone with it
            self._loop, self._places = loop, A_TURN
            loop.call_soon(self._turn)
        if self._waiting or not self._places:
            return False
        self._places -= 1
        return True

    def is_full(self) -> bool:
        """Whether so many wait that nobody else should be brought here for now."""
        return len(self._waiting) >= FULL and self._loop is asyncio.get_running_loop()

    def wait(self, call: Call) -> None:
        """It is called when it is its turn, after all who waited before, and says whether it has used it."""
        self._waiting.append(call)

    def _turn(self) -> None:
        """Another turn of the loop."""
        if not self._waiting:
            self._loop = None  # nobody counts turns while nobody comes
            return
        asyncio.get_running_loop().call_soon(self._turn)
        self._places = 0
        left = A_TURN
        for _ in range(min(LOOKS, len(self._waiting))):
            left -= self._waiting.popleft()()
            if not left:
                return


entrance = Door()
exit_ = Door()
