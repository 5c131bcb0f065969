"""Snapshot before + events as delivered, reduced by the browsers' own code = snapshot after.

For every command and every action (V-2). One that has no case here fails `test_nothing_is_left_out`.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

import accounts.actions
import chats.actions
import visitors.actions
from accounts import notices
from accounts.models import Operator
from chatlead.realtime import commands
from chatlead.realtime import hub as hubs
from chats import journal, positions
from chats.models import Chat
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.realtime.reducers import Reducers
from tests.sockets import Line, console_of, frame_of
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)

in_thread = sync_to_async


@pytest.fixture(scope="module")
def reducers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reducers]:
    found = Reducers(tmp_path_factory.mktemp("reducers"))
    yield found
    found.close()


@dataclass
class World:
    """acme with its people, and what they send. `lines` are open once a case has been arranged."""

    cast: SimpleNamespace
    principal_of: Callable[[Operator], Any]
    token: str = field(default_factory=new_token)
    lines: dict[str, Line] = field(default_factory=dict)

    @property
    def vera(self) -> VisitorPrincipal:
        return visitor_on(self.cast.site, session_key=session_key_of(self.cast.site.key, self.token))

    async def waiting_chat(self) -> Chat:
        return await in_thread(make_chat)(self.vera, await self.department("Intake"))

    async def department(self, name: str) -> Any:
        return await self.cast.site.departments.aget(name=name)

    async def others_waiting(self) -> list[Chat]:
        """Two strangers in line, one in front of vera (if called before her) and so on."""
        intake = await self.department("Intake")
        return [await in_thread(make_chat)(visitor_on(self.cast.site), intake)]

    async def active_chat(self) -> Chat:
        chat = await self.waiting_chat()
        await in_thread(chats.actions.accept_chat)(
            principal=await self.principal(self.cast.olga), uid=chat.uid
        )
        return chat

    async def principal(self, operator: Operator) -> Any:
        return await in_thread(self.principal_of)(operator)

    async def online(self, *operators: Operator) -> None:
        for each in operators:
            await in_thread(accounts.actions.set_availability)(
                account_id=each.account_id, operator_id=each.pk, online=True
            )
            await in_thread(accounts.actions.renew_leases)([each.pk])

    async def does(self, who: str, **command: Any) -> dict[str, Any]:
        """A command, and its answer, which must be no refusal."""
        answer = await self.lines[who].ask(**command)
        assert answer["type"] != "failed", answer
        return answer


@pytest.fixture
def world(everybody: SimpleNamespace, principal_of: Callable[[Operator], Any]) -> Iterator[World]:
    yield World(everybody, principal_of)
    journal.stop()


# --- the cases: what was before `yield` is in the first snapshot, what comes after it is done -----------

Case = Callable[[World], AsyncIterator[None]]
CASES: dict[str, Case] = {}
COVERED: dict[str, str] = {}  # command or action -> a case


def case(*covers: Any) -> Callable[[Case], Case]:
    def register(function: Case) -> Case:
        CASES[function.__name__] = function
        for each in covers:
            COVERED[f"{each.__module__}.{each.__name__}"] = function.__name__
        return function

    return register


async def said(world: World, who: str, chat: Chat, text: str) -> dict[str, Any]:
    return await world.does(who, type="send_message", chat=chat.uid, ref=new_ref(), text=text)


@case(commands.StartChat, chats.actions.start_chat, visitors.actions.engage)
async def vera_starts_a_chat(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.olga)
    await world.others_waiting()
    yield
    notice = await in_thread(lambda: notices.current(world.cast.site).sha256)()
    await world.does(
        "vera", type="start_chat", ref=new_ref(), fields={"name": "Vera", "email": "vera@post.test"},
        notice=notice, text="I was in a crash",
    )  # fmt: skip


@case()
async def vera_comes_back_for_another_chat(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.olga)
    chat = await world.waiting_chat()
    await in_thread(chats.actions.end_chat)(principal=world.vera, uid=chat.uid)
    yield
    await world.does("vera", type="start_chat", ref=new_ref(), fields={}, text="")


@case(commands.LeaveMessage, chats.actions.leave_message)
async def vera_leaves_a_message(world: World) -> AsyncIterator[None]:
    yield
    notice = await in_thread(lambda: notices.current(world.cast.site).sha256)()
    await world.does(
        "vera", type="leave_message", ref=new_ref(), name="Vera", email="vera@post.test",
        text="Please call me", notice=notice,
    )  # fmt: skip


@case(commands.SendMessage)
async def vera_writes_while_she_waits(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    yield
    await said(world, "vera", chat, "Hello?")


@case()
async def vera_and_olga_talk(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await said(world, "vera", chat, "Hello?")
    await said(world, "olga", chat, "Good morning")
    await said(world, "vera", chat, "I fell")


@case(commands.EditMessage, commands.DeleteMessage)
async def both_take_words_back(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    first = await said(world, "vera", chat, "Helo")
    second = await said(world, "olga", chat, "Go away")
    third = await said(world, "vera", chat, "This was for somebody else")
    changed = {"chat": chat.uid, "ref": new_ref()}
    await world.does("vera", type="edit_message", **changed, target=first["seq"], text="Hello")
    await world.does("olga", type="delete_message", **changed, target=second["seq"])
    await world.does("vera", type="delete_message", chat=chat.uid, ref=new_ref(), target=third["seq"])


@case(commands.SetTyping, chats.actions.set_typing)
async def both_type(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await world.lines["vera"].say({"type": "set_typing", "chat": chat.uid, "on": True})
    await world.lines["olga"].say({"type": "set_typing", "chat": chat.uid, "on": True})


@case(commands.Mark, chats.actions.set_marks, chats.actions.Progress)
async def both_read(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await said(world, "vera", chat, "Hello?")
    await world.lines["vera"].say({"type": "mark", "chat": chat.uid, "delivered": 2, "read": 2})
    await world.lines["olga"].say({"type": "mark", "chat": chat.uid, "delivered": 99, "read": 1})
    for line in ("vera2", "olga2"):
        sides: set[str] = set()
        while sides != {"visitor", "operator"}:
            frame = await world.lines[line].hear_type("marks_changed")
            sides.add(frame["side"])


@case(commands.EndChat, chats.actions.end_chat)
async def vera_ends_an_active_chat(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await world.does("vera", type="end_chat", chat=chat.uid)


@case()
async def vera_leaves_the_line(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    await world.others_waiting()
    yield
    await world.does("vera", type="end_chat", chat=chat.uid)


@case()
async def olga_ends_a_chat(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await world.does("olga", type="end_chat", chat=chat.uid)


@case()
async def nina_ends_a_chat_that_waits(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    yield
    await world.does("nina", type="end_chat", chat=chat.uid)


@case(chats.actions.close_idle)
async def nobody_is_there_any_more(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    await world.others_waiting()
    yield
    long_ago = timezone.now() - timedelta(hours=2)
    await Chat.objects.aupdate(visitor_seen_at=long_ago)
    assert await in_thread(chats.actions.close_idle)() == 2


@case(commands.AcceptChat, chats.actions.accept_chat, chats.actions.move_line)
async def olga_accepts(world: World) -> AsyncIterator[None]:
    [stranger] = await world.others_waiting()
    chat = await world.waiting_chat()
    yield
    await world.does("olga", type="accept_chat", chat=stranger.uid)
    await world.does("olga", type="accept_chat", chat=chat.uid)


@case()
async def vera_moves_up_in_line(world: World) -> AsyncIterator[None]:
    [stranger] = await world.others_waiting()
    await world.waiting_chat()
    yield
    await world.does("nina", type="accept_chat", chat=stranger.uid)


@case(commands.TransferChat, chats.actions.transfer_chat)
async def olga_hands_a_chat_to_sam(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await world.does("olga", type="transfer_chat", chat=chat.uid, operator=world.cast.sam.uid)


@case()
async def olga_hands_a_chat_to_billing(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    billing = await world.department("Billing")
    yield
    await world.does("olga", type="transfer_chat", chat=chat.uid, department=billing.uid)


@case()
async def olga_hands_a_chat_back_to_the_line(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    await world.others_waiting()
    intake = await world.department("Intake")
    yield
    await world.does("olga", type="transfer_chat", chat=chat.uid, department=intake.uid)


@case()
async def nina_sends_who_waits_to_another_line(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    await world.others_waiting()
    billing = await world.department("Billing")
    yield
    await world.does("nina", type="transfer_chat", chat=chat.uid, department=billing.uid)


@case()
async def nina_gives_who_waits_to_sam(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    await world.others_waiting()
    yield
    await world.does("nina", type="transfer_chat", chat=chat.uid, operator=world.cast.sam.uid)


@case(commands.AddNote)
async def operators_note(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    note = {"type": "add_note", "chat": chat.uid, "text": "sounds like a case"}
    await world.does("olga", **note, ref=new_ref())
    await said(world, "vera", chat, "Hello?")
    await world.does("olga", **note, ref=new_ref())


@case()
async def nina_notes_while_vera_waits(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    yield
    await world.does("nina", type="add_note", chat=chat.uid, ref=new_ref(), text="known to us")


@case(commands.SetAvailability, accounts.actions.set_availability, accounts.actions.renew_leases)
async def olga_comes_online_and_sam_goes(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.sam)
    yield
    await world.does("olga", type="set_availability", online=True)
    await world.does("sam", type="set_availability", online=False)


@case(accounts.actions.expire_leases)
async def olgas_laptop_was_closed(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.olga, world.cast.owen)
    yield
    long_ago = timezone.now() - timedelta(hours=2)
    await Operator.objects.filter(pk=world.cast.owen.pk).aupdate(lease_until=long_ago)
    assert await in_thread(accounts.actions.expire_leases)() == 1


@case(accounts.actions.suspend_operator)
async def owen_is_suspended(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.owen)
    yield
    owen = world.cast.owen
    await in_thread(accounts.actions.suspend_operator)(account_id=owen.account_id, operator_id=owen.pk)


@case(accounts.actions.set_departments)
async def owen_gets_departments(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.owen)
    intake = await world.department("Intake")
    yield
    owen = world.cast.owen
    await in_thread(accounts.actions.set_departments)(
        account_id=owen.account_id, operator_id=owen.pk, department_uids=[intake.uid]
    )


@case(accounts.actions.set_departments)
async def sam_changes_department_before_our_eyes(world: World) -> AsyncIterator[None]:
    await world.waiting_chat()
    intake = await world.department("Intake")
    yield
    sam = world.cast.sam
    await in_thread(accounts.actions.set_departments)(
        account_id=sam.account_id, operator_id=sam.pk, department_uids=[intake.uid]
    )
    hub = hubs.current()
    assert hub is not None
    await positions.check_rights(hub)
    await positions.tell_operators(hub)


@case(commands.Ping, commands.Resume, commands.LoadMessages, commands.Sync)
async def questions_change_nothing(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    epoch = world.lines["olga"].welcome["epoch"]
    for who in ("vera", "olga"):
        await world.does(who, type="ping")
        await world.does(who, type="load_messages", chat=chat.uid)
        await world.does(who, type="resume", chat=chat.uid, after=1, epoch=epoch)
    await world.does("olga", type="sync", positions={chat.uid: [1, 0, 0]}, epoch=epoch)


# --- the harness ----------------------------------------------------------------------------------------

ECHOED = {"send_message", "edit_message", "delete_message", "add_note"}


class Screen(Line):
    """A line that keeps all that it has heard, and that has no event of what it wrote itself."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.heard: list[dict[str, Any]] = []
        self.wrote = False

    async def hear(self, **named: Any) -> dict[str, Any]:
        frame = await super().hear(**named)
        self.heard.append(frame)
        return frame

    async def say(self, frame: Any) -> None:
        self.wrote = self.wrote or (isinstance(frame, dict) and frame.get("type") in ECHOED)
        await super().say(frame)


