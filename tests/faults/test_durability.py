"""What was acknowledged is there, whoever is killed a moment later (V-6), and whatever the disk says.

The killing is done by the very answer: the `ack` arrives, and the process dies before the next line of this
file. A short run kills some times; `--long` kills 500 times, as V-6 wants.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random  # noqa: TID251 - repeatable faults

import pytest

from bench.chat_log import Chat
from bench.visitor import Visitor
from tests.faults.checker.clients import RecordedConsole
from tests.faults.checker.history import History, Person
from tests.faults.checker.nemeses import by_hand
from tests.faults.checker.stage import Stage, embedded, served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS") or 0)
KILLS = 500 if LONG else 3
WRITERS = 4
PATIENCE = 60.0
DISK_BYTES = 6 * 1024 * 1024


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Stage]:
    with embedded(tmp_path) as stage:
        yield stage


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[Stage]:
    with served(tmp_path) as stage:
        yield stage


class Writers:
    """Some visitors of one firm, each in a chat of their own, who never stop talking."""

    def __init__(self, stage: Stage, count: int) -> None:
        self.stage = stage
        site = stage.cast["acme"]["site"]
        self.visitors = [Visitor(stage.urls[0], site, chance=Random(number)) for number in range(count)]
        self.acked: dict[str, tuple[str, int]] = {}  # ref -> (text, seq)
        self.on_ack: Callable[[], None] = lambda: None
        self.count = 0

    async def open(self) -> None:
        """An operator is online, or nobody could begin a chat."""
        cookie = self.stage.cast["acme"]["people"]["olga"]
        self.console = RecordedConsole(self.stage.urls[0], cookie)
        self.console.write_down(History(), Person("olga", "acme", "operator"))
        await asyncio.wait_for(self.console.open(), PATIENCE)
        await self.console.set_availability(online=True)
        for visitor in self.visitors:
            await asyncio.wait_for(visitor.open(), PATIENCE)
            await asyncio.wait_for(visitor.start_chat(name="Vera", department="intake"), PATIENCE)

    async def talk(self, visitor: Visitor, end: asyncio.Event) -> None:
        chat = visitor.chat
        assert chat is not None
        while not end.is_set():
            self.count += 1
            text = f"acme/{self.count} of {id(visitor)}"
            ack = await asyncio.wait_for(visitor.say(chat, text), PATIENCE)
            self.acked[ack["ref"]] = (text, ack["seq"])
            self.on_ack()

    async def check(self) -> None:
        """Every word that was acknowledged is at its place, and nothing is there twice; else it fails."""
        found: dict[str, tuple[str, int]] = {}
        for visitor in self.visitors:
            assert isinstance(visitor.chat, Chat)
            rows = await asyncio.wait_for(visitor.transcript(visitor.chat.uid), PATIENCE)
            assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
            texts = [row["text"] for row in rows if row["type"] == "message_posted"]
            assert len(texts) == len(set(texts)), "something is there twice"
            found |= {row.get("ref", ""): (row.get("text", ""), row["seq"]) for row in rows}
        lost = {ref: said for ref, said in self.acked.items() if found.get(ref) != said}
        assert not lost, f"{len(lost)} of {len(self.acked)} acknowledged are lost: {list(lost.items())[:5]}"

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in (*self.visitors, self.console)))


async def until(true: Callable[[], bool]) -> None:
    """Raises TimeoutError when it does not come true."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


async def killed_at_acks(stage: Stage, kill: Callable[[], None], mend: Callable[[], object]) -> Writers:
    """KILLS times: at some `ack`, `kill`; then `mend`, and all go on with what they had not heard of."""
    writers, chance = Writers(stage, WRITERS), Random(6)
    await writers.open()
    end, killed = asyncio.Event(), asyncio.Event()
    left = 0

    def at_ack() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            kill()
            killed.set()

    writers.on_ack = at_ack
    talks = [asyncio.create_task(writers.talk(visitor, end)) for visitor in writers.visitors]
    for _ in range(KILLS):
        killed.clear()
        left = chance.randint(5, 40)
        await asyncio.wait_for(killed.wait(), PATIENCE)
        await by_hand(mend)
    end.set()
    await asyncio.gather(*talks)
    await writers.check()
    await writers.close()
    return writers


def test_nothing_acknowledged_is_lost_with_the_process(on_sqlite: Stage) -> None:
    """V-6: kill -9 of the one process that holds the SQLite file, right after an `ack`."""
    server = on_sqlite.server
    writers = asyncio.run(killed_at_acks(on_sqlite, server.kill, server.start))
    assert len(writers.acked) >= 5 * KILLS


def test_nothing_acknowledged_is_lost_with_postgresql(on_postgres: Stage) -> None:
    """V-6: kill -9 of the postmaster right after an `ack`, with fsync and synchronous commit."""
    services = on_postgres.services
    assert services is not None
    writers = asyncio.run(killed_at_acks(on_postgres, services.kill_postgres, services.start_postgres))
    assert len(writers.acked) >= 5 * KILLS


# --- a full disk --------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for some megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk wants root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_and_loses_nothing(small_disk: Path) -> None:
    """V-5: the answer is `unavailable`; with room again the same message is stored, once."""

    async def run(stage: Stage) -> None:
        writers = Writers(stage, 1)
        await writers.open()
        [visitor] = writers.visitors
        heard: list[str] = []
        take = visitor.link._heard

        def listen(frame: dict[str, object]) -> None:
            if frame["type"] == "failed":
                heard.append(str(frame["code"]))
            take(frame)

        visitor.link._heard = listen
        end = asyncio.Event()
        talking = asyncio.create_task(writers.talk(visitor, end))
        await until(lambda: len(writers.acked) >= 10)
        ballast = small_disk / "ballast"
        fill(ballast)
        await until(lambda: len(heard) >= 3)
        ballast.unlink()
        before = len(writers.acked)
        await until(lambda: len(writers.acked) >= before + 10)
        end.set()
        await talking
        await writers.check()
        await writers.close()
        assert set(heard) == {"unavailable"}

    with embedded(small_disk) as stage:
        asyncio.run(run(stage))


def fill(file: Path) -> None:
    """Until not one byte more goes."""
    with file.open("wb", buffering=0) as out:
        for size in (65536, 4096, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                continue
