"""Visitors by the thousand, on bare sockets in a process of their own: each says hello and keeps still.

`Guests` is the test's hand on them. The process (`python -m tests.faults.guests URL SITE_KEY`) takes orders,
one a line, and answers each with a line of JSON:

    open N   N more, which try as docs/protocol.md asks until they are in
    cut      all lines are dead at once, and everybody comes back

{"in", "seconds", "attempts", "p95" (seconds until one is back), "codes" (of refusals, and how many)}
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random  # noqa: TID251 - jitter
from typing import Any
from urllib.parse import urlsplit

from tests.servers import ROOT

OPEN_SECONDS = 20.0
WELCOME_SECONDS = 10.0
CHANCE = Random(1)
AT_ONCE = 200  # connections that are being opened, while nothing is broken


class Refused(Exception):
    """The server closed; `code` says why, `seconds` when to come back."""

    def __init__(self, code: int, seconds: float = 0.0) -> None:
        super().__init__(f"closed with {code}")
        self.code, self.seconds = code, seconds


class Line(asyncio.Protocol):
    """One connection, from the request to the welcome."""

    def __init__(self, request: bytes, hello: bytes) -> None:
        self.request, self.hello = request, hello
        self.heard = b""
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.welcomed: asyncio.Future[None] = loop.create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.welcomed.done():
            if data[0] == 0x89:  # a ping, answered as browsers do
                self.transport.write(b"\x8a" + bytes([0x80 | data[1]]) + b"\0\0\0\0" + data[2 : 2 + data[1]])
            return
        self.heard += data
        if self.request and b"\r\n\r\n" in self.heard:
            self.request, self.heard = b"", self.heard.partition(b"\r\n\r\n")[2]
            self.transport.write(self.hello)
            self.opened.set_result(None)
        if self.request or len(self.heard) < 4:
            return
        if self.heard[0] == 0x88:
            reason = self.heard[4 : 2 + self.heard[1]].decode()
            wait = reason.partition(" ")[2]
            self._end(Refused(int.from_bytes(self.heard[2:4], "big"), int(wait) / 1000 if wait else 0.0))
        elif b"_welcome" in self.heard[:60]:
            self.heard = b""
            self.welcomed.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(Refused(1006))

    def _end(self, error: Refused) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)
            self.welcomed.cancel()
        elif not self.welcomed.done():
            self.welcomed.set_exception(error)


def masked(text: str) -> bytes:
    """A text as a browser sends it."""
    data = text.encode()
    assert 126 <= len(data) < 65536
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data


class House:
    """All guests of this process."""

    def __init__(self, url: str, site: str) -> None:
        where = urlsplit(url)
        self.host, self.port = str(where.hostname), int(where.port or 80)
        hello = {"type": "hello", "protocol": 1, "role": "page", "site": site, "page_url": f"{url}/demo/"}
        self.hello = masked(json.dumps(hello).ljust(130))
        self.head = (
            f"GET /ws/v1/visitor HTTP/1.1\r\nHost: {where.netloc}\r\nOrigin: {url}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        )
        self.lines: list[Line | None] = []
        self.attempts = 0
        self.codes: Counter[int | str] = Counter()
        self.seconds: list[float] = []

    async def come(self, number: int, *, in_a_crowd: bool) -> None:
        """Until it is in: with the waits that the protocol asks for."""
        began, tries = time.monotonic(), 0
        wait = CHANCE.uniform(0.0, 0.5) if in_a_crowd else 0.0
        while True:
            if wait:
                await asyncio.sleep(max(0.1, wait))
            try:
                await self.try_once(number)
            except (Refused, OSError, TimeoutError) as error:
                code = error.code if isinstance(error, Refused) else 0
                self.codes[code or type(error).__name__] += 1
                asked = error.seconds if isinstance(error, Refused) else 0.0
                wait = asked or CHANCE.uniform(0.0, min(30.0, 0.5 * 2**tries))
                wait += 5.0 if code == 4029 else 0.0
                tries += 1
            else:
                self.seconds.append(time.monotonic() - began)
                return

    async def try_once(self, number: int) -> None:
        self.attempts += 1
        key = base64.b64encode(os.urandom(16)).decode()
        loop = asyncio.get_running_loop()
        line: Line | None = None
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                _, line = await loop.create_connection(
                    lambda: Line(f"{self.head}{key}\r\n\r\n".encode(), self.hello), self.host, self.port
                )
                await line.opened
            async with asyncio.timeout(WELCOME_SECONDS):
                await line.welcomed
        except BaseException:
            if line is not None and line.transport is not None:
                line.transport.abort()
            raise
        self.lines[number] = line

    async def open(self, count: int) -> None:
        first = len(self.lines)
        self.lines += [None] * count
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with slots:
                await self.come(number, in_a_crowd=False)

        await asyncio.gather(*(one(number) for number in range(first, first + count)))

    async def cut(self) -> None:
        for line in self.lines:
            if line is not None:
                line.transport.abort()
        await asyncio.gather(*(self.come(number, in_a_crowd=True) for number in range(len(self.lines))))

    async def obey(self, order: str) -> dict[str, Any]:
        name, _, count = order.partition(" ")
        self.attempts, self.seconds = 0, []
        self.codes.clear()
        began = time.monotonic()
        await (self.open(int(count)) if name == "open" else self.cut())
        alive = sum(line is not None and not line.transport.is_closing() for line in self.lines)
        return {
            "in": alive,
            "seconds": round(time.monotonic() - began, 2),
            "attempts": self.attempts,
            "p95": round(sorted(self.seconds)[int(len(self.seconds) * 0.95)], 2),
            "codes": dict(self.codes),
        }


async def serve(url: str, site: str) -> None:
    house, loop = House(url, site), asyncio.get_running_loop()
    while order := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await house.obey(order.strip())), flush=True)


class Guests:
    """The process. `do` an order and wait for what it says."""

    def __init__(self, url: str, site: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.guests", url, site], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    async def do(self, order: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(await asyncio.to_thread(self._process.stdout.readline))
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def guests(url: str, site: str) -> Iterator[Guests]:
    """A house of guests, gone at the end."""
    made = Guests(url, site)
    try:
        yield made
    finally:
        made.close()


if __name__ == "__main__":
    import resource

    import uvloop

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(serve(sys.argv[1], sys.argv[2]))
