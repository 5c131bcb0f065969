"""The time of day is set while people talk: nobody is taken for gone, and who is gone is (V-5, V-14)."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from tests.faults.checker.stage import PLANTED
from tests.faults.test_presence import (
    ENV,
    PASSWORD,
    TIMES,
    Guest,
    Office,
    at_work,
    everybody_hears_that_olga_is_gone,
    until,
)
from tests.servers import Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

HOUR = 3600.0


class Clock:
    """That of the server."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "orders.json"
        self.env = {"TEST_PLANTED": str(self.file)}

    def is_off_by(self, seconds: float) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"clock": seconds}))
        os.replace(fresh, self.file)


async def all_is_as_it_was(office: Office) -> None:
    """Nobody counts as gone, and no chat has ended or gone back to the line."""
    await office.works_for(TIMES.settled + 2)
    assert office.olga.is_mine(office.olga.chats[office.uid])
    assert (office.chat.state, office.vera.told_that_it_waits_again()) == ("active", False)
    assert office.dana.chat is not None and office.dana.chat.state == "waiting"
    assert "lost" not in {**office.olga.presences, **office.nina.presences}.values()


async def goes_and_comes_back(office: Office, clock: Clock, by: float) -> None:
    """Vera closes the page and opens it again; in between the clock is set."""
    vera = office.vera
    vera.answer = lambda: None  # type: ignore[method-assign]
    vera.link.send({"type": "leave_page"})
    seen = lambda: office.olga.presences.get(office.uid)  # noqa: E731
    await until(lambda: seen() == "left", 10, time.monotonic(), "olga believes that vera is there")
    vera.die()
    clock.is_off_by(by)
    office.vera = back = Guest(office.server.url, vera.site_key, session=vera.session)
    office.people.append(back)
    await back.open()
    await until(lambda: seen() == "here", 10, time.monotonic(), "olga does not see that vera is back")


@pytest.mark.parametrize("at_the_start", [0.0, HOUR], ids=["right at the start", "ahead at the start"])
def test_a_clock_that_is_set_makes_nobody_gone_and_no_ghost(tmp_path: Path, at_the_start: float) -> None:
    """V-5, V-14, R-121: an hour ahead and back, and a machine that learns the time after the start."""
    clock = Clock(tmp_path)
    clock.is_off_by(at_the_start)
    env = ENV | {"CHATLEAD_DEMO_PASSWORD": PASSWORD} | clock.env

    async def test(server: Server) -> None:
        async with at_work(server) as office:
            for seconds in (0.0,) if at_the_start else (HOUR, 0.0, -HOUR):
                await goes_and_comes_back(office, clock, seconds)
                await all_is_as_it_was(office)
            since = time.monotonic()
            office.olga.lose_network()
            await everybody_hears_that_olga_is_gone(office, since)

    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=env, python=[PLANTED]) as server:
        asyncio.run(test(server))
