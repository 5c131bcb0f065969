"""One socket, from hello to close, on the real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from chatlead import errors
from chatlead.realtime import hub as hubs
from chatlead.realtime import socket as kernel
from chatlead.realtime.caller import Caller
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.events import encode
from tests.realtime.kit import (
    CHAT,
    HELLO,
    REF,
    House,
    ask,
    closing,
    dial,
    hear,
    made,
    message,
    posted,
    raising,
    room,
    serving,
    until,
    visitor,
)


async def test_a_second_hello_fails_and_the_socket_lives() -> None:
    async with serving(House()) as address, visitor(address) as vera:
        assert (await ask(vera, HELLO | {"id": 9})) == {
            "type": "failed",
            "id": 9,
            "code": "hello_repeated",
            "message": errors.HelloRepeated.message,
        }
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


NO_HELLO = [
    *(json.dumps(frame) for frame in ({"type": "ping"}, {"type": "hello"}, message())),
    json.dumps(HELLO | {"site": "x"}),
    json.dumps(HELLO | {"is_admin": True}),
    "hello",
    b"hello",
]


@pytest.mark.parametrize("frame", NO_HELLO)
async def test_whoever_does_not_say_hello_first_is_sent_away(frame: str | bytes) -> None:
    async with serving(House()) as address, dial(address) as ws:
        await ws.send(frame)
        assert await closing(ws) == (CloseCode.BAD_HELLO, "bad_hello")


async def test_whoever_says_nothing_is_sent_away(settings: Settings) -> None:
    """D-5."""
    settings.HELLO_SECONDS = 0.2
    async with serving(House()) as address, visitor(address) as vera, dial(address) as silent:
        assert await closing(silent) == (CloseCode.HELLO_TIMEOUT, "hello_timeout")
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


REFUSED = {
    errors.NotAuthenticated: CloseCode.NOT_AUTHENTICATED,
    errors.Forbidden: CloseCode.FORBIDDEN,
    errors.OriginRefused: CloseCode.FORBIDDEN,
    errors.TicketRefused: CloseCode.FORBIDDEN,
    errors.NotFound: CloseCode.NOT_FOUND,
    errors.ProtocolNotSpoken: CloseCode.PROTOCOL_NOT_SPOKEN,
    errors.UnderAge: CloseCode.MINOR,
    errors.RateLimited: CloseCode.FLOOD,
    errors.Unavailable: CloseCode.INTERNAL,
    ZeroDivisionError: CloseCode.INTERNAL,
}


@pytest.mark.parametrize(("error", "code"), REFUSED.items())
async def test_a_refusal_reaches_the_browser_as_a_close_code(error: type[Exception], code: CloseCode) -> None:
    """Accepted, then closed: a refusal before that would look like a network fault (trials D)."""
    house = House()
    house.admit = raising(error())
    async with serving(house) as address, dial(address) as ws:
        await ws.send(json.dumps(HELLO))
        assert await closing(ws) == (code, code.name.lower())
    assert house.closed == []


async def test_what_happens_during_the_welcome_follows_it() -> None:
    """Subscribe, then read: an event between the two is neither lost nor early (V-4)."""
    house = House()

    def publish_meanwhile() -> None:
        hub = hubs.current()
        assert hub is not None
        hub.hand_over((room(),), json.dumps({"type": "meanwhile"}))
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), hub.loop).result(5)

    house.welcome = publish_meanwhile
    async with serving(house) as address, dial(address) as ws:
        await ws.send(json.dumps(HELLO | {"id": 4}))
        assert await hear(ws) == {
            "type": "page_welcome", "id": 4, "protocol": 1, "online": ["vera"], "color": "#123456",
        }  # fmt: skip
        assert await hear(ws) == {"type": "meanwhile"}


async def test_what_one_says_the_others_hear_and_the_sender_gets_the_ack() -> None:
    async with (
        serving(House()) as address,
        visitor(address) as vera,
        visitor(address) as her_phone,
        visitor(address) as olga,
    ):
        assert await ask(vera, message(3, "Guten Tag")) == {
            "type": "ack", "id": 3, "ref": REF.format(3), "chat": CHAT, "seq": 1, "at": 1,
        }  # fmt: skip
        for other in (her_phone, olga):
            assert (await hear(other))["text"] == "Guten Tag"
        assert (await ask(vera, {"type": "ping", "id": 1}))["type"] == "pong"  # nothing came in between


async def test_a_slow_command_is_answered_with_its_id_and_done_by_default() -> None:
    async with serving(House()) as address, visitor(address) as vera:
        answer = await ask(vera, {"type": "load_messages", "id": 12, "chat": CHAT})
        assert answer == {"type": "done", "id": 12}


async def test_frames_are_handled_in_their_order_though_one_takes_long() -> None:
    house = House()
    order: list[str] = []
    house.on_load = lambda command: order.append("load")

    async def long(socket: Caller, command: Any) -> None:
        await asyncio.sleep(0.05)
        order.append(command.text)

    house.on_message = long
    async with serving(house) as address, visitor(address) as vera:
        await vera.send(json.dumps(message(1, "first")))
        await vera.send(json.dumps({"type": "load_messages", "chat": CHAT}))
        await vera.send(json.dumps(message(2, "third")))
        await ask(vera, {"type": "ping"})
        await hear(vera)
    assert order == ["first", "load", "third"]


FAILING = [
    (errors.ChatClosed(), "chat_closed"),
    (errors.RateLimited(retry_after_ms=200), "rate_limited"),
    (errors.NotFound(), "not_found"),
    (ZeroDivisionError("the secret of vera"), "unavailable"),
]


@pytest.mark.parametrize(("error", "code"), FAILING)
@pytest.mark.parametrize("door", ["fast", "slow"])
async def test_a_handlers_error_is_told_and_the_socket_lives(
    error: Exception, code: str, door: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R-109: an unexpected one is logged with its place, never with anybody's text."""
    house = House()
    house.on_message = house.on_load = raising(error)
    frame = message(5, "a word in confidence")
    if door == "slow":
        frame = {"type": "load_messages", "id": 5, "chat": CHAT}
    async with serving(house) as address, visitor(address) as vera:
        with caplog.at_level(logging.DEBUG):
            answer = await ask(vera, frame)
        assert (answer["type"], answer["code"], answer["id"], answer["chat"]) == ("failed", code, 5, CHAT)
        assert answer.get("ref", "") == frame.get("ref", "")
        assert answer.get("retry_after_ms") == (200 if code == "rate_limited" else None)
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"
    assert "secret" not in caplog.text
    assert "in confidence" not in caplog.text
    assert ("ZeroDivisionError" in caplog.text) == (code == "unavailable")


