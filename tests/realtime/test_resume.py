"""Whatever gets lost on the way, a client ends where the database is, and never shows a hole."""

from __future__ import annotations

import asyncio
import contextlib
import random  # noqa: TID251 - which frames get lost
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Account, Department, Installation, Operator, Site
from chatlead.realtime import hub as hubs
from chats import positions, recovery
from chats.actions import accept_chat, end_chat, erase_chats
from chats.models import Chat, Message
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.realtime.reducers import Reducers
from tests.sockets import Line, console_of, frame_of
from visitors.sessions import VisitorPrincipal, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = {
    "chat_opened", "message_posted", "message_edited", "message_deleted", "chat_accepted", "chat_transferred",
    "chat_closed", "note_added", "chat_listed", "chat_started", "marks_changed", "queue_moved",
    "operator_changed", "chat_erased",
}  # fmt: skip


@pytest.fixture(scope="module")
def reducers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reducers]:
    found = Reducers(tmp_path_factory.mktemp("reducers"))
    yield found
    found.close()


class Client:
    """A client as docs/protocol.md wants it, whose network loses events; the state is the browsers' own."""

    def __init__(self, line: Line, side: Any, reducers: Reducers, chance: random.Random, loss: float) -> None:
        self.line, self.side, self._reducers = line, side, reducers
        self._chance, self._loss = chance, loss
        self.frames = [line.welcome]
        self.lost = 0

    def state(self) -> dict[str, Any]:
        return self._reducers.known(self.side, self.frames)

    async def listen(self) -> None:
        """Take what has come, as far as it arrives."""
        for frame in await self.line.rest():
            if frame["type"] in EVENTS and self._chance.random() < self._loss:
                self.lost += 1
            elif frame["type"] != "position":
                self.frames.append(frame)
            else:
                await self.compare(frame)

    async def compare(self, position: dict[str, Any]) -> None:
        """Is that where we stand? If not, ask."""
        state = self.state()
        if self.side == "operator":
            if (position["digest"], position.get("version", 0)) != (state["digest"], state["version"]):
                self.frames.append(
                    await self.line.ask(type="sync", positions=state["positions"], epoch=state["epoch"])
                )
            return
        chat = state["chat"]
        if chat and (position["seq"] > chat["seq"] or position["marks"] != sum(chat["marks"].values())):
            ask = {"type": "resume", "chat": chat["uid"], "after": chat["seq"], "epoch": state["epoch"]}
            self.frames.append(await self.line.ask(**ask))
            self.frames += await self.line.rest()  # the marks of both sides

    def check_no_hole(self) -> None:
        """What is shown is gapless, at any time."""
        state = self.state()
        chats = [state["chat"]] if self.side == "visitor" else [*state["chats"].values(), *state["missed"]]
        for chat in filter(None, chats):
            numbers = [row["seq"] for row in chat["log"]]
            assert numbers == list(range(1, chat["seq"] + 1))


async def tell_positions() -> None:
    hub = hubs.current()
    assert hub is not None
    await positions.tell_operators(hub)
    await positions.tell_visitors(hub)


@pytest.fixture
def dana(site: Site, token: str) -> VisitorPrincipal:
    """A visitor whose token we know, so that she can come with frames of her own."""
    return visitor_on(site, session_key=session_key_of(site.key, token))


@pytest.mark.parametrize("seed", range(3))
async def test_thirty_percent_of_the_events_are_lost(
    seed: int, everybody: SimpleNamespace, dana: VisitorPrincipal, token: str, intake: Department,
    reducers: Reducers,
) -> None:  # fmt: skip
    """V-3: everybody converges at the next position, no hole is ever shown."""
    chance = random.Random(seed)
    chat = await sync_to_async(make_chat)(dana, intake)
    others = [await sync_to_async(make_chat)(visitor_on(everybody.site), intake) for _ in range(3)]
    async with contextlib.AsyncExitStack() as stack:
        vera = await stack.enter_async_context(frame_of(everybody.site, token=token))
        olga = await stack.enter_async_context(console_of(everybody.olga))
        watching = [
            Client(await stack.enter_async_context(opened), side, reducers, chance, 0.3)
            for side, opened in [
                ("visitor", frame_of(everybody.site, token=token)),
                ("operator", console_of(everybody.olga)),
                ("operator", console_of(everybody.nina)),
                ("operator", console_of(everybody.sam)),
            ]
        ]
        talk = {"type": "send_message", "chat": chat.uid}
        await vera.ask(**talk, ref=new_ref(), text="Hello?")
        await olga.ask(type="accept_chat", chat=chat.uid)
        for turn in range(30):
            who = (vera, olga)[turn % 2]
            said = await who.ask(**talk, ref=new_ref(), text=f"line {turn}")
            if turn % 7 == 0:
                await who.ask(
                    type="edit_message", chat=chat.uid, ref=new_ref(), target=said["seq"], text="changed"
                )
            if turn % 9 == 0:
                await olga.ask(type="add_note", chat=chat.uid, ref=new_ref(), text="a note")
                await olga.say({"type": "mark", "chat": chat.uid, "delivered": said["seq"], "read": 1})
            if turn % 11 == 0 and others:
                await olga.ask(type=("accept_chat", "end_chat")[turn % 2], chat=others.pop().uid)
            for each in watching:
                await each.listen()
                each.check_no_hole()
        await olga.ask(type="transfer_chat", chat=chat.uid, operator=everybody.sam.uid)
        await asyncio.sleep(1.2)  # the marks are written once a second
        for _ in range(2):
            await tell_positions()
            for each in watching:
                await each.listen()
                each.check_no_hole()
        assert sum(each.lost for each in watching) > 10
        for each, opened in zip(
            watching,
            [
                frame_of(everybody.site, token=token),
                console_of(everybody.olga),
                console_of(everybody.nina),
                console_of(everybody.sam),
            ],
            strict=True,
        ):
            async with opened as again:
                assert each.state() == reducers.known(each.side, [again.welcome])


