"""The honest clients of bench/, with everything that they ask, hear and show written down."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from random import Random  # noqa: TID251 - repeatable faults
from typing import Any

from bench.chat_log import Chat
from bench.client import Client
from bench.console import Console
from bench.link import Frame, Lost, Refused, Stopped
from bench.visitor import Visitor
from tests.faults.checker.history import History, Person

MISSED_SHOWN = 20
QUIET_SECONDS = 8.0
CLOCKS = 3  # so often a nemesis sets the clock within two seconds, and each time tickets are of another one
SILENT = ("ping", "sync", "resume", "load_messages")


class Recorded(Client):
    """What both halves write down. `open` returns when the first welcome is there."""

    history: History
    name: str

    def write_down(self, history: History, person: Person) -> None:
        """Before `open`."""
        self.history, self.name = history, person.name
        # a line that died without a word is found dead within the time to heal, as all times are shorter here
        self.link.quiet_seconds = QUIET_SECONDS
        self.link.more_tickets = CLOCKS
        history.people[person.name] = person
        self.on_row = self._showed

    def _showed(self, chat: Chat, row: Frame) -> None:
        self.history.showed(self.name, chat.uid, row["seq"])

    def _welcomed(self, frame: Frame) -> None:
        self.history.saw(self.name, frame)
        super()._welcomed(frame)

    def _heard(self, frame: Frame) -> None:
        self.history.saw(self.name, frame)
        super()._heard(frame)

    def post(self, command: Frame) -> asyncio.Future[Frame]:
        number = self.history.began(self.name, command)
        answer = super().post(command)
        answer.add_done_callback(partial(self._settled, number))
        return answer

    def _settled(self, number: int, answer: asyncio.Future[Frame]) -> None:
        if answer.cancelled():
            return
        error = answer.exception()
        if error is None:
            self.history.ended(number, "ok", answer=answer.result())
        elif isinstance(error, Refused):
            self.history.ended(number, "fail", answer=error.frame)

    async def ensure(self, command: Frame, settled: Callable[[], bool] = lambda: False) -> Frame:
        if command["type"] in SILENT:
            return await super().ensure(command, settled)
        number = self.history.began(self.name, {**command, "text": self._myself()})
        try:
            answer = await super().ensure(command, settled)
        except Refused as refusal:
            self.history.ended(number, "fail", answer=refusal.frame)
            raise
        self.history.ended(number, "ok", answer=answer)
        return answer

    def _myself(self) -> str:
        return ""

    @abstractmethod
    def screen(self) -> dict[str, Any]:
        """What the person sees now, as plain data."""

    @property
    @abstractmethod
    def known(self) -> dict[str, Chat]:
        """The chats on that screen, by uid."""

    @property
    def unsettled(self) -> int:
        """How much was asked and is not answered."""
        return len(self._outbox)

    @property
    def has_stopped(self) -> bool:
        """The server has sent this client away for good."""
        welcome = self._welcome
        return bool(welcome and welcome.done() and isinstance(welcome.exception(), Stopped))


class RecordedVisitor(Recorded, Visitor):
    """A chat frame; knows its place in line, too."""

    place = 0

    def _adopt(self, view: Frame, *, anew: bool = False) -> None:
        super()._adopt(view, anew=anew)
        self.place = view.get("position", 0)

    def _take(self, frame: Frame) -> None:
        super()._take(frame)
        if frame["type"] == "queue_moved" and self._chat(frame["chat"]) is not None:
            self.place = frame["position"]

    @property
    def known(self) -> dict[str, Chat]:
        return {self.chat.uid: self.chat} if self.chat is not None else {}

    def screen(self) -> dict[str, Any]:
        if self.chat is None:
            return {"chat": None, "online": sorted(self.site.get("online", ()))}
        known = _log_of(self.chat)
        if self.chat.state == "waiting":
            known |= {"place": self.place, "online": sorted(self.site.get("online", ()))}
        return {"chat": {self.chat.uid: known}}


class RecordedConsole(Recorded, Console):
    """A console."""

    def _myself(self) -> str:
        return str(self.me.get("uid", ""))

    @property
    def known(self) -> dict[str, Chat]:
        return self.chats

    def screen(self) -> dict[str, Any]:
        newest = sorted(self.missed, key=lambda uid: (self.missed[uid], uid), reverse=True)[:MISSED_SHOWN]
        chats = {}
        for uid, chat in self.chats.items():
            mine = {"notes": {n: chat.notes[n]["text"] for n in sorted(chat.notes)}, "staff": chat.staff_seq}
            place = {"operator": chat.operator, "department": chat.department, "unread": unread(chat)}
            place["visitor"] = chat.presence
            chats[uid] = _log_of(chat) | mine | place
        team = {
            uid: {"is": view["availability"], "online": view["online"], "in": sorted(view["departments"])}
            for uid, view in self.team.items()
        }
        return {"chats": chats, "missed": newest, "team": team}


def _log_of(chat: Chat) -> dict[str, Any]:
    rows = {
        seq: (row["type"], row.get("text", ""), row.get("state", ""))
        for seq, row in chat.rows.items()
        if row["type"] == "message_posted"
    }
    return {"state": chat.state, "seq": chat.seq, "marks": dict(chat.marks), "rows": rows}


def unread(chat: Chat) -> int:
    """The visitor's messages behind the operator's read mark, counted from the rows."""
    read = chat.marks["operator_read"]
    return sum(
        seq > read and row["type"] == "message_posted" and row["author"] == "visitor"
        for seq, row in chat.rows.items()
    )


async def look_afresh(client: Recorded, patience: float) -> dict[str, Any]:
    """What a new client of the same person is told at its first welcome. Raises TimeoutError."""
    fresh: RecordedVisitor | RecordedConsole
    if isinstance(client, RecordedVisitor):
        fresh = RecordedVisitor(
            client.server, client.site_key, session=client.session, page_origin=client.page_origin
        )
    else:
        fresh = RecordedConsole(client.server, client.link.cookie)
    fresh.write_down(History(), Person(client.name, "", "visitor"))
    fresh.marks_read = False
    try:
        await asyncio.wait_for(fresh.open(), patience)
        for uid, chat in client.known.items():
            if there := fresh.known.get(uid):
                await asyncio.wait_for(_read_as_far(chat, fresh, there), patience)
        told = fresh.screen()
        if isinstance(fresh, RecordedConsole):
            counts = {view["uid"]: view.get("unread_count", 0) for view in _views(fresh.history)}
            for uid, chat in told["chats"].items():
                chat["unread"] = counts[uid]  # as the server counts it
        return told
    finally:
        await fresh.close()


async def _read_as_far(chat: Chat, fresh: Recorded, there: Chat) -> None:
    """A welcome holds the newest rows of a long chat: what the client has of the older ones is read, too."""
    first = min(chat.rows, default=0)
    while there.rows and min(there.rows) > first:
        page = await fresh.ensure({"type": "load_messages", "chat": chat.uid, "before": min(there.rows)})
        if not page["log"]:
            return
        there.rows |= {row["seq"]: row for row in page["log"]}
    there.rows = {seq: row for seq, row in there.rows.items() if seq >= first}


def _views(history: History) -> list[Frame]:
    return [view for sight in history.sights for view in sight.frame.get("chats", ())]


async def read_whole(console: Console, uid: str) -> Frame:
    """A chat's whole view, notes included, whoever answers it: what a `reset` holds. Raises LookupError."""
    while True:
        await console.until_online()
        try:
            question = {"type": "resume", "chat": uid, "after": 0, "staff_after": 0, "epoch": ""}
            answer = await console.link.ask(question)
        except Lost:
            continue
        if "view" not in answer:
            raise LookupError(f"{uid} is not to be seen: {answer}")
        view: Frame = answer["view"]
        return view


def chance_of(seed: int, name: str) -> Random:
    """The same dice for the same person and seed."""
    return Random(f"{seed} {name}")
