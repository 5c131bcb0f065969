"""V-9, D-2: who comes in when all come at once, and when somebody only wants to be in the way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from chatlead.realtime.admission import Admission, Line
from chatlead.realtime.codes import CloseCode
from tests.realtime.kit import HELLO, House, closing, dial, hear, serving, until


async def test_so_many_come_in_at_once_in_their_order_and_operators_first(settings: Settings) -> None:
    """V-9: whoever hangs up while waiting takes no place."""
    settings.ADMISSIONS = 2
    door, came = Admission(), []

    async def enter(name: str, first: bool = False) -> None:
        assert await door.enter(first=first) == 0
        came.append(name)

    tasks = [asyncio.create_task(enter(f"vera {number}")) for number in range(5)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(enter("olga", first=True)))
    await asyncio.sleep(0)
    assert (came, len(door)) == (["vera 0", "vera 1"], 4)
    tasks[2].cancel()
    await asyncio.sleep(0)
    for _ in range(5):
        door.leave()
        await asyncio.sleep(0)
    assert came == ["vera 0", "vera 1", "olga", "vera 3", "vera 4"]
    assert (door.inside, len(door)) == (0, 0)


async def test_a_full_queue_of_visitors_sends_no_operator_away(settings: Settings) -> None:
    """V-9, D-1: whoever knows a public key can fill the one, and so not the other."""
    settings.ADMISSIONS, settings.ADMISSION_QUEUE = 1, 2
    door = Admission()
    assert await door.enter() == 0
    crowd = [asyncio.create_task(door.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    assert await door.enter() > 0
    olga = asyncio.create_task(door.enter(first=True))
    await asyncio.sleep(0)
    door.leave()
    assert await olga == 0
    for each in crowd:
        each.cancel()


async def test_one_from_elsewhere_does_not_stand_behind_a_thousand_of_one_network(settings: Settings) -> None:
    """D-2: networks take turns; of each the first who came is the first."""
    settings.ADMISSIONS = 1
    door, came = Admission(), []

    async def enter(name: str, network: str) -> None:
        assert await door.enter(network=network) == 0
        came.append(name)

    assert await door.enter() == 0
    crowd = [(f"mallory {number}", f"10.{number % 2}.0.0") for number in range(1000)]
    tasks = [asyncio.create_task(enter(*one)) for one in crowd]
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(enter(name, "203.0.113.0")) for name in ("vera", "her sister")]
    await asyncio.sleep(0)
    for _ in range(7):
        door.leave()
        await asyncio.sleep(0)
    first = ["mallory 0", "mallory 1", "vera", "mallory 2", "mallory 3", "her sister", "mallory 4"]
    assert came == first
    for task in tasks:
        task.cancel()


async def test_a_full_line_has_room_for_one_from_elsewhere(settings: Settings) -> None:
    """D-2: the largest network gives way, as long as it is larger; who goes is told when to come back."""
    settings.ADMISSIONS, settings.ADMISSION_QUEUE = 1, 4
    door = Admission()
    assert await door.enter() == 0
    crowd = [asyncio.create_task(door.enter(network="10.0.0.0")) for _ in range(4)]
    await asyncio.sleep(0)
    assert await door.enter(network="10.0.0.0") > 0
    veras = [asyncio.create_task(door.enter(network=f"203.0.{number}.0")) for number in range(3)]
    await asyncio.sleep(0)  # they come, …
    await asyncio.sleep(0)  # … and the others hear of it
    assert [task.done() for task in crowd] == [False, True, True, True]
    assert all(task.result() > 0 for task in crowd[1:])
    assert not any(task.done() for task in veras)
    assert await door.enter(network="203.0.9.0") > 0  # four networks wait, of each one
    for turn in (crowd[0], *veras):
        door.leave()
        assert await turn == 0
    assert (door.inside, len(door)) == (1, 0)


async def test_a_crowd_that_says_it_is_operators_keeps_no_visitor_out(settings: Settings) -> None:
    """D-1, D-2: the log-in is looked at inside, so anybody can stand in the operators' line."""
    settings.ADMISSIONS = 1
    door, came = Admission(), []

    async def enter(name: str, *, first: bool) -> None:
        assert await door.enter(first=first) == 0
        came.append(name)

    assert await door.enter() == 0
    tasks = [asyncio.create_task(enter("mallory", first=True)) for _ in range(100)]
    tasks += [asyncio.create_task(enter("vera", first=False)) for _ in range(3)]
    await asyncio.sleep(0)
    for _ in range(6):
        door.leave()
        await asyncio.sleep(0)
    assert came == ["mallory", "vera"] * 3
    for task in tasks:
        task.cancel()


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "give_up"]), st.integers(0, 5)), max_size=80))
def test_a_line_forgets_nobody_and_counts_right(steps: list[tuple[str, int]]) -> None:
    """V-9: whatever comes and goes."""
    line, inside = Line(), []
    for step, number in steps:
        network = f"10.{number}.0.0"
        if step == "enter":
            turn: Any = object()
            line.join(network, (0.0, turn))
            inside.append((network, turn))
        elif step == "leave" and len(line):
            _, turn = line.next()
            inside.remove(next(one for one in inside if one[1] is turn))
        elif step == "give_up":
            counts = Counter(name for name, _ in inside)
            most = max(counts.values(), default=0)
            gone: Any = line.give_way(network)
            assert (gone is None) == (counts[network] + 1 >= most)
            if gone is not None:
                [place] = [one for one in inside if one[1] is gone]
                assert counts[place[0]] == most
                inside.remove(place)
        assert len(line) == len(inside)
    while len(line):
        _, turn = line.next()
        inside.remove(next(one for one in inside if one[1] is turn))
    assert inside == []


