"""A browser's socket without a network: frames go straight into the ASGI application.

Needs `django_db(transaction=True)`: what a socket stores is committed by other threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from typing import Any, Self
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import Operator, Site
from chatlead.realtime import hub as hubs
from visitors import tickets

OURS = "http://chat.example"
PAGE = "https://www.acme.test"
SECONDS = 10.0


class Closed(Exception):
    """The server has closed the socket; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


def headers_of(
    origin: str | None, host: str, cookies: dict[str, str] | None, more: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What a browser sends along."""
    pairs = [("host", host), ("user-agent", "Mozilla/5.0 (test)"), *more]
    if origin is not None:
        pairs.append(("origin", origin))
    if cookies:
        pairs.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
    return pairs


def as_sent(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as the server hands them to an application."""
    return [(name.encode(), value.encode("latin-1")) for name, value in pairs]


class Talk(ABC):
    """What a test says and hears, however the frames travel: over a socket, or in polls (tests/polls.py)."""

    _number = 0  # of the command that was asked last

    @abstractmethod
    async def say(self, frame: dict[str, Any] | str) -> None:
        """Send a frame: a dict, or a text as it is."""

    @abstractmethod
    async def hear(self, *, seconds: float = 0.0) -> dict[str, Any]:
        """The next frame. Raises Closed, or TimeoutError where nothing comes for so long (else SECONDS)."""

    async def hear_type(self, *types: str) -> dict[str, Any]:
        """The next frame of one of these types; what comes before it is dropped."""
        while (frame := await self.hear())["type"] not in types:
            pass
        return frame

    async def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer, by `id`; events that come before it are dropped."""
        self._number += 1
        await self.say(command | {"id": self._number})
        while (frame := await self.hear()).get("id") != self._number:
            pass
        return frame

    async def rest(self) -> list[dict[str, Any]]:
        """What has come so far and was not heard: everything that a `ping` finds in front of its answer."""
        self._number += 1
        await self.say({"type": "ping", "id": self._number})
        frames = []
        while (frame := await self.hear()).get("type") != "pong":
            frames.append(frame)
        return frames

    async def close_code(self) -> int:
        """Wait for the close and name its code; frames before it are dropped."""
        while True:
            try:
                await self.hear()
            except Closed as closed:
                return closed.code


class Line(Talk):
    """One socket."""

    def __init__(
        self,
        path: str,
        *,
        origin: str | None = OURS,
        host: str = urlsplit(OURS).netloc,
        cookies: dict[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        peer: str = "203.0.113.9",
    ) -> None:
        pairs = headers_of(origin, host, cookies, headers)
        where = urlsplit(path)
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "scheme": "ws",
            "http_version": "1.1",
            "path": where.path,
            "raw_path": where.path.encode(),
            "query_string": where.query.encode(),
            "root_path": "",
            "headers": as_sent(pairs),
            "client": (peer, 50000),
            "server": (host, 80),
            "subprotocols": [],
            "state": {},
        }
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.welcome: dict[str, Any] = {}

    async def open(self) -> Self:
        """Connect; the server accepts every socket."""
        from chatlead.asgi import application

        self._task = asyncio.create_task(application(self._scope, self._in.get, self._put))
        await self._in.put({"type": "websocket.connect"})
        message = await asyncio.wait_for(self._out.get(), SECONDS)
        assert message["type"] == "websocket.accept"
        return self

    async def _put(self, message: dict[str, Any]) -> None:
        await self._out.put(message)

    async def say(self, frame: dict[str, Any] | str | bytes) -> None:
        """Send a frame; bytes as a binary one."""
        message: dict[str, Any] = {"type": "websocket.receive"}
        if isinstance(frame, bytes):
            message["bytes"] = frame
        else:
            message["text"] = frame if isinstance(frame, str) else json.dumps(frame, default=str)
        await self._in.put(message)

    async def hear(self, *, seconds: float = 0.0) -> dict[str, Any]:
        message = await asyncio.wait_for(self._out.get(), seconds or SECONDS)
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        frame: dict[str, Any] = json.loads(message["text"])
        return frame

    async def close(self) -> None:
        """Hang up and wait until the server has noticed."""
        if self._task is not None:
            await self._in.put({"type": "websocket.disconnect", "code": 1005})
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(self._task, SECONDS)


@contextlib.asynccontextmanager
async def line(path: str, **handshake: Any) -> AsyncIterator[Line]:
    """A socket that is open inside the block, before any `hello`."""
    opened = await Line(path, **handshake).open()
    try:
        yield opened
    finally:
        await opened.close()
        hub = hubs.current()
        if hub is not None and not hub.members and not hub.strangers:
            await hub.stop()  # the last one puts out the light: no test leaves a line to Redis


@contextlib.asynccontextmanager
async def frame_of(
    site: Site,
    *,
    token: str = "",
    browser: str = "",
    page: str = PAGE,
    language: str | None = None,
    **handshake: Any,
) -> AsyncIterator[Line]:
    """A visitor's chat frame on `page`, let in with the session cookie `token` where one is given. Without
    a `language` it says none, as frames did before there was one to say."""
    ticket = await sync_to_async(tickets.issue)(site, page)
    cookies = {"__Host-cl_s": token} if token else None
    async with line("/ws/v1/visitor", cookies=cookies, **handshake) as opened:
        hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "ticket": ticket}
        hello |= {"embedder": page, "browser": browser, "page_url": f"{page}/injuries?a=1#b"}
        await opened.say(hello if language is None else hello | {"language": language})
        opened.welcome = await opened.hear()
        assert opened.welcome["type"] == "visitor_welcome", opened.welcome
        yield opened


def log_in(operator: Operator) -> str:
    """The key of a new log-in of this operator."""
    user = operator.user
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key
    return session.session_key


@contextlib.asynccontextmanager
async def console_of(operator: Operator, *, login: str = "", **handshake: Any) -> AsyncIterator[Line]:
    """An operator's console, logged in anew unless `login` is the key of a log-in."""
    key = login or await sync_to_async(log_in)(operator)
    async with line("/ws/v1/operator", cookies={"cl_login": key}, **handshake) as opened:
        await opened.say({"type": "hello", "protocol": 1})
        opened.welcome = await opened.hear()
        assert opened.welcome["type"] == "operator_welcome", opened.welcome
        yield opened


async def hello_as_page(opened: Line, site: Site, page: str = PAGE) -> dict[str, Any]:
    """What a loader says first, and what it hears."""
    await opened.say(
        {"type": "hello", "protocol": 1, "role": "page", "site": site.key, "page_url": f"{page}/"}
    )
    return await opened.hear()
