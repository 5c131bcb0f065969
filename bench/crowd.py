"""Thousands of sockets that say hello and then keep still, in a process of their own.

`Crowd` is the bench's hand on it. The process (`python -m bench.crowd`) reads a Members as JSON, then orders,
one a line, and answers each with a line:

    open N    more sockets until there are N, so many at once   {"open", "seconds", "refused"}
    cut       all connections are gone at once; every client comes back as docs/protocol.md asks, after a
              random part of 0.5 s, then of twice that …        {"open", "seconds", "attempts", …}
    close     all of them, for good                             {"open"}
    count     {"open"}
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from random import Random  # noqa: TID251 - jitter
from typing import Any

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.link import FIRST_SECONDS, LEAST_SECONDS, MOST_SECONDS, WELCOME_SECONDS
from bench.machine import cores
from tests.servers import ROOT

PATIENCE_SECONDS = 180.0  # who is not back by then stays away
TRIES = 5
BUSY = 1013  # with an appointment (docs/protocol.md)


class Members(msgspec.Struct):
    """Where they connect. Of `hellos` each takes the next one in turn; none at all means that the server
    wants none and welcomes nobody (a floor). So with `cookies`, where there are any."""

    url: str
    headers: dict[str, str] = {}
    hellos: list[str] = []
    cookies: list[str] = []
    at_once: int = 64


class Busy(ConnectionError):
    """Too many come at once; come back after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"come back after {seconds} s")
        self.seconds = seconds


