"""A browser without WebSockets and without a network: polls go straight into the ASGI application.

Needs `django_db(transaction=True)`, as tests/sockets.py does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from chatlead.realtime import hub as hubs
from tests.sockets import OURS, SECONDS, Closed, Talk, as_sent, headers_of

JSON = ("content-type", "application/json")


class Answer(NamedTuple):
    """What came back: `frames`, `close` (0 where there was none) and `pass` as the server wrote them."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def frames(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["frames"]
        return found

    @property
    def close(self) -> int:
        return int(self.body.get("close", 0))

    @property
    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]


class Poller:
    """One browser that polls: its Origin, cookies and address, and how it says hello."""

    def __init__(
        self,
        path: str,
        hello: dict[str, Any] | None = None,
        *,
        origin: str | None = OURS,
        host: str = urlsplit(OURS).netloc,
        cookies: dict[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        peer: str = "203.0.113.9",
    ) -> None:
        self.path, self.hello, self.peer = path, hello or {}, peer
        self.pairs = headers_of(origin, host, cookies, headers)
        self.pass_ = ""
        self.welcome: dict[str, Any] = {}

    async def poll(self, want: str, *commands: Any, wait: float = 0.0, **more: Any) -> Answer:
        """One poll; `wait` in seconds. The pass of the answer before goes along."""
        body = {"hello": self.hello, "want": want, "commands": commands, "wait": int(wait * 1000)}
        answer = await self.post(json.dumps(body | {"pass": self.pass_} | more, default=str))
        if answer.status == 200:
            self.pass_ = answer.body.get("pass", "")
        return answer

    async def enter(self) -> dict[str, Any]:
        """The welcome. Raises Closed."""
        answer = await self.poll("welcome")
        if answer.close:
            raise Closed(answer.close)
        self.welcome = answer.frames[0]
        return self.welcome

    async def post(
        self,
        body: str | bytes,
        *,
        method: str = "POST",
        headers: Iterable[tuple[str, str]] = (JSON,),
        gone: asyncio.Event | None = None,
    ) -> Answer:
        """A request as it is. `gone` is set when the browser hangs up before the answer."""
        from chatlead.asgi import application

        where = urlsplit(self.path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "scheme": "http",
            "method": method,
            "http_version": "1.1",
            "path": where.path,
            "raw_path": where.path.encode(),
            "query_string": where.query.encode(),
            "root_path": "",
            "headers": as_sent([*self.pairs, *headers]),
            "client": (self.peer, 50000),
            "server": ("chat.example", 80),
            "state": {},
        }
        sent: list[dict[str, Any]] = []
        pieces = [body.encode() if isinstance(body, str) else body]

        async def receive() -> dict[str, Any]:
            if pieces:
                return {"type": "http.request", "body": pieces.pop(), "more_body": False}
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await asyncio.wait_for(application(scope, receive, send), 40)
        if not sent:
            return Answer(0, {}, {"frames": []})
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(each.get("body", b"") for each in sent[1:])
        return Answer(sent[0]["status"], found, json.loads(text) if text else None)


class PollLine(Talk):
    """The same face as `tests.sockets.Line`, for tests that do not care how frames travel.

    Polls one after the other, each with what was said meanwhile: what the server does in answer comes in its
    order. What others do is asked for by `at`, which a test may set; without it, only what is heard while a
    poll is held.
    """

    def __init__(self, path: str, **handshake: Any) -> None:
        self._poller = Poller(path.replace("/ws/", "/poll/"), **handshake)
        self._said: list[str] = []
        self._heard: list[dict[str, Any]] = []
        self._close = 0
        self._is_in = False
        self.welcome: dict[str, Any] = {}

    async def open(self) -> Self:
        return self

    async def close(self) -> None:
        """Nothing is held: nothing to hang up."""

    async def say(self, frame: dict[str, Any] | str) -> None:
        """Kept for the next poll. The first one is the hello."""
        self._said.append(frame if isinstance(frame, str) else json.dumps(frame, default=str))

    async def hear(self, *, seconds: float = 0.0) -> dict[str, Any]:
        if not self._heard:
            await self._poll(seconds or SECONDS)
        if self._heard:
            return self._heard.pop(0)
        if self._close:
            raise Closed(self._close)
        raise TimeoutError

    async def _poll(self, seconds: float) -> None:
        said, self._said = self._said, []
        hello = self._poller.hello if self._is_in else json.loads(said.pop(0))
        self._poller.hello = hello
        raw = ",".join(said)
        want = "news" if self._is_in else "welcome"
        body = json.dumps(
            {"hello": hello, "want": want, "pass": self._poller.pass_, "wait": int(seconds * 1000)}
        )
        answer = await self._poller.post(f'{body[:-1]},"commands":[{raw}]}}')
        if answer.status == 200:
            self._poller.pass_ = answer.body.get("pass", "")
        self._is_in = self._is_in or bool(answer.frames)
        self._heard += answer.frames
        self._close = answer.close


@contextlib.asynccontextmanager
async def polling() -> AsyncIterator[None]:
    """Around polls: the hub that they have started ends with them."""
    try:
        yield
    finally:
        hub = hubs.current()
        if hub is not None:
            await hub.stop()
