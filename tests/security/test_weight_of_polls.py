"""D-1, D-3, D-5: polls are no cheaper way than sockets to use up what everybody shares."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from pytest_django import Settings

from accounts.models import Operator, Site
from chatlead.realtime.codes import CloseCode
from tests.polls import Answer, Poller, polling
from tests.realtime.kit import until
from tests.realtime.test_poll import console_poller, listeners, poller_of
from tests.sockets import PAGE
from visitors.sessions import new_token

pytestmark = pytest.mark.django_db(transaction=True)

HELD, BODY, HEAD = 20, 200_000, 30_000


class OnTheWire(bytes):
    """Joined, it is copied, as what comes from a network is."""


def page_of(site: Site, peer: str = "198.51.100.7") -> Poller:
    """A loader that polls; whoever knows the public key can be one."""
    hello = {"type": "hello", "protocol": 1, "role": "page", "site": site.key, "page_url": f"{PAGE}/"}
    return Poller("/poll/v1/visitor", hello, origin=PAGE, peer=peer)


async def kept_of_each(begun: AsyncIterator[asyncio.Task[Answer]]) -> float:
    """Bytes that stay in memory for each of HELD polls while they wait for news. They must be begun by this
    iteration, because what was there before it does not count."""
    held = []
    tracemalloc.start()
    try:
        async for each in begun:
            held.append(each)
        await until(lambda: listeners() == HELD)
        await asyncio.sleep(0.3)
        return tracemalloc.get_traced_memory()[0] / HELD
    finally:
        tracemalloc.stop()
        for each in held:
            each.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_a_held_poll_does_not_keep_its_body(site: Site) -> None:
    """D-3: 2,000 of an address, each with the largest body there is, would be half a gigabyte."""
    async with polling():
        await page_of(site).poll("news")
        asked = json.dumps({"hello": page_of(site).hello, "want": "news", "wait": 20_000})
        body = OnTheWire(asked.encode() + b" " * BODY)

        async def begin() -> AsyncIterator[asyncio.Task[Answer]]:
            for _ in range(HELD):
                yield asyncio.create_task(page_of(site).post(body))

        assert await kept_of_each(begin()) < BODY / 2


async def test_a_held_poll_does_not_keep_its_head(site: Site) -> None:
    """D-3: 10,000 held polls, each with the largest head there is, would be 640 MB."""
    async with polling():
        await (await poller_of(site, new_token())).enter()
        pollers = [await poller_of(site, new_token()) for _ in range(HELD)]
        for each in pollers:
            await each.enter()

        async def begin() -> AsyncIterator[asyncio.Task[Answer]]:
            for one in pollers:
                one.pairs += [("x-filler", "y" * HEAD), ("cookie", "z=" + "w" * HEAD)]
                yield asyncio.create_task(one.poll("news", wait=20))
                await asyncio.sleep(0)
                one.pairs = one.pairs[:-2]

        assert await kept_of_each(begin()) < HEAD


async def test_one_session_polls_so_often(site: Site, settings: Settings) -> None:
    """D-1: what is new is read from the database with each poll, so it has its bound like everything else."""
    settings.RATES = settings.RATES | {"poll": (0.1, 5)}
    async with polling():
        vera, nina = await poller_of(site, new_token()), await poller_of(site, new_token())
        for each in (vera, nina):
            await each.enter()
        codes = [(await vera.poll("news")).close for _ in range(7)]
        assert codes == [0] * 5 + [CloseCode.FLOOD] * 2
        assert (await nina.poll("answers")).close == 0


async def test_an_address_that_is_refused_again_and_again_asks_the_database_no_more(
    site: Site, olga: Operator, settings: Settings
) -> None:
    """D-5: forged passes and log-ins cost a stranger nothing, and so they may not cost us more."""
    settings.ADDRESS_HELLOS = (0.01, 5)
    async with polling():
        olga_polls = await console_poller(olga)
        await olga_polls.enter()
        strangers = [
            Poller(
                "/poll/v1/operator",
                {"type": "hello", "protocol": 1},
                cookies={"cl_login": "x" * 32},
                peer="198.51.100.7",
            ),
            await poller_of(site, peer="198.51.100.7"),
        ]
        strangers[1].pass_ = "forged"
        for stranger, status in zip(strangers, (401, 403), strict=True):
            codes = [(await stranger.poll("news")).status for _ in range(7)]
            assert codes == [status] * 5 + [429] * 2
        assert (await olga_polls.poll("news")).close == 0


async def test_where_no_address_is_known_nobody_is_refused_for_anothers_faults(site: Site) -> None:
    """R-096: a proxy that nobody has named must not lock everybody out together."""
    async with polling():
        loud, other = page_of(site, peer="127.0.0.1"), page_of(site, peer="127.0.0.1")
        await loud.poll("answers", *[{"type": "nonsense"}] * 60)
        assert (await other.poll("welcome")).close == 0
