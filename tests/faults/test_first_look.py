"""Whoever comes in while a thousand write sees everything by the snapshot and what follows it (V-4)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 - repeatable faults

import pytest

from bench.link import Frame
from bench.visitor import Visitor
from tests.faults.checker.check import differences
from tests.faults.checker.clients import RecordedConsole, look_afresh
from tests.faults.checker.history import History, Person
from tests.faults.checker.stage import Stage, embedded, served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS") or 0)
WRITERS = 1000 if LONG else 40
PAUSE = 0.3 if WRITERS < 100 else 15.0  # at most, between two messages: a chat's snapshot has 100 rows
LOOKS = 12
AT_ONCE = 20  # who come in at the same time
PATIENCE = 120.0
# nothing but the snapshot and the events behind it: no position would mend a hole
SILENT = {"CHATLEAD_POSITION_SECONDS": "3600"}


@pytest.fixture(params=["sqlite", "postgres"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with (embedded if request.param == "sqlite" else served)(tmp_path, env=SILENT) as stage:
        yield stage


class Deaf(RecordedConsole):
    """No position mends what it missed; one may come all the same, while the link to Redis is made."""

    def _take(self, frame: Frame) -> None:
        if frame["type"] != "position":
            super()._take(frame)


async def writer(stage: Stage, number: int, door: asyncio.Semaphore) -> Visitor:
    visitor = Visitor(stage.urls[0], stage.cast["acme"]["site"], chance=Random(number))
    async with door:
        await asyncio.wait_for(visitor.open(), PATIENCE)
        await asyncio.wait_for(visitor.start_chat(name="Vera", department="intake"), PATIENCE)
    return visitor


async def write(visitor: Visitor, number: int, enough: asyncio.Event) -> int:
    """How many rows the chat has then."""
    chance, turn = Random(f"writer {number}"), 0
    assert visitor.chat is not None
    while not enough.is_set():
        turn += 1
        await asyncio.wait_for(visitor.say(visitor.chat, f"acme/{number} says {turn}"), PATIENCE)
        await asyncio.sleep(chance.random() * PAUSE)
    return turn + 1


async def console_of(stage: Stage, name: str) -> Deaf:
    console = Deaf(stage.urls[0], stage.cast["acme"]["people"][name])
    console.write_down(History(), Person(name, "acme", "operator"))
    console.marks_read = False
    await asyncio.wait_for(console.open(), PATIENCE)
    return console


async def run(stage: Stage) -> None:
    first = await console_of(stage, "olga")
    await first.set_availability(online=True)
    door = asyncio.Semaphore(AT_ONCE)
    visitors = await asyncio.gather(*(writer(stage, number, door) for number in range(WRITERS)))
    enough = asyncio.Event()
    writing = asyncio.gather(*(write(visitor, number, enough) for number, visitor in enumerate(visitors)))
    consoles = [first]
    for number in range(LOOKS):
        consoles.append(await console_of(stage, ("olga", "nina")[number % 2]))
    enough.set()
    rows = sum(await writing)
    async with asyncio.timeout(PATIENCE):
        while any(sum(chat.seq for chat in each.chats.values()) < rows for each in consoles):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for console in consoles:
        fresh = await look_afresh(console, PATIENCE)
        assert list(differences(console.screen(), fresh)) == []
        assert console.syncs == 0
        assert len(console.chats) == WRITERS
    await asyncio.gather(*(client.close() for client in (*visitors, *consoles)))


def test_a_snapshot_and_what_follows_it_are_everything(stage: Stage) -> None:
    """V-4: consoles come in one after the other while everybody writes; none misses or repeats a word."""
    asyncio.run(run(stage))
