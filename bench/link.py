"""One socket kept alive, as docs/protocol.md asks of a client. Knows nothing of chats."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from random import Random  # noqa: TID251 - jitter and repeatable faults, nothing that must not be guessed
from typing import Any

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

from bench.polling import PollLine

Frame = dict[str, Any]

FIRST_SECONDS, LEAST_SECONDS, MOST_SECONDS = 0.5, 0.1, 30.0
QUIET_SECONDS = 25.0  # a line without any frame for so long is asked …
OWED_SECONDS = 5.0  # … earlier when an answer is due
ANSWER_SECONDS = 5.0  # … and is dead when it does not answer
WELCOME_SECONDS = 15.0
RESTART, FLOOD, FORBIDDEN = 1012, 4029, 4403
WELCOMES = ("page_welcome", "visitor_welcome", "operator_welcome")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Lost(Exception):
    """The line went down before the answer came. Nothing is known: ask again after the next welcome."""


class Stopped(Exception):
    """The server closed with a code that forbids to come back; `code` is that code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server closed the socket with {code}")
        self.code = code


class Refused(Exception):
    """The answer was `failed`; `code` is its code, `frame` the whole of it."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(f"{frame['code']}: {frame.get('message', '')} {frame.get('field', '')}".strip())
        self.code: str = frame["code"]
        self.frame = frame


def may_return(code: int) -> bool:
    return not 4400 <= code <= 4499


class Link:
    """Says hello, is welcomed, carries frames, and comes back with backoff whenever the line is lost.

    `hello` makes the first frame anew for every attempt (it may fetch a ticket; an OSError there counts as a
    failed attempt). `welcomed` and `heard` get every frame in the order of arrival, on the loop;
    `stopped` is called once if the server forbids to come back. `reconnects` counts welcomes after the first.
    With `at`, which says what the owner has, it polls and opens no socket.
    """

    def __init__(
        self,
        url: str,
        *,
        origin: str,
        hello: Callable[[], Awaitable[Frame]],
        welcomed: Callable[[Frame], None],
        heard: Callable[[Frame], None],
        stopped: Callable[[Stopped], None] = lambda why: None,
        cookie: str = "",
        chance: Random | None = None,
        at: Callable[[], Frame] | None = None,
    ) -> None:
        self.url = url
        self.at = at
        self.origin = origin
        self.cookie = cookie
        self.online = False
        self.owing = False  # the owner waits for an answer
        # both as docs/protocol.md has them; shorter where a test shortens all times
        self.quiet_seconds, self.longest_pause = QUIET_SECONDS, MOST_SECONDS
        self.more_tickets = 1  # as often in a row it may be that one was refused because it was too old
        self.reconnects = -1
        self._hello, self._welcomed, self._heard, self._stopped = hello, welcomed, heard, stopped
        self._chance = chance or Random()  # noqa: S311
        self._socket: ClientConnection | PollLine | None = None
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._questions: dict[int, asyncio.Future[Frame]] = {}
        self._last_id = 0
        self._heard_at = self._asked_at = 0.0
        self._closing = False
        self._life: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start, and stay until `close`."""
        self._life = asyncio.get_running_loop().create_task(self._live())

    async def close(self) -> None:
        """Say goodbye and stay away."""
        self._closing = True
        if self._socket is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._socket.close(), 5)
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
        self._go_offline()

    def cut(self) -> None:
        """What a lost network looks like: no goodbye, whatever was on its way is gone."""
        if self._socket is not None:
            self._socket.transport.abort()

    def send(self, frame: Frame) -> bool:
        """False when there is no line; then the caller keeps it."""
        if not self.online:
            return False
        self._outgoing.put_nowait(_encode(frame))
        return True

    async def ask(self, frame: Frame) -> Frame:
        """Send with a fresh `id` and return the answer. Raises Refused for `failed`, Lost without a line."""
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._questions[number] = answer
        try:
            if not self.send({**frame, "id": number}):
                raise Lost
            reply = await answer
        finally:
            self._questions.pop(number, None)
        if reply["type"] == "failed":
            raise Refused(reply)
        return reply

    async def _live(self) -> None:
        attempt = 0
        forgiven = 0
        while True:
            before = self.reconnects
            code = await self._stay()
            self._go_offline()
            if self._closing:
                return
            if self.reconnects > before:
                attempt = forgiven = 0
            if not may_return(code):
                # a refused ticket may be too old: one more, with a new one
                if code != FORBIDDEN or forgiven >= self.more_tickets or self.reconnects < 0:
                    self._stopped(Stopped(code))
                    return
                forgiven += 1
            wait = 3.0 if code == RESTART else min(self.longest_pause, FIRST_SECONDS * 2 ** min(attempt, 10))
            attempt += 1
            pause = max(LEAST_SECONDS, self._chance.random() * wait)
            await asyncio.sleep(pause + (5.0 if code == FLOOD else 0.0))

    async def _stay(self) -> int:
        """One connection from its handshake to its end; returns the close code, 0 for a fault of the line."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        try:
            hello = await self._hello()
            socket = await self._open(headers)
        except (OSError, TimeoutError, websockets.WebSocketException):
            return 0
        self._socket = socket
        self._outgoing = asyncio.Queue()
        self._outgoing.put_nowait(_encode(hello))
        self._heard_at, self._asked_at = time.monotonic(), 0.0
        loop = asyncio.get_running_loop()
        helpers = [loop.create_task(self._write(socket)), loop.create_task(self._watch(socket))]
        try:
            while True:
                self._hear(_decode(await socket.recv(decode=False)))
        except websockets.ConnectionClosed as end:
            return end.rcvd.code if end.rcvd is not None else 0
        finally:
            for task in helpers:
                task.cancel()
            self._socket = None
            socket.transport.abort()

    async def _open(self, headers: dict[str, str]) -> ClientConnection | PollLine:
        if self.at is not None:
            address = "http" + self.url.removeprefix("ws").replace("/ws/", "/poll/", 1)
            return PollLine(address, {"Origin": self.origin, **headers}, self.at, hold=self.quiet_seconds)
        return await connect(
            self.url, origin=websockets.Origin(self.origin), additional_headers=headers,
            compression=None, ping_interval=None, max_size=None, max_queue=None,
            open_timeout=WELCOME_SECONDS, close_timeout=2, proxy=None,
        )  # fmt: skip

    async def _write(self, socket: ClientConnection | PollLine) -> None:
        outgoing = self._outgoing
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await socket.send(await outgoing.get(), text=True)

    async def _watch(self, socket: ClientConnection | PollLine) -> None:
        """A line that is silent too long is asked, and cut when it does not answer."""
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            silent = now - self._heard_at
            if not self.online:
                if silent > WELCOME_SECONDS:
                    socket.transport.abort()
            elif self._asked_at:
                if now - self._asked_at > ANSWER_SECONDS:
                    socket.transport.abort()
            elif silent > (OWED_SECONDS if self.owing or self._questions else self.quiet_seconds):
                self._asked_at = now
                self.send({"type": "ping"})

    def _hear(self, frame: Frame) -> None:
        self._heard_at, self._asked_at = time.monotonic(), 0.0
        if not self.online and frame["type"] in WELCOMES:
            self.online = True
            self.reconnects += 1
            self._welcomed(frame)
            return
        question = self._questions.get(frame.get("id", 0))
        # applied first, so that whoever asked finds the state changed
        self._heard(frame)
        if question is not None and not question.done():
            question.set_result(frame)

    def _go_offline(self) -> None:
        self.online = False
        questions, self._questions = self._questions, {}
        for question in questions.values():
            if not question.done():
                question.set_exception(Lost())
