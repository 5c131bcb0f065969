"""This process's two connections to Redis: one that listens, one that publishes.

Written on hiredis because a publish through a client library costs five times as much as the publish
itself (performance.md). Nothing waits for Redis: while the link is down a publish is dropped, since the
database is the truth and positions tell every client what it missed once the link is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote, urlsplit

import hiredis

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
PING_SECONDS = 10.0  # silence of two of these means that the link is dead
BACKLOG_BYTES = 8 * 1024 * 1024  # a Redis that does not read any more is given up at this
RETRY_SECONDS = 3.0


class Wire(asyncio.Protocol):
    """One connection. Replies come to `on_reply`; with None they are only counted as a sign of life."""

    def __init__(self, on_reply: Callable[[object], None] | None, on_lost: Callable[[], None]) -> None:
        self.on_reply = on_reply
        self.on_lost = on_lost
        self.heard_at = 0.0
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._greeting: asyncio.Future[None] | None = None
        self._buffer: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_exception(ConnectionError("Redis hung up"))
        self.on_lost()

    async def greet(self, user: str, password: str) -> None:
        """Log in and wait for the answer. Raises ConnectionError when Redis refuses."""
        self._greeting = self.loop.create_future()
        if password:
            self.send("AUTH", *([user] if user else []), password)
        self.send("PING")
        await self._greeting

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        greeting = self._greeting
        if greeting is None and self.on_reply is None:
            return
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            if greeting is not None:
                greeting = self._greet_reply(reply, greeting)
            elif self.on_reply is not None:
                self.on_reply(reply)

    def _greet_reply(self, reply: object, greeting: asyncio.Future[None]) -> asyncio.Future[None] | None:
        if greeting.done():
            return greeting
        if isinstance(reply, hiredis.ReplyError):
            greeting.set_exception(ConnectionError("Redis refused the log-in"))
        elif reply == b"PONG":
            greeting.set_result(None)
            self._greeting = None
            return None
        return greeting

    def send(self, *words: str | bytes) -> None:
        """Queue a command; all commands of one loop turn leave in one write."""
        if not self._buffer:
            self.loop.call_soon(self._flush)
        self._buffer.append(hiredis.pack_command(words))  # type: ignore[arg-type]

    def _flush(self) -> None:
        pieces, self._buffer = self._buffer, []
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > BACKLOG_BYTES:
            transport.abort()
            return
        transport.write(b"".join(pieces))


class RedisLink:
    """Publish and subscribe for one process; comes back by itself.

    `on_message(channel, payload)` is called on the loop for what others (and we) published;
    `on_return()` when the link works again after it was lost. Channels are without the prefix.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        on_message: Callable[[str, bytes], None],
        on_return: Callable[[], None],
    ) -> None:
        self.is_up = False
        self._url = url
        self._prefix = f"{prefix}:".encode()
        self._on_message = on_message
        self._on_return = on_return
        self._channels: set[str] = set()
        self._in: Wire | None = None
        self._out: Wire | None = None
        self._lost = asyncio.Event()
        self._tried = asyncio.Event()
        self._asked = self._heard = 0  # SUBSCRIBEs sent and confirmed on this connection
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self, seconds: float = 2.0) -> None:
        """Connect, and go on trying for ever; returns after the first try, or after `seconds`."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._tried.wait()

    async def stop(self) -> None:
        """Hang up. What was published in this loop turn still leaves."""
        for wire in (self._out, self._in):
            if wire is not None:
                wire._flush()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._hang_up()

    def publish(self, channel: str, payload: bytes) -> None:
        """To all processes that listen, this one included; dropped while the link is down."""
        if self.is_up and self._out is not None:
            self._out.send(b"PUBLISH", self._prefix + channel.encode(), payload)

    def subscribe(self, channel: str) -> None:
        self._channels.add(channel)
        if self.is_up:
            self._subscribe([channel])

    def unsubscribe(self, channel: str) -> None:
        self._channels.discard(channel)
        if self.is_up and self._in is not None:
            self._in.send(b"UNSUBSCRIBE", self._prefix + channel.encode())

    async def settled(self, seconds: float = 1.0) -> None:
        """Wait until Redis has confirmed every subscription asked for so far.

        What is read from the database afterwards is complete together with what is heard. Returns at
        once while the link is down and after `seconds` in any case: positions then heal what is missed.
        """
        if not self.is_up or self._heard >= self._asked:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._asked, future))
        await asyncio.wait([future], timeout=seconds)
        future.cancel()

    # --- inside -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        returning = False
        while True:
            self._lost.clear()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connect()
            except (OSError, TimeoutError, hiredis.HiredisError) as error:
                if not returning:
                    logger.warning("Redis does not answer (%s); trying again", type(error).__name__)
                    returning = True
                self._hang_up()
                self._tried.set()
                await asyncio.sleep(random.uniform(0.1, RETRY_SECONDS))  # noqa: S311
                continue
            self.is_up = True
            self._tried.set()
            if returning:
                logger.warning("Redis answers again")
                self._on_return()
            await self._watch()
            returning = True
            logger.warning("The link to Redis is lost; trying again")
            self._hang_up()

    async def _connect(self) -> None:
        """Both connections, logged in, with every channel subscribed and confirmed."""
        self._in = await self._open(self._heard_reply)
        self._out = await self._open(None)
        self._asked = self._heard = 0
        channels = sorted(self._channels)
        for start in range(0, len(channels), 500):
            self._subscribe(channels[start : start + 500])
        while self._heard < self._asked:
            if self._lost.is_set():
                raise ConnectionError("Redis hung up")
            await asyncio.sleep(0.001)
        # what was joined or left meanwhile
        self._subscribe(sorted(self._channels - set(channels)))

    async def _open(self, on_reply: Callable[[object], None] | None) -> Wire:
        parts = urlsplit(self._url)
        loop = asyncio.get_running_loop()

        def factory() -> Wire:
            return Wire(on_reply, self._lost.set)

        if parts.scheme == "unix":
            _, wire = await loop.create_unix_connection(factory, parts.path)
        else:
            secure = ssl.create_default_context() if parts.scheme == "rediss" else None
            host, port = parts.hostname or "127.0.0.1", parts.port or 6379
            _, wire = await loop.create_connection(factory, host, port, ssl=secure)
        try:
            await wire.greet(unquote(parts.username or ""), unquote(parts.password or ""))
        except BaseException:
            if wire.transport is not None:
                wire.transport.abort()
            raise
        return wire

    async def _watch(self) -> None:
        """Returns when one of the two connections is lost or silent."""
        loop = asyncio.get_running_loop()
        while not self._lost.is_set():
            for wire in (self._in, self._out):
                if wire is None or loop.time() - wire.heard_at > 2 * PING_SECONDS:
                    return
                wire.send(b"PING")
            with contextlib.suppress(TimeoutError):  # `wait_for` may swallow that we are cancelled
                async with asyncio.timeout(PING_SECONDS):
                    await self._lost.wait()

    def _hang_up(self) -> None:
        self.is_up = False
        for wire in (self._in, self._out):
            if wire is not None and wire.transport is not None:
                wire.on_lost = lambda: None
                wire.transport.close()
        self._in = self._out = None
        self._settle(all_of_them=True)

    def _subscribe(self, channels: list[str]) -> None:
        if channels and self._in is not None:
            self._asked += len(channels)
            self._in.send(b"SUBSCRIBE", *(self._prefix + channel.encode() for channel in channels))

    def _heard_reply(self, reply: object) -> None:
        if not isinstance(reply, list) or len(reply) != 3:
            return  # the answer to a PING
        kind = reply[0]
        if kind == b"message":
            self._on_message(reply[1][len(self._prefix) :].decode(), reply[2])
        elif kind == b"subscribe":
            self._heard += 1
            if self._waiting:
                self._settle()

    def _settle(self, all_of_them: bool = False) -> None:
        waiting, self._waiting = self._waiting, []
        for asked, future in waiting:
            if future.done():
                continue
            if all_of_them or self._heard >= asked:
                future.set_result(None)
            else:
                self._waiting.append((asked, future))
