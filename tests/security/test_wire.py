"""D-3, D-5: bytes of strangers who have not said who they are, on the real server: nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatlead import server as wire
from tests.realtime.kit import House, serving, until

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
MEBI = 1024 * 1024


async def counts(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that says how long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def plain() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of `counts`, with nothing said yet."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = wire.Server(wire.config(counts, "off"), lambda: None)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listener])
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        for one in server.servers:
            one.close()
        await until(lambda: not server.server_state.tasks and not server.server_state.connections)


async def pour(writer: asyncio.StreamWriter, piece: bytes, most: int) -> int:
    """Sends again and again; how much could be sent before the other side hung up."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < most:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
    return sent


async def rest(reader: asyncio.StreamReader, seconds: float = 5) -> bytes:
    """What comes until the end, which must come."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


@pytest.mark.parametrize("line", [b"X: " + b"y" * 8000 + b"\r\n", b"z" * 8000], ids=["many", "one"])
async def test_a_head_without_end_is_refused(line: bytes) -> None:
    """D-3: 431 after 64 KiB and what was under way; browsers keep below a quarter of that."""
    async with plain() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nCookie: ")
        assert await pour(writer, line, 64 * MEBI) < 16 * MEBI
        assert (await rest(reader))[:12] in (b"HTTP/1.1 431", b"")


async def test_whoever_does_not_go_on_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-5: half a head, nothing at all, or half a body: the connection ends."""
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(wire, "BODY_SECONDS", 0.3)
    for half in (b"", b"GET / HT", POST, POST + b"Content-Length: 9\r\n\r\nabc"):
        async with plain() as (reader, writer):
            writer.write(half)
            assert await rest(reader) == b""


async def test_trailers_without_end_are_cut() -> None:
    """D-3: what comes after the last piece of a body counts, too."""
    async with plain() as (reader, writer):
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n")
        assert await pour(writer, b"X: " + b"y" * 8000 + b"\r\n", 64 * MEBI) < 32 * MEBI
        await rest(reader)


async def test_what_is_in_order_is_answered_and_the_connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-007: large forms, one request after the other, and a pause in between that is no half head."""
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.3)
    async with plain() as (reader, writer):
        for size in (0, 300_000, 3):
            head = POST + b"X: " + b"y" * 30_000 + b"\r\nContent-Length: %d\r\n\r\n" % size
            writer.write(head + b"x" * size)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(str(size))) == b"%d" % size
            await asyncio.sleep(0.5)


# --- sockets ----------------------------------------------------------------------------------------------


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


async def test_pings_of_somebody_who_does_not_read_fill_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """V-8: the answers stop where the reader stops, and go on with them."""
    made: list[wire.SocketProtocol] = []
    real = wire.SocketProtocol.handle_connect

    def remember(self: wire.SocketProtocol, event: Any) -> None:
        made.append(self)
        real(self, event)

    monkeypatch.setattr(wire.SocketProtocol, "handle_connect", remember)
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
