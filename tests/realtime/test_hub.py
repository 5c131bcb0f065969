"""Who hears what, in one process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatlead.realtime import hub as hubs
from chatlead.realtime import topics
from chatlead.realtime.hub import Hub

INTAKE = topics.operators_of(1)
OLGA = topics.operator(2)
VERA = topics.session("v" * 64)


class Ear:
    """Somebody who listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def deliver(self, text: str) -> None:
        self.heard.append(text)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = Hub()
    await made.start()
    yield made
    await made.stop()


async def test_everybody_hears_their_topics_and_nothing_else(hub: Hub) -> None:
    olga, sam, vera = Ear(), Ear(), Ear()
    hub.join(olga, [INTAKE, OLGA])
    hub.join(sam, [topics.operators_of(9)])
    hub.join(vera, [VERA])
    hub.deliver([INTAKE], "a chat waits")
    hub.deliver([VERA], "welcome")
    assert (olga.heard, sam.heard, vera.heard) == (["a chat waits"], [], ["welcome"])


async def test_an_event_reaches_each_member_once_and_not_its_sender(hub: Hub) -> None:
    olga, nina, vera = Ear(), Ear(), Ear()
    hub.join(olga, [INTAKE, OLGA])
    hub.join(nina, [INTAKE])
    hub.join(vera, [VERA])
    hub.deliver([INTAKE, OLGA, VERA], "once", skip=nina)
    assert (olga.heard, nina.heard, vera.heard) == (["once"], [], ["once"])


async def test_joining_twice_and_leaving_twice_change_nothing(hub: Hub) -> None:
    olga = Ear()
    for _ in range(2):
        hub.join(olga, [INTAKE, INTAKE])
    hub.deliver([INTAKE], "1")
    for _ in range(2):
        hub.leave(olga)
    hub.deliver([INTAKE], "2")
    assert olga.heard == ["1"]
    assert (hub.members, hub._listeners, hub._topics) == (set(), {}, {})


async def test_a_right_that_is_lost_is_a_topic_not_heard(hub: Hub) -> None:
    olga = Ear()
    hub.join(olga, [INTAKE, OLGA])
    hub.retopic(olga, [OLGA, topics.operators_of(3)])
    for topic in (INTAKE, OLGA, topics.operators_of(3)):
        hub.deliver([topic], topic.name)
    assert olga.heard == ["o2", "d3"]
    hub.leave(olga)
    hub.retopic(olga, [INTAKE])  # too late: it has left
    hub.deliver([INTAKE], "still?")
    assert olga.heard == ["o2", "d3"]


async def test_somebody_may_leave_while_everybody_is_told(hub: Hub) -> None:
    class Leaving(Ear):
        def deliver(self, text: str) -> None:
            super().deliver(text)
            hub.leave(self)

    ears = [Leaving() for _ in range(5)]
    for ear in ears:
        hub.join(ear, [INTAKE, OLGA])
    hub.deliver([INTAKE], "one topic")
    for ear in ears:
        hub.join(ear, [INTAKE, OLGA])
    hub.deliver([INTAKE, OLGA], "two")
    assert [ear.heard for ear in ears] == [["one topic", "two"]] * 5


async def test_a_thread_hands_over_in_its_order(hub: Hub) -> None:
    vera = Ear()
    hub.join(vera, [VERA])

    def work() -> None:
        for number in range(100):
            hub.hand_over([VERA], str(number))

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)
    await asyncio.sleep(0)
    assert vera.heard == [str(number) for number in range(100)]


def test_a_hub_whose_loop_has_ended_is_nobodys_hub(settings: Any) -> None:
    """A commit may come after the end (trials F); it must not raise."""
    settings.REDIS_URL = ""

    async def live() -> Hub:
        return await hubs.here()

    hub = asyncio.run(live())
    assert hubs.current() is None
    hub.hand_over([VERA], "too late")


async def test_there_is_one_hub_a_loop() -> None:
    one, other = await asyncio.gather(hubs.here(), hubs.here())
    assert one is other is hubs.current()
    await one.stop()
    assert hubs.current() is None


async def test_regular_work_goes_on_though_it_fails(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    secret = "vera@example.test"

    async def sometimes(of: Hub) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError(secret)

    hub.every(0.01, sometimes)
    async with asyncio.timeout(5):
        while len(calls) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert "ZeroDivisionError" in caplog.text
    assert secret not in caplog.text


async def test_work_never_overlaps_itself_and_does_not_hold_up_other_work(hub: Hub) -> None:
    running, most, others = 0, 0, 0

    async def long(of: Hub) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1

    async def short(of: Hub) -> None:
        nonlocal others
        others += 1

    hub.every(0.01, long)
    hub.every(0.01, short)
    await asyncio.sleep(0.25)
    assert most == 1
    assert others >= 5


async def test_a_hub_that_stops_stops_its_work() -> None:
    hub = Hub()
    await hub.start()
    calls: list[int] = []

    async def work(of: Hub) -> None:
        calls.append(1)

    hub.every(0.01, work)
    await asyncio.sleep(0.05)
    await hub.stop()
    before = len(calls)
    assert before
    await asyncio.sleep(0.05)
    assert len(calls) == before


def test_a_header_has_its_length_however_many_deliveries_there_were() -> None:
    assert len(hubs.header(b"a" * 12, 2**40 + 5)) == hubs.HEADER_BYTES