async def test_a_chat_of_which_everything_was_lost_is_found(
    everybody: SimpleNamespace, vera: VisitorPrincipal, intake: Department, reducers: Reducers
) -> None:
    """V-3: no gap tells of a chat that one does not know of; the digest does."""
    chance = random.Random(0)
    async with console_of(everybody.olga) as line:
        olga = Client(line, "operator", reducers, chance, 1.0)
        chat = await sync_to_async(make_chat)(vera, intake)
        await tell_positions()
        await olga.listen()
        assert list(olga.state()["chats"]) == [chat.uid]
        await sync_to_async(end_chat)(principal=vera, uid=chat.uid)
        await tell_positions()
        await olga.listen()
        state = olga.state()
        assert state["chats"] == {} and [each["uid"] for each in state["missed"]] == [chat.uid]


async def test_a_console_that_was_away_is_told_what_was_erased_meanwhile(
    everybody: SimpleNamespace, dana: VisitorPrincipal, intake: Department
) -> None:
    """R-151: whatever is still on a screen is asked for, and nobody of another account learns of it."""
    chat = await sync_to_async(make_chat)(dana, intake)
    async with console_of(everybody.olga) as line:
        await line.ask(type="accept_chat", chat=chat.uid)
        asked = {"type": "sync", "positions": {chat.uid: [2, 0, 0]}, "epoch": line.welcome["epoch"]}
        assert (await line.ask(**asked)).get("erased", []) == []
        whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
        assert await sync_to_async(erase_chats)(**whose) == 1
        told = [frame for frame in await line.rest() if frame["type"] == "chat_erased"]
        assert told == [{"type": "chat_erased", "chat": chat.uid, "version": line.welcome["version"] + 1}]
        answer = await line.ask(**asked)
        assert (answer["gone"], answer["erased"]) == ([chat.uid], [chat.uid])
        assert answer["version"] == line.welcome["version"] + 1
        # a second time there is nothing to lose, and no news
        assert await sync_to_async(erase_chats)(**whose) == 0
        assert [frame for frame in await line.rest() if frame["type"] == "chat_erased"] == []
    async with console_of(everybody.eve) as line:
        answer = await line.ask(**asked)
        assert (answer["gone"], answer.get("erased", [])) == ([chat.uid], [])


async def test_many_write_while_somebody_comes_in(
    everybody: SimpleNamespace, dana: VisitorPrincipal, token: str, intake: Department, principal_of
) -> None:  # fmt: skip
    """V-4: a thousand messages, and snapshots taken in between; with the events behind them nothing is
    missing and nothing comes twice."""
    await Account.objects.aupdate(is_unlimited=True)
    chat = await sync_to_async(make_chat)(dana, intake)
    olga = everybody.olga
    await sync_to_async(accept_chat)(principal=await sync_to_async(principal_of)(olga), uid=chat.uid)

    async def write(line: Line, number: int) -> None:
        for turn in range(number):
            command = {"type": "send_message", "chat": chat.uid, "ref": new_ref(), "text": f"{turn}"}
            assert (await line.ask(**command))["type"] == "ack"

    async with contextlib.AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(frame_of(everybody.site, token=token)) for _ in range(10)]
        desks = [await stack.enter_async_context(console_of(olga)) for _ in range(10)]
        writing = [asyncio.create_task(write(each, 50)) for each in (*tabs, *desks)]
        newcomers: list[tuple[Any, Line]] = []
        while not all(each.done() for each in writing):
            newcomers.append(
                ("visitor", await stack.enter_async_context(frame_of(everybody.site, token=token)))
            )
            newcomers.append(("operator", await stack.enter_async_context(console_of(olga))))
            await asyncio.sleep(0.2)
        await asyncio.gather(*writing)
        last = await Chat.objects.aget(pk=chat.pk)
        assert last.last_seq == 1002 and len(newcomers) >= 4
        for side, line in newcomers:
            first = (line.welcome.get("chat") or line.welcome["chats"][0])["seq"]
            told = [frame["seq"] for frame in await line.rest() if frame["type"] == "message_posted"]
            assert sorted(n for n in told if n > first) == list(range(first + 1, 1003)), side


