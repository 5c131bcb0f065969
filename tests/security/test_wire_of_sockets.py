"""D-1, D-3, D-5: the bytes of strangers on a socket before their hello, on the real server: nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_django import Settings

from chatlead.realtime import hub as hubs
from chatlead.wire import sockets as wire
from chatlead.wire.door import A_TURN
from tests.realtime.kit import HELLO, House, Turns, room, serving, until
from tests.security.test_wire import MEBI, plain, pour, rest

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(head: int, data: bytes) -> bytes:
    """A short frame as a browser sends it."""
    return bytes([head, 0x80 | len(data)]) + b"\0\0\0\0" + data


@contextlib.asynccontextmanager
async def upgraded() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket before its hello."""
    async with serving(House()) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(UPGRADE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


@pytest.mark.parametrize("way", ["abort", "close"])
async def test_a_crowd_that_is_cut_off_at_once_is_let_go_a_few_in_a_turn(way: str) -> None:
    """V-9: by resets or plain ends. Those who stay have their turns, and nobody who is gone is forgotten."""
    ended, turns = Counter[int](), Turns()

    async def listens(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        ended[turns.number] += 1

    async with plain(listens) as (_, writer):
        address = writer.get_extra_info("peername")
        crowd = [await asyncio.open_connection(*address) for _ in range(200)]
        for reader, each in crowd:
            each.write(UPGRADE)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        for _, each in crowd:
            getattr(each.transport, way)()
        await until(lambda: ended.total() == len(crowd))
        for reader, _ in crowd:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
    turns.end()
    assert max(ended.values()) <= 2 * A_TURN


async def test_pings_of_somebody_who_does_not_read_fill_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """V-8: the answers stop where the reader stops, and go on with them."""
    made: list[wire.SocketProtocol] = []
    real = wire.SocketProtocol.handle_connect

    def remember(self: wire.SocketProtocol, event: Any) -> None:
        made.append(self)
        real(self, event)

    monkeypatch.setattr(wire.SocketProtocol, "handle_connect", remember)
    monkeypatch.setattr(wire, "PINGS", 10**9)
    async with upgraded() as (reader, writer):
        # this side's own buffer fills first, so the loop must not read for it
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        pings = frame(0x89, b"x" * 125) * 500
        await pour(writer, pings, 24 * MEBI)
        await asyncio.sleep(0.2)
        [protocol] = made
        assert protocol.transport.get_write_buffer_size() < MEBI
        assert not protocol.writable.is_set()
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(20):
            while not protocol.writable.is_set():
                await reader.read(MEBI)
        writer.write(frame(0x89, b"last"))
        async with asyncio.timeout(10):
            heard = b""
            while b"\x8a\x04last" not in heard[-200:]:
                heard = heard[-200:] + await reader.read(65536)


async def test_a_message_in_pieces_without_end_is_cut() -> None:
    """D-3: empty pieces are below every limit of length."""
    async with upgraded() as (reader, writer):
        writer.write(frame(0x01, b""))
        assert await pour(writer, frame(0x00, b"") * 10_000, 32 * MEBI) < 16 * MEBI
        await rest(reader)


async def test_a_crowd_of_tiny_frames_is_cut_off() -> None:
    """D-1, D-3: 6 bytes each on the wire, some hundred each once they wait."""
    async with upgraded() as (reader, writer):
        sent = await pour(writer, frame(0x81, b"") * 10_000, 32 * MEBI)
        assert sent < 8 * MEBI
        await rest(reader)


async def test_pings_without_end_are_cut_off() -> None:
    """D-1: each costs as much as a message, and no browser sends any."""
    async with upgraded() as (reader, writer):
        writer.write(frame(0x89, b"x") * wire.PINGS)
        assert (await reader.readexactly(3 * wire.PINGS)).count(b"\x8a\x01x") == wire.PINGS
        writer.write(frame(0x89, b"x"))
        assert await rest(reader) == b""


async def test_a_text_that_is_none_ends_with_1007_and_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """RFC 6455, 8.1; R-109: nor does a stranger fill the log. In one piece, in two, and a long one."""
    pieces = [
        frame(0x81, b"\xc3\x28 secret"),
        frame(0x01, b"\xc3") + frame(0x80, b"\x28 secret"),
        b"\x81\xfe" + (5000).to_bytes(2, "big") + b"\0\0\0\0" + b"\xff" * 5000,
    ]
    for each in pieces:
        async with upgraded() as (reader, writer):
            writer.write(each)
            end = await rest(reader)
            assert (end[0], end[2:4]) == (0x88, (1007).to_bytes(2, "big"))
    assert "Traceback" not in caplog.text
    assert "secret" not in caplog.text


async def test_what_no_browser_sends_ends_with_1002() -> None:
    """RFC 6455, 5.1, 5.4, 5.5: not masked, reserved bits, a control frame in pieces or too long, a piece of
    nothing, a message within a message. The short way knows none of these as its own."""
    unmasked = b"\x81\x05hello"
    long_ping = b"\x89\xfe\x00\x80" + b"\0" * 4 + b"x" * 128
    pieces = [unmasked, frame(0xC1, b"x"), frame(0x09, b"x"), long_ping, frame(0x80, b"x")]
    for each in [*pieces, frame(0x01, b"a") + frame(0x81, b"b")]:
        async with upgraded() as (reader, writer):
            writer.write(each)
            end = await rest(reader)
            assert (end[0], end[2:4]) == (0x88, (1002).to_bytes(2, "big"))


async def test_a_ping_between_the_pieces_of_a_message_harms_neither() -> None:
    """RFC 6455, 5.4: also where what follows could be taken for a frame of its own."""
    hello = json.dumps(HELLO).encode()
    async with upgraded() as (reader, writer):
        for piece in (frame(0x01, hello[:50]), frame(0x89, b"?"), frame(0x80, hello[50:])):
            writer.write(piece)
            await asyncio.sleep(0.05)
        assert await reader.readexactly(3) == b"\x8a\x01?"
        assert (await reader.readexactly(2))[0] == 0x81


@pytest.mark.parametrize("reads", [True, False])
async def test_whoever_does_not_answer_is_gone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """D-5: half open. A ping, some time, the end; also where the buffers are full and nobody empties them."""
    settings.PING_SECONDS = settings.PONG_SECONDS = 0.6  # to say hello in
    monkeypatch.setattr(wire, "ABORT_SECONDS", 0.2)
    async with upgraded() as (reader, writer):
        writer.write(frame(0x81, json.dumps(HELLO).encode()))
        while b"page_welcome" not in await reader.read(4096):
            pass
        hub = hubs.current()
        assert hub is not None
        if not reads:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            [slow] = hub.members
            while slow._queue is None:  # type: ignore[attr-defined]
                hub.deliver((room(),), "x" * 60_000)
            assert not slow._closed  # type: ignore[attr-defined]
        await until(lambda: not hub.members, 20)
        if reads:
            assert (1011).to_bytes(2, "big") in await rest(reader)
