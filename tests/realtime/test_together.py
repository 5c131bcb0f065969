"""Many who come in at once are served in few turns, and each as if they were alone (V-9)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from chatlead.errors import ChatLeadError, NotFound, TicketRefused
from chatlead.realtime import pool


class Counter:
    """Doubles numbers, and remembers who was served together. Waits in its first turn for `go`."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.go = threading.Event()

    def double(self, numbers: Sequence[int]) -> list[int | ChatLeadError]:
        self.turns.append(list(numbers))
        if len(self.turns) == 1:
            assert self.go.wait(10)
        return [NotFound() if number == 7 else 2 * number for number in numbers]


async def test_who_comes_meanwhile_is_served_together_in_the_next_turn() -> None:
    """V-9: nobody gets what was read before they came."""
    counter, together = Counter(), pool.Together()
    first = asyncio.ensure_future(together(counter.double, 1))
    await asyncio.sleep(0.05)
    others = [asyncio.ensure_future(together(counter.double, number)) for number in (2, 3, 7)]
    await asyncio.sleep(0.05)
    assert counter.turns == [[1]]
    counter.go.set()
    assert await first == 2
    answers = await asyncio.gather(*others, return_exceptions=True)
    assert answers[:2] == [4, 6] and isinstance(answers[2], NotFound)
    assert counter.turns == [[1], [2, 3, 7]]


async def test_after_a_crowd_the_next_who_comes_waits_a_moment_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """V-9: a crowd that comes back is not split by its first one, who would take a turn alone each time."""
    monkeypatch.setattr(pool, "CROWDED_SECONDS", 60.0)
    counter, together = Counter(), pool.Together()
    counter.go.set()
    assert await asyncio.gather(*(together(counter.double, number) for number in (1, 2))) == [2, 4]
    assert together._running is not None
    await together._running
    first = asyncio.ensure_future(together(counter.double, 3))
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(together(counter.double, number)) for number in (4, 5)]
    assert await asyncio.gather(first, *others) == [6, 8, 10]
    assert counter.turns == [[1, 2], [3, 4, 5]]


async def test_one_who_breaks_a_turn_breaks_it_for_nobody_else() -> None:
    """V-9: where the function itself fails, each is served alone."""

    def halve(numbers: Sequence[Any]) -> list[float]:
        return [number / 2 for number in numbers]

    together = pool.Together()
    answers = await asyncio.gather(*(together(halve, each) for each in (2, "x", 4)), return_exceptions=True)
    assert answers[0] == 1 and answers[2] == 2 and isinstance(answers[1], TypeError)


async def test_where_the_database_is_away_everybody_hears_it_once() -> None:
    """V-6: one attempt for all of them."""
    asked: list[int] = []

    def fail(numbers: Sequence[int]) -> list[int]:
        asked.append(len(numbers))
        raise OperationalError("away")

    together = pool.Together()
    answers = await asyncio.gather(*(together(fail, each) for each in (1, 2, 3)), return_exceptions=True)
    assert [type(each) for each in answers] == [OperationalError] * 3
    assert asked == [3]


async def test_who_hangs_up_while_waiting_is_not_served() -> None:
    """V-9."""
    counter, together = Counter(), pool.Together()
    first = asyncio.ensure_future(together(counter.double, 1))
    await asyncio.sleep(0.05)
    gone = asyncio.ensure_future(together(counter.double, 2))
    stays = asyncio.ensure_future(together(counter.double, 3))
    await asyncio.sleep(0)
    gone.cancel()
    counter.go.set()
    assert (await first, await stays) == (2, 6)
    assert counter.turns == [[1], [3]]
    with pytest.raises(asyncio.CancelledError):
        await gone


def test_a_call_for_one_raises_what_stands_in_its_place() -> None:
    """P-5."""
    assert pool.alone([5]) == 5
    with pytest.raises(TicketRefused):
        pool.alone([TicketRefused()])
