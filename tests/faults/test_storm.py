"""V-9: a network comes back, and everybody with it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import http
from bench.console import Console
from bench.machine import rss_mb
from bench.visitor import Visitor
from tests.faults.guests import guests
from tests.servers import Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS", "0"))
CROWD = 10_000 if LONG else 600
TALKS = 8
FAKES = 50_000 if LONG >= 600 else 5_000 if LONG else 900
WAVE = max(300, FAKES // 10)
PAUSE = 0.2  # seconds between two messages of one side
BACK_SECONDS = 60.0  # for ten thousand; how chats feel it is a figure, asked for where nothing else runs


class Talk:
    """A chat that goes on; `waits` are the seconds from the sending to the ack."""

    def __init__(self, visitor: Visitor, console: Console, chat: Any) -> None:
        self.console = console
        self.sides = [(visitor, chat), (console, console.chats[chat.uid])]
        self.waits: list[float] = []

    async def go_on(self, until: asyncio.Event) -> None:
        while not until.is_set():
            for side, chat in self.sides:
                began = time.monotonic()
                await side.say(chat, "and then?")
                self.waits.append(time.monotonic() - began)
                await asyncio.sleep(PAUSE)


@asynccontextmanager
async def talks(server: Server, site: str, password: str) -> AsyncIterator[list[Talk]]:
    """Running chats of the demo's Intake, all with olga."""
    cookie = http.log_in(server.url, "olga@demo.test", password)
    console = Console(server.url, cookie)
    await console.open()
    await console.set_availability(online=True)
    visitors, begun = [], []
    for number in range(TALKS):
        visitor = Visitor(server.url, site)
        await visitor.open()
        visitors.append(visitor)
        chat = await visitor.start_chat(name=f"Vera {number}", text="Hello", department="Intake")
        await console.accept_chat(chat.uid)
        begun.append(Talk(visitor, console, chat))
    try:
        yield begun
    finally:
        for client in (*visitors, console):
            await client.close()


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


async def test_a_crowd_that_is_cut_off_comes_back_and_running_chats_do_not_notice(tmp_path: Path) -> None:
    """V-9: all are back within a minute; p95 of the running chats stays below a second."""
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"]) as server:
        site, password = http.site_key(server.url), (tmp_path / "demo_password").read_text().strip()
        with guests(server.url, site) as crowd:
            came = await crowd.do(f"open {CROWD}")
            assert came["in"] == CROWD
            async with talks(server, site, password) as running:
                over = asyncio.Event()
                going = [asyncio.create_task(talk.go_on(over)) for talk in running]
                await asyncio.sleep(1.0)
                for talk in running:
                    talk.waits.clear()
                back = await crowd.do("cut")
                over.set()
                await asyncio.gather(*going)
                waits = [wait for talk in running for wait in talk.waits]
        print(
            "storm:", back, "running:", len(waits), "p95", round(p95(waits), 3), "max", round(max(waits), 3)
        )
        assert back["in"] == CROWD
        assert back["seconds"] < BACK_SECONDS
        assert not LONG or p95(waits) < 1.0


async def test_fake_visitors_come_and_go_and_the_console_stays_usable(tmp_path: Path) -> None:
    """D-2: each from a socket of its own, never seen again: commands take less than a second, and what was
    needed for the first wave is enough for the last."""
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"]) as server:
        site, password = http.site_key(server.url), (tmp_path / "demo_password").read_text().strip()
        async with talks(server, site, password) as running:
            console = running[0].console
            waits: list[float] = []
            over = asyncio.Event()

            async def work() -> None:
                while not over.is_set():
                    began = time.monotonic()
                    await console.set_availability(online=True)
                    waits.append(time.monotonic() - began)
                    await asyncio.sleep(PAUSE)

            working = asyncio.create_task(work())
            sizes = []
            for _ in range(FAKES // WAVE):
                with guests(server.url, site) as crowd:
                    assert (await crowd.do(f"open {WAVE}"))["in"] == WAVE
                sizes.append(rss_mb(server.pids()[0]))
            over.set()
            await working
        print("fakes:", FAKES, "MB after each wave:", sizes, "console p95", round(p95(waits), 3))
        assert not LONG or p95(waits) < 1.0
        assert sizes[-1] - sizes[0] < 40
