"""Who comes in when ten thousand come at once (V-9), or a crowd that only wants to be in the way (D-2).

`admit` and `welcome` are the dearest thing a socket asks for. So they have threads of their own, and a
bounded number of them is in work at once; the others wait in two lines, operators' and visitors', which take
turns, so that a few operators are in at once and no crowd that only claims to be some keeps visitors out.
In a line it is the networks that take turns: one person from elsewhere never stands behind a thousand who
come from one place. Whoever would wait for too long is sent away with an appointment: each a time of its own,
at the pace at which people get in.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from time import monotonic

from django.conf import settings

FIRST_PACE = 0.005  # seconds a person, as long as it is not known; a longer gap is the loop being busy
LATEST_SECONDS = 60.0
FULL_SECONDS = 5.0
SMOOTHING = 0.05

Turn = asyncio.Future[float]
Waiting = tuple[float, Turn]  # since when


class Line:
    """Those who wait, by network. The networks take turns; in each it goes by arrival."""

    __slots__ = ("_by_network", "_count", "_longest", "_of_length")

    def __init__(self) -> None:
        self._by_network: dict[str, deque[Waiting]] = {}  # the first in the dict is the next
        # networks by how many of each wait
        self._of_length: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._longest = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def join(self, network: str, waiting: Waiting) -> None:
        """Stand behind the others of the same network."""
        queue = self._by_network.setdefault(network, deque())
        queue.append(waiting)
        self._grew(network, len(queue) - 1, len(queue))

    def give_way(self, network: str) -> Turn | None:
        """The last of the network with the most, who makes room for one of this one; None where with one more
        there would be as many of this one."""
        if len(self._by_network.get(network, ())) + 1 >= self._longest:
            return None
        largest = next(iter(self._of_length[self._longest]))
        _, turn = self._by_network[largest].pop()
        self._shrank(largest)
        return turn

    def next(self) -> Waiting:
        """Whose turn it is. Raises StopIteration where nobody waits."""
        network = next(iter(self._by_network))
        waiting = self._by_network[network].popleft()
        self._shrank(network)
        if network in self._by_network:
            self._by_network[network] = self._by_network.pop(network)  # now behind the other networks
        return waiting

    def _shrank(self, network: str) -> None:
        left = len(self._by_network[network])
        self._grew(network, left + 1, left)
        if not left:
            del self._by_network[network]

    def _grew(self, network: str, before: int, now: int) -> None:
        if before:
            self._of_length[before].pop(network)
            if not self._of_length[before]:
                del self._of_length[before]
        if now:
            self._of_length[now][network] = None
        self._count += now - before
        if now > self._longest:
            self._longest = now
        elif self._longest not in self._of_length:
            self._longest = now  # it was the only one of its length


class Admission:
    """The door of one process. On the loop only."""

    def __init__(self) -> None:
        self.inside = 0
        self._lines = (Line(), Line())
        self._is_turn_of_second = False
        self._pace = FIRST_PACE
        self._last = 0.0  # when somebody left while others were waiting
        self._booked = 0.0  # the last appointment

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._lines))

    async def enter(self, *, first: bool = False, network: str = "") -> float:
        """Wait for one's turn. 0.0: it has come, and `leave` must follow. Else the seconds after which to
        come back. `first`: in the operators' line. `network`: where they come from, "" for those of whom it
        is not known."""
        if self.inside < settings.ADMISSIONS and not len(self):
            self.inside += 1
            return 0.0
        line = self._lines[0 if first else 1]
        if len(line) >= settings.ADMISSION_QUEUE:  # a crowd of visitors sends no operator away
            gone = line.give_way(network)
            if gone is None:
                return self._appointment()
            if not gone.done():
                gone.set_result(self._appointment())
        turn: Turn = asyncio.get_running_loop().create_future()
        line.join(network, (monotonic(), turn))
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
                self._pace += SMOOTHING * (min(now - self._last, FIRST_PACE) - self._pace)
            self._last = now
        else:
            self._last = 0.0
        while self.inside < settings.ADMISSIONS and len(self):
            line = self._next_line()
            since, turn = line.next()
            if turn.done():
                continue
            if now - since > settings.ADMISSION_SECONDS:
                turn.set_result(self._appointment())
            else:
                self._is_turn_of_second = line is self._lines[0]
                self.inside += 1
                turn.set_result(0.0)

    def later(self) -> float:
        """When to come back for whom there is no seat: not before some seconds, and not all at once."""
        return FULL_SECONDS + self._appointment()

    def _next_line(self) -> Line:
        first, second = self._lines
        return second if len(second) and (self._is_turn_of_second or not len(first)) else first

    def _appointment(self) -> float:
        now = monotonic()
        self._booked = max(self._booked, now + len(self) * self._pace) + self._pace
        if self._booked > now + LATEST_SECONDS:
            self._booked = now + LATEST_SECONDS / 2
        return self._booked - now
