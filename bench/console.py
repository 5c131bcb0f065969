"""An operator's console without a browser.

console = Console("http://127.0.0.1:8000", http.log_in(server, email, password))
await console.open()
await console.set_availability(online=True)
chat = await console.accept_chat(uid)
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from random import Random  # noqa: TID251 - jitter

from bench.chat_log import Chat
from bench.client import PROTOCOL, Client
from bench.link import Frame, Lost, Refused


class Console(Client):
    """An operator's console. `chats` are the waiting and own active ones; `missed`: uid -> closed_at."""

    side = "operator"

    def __init__(
        self, server: str, cookie: str, *, chance: Random | None = None, polls: bool = False
    ) -> None:
        super().__init__(server, "/ws/v1/operator", cookie=cookie, chance=chance, polls=polls)
        self.me: Frame = {}
        self.departments: set[str] = set()
        self.team: dict[str, Frame] = {}
        self.version = 0
        self.chats: dict[str, Chat] = {}
        self.missed: dict[str, int] = {}
        self.syncs = 0
        self._applied = 0  # counts what changes the digest
        self._syncing = False
        self._listed: dict[str, asyncio.Future[Chat]] = {}

    async def set_availability(self, online: bool) -> None:
        await self.ensure({"type": "set_availability", "online": online})

    async def listed(self, uid: str) -> Chat:
        """Return the chat once it is in our lists."""
        if uid in self.chats:
            return self.chats[uid]
        future = self._listed.setdefault(uid, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    async def accept_chat(self, uid: str) -> Chat:
        """Make a waiting chat ours. Raises Refused (`chat_already_taken`)."""
        chat = await self.listed(uid)
        try:
            await self.ensure({"type": "accept_chat", "chat": uid}, lambda: self.is_mine(chat))
        except Refused:
            if not self.is_mine(chat):
                raise  # else the answer to our first try was lost
        return chat

    async def end_chat(self, uid: str) -> None:
        await self.ensure({"type": "end_chat", "chat": uid})

    def is_mine(self, chat: Chat) -> bool:
        return chat.state == "active" and chat.operator == self.me["uid"]

    def digest(self) -> str:
        """CRC-32 over waiting and own chats and the newest missed one (docs/protocol.md, Positions)."""
        lines = (
            f"{uid}:{chat.seq}:{chat.staff_seq}:{chat.marks_sum}" for uid, chat in sorted(self.chats.items())
        )
        newest = max(self.missed, key=lambda uid: (self.missed[uid], uid), default="")
        text = ";".join(lines) + ";missed:" + newest
        return f"{zlib.crc32(text.encode()):08x}"

    async def _hello(self) -> Frame:
        return {"type": "hello", "protocol": PROTOCOL}

    def _positions(self) -> dict[str, tuple[int, int, int]]:
        return {uid: (c.seq, c.staff_seq, c.marks_sum) for uid, c in self.chats.items()}

    def _at(self) -> Frame:
        at = {"version": self.version, "positions": self._positions(), "epoch": self.epoch}
        whole = not any(chat.holds_back for chat in self.chats.values())
        gone = {uid: chat.presence for uid, chat in self.chats.items() if chat.presence != "here"}
        return at | {"digest": self.digest() if whole else "", "gone": gone}

    def _signature(self) -> Frame:
        return {"operator": self.me["uid"], "name": self.me["name"]}

    def _take_welcome(self, frame: Frame) -> None:
        other_epoch, self.epoch = self.epoch not in ("", frame["epoch"]), frame["epoch"]
        self.me = frame["me"]
        self.departments = set(self.me["departments"])
        self.team = {view["uid"]: view for view in frame["team"]}
        self.version = frame["version"]
        self.missed = {view["uid"]: view["closed_at"] for view in frame["missed"]}
        here = {view["uid"] for view in frame["chats"]}
        self.chats = {uid: chat for uid, chat in self.chats.items() if uid in here}
        for view in frame["chats"]:
            self._list(view, anew=other_epoch)

    def _list(self, view: Frame, *, anew: bool = False) -> None:
        uid = view["uid"]
        if view["state"] == "missed":
            self.missed[uid] = view["closed_at"]
            self.chats.pop(uid, None)
            return
        chat = self.chats.get(uid) or Chat(uid, self.resume, self._changed)
        chat.snapshot(view, anew=anew)
        self._applied += 1
        self._keep_or_drop(chat)
        if future := self._listed.pop(uid, None):
            future.set_result(chat)

    def _keep_or_drop(self, chat: Chat) -> None:
        waits_here = chat.state == "waiting" and chat.department in self.departments
        if waits_here or self.is_mine(chat):
            self.chats[chat.uid] = chat
        else:
            self.chats.pop(chat.uid, None)

    def _row_applied(self, chat: Chat, row: Frame) -> None:
        self._applied += 1
        self._keep_or_drop(chat)

    def _may_mark(self, chat: Chat) -> bool:
        return self.is_mine(chat)  # who only looks at the waiting list has not read it for the visitor

    def _chat(self, uid: str) -> Chat | None:
        return self.chats.get(uid)

    def _take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "chat_listed":
            self._list(frame["chat"])
        elif kind == "operator_changed":
            if frame["version"] > self.version:
                if frame["version"] == self.version + 1:
                    self.version = frame["version"]  # else news were lost: the next position says so
                view = self.team[frame["operator"]["uid"]] = frame["operator"]
                if view["uid"] == self.me["uid"]:
                    self.me, self.departments = view, set(view["departments"])
        elif kind == "presence_changed":
            if (chat := self.chats.get(frame["chat"])) is not None:
                chat.is_there(frame["presence"], frame["at"])
        elif kind == "reset":
            self.epoch = frame["epoch"]
            if view := frame.get("view"):
                self._list(view, anew=True)
            else:
                self.chats.pop(frame["chat"], None)
        elif kind == "position":
            if (gone := frame.get("gone")) is not None:
                self._take_gone({each["chat"]: each for each in gone})
            if any(chat.holds_back for chat in self.chats.values()) or self._syncing:
                return
            same = (frame.get("digest"), frame.get("version", 0), frame["epoch"])
            if same != (self.digest(), self.version, self.epoch):
                self._syncing = True
                self._later(self._sync())
        elif kind == "synced":
            self._take_synced(frame)

    def _take_gone(self, gone: dict[str, Frame]) -> None:
        for uid, chat in self.chats.items():
            now = gone.get(uid, {"presence": "here", "at": 0})
            latest = max((row["at"] for row in chat.rows.values() if row["author"] == "visitor"), default=0)
            if now["presence"] == "here" or latest <= now["at"]:  # who has written since is there
                chat.is_there(now["presence"], now["at"])

    async def _sync(self) -> None:
        positions = self._positions()
        applied = self._applied
        self.syncs += 1
        try:
            with contextlib.suppress(Lost, Refused):
                answer = await self.link.ask({"type": "sync", "positions": positions, "epoch": self.epoch})
                if self._applied == applied and answer["digest"] != self.digest():
                    self.link.cut()  # nothing else came in, and it still differs: start anew
        finally:
            self._syncing = False

    def _take_synced(self, frame: Frame) -> None:
        applied = self._applied
        for uid in frame["gone"]:
            self.chats.pop(uid, None)
        for view in frame["chats"]:
            self._list(view)
        self._feed(frame)
        for marks in frame.get("marks", ()):
            if (chat := self.chats.get(marks["chat"])) is not None:
                chat.grow(marks)
        self.missed = {view["uid"]: view["closed_at"] for view in frame["missed"]}
        self.team = {view["uid"]: view for view in frame["team"]}
        self.version, self.epoch = frame["version"], frame["epoch"]
        self._applied = applied  # what the answer itself brought does not count as news
