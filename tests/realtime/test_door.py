"""V-9: ten thousand who come, or go, within a second are heard a few at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

import pytest

from chatlead.wire.door import A_TURN, FULL, LOOKS, Door
from tests.realtime.kit import Turns, until

pytestmark = pytest.mark.once

CROWD = 1000


class Newcomer:
    def __init__(self, name: int, door: Door, heard: list[int], turns: Turns) -> None:
        self.name, self.door, self.heard, self.turns = name, door, heard, turns
        self.turn = -1

    def says(self, data: bytes) -> None:
        if self.door.is_open():
            self.come_in(data)
        else:
            self.door.wait(partial(self.come_in, data))

    def come_in(self, data: bytes) -> bool:
        assert data == b"GET"
        self.heard.append(self.name)
        self.turn = self.turns.number
        return True


async def test_a_crowd_is_heard_in_its_order_a_few_in_a_turn() -> None:
    """V-9: and whoever is inside has a turn after each few."""
    door, turns, heard = Door(), Turns(), list[int]()
    crowd = [Newcomer(number, door, heard, turns) for number in range(CROWD)]
    for each in crowd:
        each.says(b"GET")
    assert len(door) == CROWD - A_TURN
    await until(lambda: len(heard) == CROWD)
    turns.end()
    assert heard == sorted(heard)
    assert max(Counter(each.turn for each in crowd).values()) <= 2 * A_TURN
    assert len(door) == 0


async def test_those_who_have_gone_meanwhile_take_nobodys_place() -> None:
    """V-9: behind many who have given up, one who still waits is heard in a few turns."""
    door, turns, gone, heard = Door(), Turns(), list[int](), list[int]()

    def has_gone(number: int) -> bool:
        gone.append(number)
        return False

    while door.is_open():
        pass
    for number in range(CROWD):
        door.wait(partial(has_gone, number))
    late = Newcomer(1, door, heard, turns)
    late.says(b"GET")
    await until(lambda: heard)
    turns.end()
    assert (gone, len(door)) == ([*range(CROWD)], 0)
    assert late.turn <= CROWD // LOOKS + 3


async def test_a_full_door_says_so_until_some_have_come_in() -> None:
    """V-9: whoever takes connections leaves the rest in the system's backlog meanwhile."""
    door, turns, heard = Door(), Turns(), list[int]()
    seen = []
    for number in range(A_TURN + FULL):
        seen.append(door.is_full())
        Newcomer(number, door, heard, turns).says(b"GET")
    assert (any(seen), door.is_full()) == (False, True)
    for _ in range(4):  # turns
        await asyncio.sleep(0)
    assert (door.is_full(), len(door) > 0) == (False, True)
    await until(lambda: len(heard) == A_TURN + FULL)
    turns.end()


async def test_who_comes_alone_is_heard_at_once_also_after_a_crowd() -> None:
    """V-9."""
    door, turns, heard = Door(), Turns(), list[int]()
    for number in range(40):
        Newcomer(number, door, heard, turns).says(b"GET")
    await until(lambda: len(heard) == 40)
    await asyncio.sleep(0.01)
    Newcomer(40, door, heard, turns).says(b"GET")
    turns.end()
    assert heard[-1] == 40


def test_who_waited_on_a_loop_that_has_ended_is_no_concern_of_the_next() -> None:
    """A server in one process after the other: nobody is read for whom no connection is left."""
    door, heard = Door(), list[int]()

    async def crowded() -> None:
        turns = Turns()
        for number in range(CROWD):
            Newcomer(number, door, heard, turns).says(b"GET")
        turns.end()

    asyncio.run(crowded())
    before = len(heard)
    assert before < CROWD

    async def is_full() -> bool:
        return door.is_full()

    assert not asyncio.run(is_full())
    asyncio.run(crowded())
    assert heard[before : before + A_TURN] == [*range(A_TURN)]
    assert heard[before:] == sorted(heard[before:])