async def test_fifty_faults_in_ten_seconds_are_enough() -> None:
    async with serving(House()) as address, visitor(address) as eve, visitor(address) as vera:
        for _ in range(50):
            await eve.send("nonsense")
        assert await closing(eve) == (CloseCode.FLOOD, "flood")
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


async def test_failures_that_are_nobodys_fault_never_close() -> None:
    house = House()
    house.on_message = raising(errors.ChatClosed())
    async with serving(house) as address, visitor(address) as vera:
        for number in range(1, 100):
            assert (await ask(vera, message(number)))["code"] == "chat_closed"


async def test_a_socket_that_leaves_is_forgotten() -> None:
    house = House()
    async with serving(house) as address:
        async with visitor(address) as vera:
            hub = hubs.current()
            assert hub is not None
            assert len(hub.members) == 1
            await ask(vera, {"type": "ping"})
        await until(lambda: not hub.members)
        assert len(house.closed) == 1
        assert hub.strangers == {}
        assert hub._listeners == {}
        assert hub._topics == {}


async def test_a_server_that_goes_tells_everybody_to_come_back() -> None:
    """V-10: 1012, one after the other, those without a hello too; then the process may end."""
    ready = asyncio.Event()
    server, listener, address = made(House(), ready.set)
    running = asyncio.create_task(server.serve([listener]))
    await ready.wait()
    clients = [await dial(address) for _ in range(20)]
    for ws in clients[:15]:
        await ws.send(json.dumps(HELLO))
        await hear(ws)
    ends = [asyncio.create_task(closing(ws, 10)) for ws in clients]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.gather(*ends) == [(CloseCode.RESTART, "restart")] * 20
    await running
    with pytest.raises(OSError, match="Connect call failed"):
        await dial(address)
    hub = hubs.current()
    assert hub is not None
    assert not hub.members
    await hub.stop()


def rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.asynccontextmanager
async def deaf(address: str) -> AsyncIterator[tuple[Any, asyncio.StreamReader, Any]]:
    """Somebody who said hello and reads nothing any more: the server's socket, and the two ends here."""
    hub = hubs.current()
    assert hub is not None
    others = set(hub.members)
    reader, writer = await asyncio.open_connection(*_host(address), limit=2**16)
    writer.write(_upgrade(address))
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_masked(json.dumps(HELLO)))
    await writer.drain()
    await until(lambda: len(hub.members) > len(others))
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    yield next(one for one in hub.members if one not in others), reader, writer
    writer.transport.abort()


async def talk(vera: Any, until_closed: Any, word: str = "x" * 3000) -> None:
    """The room is full of words, all of which vera hears in their order, until that socket is closed."""
    hub = hubs.current()
    assert hub is not None
    heard = 0
    for number in range(1, 20_000):
        hub.deliver((room(),), encode(posted(word, number)).decode())
        if number % 50 == 0:
            for _ in range(50):
                heard += 1
                assert (await hear(vera))["seq"] == heard
            if until_closed._closed:
                return
    raise AssertionError("it was never closed")


@pytest.mark.parametrize("word", ["x" * 3000, "\N{CYRILLIC SMALL LETTER ZHE}" * 4000], ids=["Latin", "not"])
async def test_whoever_does_not_read_is_cut_off_and_costs_no_memory(word: str) -> None:
    """V-8: close 4009 beyond 256 frames or 1 MiB, in bytes; memory flat; the others hear everything in
    order."""
    async with serving(House()) as address, visitor(address) as vera, deaf(address) as (slow, reader, writer):
        before = rss()
        await talk(vera, slow, word)
        assert rss() - before < 5 * 1024 * 1024
        # and when it reads again, it finds out why
        writer.transport.resume_reading()
        end = b""
        async with asyncio.timeout(15):
            while not end.endswith(b"slow_reader"):
                end = (end + await reader.read(65536))[-20:]
        assert end[-13:-11] == CloseCode.SLOW_READER.to_bytes(2, "big")


async def test_whoever_never_reads_again_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """V-8: nobody holds a connection and its buffers for as long as it likes."""
    monkeypatch.setattr(kernel, "FAREWELL_SECONDS", 0.2)
    monkeypatch.setattr("chatlead.wire.sockets.ABORT_SECONDS", 0.2)
    house = House()
    async with serving(house) as address, visitor(address) as vera, deaf(address) as (slow, _, _):
        hub = hubs.current()
        assert hub is not None
        await talk(vera, slow)
        await until(lambda: slow not in hub.members)
        assert house.closed == [slow]
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


def _host(address: str) -> tuple[str, int]:
    host, port = address.removeprefix("ws://").rstrip("/").split(":")
    return host, int(port)


def _upgrade(address: str) -> bytes:
    lines = [
        "GET / HTTP/1.1",
        f"Host: {address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _masked(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


async def test_the_bound_of_the_queue_is_in_bytes(settings: Settings) -> None:
    """V-8: a character may be four of them."""
    settings.SEND_QUEUE_BYTES = 4000
    async with serving(House()) as address, visitor(address) as vera, deaf(address) as (slow, _, _):
        await talk(vera, slow, "\N{SLIGHTLY SMILING FACE}" * 900)
        assert slow._closed
    socket = kernel.Socket(House().endpoint())
    for _ in range(2):
        socket.deliver("\N{SLIGHTLY SMILING FACE}" * 400)  # 1,600 bytes
    assert socket._queued == 3200
