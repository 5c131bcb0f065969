"""Dialogues replayed through real sockets keep every message, once and in order, whatever breaks meanwhile.

`dev.py test faults --long N` goes on for N seconds. CHATLEAD_FAULTS_DIALOGUES may name a file of real
dialogues, as `dev.py replay` takes it; else some made here are used.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import cycle, takewhile
from pathlib import Path
from random import Random  # noqa: TID251 - repeatable faults
from typing import Any

import pytest

from bench.replay import Dialogue, Replay, read_dialogues
from tests.servers import Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

KILLS = 5
PASSWORD = "a demo password for one test"
LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS") or 0)
FILE = os.environ.get("CHATLEAD_FAULTS_DIALOGUES", "")


def made_up(number: int) -> Dialogue:
    """Eight to twenty turns, some of them equal: an equal text twice is not a repeated message."""
    chance = Random(number)
    words = ("yes", "thank you", "naïve café", "12 o'clock", "<b>bold</b>", "שלום", "👩‍👩‍👧", "a\nb", "…")
    turns = [
        (("visitor", "operator")[turn % 2], " ".join(chance.choices(words, k=chance.randint(1, 6))))
        for turn in range(chance.randint(8, 20))
    ]
    return Dialogue(f"made-{number}", turns)


def dialogues(how_many: int) -> list[Dialogue]:
    if not FILE:
        return [made_up(number) for number in range(how_many)]
    found = list(read_dialogues(Path(FILE)))
    return found if LONG else found[:how_many]


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """One process on SQLite; two on PostgreSQL and Redis, behind one address."""
    where: dict[str, Any] = {}
    if request.param == "postgres":
        where = {
            "database_url": os.environ["DATABASE_URL"],
            "redis_url": os.environ["REDIS_URL"],
            "processes": 2,
        }
    env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD, "CHATLEAD_POSITION_SECONDS": "3"}
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=env, **where) as running:
        yield running


async def replayed(server: Server, chosen: list[Dialogue], *, cut: float = 0.0, **more: Any) -> Replay:
    replay = Replay([server.url], password=PASSWORD, chats=8, cut=cut, seed=7, patience=60, **more)
    await replay.run(chosen)
    return replay


def said(replay: Replay) -> str:
    return "\n".join(replay.tally.faults[:10])


def test_every_transcript_is_what_was_said(server: Server) -> None:
    """R-035: nothing lost, nothing twice, nothing out of order, on both people's screens and in the log."""
    chosen = dialogues(40)
    replay = asyncio.run(replayed(server, chosen))
    assert replay.tally.kept_promise, said(replay)
    assert replay.tally.messages == sum(len(dialogue.turns) for dialogue in chosen)


def test_lines_that_break_lose_nothing(server: Server) -> None:
    """R-035, V-3: both sides' connections are cut at random, and come back by themselves."""
    replay = asyncio.run(replayed(server, dialogues(30), cut=6.0, rate=60.0))
    assert replay.tally.kept_promise, said(replay)
    assert replay.tally.cuts > 5
    assert replay.tally.reconnects >= replay.tally.cuts / 2


def test_a_killed_process_loses_nothing(server: Server) -> None:
    """R-035: kill -9 in the middle, and a start a moment later: what was acknowledged is there."""
    kills = 0

    async def kill_and_start() -> None:
        nonlocal kills
        for number in range(KILLS):  # bounded: a slow machine must have time to finish in between
            await asyncio.sleep(2.0)
            index = number % len(server.processes)
            await asyncio.to_thread(server.kill, index)
            kills += 1
            await asyncio.sleep(0.3)
            await asyncio.to_thread(server.start, index)

    async def run() -> Replay:
        killer = asyncio.create_task(kill_and_start())
        try:
            return await replayed(server, dialogues(24), cut=1.0, rate=40.0)
        finally:
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)
            await asyncio.to_thread(server.start)

    replay = asyncio.run(run())
    assert replay.tally.kept_promise, said(replay)
    assert kills >= 2, "the replay was over before anything was killed"
    assert replay.tally.reconnects > 0


if LONG:

    def test_it_goes_on_for_long(server: Server) -> None:
        """R-035: the whole file, again and again, with cuts, for as long as was asked."""
        replay = Replay([server.url], password=PASSWORD, chats=24, cut=3.0, seed=11, patience=60)

        async def run() -> None:
            loop = asyncio.get_running_loop()
            end = loop.time() + LONG
            await replay.run(takewhile(lambda _: loop.time() < end, cycle(dialogues(500))))

        asyncio.run(asyncio.wait_for(run(), LONG + 120))
        assert replay.tally.kept_promise, said(replay)
