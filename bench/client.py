"""What the two honest clients of docs/protocol.md share; the halves are visitor.py and console.py.

They keep what they send until the ack and send it again after every welcome, fill gaps, compare positions
and come back with backoff. Used by replay, by benches and by tests that break things.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - jitter
from typing import Any

from bench.chat_log import ROWS, Chat, uuid7
from bench.link import Frame, Link, Lost, Refused, Stopped

PROTOCOL = 1  # of docs/protocol.md
MARK_SECONDS = 1.0


@dataclass
class Unsent:
    """Something with a `ref` that was not acknowledged yet."""

    command: Frame
    answer: asyncio.Future[Frame] = field(default_factory=asyncio.Future)


def _ignore_result(future: asyncio.Future[Any]) -> None:
    """Nobody has to await an answer."""
    if not future.cancelled():
        future.exception()


class Client(ABC):
    """What both halves share: the line, the outbox, the questions, what is due to a chat."""

    side = ""

    def __init__(
        self, server: str, path: str, *, cookie: str, chance: Random | None, polls: bool = False
    ) -> None:
        self.server = server.rstrip("/")
        self.epoch = ""
        self.marks_read = True  # a person looks at every message
        self.on_row: Callable[[Chat, Frame], None] = lambda chat, row: None
        self._outbox: dict[str, Unsent] = {}
        self._flying: dict[str, str] = {}  # chat uid -> ref: one message of a chat is on the wire at a time
        self._tasks: set[asyncio.Task[None]] = set()
        self._marking: set[str] = set()
        self._welcome: asyncio.Future[None] | None = None
        self._closed = False
        self.link = Link(
            "ws" + self.server.removeprefix("http") + path,
            origin=self.server,
            cookie=cookie,
            chance=chance,
            hello=self._hello,
            welcomed=self._welcomed,
            heard=self._heard,
            stopped=self._stopped,
            at=self._at if polls else None,
        )

    async def open(self) -> None:
        """Return at the first welcome; raises Stopped when the server does not want us."""
        self._welcome = asyncio.get_running_loop().create_future()
        self.link.open()
        await self._welcome

    async def close(self) -> None:
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await self.link.close()
        for unsent in self._outbox.values():
            unsent.answer.cancel()

    def post(self, command: Frame) -> asyncio.Future[Frame]:
        """Send what has a `ref`, again and again until it is answered. The future raises Refused, Stopped."""
        unsent = Unsent(command)
        unsent.answer.add_done_callback(_ignore_result)
        self._outbox[command["ref"]] = unsent
        self._flush()
        return unsent.answer

    def say(self, chat: Chat, text: str, ref: str = "") -> asyncio.Future[Frame]:
        """A message; the answer is its `ack`."""
        return self.post({"type": "send_message", "chat": chat.uid, "ref": ref or uuid7(), "text": text})

    async def ensure(self, command: Frame, settled: Callable[[], bool] = lambda: False) -> Frame:
        """Ask until there is an answer, over as many lines as it takes; for what may be asked twice.

        `settled` says after a welcome that there is nothing left to do. Raises Refused.
        """
        while True:
            await self.until_online()
            if settled():
                return {"type": "done"}
            try:
                return await self.link.ask(command)
            except Lost:
                continue
            except Refused as refusal:
                if refusal.code not in ("unavailable", "rate_limited"):
                    raise
                await asyncio.sleep(refusal.frame.get("retry_after_ms", 300) / 1000)

    async def until_online(self) -> None:
        while not self.link.online:
            assert self._welcome is not None
            if self._welcome.done():
                self._welcome.result()  # raises Stopped
            await asyncio.sleep(0.02)

    async def transcript(self, uid: str) -> list[Frame]:
        """All rows of the public log as the server has them now, read page by page."""
        rows: list[Frame] = []
        before = 0
        while True:
            page = await self.ensure({"type": "load_messages", "chat": uid, "before": before})
            rows = page["log"] + rows
            if not page.get("more") or not page["log"]:
                return rows
            before = page["log"][0]["seq"]

    # --- what the halves fill in ---

    @abstractmethod
    async def _hello(self) -> Frame: ...

    @abstractmethod
    def _at(self) -> Frame:
        """What we have, for a poll."""

    @abstractmethod
    def _take_welcome(self, frame: Frame) -> None: ...

    @abstractmethod
    def _chat(self, uid: str) -> Chat | None: ...

    @abstractmethod
    def _take(self, frame: Frame) -> None: ...

    def _row_applied(self, chat: Chat, row: Frame) -> None:  # noqa: B027 - most want nothing of it
        """After every row that was applied."""

    # --- frames ---

    def _welcomed(self, frame: Frame) -> None:
        self._take_welcome(frame)
        self._flying.clear()
        self._flush()
        assert self._welcome is not None
        if not self._welcome.done():
            self._welcome.set_result(None)

    def _stopped(self, why: Stopped) -> None:
        assert self._welcome is not None
        if self._welcome.done():
            self._welcome = asyncio.get_running_loop().create_future()
        self._welcome.set_exception(why)
        self._welcome.add_done_callback(_ignore_result)
        for unsent in self._outbox.values():
            if not unsent.answer.done():
                unsent.answer.set_exception(why)

    def _heard(self, frame: Frame) -> None:
        kind = frame["type"]
        chat: Chat | None
        if kind in ROWS:
            if (chat := self._chat(frame["chat"])) is not None:
                chat.take(frame)
        elif kind == "ack":
            self._acked(frame)
        elif kind == "failed":
            self._failed(frame)
        elif kind == "note_added":
            if (chat := self._chat(frame["chat"])) is not None:
                chat.take_note(frame)
        elif kind == "marks_changed":
            if (chat := self._chat(frame["chat"])) is not None:
                chat.mark_changed(frame)
        elif kind == "resumed":
            if (chat := self._chat(frame["chat"])) is not None:
                self._feed(frame)
                chat.resumed()
        else:
            self._take(frame)

    def _feed(self, frame: Frame) -> None:
        """Rows of several chats, from `resumed` or `synced`."""
        for row in frame.get("log", ()):
            if (chat := self._chat(row["chat"])) is not None:
                chat.take(row)
        for note in frame.get("notes", ()):
            if (chat := self._chat(note["chat"])) is not None:
                chat.take_note(note)

    def _acked(self, ack: Frame) -> None:
        unsent = self._outbox.get(ack["ref"])
        if unsent is None:
            return
        command, chat = unsent.command, self._chat(ack["chat"])
        if chat is not None:
            # the sender hears no event: its own row is made of the ack and of what it kept
            row: Frame = {key: command[key] for key in ("chat", "ref", "text", "target") if key in command}
            row |= {"author": self.side, "at": ack["at"], "seq": ack["seq"], **self._signature()}
            row["type"] = {
                "send_message": "message_posted",
                "edit_message": "message_edited",
                "delete_message": "message_deleted",
            }.get(command["type"], "note_added")
            if row["type"] == "note_added":
                chat.take_note({**row, "staff_seq": row.pop("seq")})
            else:
                chat.take(row)
        self._settle(ack["ref"], ack)

    def _signature(self) -> Frame:
        return {}

    def _failed(self, failure: Frame) -> None:
        unsent = self._outbox.get(failure.get("ref", ""))
        if unsent is None:
            return
        if failure["code"] in ("rate_limited", "unavailable"):
            wait = failure.get("retry_after_ms", 300) / 1000
            asyncio.get_running_loop().call_later(wait, self._again, failure["ref"])
        else:
            self._settle(failure["ref"], Refused(failure))

    def _again(self, ref: str) -> None:
        for key, flying in list(self._flying.items()):
            if flying == ref:
                del self._flying[key]
        self._flush()

    def _settle(self, ref: str, answer: Frame | Refused) -> None:
        unsent = self._outbox.pop(ref, None)
        if unsent is not None and not unsent.answer.done():
            if isinstance(answer, Refused):
                unsent.answer.set_exception(answer)
            else:
                unsent.answer.set_result(answer)
        self._again(ref)

    def _flush(self) -> None:
        for ref, unsent in self._outbox.items():
            key = unsent.command.get("chat", ref)
            if key not in self._flying:
                if not self.link.send(unsent.command):
                    break
                self._flying[key] = ref
        self.link.owing = bool(self._outbox)

    def _changed(self, chat: Chat, row: Frame) -> None:
        ref = row.get("ref", "")
        if ref in self._outbox and row["author"] == self.side:
            # it came back as a row before its ack did: it is stored
            self._settle(ref, {"type": "ack", "ref": ref, **{k: row[k] for k in ("chat", "seq", "at")}})
        self._row_applied(chat, row)
        self.on_row(chat, row)
        if self.marks_read and row["author"] != self.side and chat.uid not in self._marking:
            self._marking.add(chat.uid)
            asyncio.get_running_loop().call_later(MARK_SECONDS, self._mark, chat)

    def _mark(self, chat: Chat) -> None:
        self._marking.discard(chat.uid)
        if self._chat(chat.uid) is chat and self._may_mark(chat) and not self._closed:
            self.link.send({"type": "mark", "chat": chat.uid, "delivered": chat.seq, "read": chat.seq})

    def _may_mark(self, chat: Chat) -> bool:
        return chat.state in ("waiting", "active")

    def resume(self, chat: Chat) -> None:
        """Ask for what came after our last row; the answer fills the hole or replaces the chat."""
        if not chat.resuming:
            chat.resuming = True
            self._later(self._resume(chat))

    async def _resume(self, chat: Chat) -> None:
        try:
            question = {"type": "resume", "chat": chat.uid, "after": chat.seq, "epoch": self.epoch}
            if self.side == "operator":
                question["staff_after"] = chat.staff_seq
            # the frame itself is taken by _heard; nothing to do with it here
            await self.link.ask(question)
        except (Lost, Refused):
            pass  # the next welcome or position says what is missing
        finally:
            chat.resuming = False

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