class Client(WSListener):
    """One socket, connected again and again."""

    def __init__(self, hello: bytes, cookie: str = "") -> None:
        self.hello = hello
        self.cookie = {"Cookie": cookie} if cookie else {}
        self.transport: WSTransport | None = None
        self.welcome: asyncio.Future[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        if self.hello:
            transport.send(WSMsgType.TEXT, self.hello)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self.welcome is not None and frame.msg_type == WSMsgType.TEXT:
            if b"_welcome" in frame.get_payload_as_memoryview()[:40].tobytes():
                self._settle(None)
        elif frame.msg_type == WSMsgType.CLOSE:
            payload: bytes = frame.get_payload_as_bytes()
            code, appointment = int.from_bytes(payload[:2], "big"), payload.partition(b" ")[2]
            if code == BUSY and appointment.isdigit():
                self._settle(Busy(int(appointment) / 1000))
            else:
                self._settle(ConnectionError(f"closed with {code}"))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.transport is transport:
            self.transport = None
        self._settle(ConnectionError("the line was cut"))

    def _settle(self, error: Exception | None) -> None:
        welcome, self.welcome = self.welcome, None
        if welcome is None or welcome.done():
            return
        if error is None:
            welcome.set_result(None)
        else:
            welcome.set_exception(error)

    async def connect(self, members: Members) -> None:
        """Return when welcomed. Raises OSError, TimeoutError."""
        welcome = self.welcome = asyncio.get_running_loop().create_future() if self.hello else None
        transport: WSTransport | None = None
        try:
            async with asyncio.timeout(WELCOME_SECONDS):
                transport, _ = await ws_connect(
                    lambda: self, members.url, extra_headers=members.headers | self.cookie,
                    websocket_handshake_timeout=WELCOME_SECONDS, read_buffer_init_size=2048,
                )  # fmt: skip
                self.transport = transport
                if welcome is not None:
                    await welcome
        except BaseException as error:
            self.cut()
            if welcome is not None and welcome.done():
                welcome.cancelled() or welcome.exception()
            if isinstance(error, OSError | TimeoutError | asyncio.CancelledError):
                raise
            raise ConnectionError(str(error)) from error

    def cut(self) -> None:
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.disconnect(False)


class People:
    """All clients of this process."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self.clients: list[Client] = []
        self.chance = Random(1)  # noqa: S311
        self.attempts = self.refused = self.sent_away = 0

    def count(self) -> int:
        return sum(client.transport is not None for client in self.clients)

    async def open(self, count: int) -> dict[str, Any]:
        hellos, cookies = self.members.hellos, self.members.cookies or [""]
        slots, started = asyncio.Semaphore(self.members.at_once), time.perf_counter()
        self.refused = 0
        fresh = []
        for number in range(len(self.clients), count):
            hello = hellos[number % len(hellos)].encode() if hellos else b""
            fresh.append(Client(hello, cookies[number % len(cookies)]))

        async def come(client: Client) -> None:
            async with slots:
                for _ in range(TRIES):
                    try:
                        await client.connect(self.members)
                        return
                    except (OSError, TimeoutError) as error:
                        self.refused += 1
                        why = error
                        await asyncio.sleep(0.2)
                print(f"a client gave up: {why!r}", file=sys.stderr)

        self.clients += fresh
        await asyncio.gather(*map(come, fresh))
        return {"open": self.count(), "seconds": self._since(started), "refused": self.refused}

    async def cut(self) -> dict[str, Any]:
        started, self.attempts, self.sent_away = time.perf_counter(), 0, 0
        there = [client for client in self.clients if client.transport is not None]
        for client in there:
            client.cut()
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self._come_back(client, started)) for client in there]
        done, late = await asyncio.wait(tasks, timeout=PATIENCE_SECONDS) if tasks else (set(), set())
        for task in late:
            task.cancel()
        times = sorted(task.result() for task in done)
        return {
            "open": self.count(),
            "seconds": self._since(started),
            "attempts": self.attempts,
            "sent_away": self.sent_away,
            "p50_s": round(times[len(times) // 2], 2) if times else 0.0,
        }

    async def _come_back(self, client: Client, started: float) -> float:
        attempt = 0
        while True:
            wait = min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(attempt, 10))
            await asyncio.sleep(max(LEAST_SECONDS, self.chance.random() * wait))
            attempt += 1
            self.attempts += 1
            try:
                await client.connect(self.members)
                return time.perf_counter() - started
            except Busy as busy:
                self.sent_away += 1
                await asyncio.sleep(busy.seconds)
                attempt = 0
            except (OSError, TimeoutError):
                continue

    async def close(self) -> dict[str, Any]:
        for client in self.clients:
            client.cut()
        self.clients = []
        await asyncio.sleep(0.2)
        return {"open": 0}

    @staticmethod
    def _since(started: float) -> float:
        return round(time.perf_counter() - started, 2)


async def serve(members: Members) -> None:
    people, loop = People(members), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order, _, number = line.strip().partition(" ")
        answer: dict[str, Any] = {"open": people.count()}
        if order == "open":
            answer = await people.open(int(number))
        elif order == "cut":
            answer = await people.cut()
        elif order == "close":
            answer = await people.close()
        print(msgspec.json.encode(answer).decode(), flush=True)


class Crowd:
    """A crowd's process, on the given core; it ends with the block. Orders raise RuntimeError when the
    process has failed."""

    def __init__(self, members: Members, core: int) -> None:
        with cores(core):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.crowd"], cwd=ROOT, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._orders, self._answers = self._process.stdin, self._process.stdout
        self.send(msgspec.json.encode(members).decode())

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(20)
        self._orders.close()
        self._answers.close()

    def send(self, order: str) -> None:
        """Give an order without waiting for it."""
        self._orders.write(f"{order}\n")
        self._orders.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the answer to the oldest order."""
        line = self._answers.readline()
        if not line:
            raise RuntimeError("the crowd's process has ended")
        answer: dict[str, Any] = msgspec.json.decode(line)
        return answer

    def order(self, order: str) -> dict[str, Any]:
        self.send(order)
        return self.answer()


async def main() -> None:
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await serve(msgspec.json.decode(line, type=Members))


if __name__ == "__main__":
    uvloop.run(main())
