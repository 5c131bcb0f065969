"""People of whom a test wants only what they do to the other side: the real protocol, without a browser.

A browser of one's own costs a second of CPU; where its screen is what the test is about, it is a Visitor's or
a Desk's (people.py). They are named as those are, and whatever they do is done when the server has it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from bench import http
from bench.chat_log import Chat
from bench.console import Console
from bench.link import Frame
from bench.visitor import Visitor
from tests.e2e.people import PASSWORD

SECONDS = 60


class Exchange:
    """While it is entered, people come to the server at `url`; all hang up at its end.

    `cookies` are of who has logged in already, by e-mail.
    """

    def __init__(self, url: str, key: str, cookies: dict[str, str]) -> None:
        self.url, self.key, self.cookies = url, key, cookies
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lines: list[Visitor | Console] = []

    def caller(self) -> Caller:
        """A new visitor."""
        return Caller(self, Visitor(self.url, self.key))

    def staff(self, who: str) -> Staff:
        """Somebody of the demo firm, logged in and connected."""
        email = f"{who}@demo.test"
        if email not in self.cookies:
            self.cookies[email] = http.log_in(self.url, email, PASSWORD)
        desk = Listing(self.url, self.cookies[email])
        self.now(self.connected(desk))
        return Staff(self, desk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.now(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    def now(self, work: Coroutine[Any, Any, Any]) -> None:
        """Returns when it is done; the thread of the test has a loop of Playwright's already."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    async def connected(self, line: Visitor | Console) -> None:
        self._lines.append(line)
        await line.open()

    async def _hang_up(self) -> None:
        await asyncio.gather(*(line.close() for line in self._lines))
        # what was put off by them belongs to nobody any more
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Caller:
    """vera, or another, on the demo firm's website."""

    def __init__(self, exchange: Exchange, line: Visitor) -> None:
        self._exchange, self._line = exchange, line

    def starts_chat(self, name: str, first: str = "") -> None:
        self._exchange.now(self._start(name, first))

    def says(self, text: str) -> None:
        self._exchange.now(self._say(text))

    def ends_chat(self) -> None:
        self._exchange.now(self._end())

    @property
    def _chat(self) -> Chat:
        assert self._line.chat is not None
        return self._line.chat

    async def _start(self, name: str, first: str) -> None:
        await self._exchange.connected(self._line)
        await self._line.start_chat(name=name, text=first)

    async def _say(self, text: str) -> None:
        await self._line.say(self._chat, text)

    async def _end(self) -> None:
        chat = self._chat
        command = {"type": "end_chat", "chat": chat.uid}
        await self._line.ensure(command, settled=lambda: chat.state in ("closed", "missed"))


class Listing(Console):
    """A console that knows who its chats are with: uid -> name as it was given."""

    def __init__(self, server: str, cookie: str) -> None:
        super().__init__(server, cookie)
        self.names: dict[str, str] = {}

    def _list(self, view: Frame, *, anew: bool = False) -> None:
        self.names[view["uid"]] = view["visitor"].get("name", "")
        super()._list(view, anew=anew)


class Staff:
    """An operator who reads whatever comes and answers in the chat that was accepted last."""

    def __init__(self, exchange: Exchange, desk: Listing) -> None:
        self._exchange, self._desk = exchange, desk
        self._chat: Chat

    def is_online(self) -> None:
        self._exchange.now(self._desk.set_availability(True))

    def is_away(self) -> None:
        self._exchange.now(self._desk.set_availability(False))

    def accepts(self, name: str) -> None:
        self._exchange.now(self._accept(name))

    def says(self, text: str) -> None:
        self._exchange.now(self._say(text))

    def sees(self, text: str) -> None:
        """Once, in the chat that was accepted last."""
        self._exchange.now(self._see(text))

    def ends(self) -> None:
        self._exchange.now(self._desk.end_chat(self._chat.uid))

    async def _accept(self, name: str) -> None:
        def waiting() -> list[str]:
            chats = self._desk.chats.values()
            return [
                each.uid for each in chats if each.state == "waiting" and self._desk.names[each.uid] == name
            ]

        await _until(lambda: bool(waiting()), f"{name} waits")
        self._chat = await self._desk.accept_chat(waiting()[-1])

    async def _say(self, text: str) -> None:
        await self._desk.say(self._chat, text)

    async def _see(self, text: str) -> None:
        await _until(lambda: [each for _, each in self._chat.texts()].count(text) == 1, f"{text} is said")


async def _until(is_so: Any, what: str) -> None:
    end = time.monotonic() + SECONDS / 2
    while not is_so():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.02)
