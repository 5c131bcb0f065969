"""Honest clients of a real server: they come back, and send again what has no ack (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.identifiers import new_ref
from tests.realtime.kit import dial, hear, until
from tests.servers import Server

PASSWORD = "four-words-for-the-demo"
ENV = {"CHATLEAD_DEMO_PASSWORD": PASSWORD}
RESTART_SECONDS = 3.0  # docs/protocol.md: come back after a random moment of up to 3 s


class Talker:
    """Somebody with a socket; with a `site` a visitor's frame, with a `cookie` an operator's console."""

    def __init__(self, server: Server, path: str, cookie: str = "") -> None:
        self.server, self.path, self.cookie = server, path, cookie
        self.site = ""
        self.welcome: dict[str, Any] = {}
        self.session = ""
        self.acked: dict[str, int] = {}  # ref -> seq
        self.unacked: dict[str, str] = {}  # ref -> frame
        self.heard: list[dict[str, Any]] = []
        self.codes: list[int | None] = []
        self.longest_away = 0.0
        self.online = asyncio.Event()
        self._ws: Any = None
        self._task: asyncio.Task[None] | None = None

    async def hello(self) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "hello", "protocol": 1}
        if not self.site:
            return said
        async with httpx.AsyncClient(base_url=self.server.url) as client:
            headers = {"Origin": self.server.url, "Content-Type": "text/plain"}
            asked = await client.post(
                "/widget/v1/ticket", content=json.dumps({"site": self.site}), headers=headers
            )
        said |= {"role": "chat", "site": self.site, "ticket": asked.json()["ticket"]}
        return said | {"embedder": self.server.url, "session": self.session}

    async def live(self) -> None:
        away_since = time.monotonic()
        while True:
            headers = {"Cookie": self.cookie} if self.cookie else {}
            with contextlib.suppress(OSError, httpx.HTTPError, InvalidHandshake):
                async with dial(
                    f"{self.server.url.replace('http', 'ws')}{self.path}",
                    origin=self.server.url,
                    additional_headers=headers,
                ) as ws:
                    await ws.send(json.dumps(await self.hello()))
                    with contextlib.suppress(ConnectionClosed):
                        self.welcome = await hear(ws, 10)
                        self.session = self.welcome.get("session", "") or self.session
                        self.longest_away = max(self.longest_away, time.monotonic() - away_since)
                        self._ws = ws
                        for frame in list(self.unacked.values()):
                            await ws.send(frame)
                        self.online.set()
                        while True:
                            self.take(json.loads(await ws.recv()))
                    self.codes.append(ws.close_code)
            away_since = time.monotonic()
            self.online.clear()
            await asyncio.sleep(0.1 + secrets.randbelow(int(RESTART_SECONDS * 1000) - 100) / 1000)

    def take(self, frame: dict[str, Any]) -> None:
        self.heard.append(frame)
        if frame["type"] == "ack":
            self.unacked.pop(frame["ref"], None)
            assert self.acked.setdefault(frame["ref"], frame["seq"]) == frame["seq"]

    async def says(self, chat: str, text: str) -> None:
        ref = new_ref()
        frame = json.dumps({"type": "send_message", "chat": chat, "ref": str(ref), "text": text})
        self.unacked[str(ref)] = frame
        if self.online.is_set():
            with contextlib.suppress(ConnectionClosed):
                await self._ws.send(frame)

    async def asks(self, **command: Any) -> dict[str, Any]:
        """Only while nothing goes wrong."""
        number = 1 + secrets.randbelow(2**31 - 1)
        await self._ws.send(json.dumps(command | {"id": number}, default=str))
        await until(lambda: any(frame.get("id") == number for frame in self.heard), 10)
        return next(frame for frame in self.heard if frame.get("id") == number)

    async def __aenter__(self) -> Talker:
        self._task = asyncio.create_task(self.live())
        async with asyncio.timeout(15):
            await self.online.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])


def log_in(server: Server, email: str) -> tuple[str, str]:
    """A log-in cookie, and the key of the demo site."""
    with httpx.Client(base_url=server.url) as client:
        page = client.get("/console/login/").text
        token = re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page)[0]
        sent = {"username": email, "password": PASSWORD, "csrfmiddlewaretoken": token}
        assert client.post("/console/login/", data=sent).status_code == 302
        key = re.findall(r'data-site="([^"]+)"', client.get("/demo/").text)[0]
        return f"cl_login={client.cookies['cl_login']}", key


@contextlib.asynccontextmanager
async def conversation(server: Server, count: int) -> AsyncIterator[tuple[Talker, list[Talker], list[str]]]:
    """olga, `count` visitors, and the uids of their chats, which olga has accepted."""
    cookie, key = log_in(server, "olga@demo.test")
    async with contextlib.AsyncExitStack() as stack:
        olga = await stack.enter_async_context(Talker(server, "/ws/v1/operator", cookie))
        await olga.asks(type="set_availability", online=True)
        visitors, chats = [], []
        for number in range(count):
            vera = Talker(server, "/ws/v1/visitor")
            vera.site = key
            await stack.enter_async_context(vera)
            notice = vera.welcome["site"]["notice"]["sha256"]
            fields = {"name": f"Vera {number}"}
            started = await vera.asks(type="start_chat", ref=new_ref(), fields=fields, notice=notice)
            chat = started["chat"]["uid"]
            assert (await olga.asks(type="accept_chat", chat=chat))["type"] == "done"
            visitors.append(vera)
            chats.append(chat)
        yield olga, visitors, chats
