"""D-3, D-5: the bytes of strangers in plain requests, on the real server: nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from pytest_django import Settings
from uvicorn.server import ServerState

from chatlead import server as house
from chatlead.wire.dawdlers import dawdlers
from chatlead.wire.door import A_TURN
from chatlead.wire.requests import RequestProtocol
from tests.realtime.kit import until

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
async def plain(
    application: Any = counts,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of `counts`, or of another, with nothing said yet."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = house.Server(house.config(application, "off"), lambda: None)
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


async def test_whoever_does_not_go_on_is_let_go(settings: Settings) -> None:
    """D-5: half a head, nothing at all, or half a body: the connection ends."""
    settings.HEAD_SECONDS = settings.BODY_SECONDS = 0.3
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


async def test_what_is_in_order_is_answered_and_the_connection_kept(settings: Settings) -> None:
    """R-007: large forms, one request after the other, and a pause in between that is no half head."""
    settings.HEAD_SECONDS = 0.3
    async with plain() as (reader, writer):
        for size in (0, 300_000, 3):
            head = POST + b"X: " + b"y" * 30_000 + b"\r\nContent-Length: %d\r\n\r\n" % size
            writer.write(head + b"x" * size)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(str(size))) == b"%d" % size
            await asyncio.sleep(0.5)


async def test_requests_that_wait_for_no_answer_are_cut() -> None:
    """D-3: a hundred heads in one piece are a hundred answers under way."""
    async with plain() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert (await rest(reader)).count(b"200 OK") <= 17


async def refuses(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that will not have the body, and says so at once."""
    headers = [(b"content-length", b"6"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"enough"})


