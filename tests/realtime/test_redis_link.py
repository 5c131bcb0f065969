"""The same between processes, through a real Redis. Two hubs on one loop stand for two processes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import redis.asyncio as redis
from django.conf import settings

from chatlead.realtime import hub as hubs
from chatlead.realtime import publish, topics
from chatlead.realtime.events import AvailabilityChanged
from chatlead.realtime.hub import Hub
from tests.realtime.kit import until
from tests.realtime.test_hub import INTAKE, OLGA, VERA, Ear

pytestmark = pytest.mark.postgres  # and Redis: the one is never there without the other

MakeHub = Callable[..., Awaitable[Hub]]


@pytest.fixture
async def make_hub() -> AsyncIterator[MakeHub]:
    """Hubs that share a prefix of this test alone."""
    prefix = f"{settings.REDIS_PREFIX}-{secrets.token_hex(4)}"
    made: list[Hub] = []

    async def make(url: str = settings.REDIS_URL) -> Hub:
        hub = Hub(url, prefix)
        await hub.start()
        made.append(hub)
        return hub

    yield make
    for hub in made:
        await hub.stop()


async def ear_at(hub: Hub, *which: topics.Topic) -> Ear:
    ear = Ear()
    hub.join(ear, which)
    await hub.settled()
    return ear


async def test_everybody_hears_it_once_wherever_they_are(make_hub: MakeHub) -> None:
    """One delivery to three topics comes as three messages of Redis; the origin skips itself."""
    here, there = await make_hub(), await make_hub()
    olga_here = await ear_at(here, INTAKE, OLGA)
    olga_there = await ear_at(there, INTAKE, OLGA, topics.team(1))
    vera_there = await ear_at(there, VERA)
    for number in range(20):
        here.deliver([INTAKE, OLGA, topics.team(1), VERA], str(number))
    await until(lambda: len(vera_there.heard) >= 20)
    await asyncio.sleep(0.05)
    expected = [str(number) for number in range(20)]
    assert olga_here.heard == olga_there.heard == vera_there.heard == expected


async def test_two_origins_are_told_apart(make_hub: MakeHub) -> None:
    one, two, three = await make_hub(), await make_hub(), await make_hub()
    olga = await ear_at(three, INTAKE, OLGA)
    for number in range(50):
        one.deliver([INTAKE, OLGA], f"a{number}")
        two.deliver([INTAKE, OLGA], f"b{number}")
    await until(lambda: len(olga.heard) >= 100)
    await asyncio.sleep(0.05)
    assert sorted(olga.heard) == sorted(f"{who}{number}" for who in "ab" for number in range(50))
    for who in "ab":
        assert [text for text in olga.heard if text[0] == who] == [f"{who}{number}" for number in range(50)]


async def test_once_it_is_settled_nothing_is_missed(make_hub: MakeHub) -> None:
    """Subscribe, then read: what is published after `settled` is heard (V-4)."""
    here, there = await make_hub(), await make_hub()
    for number in range(200):
        topic = topics.operator(1000 + number)
        ear = await ear_at(there, topic)
        here.deliver([topic], "heard")
        await until(ear.heard.__len__)
        there.leave(ear)


async def test_whoever_left_is_not_subscribed_any_more(make_hub: MakeHub) -> None:
    here, there = await make_hub(), await make_hub()
    ear = await ear_at(there, VERA)
    there.leave(ear)
    again = await ear_at(there, OLGA)
    here.deliver([VERA], "nobody")
    here.deliver([OLGA], "olga")
    await until(lambda: again.heard)
    assert (ear.heard, again.heard) == ([], ["olga"])
    assert there.link is not None
    assert there.link._channels == {OLGA.name}


async def test_text_of_any_kind_and_size_arrives_whole(make_hub: MakeHub) -> None:
    here, there = await make_hub(), await make_hub()
    ear = await ear_at(there, VERA)
    texts = ["ü👩‍👩‍👧\r\n$5\r\n*1", "", "x" * 1_000_000]
    for text in texts:
        here.deliver([VERA], text)
    await until(lambda: len(ear.heard) == len(texts))
    assert ear.heard == texts


async def test_a_link_that_breaks_comes_back_with_its_topics_and_says_so(make_hub: MakeHub) -> None:
    """Redis forgets us, or restarts: publishes are lost meanwhile, positions go out at its return (V-3)."""
    here, there = await make_hub(), await make_hub()
    ear = await ear_at(there, VERA)
    told = asyncio.Event()

    async def tell_positions(hub: Hub) -> None:
        told.set()

    there.every(3600, tell_positions, at_return=True)
    client = redis.Redis.from_url(settings.REDIS_URL)
    await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await client.aclose()
    assert here.link is not None
    assert there.link is not None
    links = here.link, there.link
    await until(lambda: not any(link.is_up for link in links))
    late = Ear()
    there.join(late, [OLGA])  # while it is down
    await there.settled()
    here.deliver([VERA], "lost")
    async with asyncio.timeout(15):
        await told.wait()
    await until(lambda: all(link.is_up for link in links), 15)
    await there.settled()
    here.deliver([VERA, OLGA], "back")
    await until(lambda: ear.heard and late.heard)
    assert (ear.heard, late.heard) == (["back"], ["back"])


async def test_without_redis_one_process_works_alone_and_starts_all_the_same(make_hub: MakeHub) -> None:
    """V-15."""
    alone = await make_hub("redis://127.0.0.1:1/0")
    ear = await ear_at(alone, VERA)
    alone.deliver([VERA], "here")
    assert ear.heard == ["here"]


async def test_a_wrong_password_is_told_apart_from_nothing(
    make_hub: MakeHub, caplog: pytest.LogCaptureFixture
) -> None:
    """Logged without the address, which holds the password."""
    host = settings.REDIS_URL.rpartition("@")[2]
    hub = await make_hub(f"redis://:the-wrong-one@{host}")
    assert hub.link is not None
    assert not hub.link.is_up
    assert "Redis does not answer" in caplog.text
    assert "the-wrong-one" not in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_a_worker_without_sockets_reaches_them(
    make_hub: MakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deliveries of a worker to two topics each: every member hears each once."""
    there = await make_hub()
    assert there.link is not None
    monkeypatch.setattr(settings, "REDIS_PREFIX", there.link._prefix.decode().rstrip(":"))
    ear = await ear_at(there, topics.site(1), VERA)
    assert hubs.current() is None
    for uid in ("one", "two"):
        event = AvailabilityChanged(online=[uid])
        await asyncio.to_thread(publish.publish, event, topics.site(1), VERA)
    await until(lambda: len(ear.heard) >= 2)
    await asyncio.sleep(0.05)
    assert [text[-7:-3] for text in ear.heard] == ['"one', '"two']


@pytest.mark.parametrize("turns", range(6))
async def test_a_process_that_ends_as_redis_hangs_up_ends_all_the_same(make_hub: MakeHub, turns: int) -> None:
    """V-10: the end is not taken for one more reason to connect, in whichever turn of the loop it comes."""
    hub = await make_hub()
    link = hub.link
    assert link is not None and link._in is not None and link._in.transport is not None
    link._in.transport.abort()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await hub.stop()
    assert not link.is_up
