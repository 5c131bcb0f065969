"""D-2: pages are made for one network after the other; who asks for thousands keeps nobody waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Operator, Site
from chatlead import asgi
from chatlead.realtime import hub as hubs
from chatlead.realtime import turns
from chatlead.realtime.turns import Turns
from tests.realtime.kit import until
from tests.sockets import Line, console_of, frame_of

pytestmark = pytest.mark.django_db(transaction=True)

Send = Callable[[dict[str, Any]], Any]


async def ask(ip: str, path: str = "/widget/v1/loader.js", *, gate: asyncio.Event | None = None) -> int:
    """The status of one request from this address; with a `gate` its reader takes nothing until it opens."""
    status = 0
    body = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not body:
            await asyncio.Event().wait()
        return body.pop()

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif gate is not None:
            await gate.wait()

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": "GET",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1")], "client": (ip, 50_000),
        "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    await asgi.application(scope, receive, send)
    return status


async def test_vera_does_not_wait_behind_a_thousand_of_one_network() -> None:
    """D-2: she needs a ticket to come back into her chat."""
    done: list[str] = []

    async def one(ip: str) -> None:
        assert await ask(ip) == 200
        done.append(ip)

    crowd = [asyncio.create_task(one("10.0.0.1")) for _ in range(200)]
    await until(lambda: len(asgi.turns) > 100)
    before = len(done)
    await one("203.0.113.5")
    assert len(done) - before < 40
    await asyncio.gather(*crowd)
    assert (asgi.turns.inside, len(asgi.turns)) == (0, 0)


async def test_whoever_takes_nothing_of_the_answer_holds_no_turn() -> None:
    """D-5: more of them than there are turns."""
    gate = asyncio.Event()
    slow = [asyncio.create_task(ask("10.0.0.1", gate=gate)) for _ in range(4 * asgi.HTTP_THREADS)]
    assert await asyncio.wait_for(ask("10.0.0.2"), 10) == 200
    gate.set()
    assert set(await asyncio.gather(*slow)) == {200}


async def test_beyond_what_may_wait_the_largest_network_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-2: 503 in a form that a program understands; who comes from elsewhere gets an answer."""
    monkeypatch.setattr(turns, "WAITING", 20)
    crowd = [asyncio.create_task(ask("10.0.0.1")) for _ in range(60)]
    await until(lambda: len(asgi.turns) == 20)
    assert await ask("203.0.113.5") == 200
    statuses = await asyncio.gather(*crowd)
    assert {200, 503} == set(statuses)


async def test_who_hangs_up_while_waiting_takes_no_turn() -> None:
    """D-5."""
    house = Turns(1)
    async with house.of("10.0.0.0") as has_turn:
        assert has_turn
        gone = asyncio.create_task(house.of("10.0.0.0").__aenter__())
        await asyncio.sleep(0)
        assert len(house) == 1
        gone.cancel()
        await asyncio.sleep(0)
    assert house.inside == 0
    async with house.of("10.0.0.0") as has_turn:
        assert has_turn
    assert (house.inside, len(house)) == (0, 0)


async def test_what_visitors_ask_of_the_database_keeps_no_operator_waiting(
    site: Site, olga: Operator
) -> None:
    """D-1: they are answered one network after the other, and she at once; so is presence written down."""
    answered: list[str] = []

    async def asks(frame: Line, name: str, count: int) -> None:
        for number in range(count):
            await frame.say({"type": "resume", "id": number + 1, "chat": "A" * 22, "after": 0, "epoch": ""})
        while count:
            count -= (await frame.hear())["type"] == "reset"
            answered.append(name)

    async with contextlib.AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(frame_of(site, peer="10.0.0.1")) for _ in range(60)]
        vera = await stack.enter_async_context(frame_of(site, peer="203.0.113.5"))
        console = await stack.enter_async_context(console_of(olga, peer="10.0.0.1"))
        hub = hubs.current()
        assert hub is not None
        asking = [asyncio.create_task(asks(frame, "mallory", 8)) for frame in crowd]
        await until(lambda: len(hub.turns) > 40)
        before = len(answered)
        # a sync is some ten questions, a resume one or two, and all threads share one lock of the interpreter
        assert (await console.ask(type="sync", positions={}, epoch=""))["type"] == "synced"
        assert len(answered) - before < 160  # behind them all it would be 440
        before = len(answered)
        await asks(vera, "vera", 1)
        assert len(answered) - before < 60
        await asyncio.gather(*asking)
        assert (hub.turns.inside, len(hub.turns)) == (0, 0)