@pytest.mark.parametrize("size", [1_100_000, 1_900_000])
async def test_whoever_is_refused_before_all_was_said_gets_to_read_why(size: int) -> None:
    """D-3, RFC 9112, 9.6: her connection is not reset while she still sends: no proxy makes a 502 of it."""
    async with plain(refuses) as (reader, writer):
        writer.write(POST + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            await asyncio.sleep(0.02)  # the answer is long there
            writer.write(b"x" * 100_000)
            await writer.drain()
        answer = await rest(reader)
        assert (answer[:12], answer[-6:]) == (b"HTTP/1.1 413", b"enough")


async def test_whoever_is_refused_and_does_not_end_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-5: neither by sending without end nor by waiting; and nothing of it is taken for a request."""
    monkeypatch.setattr("chatlead.wire.requests.ABORT_SECONDS", 0.3)
    async with plain(refuses) as (reader, writer):
        writer.write(POST + b"Content-Length: 9\r\n\r\n")
        assert (await rest(reader))[-6:] == b"enough"  # until our side's end
        writer.write(b"123456789" + GET + b"\r\n")
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(20):
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
    async with plain(refuses) as (reader, writer):
        writer.write(POST + b"Content-Length: 1000000000\r\n\r\n")
        assert await pour(writer, b"x" * 65536, 32 * MEBI) < 16 * MEBI


async def test_whoever_takes_nothing_of_the_answer_is_let_go(settings: Settings) -> None:
    """D-5, slow read: the answer is not kept for as long as somebody likes."""
    settings.READER_SECONDS = 0.3

    async def floods(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with plain(floods) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1.0)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await rest(reader)) < 32 * MEBI


async def test_a_full_house_refuses_and_serves_those_inside(settings: Settings) -> None:
    """D-5: no `accept` ever fails, because the last files are kept for those who are in."""
    settings.CONNECTIONS = 1
    async with plain() as (reader, writer):
        writer.write(POST + b"Content-Length: 3\r\n\r\n")
        late, late_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
        assert await rest(late) == b""
        late_writer.close()
        writer.write(b"abc")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


class Line(asyncio.Transport):
    """A connection from this address, on which what is answered is kept. (Of this machine's own addresses
    none is counted, because all may come by a proxy that nobody has named.)"""

    def __init__(self, config: uvicorn.Config, ip: str, said: bytes = b"") -> None:
        super().__init__({"peername": (ip, 50_000), "sockname": ("203.0.113.1", 443)})
        self.answers, self.is_cut = b"", False
        self.protocol = RequestProtocol(config=config, server_state=ServerState(), app_state={})
        self.protocol.connection_made(self)
        self.say(said)

    def say(self, said: bytes) -> None:
        if said:
            self.protocol.data_received(said)

    def write(self, data: Any) -> None:
        self.answers += bytes(data)

    def is_closing(self) -> bool:
        return self.is_cut

    def abort(self) -> None:
        if not self.is_cut:
            self.is_cut = True
            self.protocol.connection_lost(None)

    def close(self) -> None:
        self.abort()

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
HALF_A_BODY = POST + b"Content-Length: 9\r\n\r\nabc"


@pytest.mark.parametrize("half", [b"", GET, HALF_A_BODY, GET + b"\r\n"], ids=["none", "head", "body", "idle"])
@pytest.mark.parametrize("near", ["198.51.100.7", "2001:db8:5:7::{}"])
async def test_one_address_holds_so_many_connections_that_do_not_get_on(
    settings: Settings, half: bytes, near: str
) -> None:
    """D-5: the oldest makes room, so a neighbour behind the same address gets an answer, however many there
    are; elsewhere nobody is touched, and who gets on is not counted."""
    settings.DAWDLERS_PER_ADDRESS = 3
    config = house.config(counts, "off")
    config.load()
    elsewhere = Line(config, "198.51.100.8", HALF_A_BODY)
    lines = []
    for number in range(9):
        lines.append(Line(config, near.format(number), half))
        await asyncio.sleep(0)  # of newcomers so many are heard in a turn
        await until(lambda: half != GET + b"\r\n" or b"200 OK" in lines[-1].answers)
    assert [line.is_cut for line in lines] == [True] * 6 + [False] * 3
    quick = Line(config, near.format(9), HALF_A_BODY)
    quick.say(b"defghi")
    await until(lambda: b"200 OK" in quick.answers)
    elsewhere.say(b"defghi")
    await until(lambda: b"200 OK" in elsewhere.answers)
    for line in (*lines, quick, elsewhere):
        line.abort()
    assert len(dawdlers) == 0


async def test_a_proxy_and_this_machine_are_no_address(settings: Settings) -> None:
    """R-096: everybody comes by theirs."""
    settings.DAWDLERS_PER_ADDRESS, settings.TRUSTED_PROXIES = 3, ["198.51.100.7/32"]
    config = house.config(counts, "off")
    config.load()
    lines = [Line(config, ip, HALF_A_BODY) for ip in ("198.51.100.7", "127.0.0.1", "::1") * 5]
    assert not any(line.is_cut for line in lines)
    for line in lines:
        line.abort()


async def test_who_has_waited_too_long_at_the_door_is_told_when_to_come_back(settings: Settings) -> None:
    """V-9: else everybody behind them would wait as long, and be gone as well when their turn has come."""
    settings.ADMISSION_SECONDS = -1.0
    async with plain() as (reader, writer):
        address = writer.get_extra_info("peername")
        crowd = [await asyncio.open_connection(*address) for _ in range(3 * A_TURN)]
        for _, each in crowd:
            each.write(POST + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi")
        answers = [await rest(each, 20) for each, _ in crowd]
        for _, each in crowd:
            each.close()
            await each.wait_closed()
        writer.write(POST + b"Content-Length: 2\r\n\r\nhi")
        assert (await reader.readuntil(b"\r\n\r\n2")).startswith(b"HTTP/1.1 200")
    refused = [each for each in answers if each.startswith(b"HTTP/1.1 503")]
    assert len(refused) >= A_TURN
    assert all(b"retry-after: 5" in each and b'"code": "unavailable"' in each for each in refused)
    assert all(each.startswith(b"HTTP/1.1 200") for each in answers if each not in refused)
