"""Visitors and operators of two firms, doing what people do, by the dice of a seed.

Everything that anybody says is unique and begins with the name of the firm, so that the checker can tell a
word that was heard by somebody else; a note begins with `staff/` besides.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - repeatable faults
from typing import Any

from bench.chat_log import Chat, uuid7
from bench.link import Frame, Refused, Stopped
from tests.faults.checker.check import STAFF_MARK
from tests.faults.checker.clients import Recorded, RecordedConsole, RecordedVisitor, chance_of
from tests.faults.checker.history import History, Person

UNSETTLED_MAX = 6  # nobody types on and on into a dead line
DEPARTMENTS = ("intake", "billing")
WIRE_ERRORS = (Refused, Stopped, TimeoutError)


@dataclass(frozen=True)
class Pace:
    """How long one waits between two things (`pause`, in the mean), and how many visitors a firm has;
    `patience` is how long one waits for an answer before doing something else. All in seconds. Of the
    clients, the share `polls` has no socket."""

    pause: float = 0.08
    visitors: int = 3
    patience: float = 10.0
    polls: float = 0.0


class Crowd:
    """Everybody. `clients` may be cut, frozen and slowed by a nemesis while `live` runs."""

    def __init__(
        self, cast: dict[str, Any], urls: list[str], *, seed: int, pace: Pace, page_origin: str = ""
    ) -> None:
        self.history = History()
        self.pace = pace
        self.seed = seed
        self.visitors: list[RecordedVisitor] = []
        self.consoles: list[RecordedConsole] = []
        self.cast = cast
        self._over = asyncio.Event()
        self._count = 0
        for firm in cast:
            for number in range(pace.visitors):
                self._add_visitor(firm, f"vera-{firm}-{number}", urls, page_origin)
            for number, (name, cookie) in enumerate(cast[firm]["people"].items()):
                self._add_console(firm, name, cookie, urls[number % len(urls)])
            # one person with two consoles sends the same over both
            name, cookie = next(iter(cast[firm]["people"].items()))
            self._add_console(firm, f"{name} again", cookie, urls[-1])

    @property
    def clients(self) -> list[Recorded]:
        return [*self.visitors, *self.consoles]

    def _add_visitor(self, firm: str, name: str, urls: list[str], page_origin: str) -> None:
        url = urls[len(self.visitors) % len(urls)]
        visitor = RecordedVisitor(
            url, self.cast[firm]["site"], chance=chance_of(self.seed, name), page_origin=page_origin,
            polls=self._polls(name),
        )  # fmt: skip
        visitor.write_down(self.history, Person(name, firm, "visitor"))
        self.visitors.append(visitor)

    def _add_console(self, firm: str, name: str, cookie: str, url: str) -> None:
        console = RecordedConsole(url, cookie, chance=chance_of(self.seed, name), polls=self._polls(name))
        console.write_down(self.history, Person(name, firm, "operator"))
        self.consoles.append(console)

    def _polls(self, name: str) -> bool:
        return chance_of(self.seed, f"line of {name}").random() < self.pace.polls

    async def open(self) -> None:
        """Everybody comes in; every operator is online, and everybody has heard so."""
        await asyncio.gather(*(client.open() for client in self.clients))
        await asyncio.gather(*(console.set_availability(online=True) for console in self.consoles))
        for visitor in self.visitors:
            while len(visitor.site.get("online", ())) < len(DEPARTMENTS):  # noqa: ASYNC110 - the client's own
                await asyncio.sleep(0.02)

    async def live(self) -> None:
        """Everybody does things until `enough` is called."""
        lives = [self._visit(each) for each in self.visitors] + [self._work(each) for each in self.consoles]
        await asyncio.gather(*lives)

    def enough(self) -> None:
        """Nobody begins anything more."""
        self._over.set()

    async def settle(self, seconds: float) -> None:
        """Wait until nobody waits for an answer any more."""
        end = asyncio.get_running_loop().time() + seconds
        while any(each.unsettled or not each.link.online for each in self.clients):
            if asyncio.get_running_loop().time() > end:
                return
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """Visitors end their chats, so that the next crowd finds an empty waiting list; all hang up."""
        for visitor in self.visitors:
            if visitor.chat is not None and visitor.chat.state in ("waiting", "active"):
                with contextlib.suppress(*WIRE_ERRORS):
                    await asyncio.wait_for(
                        visitor.link.ask({"type": "end_chat", "chat": visitor.chat.uid}), self.pace.patience
                    )
        await asyncio.gather(*(client.close() for client in self.clients))

    # --- words ------------------------------------------------------------------------------------------

    def _words(self, client: Recorded) -> str:
        self._count += 1
        return f"{self.history.people[client.name].firm}/{client.name} says {self._count}"

    async def _patiently(self, work: Awaitable[Any]) -> None:
        with contextlib.suppress(*WIRE_ERRORS):
            await asyncio.wait_for(work, self.pace.patience)

    async def _pause(self, chance: Random) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), chance.expovariate(1 / self.pace.pause))

    # --- visitors ---------------------------------------------------------------------------------------

    async def _visit(self, visitor: RecordedVisitor) -> None:
        chance = chance_of(self.seed, f"life of {visitor.name}")
        while not self._over.is_set() and not visitor.has_stopped:
            chat = visitor.chat
            if visitor.unsettled >= UNSETTLED_MAX:
                pass
            elif chat is None or chat.state not in ("waiting", "active"):
                firm = self.history.people[visitor.name].firm
                text = self._words(visitor) if chance.random() < 0.5 else ""
                starting = visitor.start_chat(
                    name=f"{firm}/{visitor.name}", text=text, department=chance.choice(DEPARTMENTS)
                )
                await self._patiently(starting)
            else:
                await self._do_as_visitor(visitor, chat, chance)
            await self._pause(chance)

    async def _do_as_visitor(self, visitor: RecordedVisitor, chat: Chat, chance: Random) -> None:
        dice = chance.random()
        if dice < 0.03:
            await self._patiently(visitor.ensure({"type": "end_chat", "chat": chat.uid}))
        elif dice < 0.07:
            visitor.link.cut()
        elif dice < 0.09:  # to the next page, or away and back
            visitor.link.send({"type": "leave_page"})
            await self._pause(chance)
            visitor.link.cut()
        elif dice < 0.17:
            visitor.link.send({"type": "set_typing", "chat": chat.uid, "on": True})
        else:
            self._say_or_change(visitor, chat, chance)

    # --- operators --------------------------------------------------------------------------------------

    async def _work(self, console: RecordedConsole) -> None:
        chance = chance_of(self.seed, f"life of {console.name}")
        while not self._over.is_set() and not console.has_stopped:
            if console.unsettled < UNSETTLED_MAX:
                await self._do_as_operator(console, chance)
            await self._pause(chance)

    async def _do_as_operator(self, console: RecordedConsole, chance: Random) -> None:
        waiting = sorted(uid for uid, chat in console.chats.items() if chat.state == "waiting")
        mine = [console.chats[uid] for uid in sorted(console.chats) if console.is_mine(console.chats[uid])]
        dice = chance.random()
        if waiting and (dice < 0.4 or not mine):
            await self._patiently(console.ensure({"type": "accept_chat", "chat": waiting[0]}))
        elif dice < 0.03:
            console.link.cut()
        elif dice < 0.06:
            await self._patiently(console.set_availability(online=chance.random() < 0.7))
        elif mine:
            await self._do_with_chat(console, chance.choice(mine), chance)

    async def _do_with_chat(self, console: RecordedConsole, chat: Chat, chance: Random) -> None:
        dice = chance.random()
        if dice < 0.03:
            await self._patiently(console.ensure({"type": "end_chat", "chat": chat.uid}))
        elif dice < 0.08:
            await self._patiently(console.ensure(self._transfer(console, chat, chance)))
        elif dice < 0.2:
            text = f"{STAFF_MARK}{self._words(console)}"
            console.post({"type": "add_note", "chat": chat.uid, "ref": uuid7(), "text": text})
        else:
            self._say_or_change(console, chat, chance)

    def _transfer(self, console: RecordedConsole, chat: Chat, chance: Random) -> Frame:
        command: Frame = {"type": "transfer_chat", "chat": chat.uid}
        if chance.random() < 0.5:
            firm = self.history.people[console.name].firm
            return {**command, "department": self.cast[firm][chance.choice(DEPARTMENTS)]}
        return {**command, "operator": chance.choice(sorted(console.team))}

    # --- what both do -----------------------------------------------------------------------------------

    def _say_or_change(self, client: Recorded, chat: Chat, chance: Random) -> None:
        dice = chance.random()
        own = [row for row in chat.rows.values() if self._is_own(client, row)]
        if own and dice < 0.2:
            row = chance.choice(own)
            command = {"type": "delete_message", "chat": chat.uid, "ref": uuid7(), "target": row["seq"]}
            if dice < 0.14:
                command |= {"type": "edit_message", "text": self._words(client)}
            client.post(command)
            return
        ref = uuid7()
        command = {"type": "send_message", "chat": chat.uid, "ref": ref, "text": self._words(client)}
        client.post(command)
        if dice > 0.9:
            client.link.send(command)  # an impatient finger
        twin = self._twin(client)
        if twin is not None and dice > 0.8 and chat.uid in twin.chats:
            twin.post(command)

    def _is_own(self, client: Recorded, row: Frame) -> bool:
        if row["type"] != "message_posted" or row.get("state") == "deleted" or row["author"] != client.side:
            return False
        return client.side == "visitor" or row.get("operator") == client._myself()

    def _twin(self, client: Recorded) -> RecordedConsole | None:
        if not isinstance(client, RecordedConsole):
            return None
        same = (each for each in self.consoles if each.link.cookie == client.link.cookie)
        return next((each for each in same if each is not client), None)