async def test_whoever_would_wait_too_long_gets_a_time_of_their_own(settings: Settings) -> None:
    """V-9: spread evenly, within a minute; and who has waited too long already is sent away as well."""
    settings.ADMISSIONS, settings.ADMISSION_QUEUE, settings.ADMISSION_SECONDS = 1, 2, 0.05
    door = Admission()
    assert await door.enter() == 0
    waiting = [asyncio.create_task(door.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    times = [await door.enter() for _ in range(5000)]
    assert all(0 < each <= 60 for each in times)
    assert times[:50] == sorted(set(times[:50]))
    await asyncio.sleep(0.1)
    door.leave()
    assert all(seconds > 0 for seconds in await asyncio.gather(*waiting))
    assert await door.enter() == 0


async def test_a_crowd_at_the_door_keeps_nobody_inside_waiting(settings: Settings) -> None:
    """V-9: a thread of the pool is always left for those who are in; the rest are told when to come back."""
    settings.ADMISSIONS, settings.ADMISSION_QUEUE = 2, 3
    house, gate = House(), asyncio.Event()
    loop = asyncio.get_running_loop()
    async with serving(house) as address, dial(address) as vera:
        await vera.send(json.dumps(HELLO))
        await hear(vera)
        house.admit = lambda handshake: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(20)
        crowd = [await dial(address) for _ in range(8)]
        for one in crowd:
            await one.send(json.dumps(HELLO))
        ends = [asyncio.create_task(closing(one, 20)) for one in crowd]
        await until(lambda: sum(end.done() for end in ends) == 3)
        for code, reason in [end.result() for end in ends if end.done()]:
            assert code == CloseCode.BUSY
            assert str(reason).startswith("busy ")
            assert 0 < int(str(reason)[5:]) <= 60_000
        await vera.send('{"type":"load_messages","id":1,"chat":"%s"}' % ("C" * 22))
        assert await hear(vera) == {"type": "done", "id": 1}
        gate.set()
        await asyncio.sleep(0.3)
        for end, one in zip(ends, crowd, strict=True):
            if not end.done():
                await one.close()
        assert [code for code, _ in await asyncio.gather(*ends)].count(CloseCode.BUSY) == 3
