"""Visitors of whom a test wants only what they do to the console: the real protocol, without a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from bench.chat_log import Chat
from bench.visitor import Visitor

SECONDS = 60


class Callers:
    """While it is entered: makes a visitor by `callers()`; all hang up at its end."""

    def __init__(self, url: str, key: str) -> None:
        self._facts = url, key
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lines: list[Visitor] = []

    def __call__(self) -> Caller:
        return Caller(self)

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

    def line(self) -> Visitor:
        """One more; to be used on our loop only."""
        self._lines.append(Visitor(*self._facts))
        return self._lines[-1]

    async def _hang_up(self) -> None:
        await asyncio.gather(*(line.close() for line in self._lines))
        # what was put off by them belongs to nobody any more
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Caller:
    """vera, or another: named as the Visitor of a page (people.py), and done when the server has it."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._line: Visitor

    def starts_chat(self, name: str, first: str = "") -> None:
        self._callers.now(self._start(name, first))

    def says(self, text: str) -> None:
        self._callers.now(self._say(text))

    def ends_chat(self) -> None:
        self._callers.now(self._end())

    @property
    def _chat(self) -> Chat:
        assert self._line.chat is not None
        return self._line.chat

    async def _start(self, name: str, first: str) -> None:
        self._line = self._callers.line()
        await self._line.open()
        await self._line.start_chat(name=name, text=first)

    async def _say(self, text: str) -> None:
        await self._line.say(self._chat, text)

    async def _end(self) -> None:
        chat = self._chat
        command = {"type": "end_chat", "chat": chat.uid}
        await self._line.ensure(command, settled=lambda: chat.state in ("closed", "missed"))
