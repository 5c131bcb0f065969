"""A line without a socket: the same frames by plain requests (docs/protocol.md, Without WebSockets).

Has what `bench.link` uses of a socket of the `websockets` package, so that a client need not know.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

Frame = dict[str, Any]

HOLD_SECONDS = 25.0
LATE_SECONDS = 15.0
TOGETHER = 10

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class PollLine:
    """Polls from its first frame, the `hello`, until an answer is lost or says `close`; `at` says what we
    have."""

    def __init__(
        self, url: str, headers: Mapping[str, str], at: Callable[[], Frame], *, hold: float = HOLD_SECONDS
    ) -> None:
        self._url = urlsplit(url)
        self._headers = headers
        self._at = at
        self._hold = min(hold, HOLD_SECONDS)
        self._hello: Frame | None = None
        self._pass = ""
        self._said: asyncio.Queue[Frame] = asyncio.Queue()
        self._heard: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._code = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def transport(self) -> Self:
        return self

    def abort(self) -> None:
        """Every request is broken off; what became of it is not known."""
        for task in self._tasks:
            task.cancel()
        self._heard.put_nowait(None)

    async def close(self) -> None:
        self.abort()

    async def send(self, data: bytes, text: bool = True) -> None:
        if self._hello is None:
            self._hello = _decode(data)
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._listen()), loop.create_task(self._speak())]
        else:
            self._said.put_nowait(_decode(data))

    async def recv(self, decode: bool = False) -> bytes:
        frame = await self._heard.get()
        if frame is None:
            self._heard.put_nowait(None)
            raise ConnectionClosedError(Close(self._code, "") if self._code else None, None)
        return frame

    async def _listen(self) -> None:
        going = await self._ask({"want": "welcome"}, 0.0)
        while going:
            news = {"want": "news", "at": self._at(), "wait": int(self._hold * 1000)}
            going = await self._ask(news, self._hold)

    async def _speak(self) -> None:
        going = True
        while going:
            commands = [await self._said.get()]
            while not self._said.empty() and len(commands) < TOGETHER:
                commands.append(self._said.get_nowait())
            going = await self._ask({"want": "answers", "commands": commands}, 0.0)

    async def _ask(self, what: Frame, hold: float) -> bool:
        """One request; False where it was the last."""
        body = _encode({"hello": self._hello, "pass": self._pass, **what})
        try:
            async with asyncio.timeout(hold + LATE_SECONDS):
                answer = _decode(await self._post(body))
            frames = answer["frames"]
        except (OSError, ValueError, KeyError, TimeoutError, asyncio.IncompleteReadError):
            self.abort()
            return False
        for frame in frames:
            self._heard.put_nowait(_encode(frame))
        self._pass = answer.get("pass", self._pass)
        if code := answer.get("close", 0):
            self._code = code
            self.abort()
        return not code

    async def _post(self, body: bytes) -> bytes:
        where = self._url
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            head = [f"POST {where.path} HTTP/1.1", f"Host: {where.netloc}", "Connection: close"]
            head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
            head += [f"{name}: {value}" for name, value in self._headers.items()]
            writer.write("\r\n".join([*head, "", ""]).encode() + body)
            await reader.readuntil(b"\r\n\r\n")
            return await reader.read(-1)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