# --- resume, one question at a time -------------------------------------------------------------------------


def say(chat: Chat, count: int) -> None:
    """Rows as they would be, without the journal."""
    first = chat.last_seq + 1
    Message.objects.bulk_create(
        Message(
            account_id=chat.account_id, chat=chat, seq=seq, ref=new_ref(), author="visitor", kind="text",
            text=f"{seq}", created_at=chat.started_at,
        )
        for seq in range(first, first + count)
    )  # fmt: skip
    chat.last_seq += count
    chat.save()


def resumed(principal: Any, chat: Chat, after: int, staff_after: int = 0, epoch: str = "") -> Any:
    epoch = epoch or Installation.objects.get().epoch
    return recovery.resumed(principal, uid=chat.uid, after=after, staff_after=staff_after, epoch=epoch)[0]


def test_resume_fills_the_gap_whole(active_chat: Chat, vera: VisitorPrincipal, olga, principal_of) -> None:
    """V-3: up to 300 rows."""
    say(active_chat, 300)
    for principal in (vera, principal_of(olga)):
        answer = resumed(principal, active_chat, 2)
        assert [row.seq for row in answer.log] == list(range(3, 303))
        assert resumed(principal, active_chat, 302).log == []


@pytest.mark.parametrize("why", ["too far behind", "beyond the end", "another epoch"])
def test_what_cannot_be_filled_is_replaced(
    active_chat: Chat, vera: VisitorPrincipal, olga, principal_of, why: str
) -> None:
    """V-3: `reset` with the whole chat."""
    say(active_chat, 301)
    after = {"too far behind": 2, "beyond the end": 304, "another epoch": 303}[why]
    epoch = "restored" if why == "another epoch" else ""
    own = resumed(vera, active_chat, after, epoch=epoch)
    view = resumed(principal_of(olga), active_chat, after, epoch=epoch)
    assert (type(own).__name__, own.own.seq, own.view) == ("Reset", 303, None)
    assert (type(view).__name__, view.view.seq, view.own) == ("Reset", 303, None)
    assert own.own.log[-1].seq == 303 and own.epoch == Installation.objects.get().epoch


def test_a_staff_position_beyond_the_end_is_another_chat(active_chat: Chat, olga, principal_of) -> None:
    """V-3."""
    assert type(resumed(principal_of(olga), active_chat, 2, staff_after=1)).__name__ == "Reset"


def test_who_has_lost_a_chat_hears_that_it_is_gone(
    active_chat: Chat, site: Site, sam: Operator, eve: Operator, principal_of
) -> None:
    """R-112: the same for somebody else's chat as for none."""
    for principal in (visitor_on(site), principal_of(sam), principal_of(eve)):
        answer = resumed(principal, active_chat, 0)
        assert (type(answer).__name__, answer.view, answer.own) == ("Reset", None, None)
        missing = SimpleNamespace(uid="no-such-chat-000000001")
        nothing = resumed(principal, missing, 0)  # type: ignore[arg-type]
        assert (nothing.view, nothing.own, nothing.epoch) == (None, None, answer.epoch)


def test_pages_of_older_rows(active_chat: Chat, vera: VisitorPrincipal) -> None:
    """Oldest first, a hundred at a time, and whether there are more."""
    say(active_chat, 200)
    last = recovery.page(vera, uid=active_chat.uid, before=0)
    assert ([row.seq for row in last.log], last.more) == (list(range(103, 203)), True)
    middle = recovery.page(vera, uid=active_chat.uid, before=103)
    first = recovery.page(vera, uid=active_chat.uid, before=3)
    assert ([row.seq for row in middle.log], middle.more) == (list(range(3, 103)), True)
    assert ([row.seq for row in first.log], first.more) == ([1, 2], False)


async def test_resume_is_followed_by_the_marks(
    everybody: SimpleNamespace, dana: VisitorPrincipal, token: str, intake: Department
) -> None:
    """docs/protocol.md: after the answer, how far both sides have come."""
    chat = await sync_to_async(make_chat)(dana, intake, visitor_delivered=1, visitor_read=1)
    async with frame_of(everybody.site, token=token) as line:
        ask = {"type": "resume", "chat": chat.uid, "after": 1, "epoch": line.welcome["epoch"]}
        assert (await line.ask(**ask))["log"] == []
        sides = {frame["side"]: frame["read"] for frame in await line.rest()}
        assert sides == {"visitor": 1, "operator": 0}
