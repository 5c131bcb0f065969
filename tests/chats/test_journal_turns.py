"""What the sockets of one loop submit in one turn goes to the writer's thread together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import pytest

from chatlead.errors import Unavailable
from chats.journal import Entry, Outcome, writer
from chats.journal.writer import BATCH_MAX, Told, Waiting, Writer
from chats.models import Chat
from tests.chats.journal_hands import by_visitor, ref, statuses, submitted, texts


class Slate:
    """A link that keeps what it is given, batch by batch, as soon as it may."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_write = threading.Event()
        self.may_write.set()

    def store(self, entries: Sequence[Entry], *, together: bool) -> list[Outcome]:
        assert self.may_write.wait(20)
        self.batches.append([entry.text for entry in entries])
        return [
            Outcome(entry, "stored", seq, 1, "", "active", 0, None, "") for seq, entry in enumerate(entries)
        ]

    def together(self, entry: Entry) -> bool:
        return True

    def is_lost(self, error: Exception) -> bool:
        return False

    def close(self) -> None:
        self.batches.append(["closed"])


class Desk:
    """A writer on a slate, and what was told."""

    def __init__(self) -> None:
        self.slate = Slate()
        self.writer = Writer("slate", lambda: self.slate)
        self.told: list[Told] = []

    def say(self, *words: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        for word in words:
            entry = Entry(chat_id=1, account_id=1, author="system", ref=ref(), kind="text", text=word)
            waiting = Waiting(entry, loop or asyncio.get_running_loop(), self._hear)
            self.writer.submit(waiting)

    def _hear(self, result: Told, is_news: bool) -> None:
        self.told.append(result)

    @property
    def written(self) -> list[str]:
        """In the order of the database, without regard to batches."""
        return list(chain.from_iterable(self.slate.batches))

    async def heard(self, count: int) -> list[Any]:
        async with asyncio.timeout(20):
            while len(self.told) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return self.told


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.slate.may_write.set()
    if made.writer._thread.is_alive():
        made.writer.stop()


async def test_a_turn_is_one_batch_and_the_next_turn_another(desk: Desk) -> None:
    """performance.md: one wake-up of the thread, not one a message; the order is kept."""
    desk.say("a", "b", "c")
    await desk.heard(3)
    desk.say("d")
    desk.say("e")
    await desk.heard(5)
    assert desk.slate.batches == [["a", "b", "c"], ["d", "e"]]
    assert desk.writer.depth == 0


async def test_a_turn_larger_than_a_batch_is_cut_in_order(desk: Desk) -> None:
    words = [str(number) for number in range(2 * BATCH_MAX + 3)]
    desk.say(*words)
    await desk.heard(len(words))
    assert [len(batch) for batch in desk.slate.batches] == [BATCH_MAX, BATCH_MAX, 3]
    assert desk.written == words


async def test_who_comes_from_another_thread_waits_for_nobodys_turn(desk: Desk) -> None:
    """An entry whose loop does not run here is given at once; its answer comes on its loop."""
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(desk.say, *"abc", loop=loop)
    assert len(await desk.heard(3)) == 3
    assert desk.written == ["a", "b", "c"]


async def test_the_bound_counts_entries_and_not_turns(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """D-1: a database that hangs does not fill the memory; those beyond the bound are told at once."""
    monkeypatch.setattr(writer, "QUEUE_MAX", 5)
    desk.slate.may_write.clear()
    desk.say("first")
    async with asyncio.timeout(20):
        while desk.writer.depth:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    desk.say(*"12345678")
    told = await desk.heard(3)
    assert [type(each) for each in told] == [Unavailable] * 3
    desk.slate.may_write.set()
    assert len(await desk.heard(9)) == 9
    assert desk.written == ["first", *"12345"]


async def test_stopping_in_the_middle_of_a_turn_writes_everything(desk: Desk) -> None:
    """R-007: what was taken is stored before the process ends; what comes later is refused, not lost."""
    desk.say("a", "b")
    desk.writer.stop()
    assert desk.slate.batches == [["a", "b"], ["closed"]]
    desk.say("late")
    told = await desk.heard(3)
    assert [isinstance(each, Unavailable) for each in told] == [False, False, True]


def test_a_loop_that_ends_within_its_turn_loses_nothing(desk: Desk) -> None:
    async def speak() -> None:
        desk.say("last words")

    loop = asyncio.new_event_loop()
    loop.run_until_complete(speak())
    loop.close()
    desk.writer.stop()
    assert desk.slate.batches == [["last words"], ["closed"]]


@pytest.mark.django_db(transaction=True)
def test_many_turns_are_stored_in_their_order(active_chat: Chat) -> None:
    """R-035: on the real database, as sockets do it."""

    async def talk() -> list[Any]:
        told: list[Any] = []
        for turn in range(5):
            told += await submitted([by_visitor(active_chat, f"{turn}.{n}") for n in range(20)])
        return told

    assert set(statuses(asyncio.run(talk()))) == {"stored"}
    said = [f"{turn}.{n}" for turn in range(5) for n in range(20)]
    assert [text for text in texts(active_chat) if text in said] == said