def side_of(who: str) -> Any:
    return "visitor" if who.startswith("vera") else "operator"


@contextlib.asynccontextmanager
async def opened(world: World, who: str) -> AsyncIterator[Line]:
    if who.startswith("vera"):
        async with frame_of(world.cast.site, token=world.token) as line:
            yield line
    else:
        async with console_of(getattr(world.cast, who.rstrip("2"))) as line:
            yield line


PEOPLE = ("vera", "vera2", "olga", "olga2", "nina", "sam", "eve")


@pytest.mark.parametrize("name", CASES)
async def test_events_lead_where_a_new_snapshot_begins(
    name: str, world: World, reducers: Reducers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V-2."""
    monkeypatch.setattr("tests.sockets.Line", Screen)
    arranged = CASES[name](world)
    await anext(arranged)
    async with contextlib.AsyncExitStack() as stack:
        for who in PEOPLE:
            world.lines[who] = await stack.enter_async_context(opened(world, who))
        for line in world.lines.values():
            await line.rest()  # that the others have come
        with pytest.raises(StopAsyncIteration):
            await anext(arranged)
        for line in world.lines.values():
            await line.rest()
        for who, line in world.lines.items():
            assert isinstance(line, Screen)
            if line.wrote:
                continue  # its own words come to it as acks
            if any(frame["type"] == "position" for frame in line.heard):
                await caught_up(line, reducers)
            async with opened(world, who) as again:
                told = reducers.known(side_of(who), line.heard)
                shown = reducers.known(side_of(who), [again.welcome])
            assert told == shown, f"{who} knows something else"


async def caught_up(line: Screen, reducers: Reducers) -> None:
    """A console that hears a digest which is not its own asks for the differences, as consoles do."""
    known = reducers.known("operator", line.heard)
    [position] = [frame for frame in line.heard if frame["type"] == "position"][-1:]
    if position["digest"] != known["digest"] or position.get("version", 0) != known["version"]:
        await line.ask(type="sync", positions=known["positions"], epoch=known["epoch"])


def test_nothing_is_left_out() -> None:
    """V-2: every command and every action has a case."""
    wanted = {f"{each.__module__}.{each.__name__}" for each in (*commands.VISITOR, *commands.OPERATOR)}
    wanted -= {"chatlead.realtime.commands.Hello", "chatlead.realtime.commands.OperatorHello"}
    for module in (chats.actions, accounts.actions, visitors.actions):
        package = module.__name__
        for name, member in inspect.getmembers(module):
            ours = getattr(member, "__module__", "").startswith(package)
            if ours and callable(member) and not name.startswith("_"):
                wanted.add(f"{member.__module__}.{member.__name__}")
    wanted -= HELPERS
    assert wanted == set(COVERED), wanted ^ set(COVERED)


# write nothing themselves
HELPERS = {"visitors.actions.one_line"}
