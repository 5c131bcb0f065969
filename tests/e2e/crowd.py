"""Thirty visitors at once who go on writing, without thirty browsers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from bench import http
from bench.console import Console
from bench.visitor import Visitor
from tests.e2e.people import PASSWORD

PER_MINUTE = 200  # messages, of all of them together


class Crowd:
    """While it is entered: `names` talk with the operator `email`, and each message is a sentence."""

    def __init__(self, url: str, key: str, email: str, names: list[str]) -> None:
        self._facts = url, key, email, names
        self._ready, self._over = threading.Event(), threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._work)
        self._loop: asyncio.AbstractEventLoop
        self._people: list[Visitor] = []
        self.said = 0

    def pours(self, number: int, count: int) -> None:
        """The person with this number says `count` messages as fast as the server takes them."""
        self._now(self._pour(self._people[number], count))

    def waits(self, names: list[str]) -> None:
        """More people come, write, and wait in the line."""
        self._now(self._queue(names))

    def __enter__(self) -> Crowd:
        self._thread.start()
        assert self._ready.wait(60)
        assert not self._failed, self._failed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._failed, self._failed

    def _work(self) -> None:
        try:
            asyncio.run(self._talk())
        except BaseException as error:
            self._failed.append(error)
            self._ready.set()

    async def _talk(self) -> None:
        url, key, email, names = self._facts
        console = Console(url, await asyncio.to_thread(http.log_in, url, email, PASSWORD))
        await console.open()
        self._loop = asyncio.get_running_loop()
        people = [Visitor(url, key) for _ in names]
        for person, name in zip(people, names, strict=True):
            await person.open()
            chat = await person.start_chat(name=name, text=f"This is {name}")
            await console.accept_chat(chat.uid)
        await console.close()
        self._people = [*people]
        self._ready.set()
        while not self._over.is_set():
            person = people[self.said % len(people)]
            assert person.chat is not None
            await person.say(person.chat, f"And another thing, number {self.said}, to be said at some length")
            self.said += 1
            await asyncio.sleep(60 / PER_MINUTE)
        for person in self._people:
            await person.close()

    async def _pour(self, person: Visitor, count: int) -> None:
        assert person.chat is not None
        for number in range(count):
            await person.say(person.chat, f"Line {number} of a long story, which goes on for quite some time")

    async def _queue(self, names: list[str]) -> None:
        url, key, _, _ = self._facts
        for name in names:
            person = Visitor(url, key)
            self._people.append(person)
            await person.open()
            await person.start_chat(
                name=name, text=f"This is {name}, and I have a question", department="Intake"
            )

    def _now(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(300)
