"""The scenes of test_verify_actions: for every command and every action somebody does something.

What stands before `yield` is in the first snapshot, what comes after it is done before everybody's eyes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone

import accounts.actions
import chats.actions
import visitors.actions
from accounts import notices
from accounts.models import Department, Operator
from chatlead.realtime import commands
from chatlead.realtime import hub as hubs
from chats import positions
from chats.models import Chat
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.sockets import Line
from visitors.models import ClosedBrowser
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

in_thread = sync_to_async


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


async def works_in(department: Department, operator: Operator) -> None:
    """In this one and no other from now on."""
    await in_thread(accounts.actions.set_departments)(
        account_id=operator.account_id, operator_id=operator.pk, department_uids=[department.uid]
    )


async def a_round_is_made() -> None:
    """The one that looks at everybody's rights and tells consoles where they should be."""
    hub = hubs.current()
    assert hub is not None
    await positions.check_rights(hub)
    await positions.tell_operators(hub)


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


@case()
async def vera_leaves_the_line_with_a_message(world: World) -> AsyncIterator[None]:
    await world.others_waiting()
    chat = await world.waiting_chat()
    await world.others_waiting()
    yield
    notice = await in_thread(lambda: notices.current(world.cast.site).sha256)()
    await said(world, "vera", chat, "I was in a crash")
    await world.does(
        "vera", type="leave_message", ref=new_ref(), chat=chat.uid, name="Vera", email="vera@post.test",
        text="Please call me", notice=notice,
    )  # fmt: skip


@case()
async def the_last_of_her_department_goes_while_vera_waits(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.olga)
    await world.waiting_chat()
    yield
    await world.does("olga", type="set_availability", online=False)


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


@case(commands.EndChat, chats.actions.end_chat, commands.MailTranscript, chats.actions.mail_transcript)
async def vera_ends_an_active_chat_and_has_its_transcript_mailed(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await world.does("vera", type="end_chat", chat=chat.uid)
    notice = await in_thread(lambda: notices.current(world.cast.site).sha256)()
    wanted = {"chat": chat.uid, "ref": new_ref(), "email": "vera@post.test", "notice": notice}
    await world.does("vera", type="mail_transcript", language="de", zone="Europe/Berlin", **wanted)


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


@case(chats.actions.erase_chats, visitors.actions.cut_off, visitors.actions.erase_visitors)
async def vera_is_erased_while_she_talks(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await said(world, "vera", chat, "I was in a crash")
    await world.does("olga", type="add_note", chat=chat.uid, ref=new_ref(), text="sounds like a case")
    whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
    assert await in_thread(chats.actions.erase_chats)(**whose) == 1
    assert await in_thread(visitors.actions.erase_visitors)(**whose) == 1


@case(
    commands.ReportMinor,
    chats.actions.report_minor,
    visitors.actions.close_browsers,
    visitors.actions.forget_closed,
)
async def olga_learns_that_vera_is_under_18(world: World) -> AsyncIterator[None]:
    """She is not let in again (R-070) before a year has gone by, and then she is a stranger."""
    chat = await world.active_chat()
    yield
    await said(world, "vera", chat, "I am sixteen")
    for _ in range(2):
        await world.does("olga", type="report_minor", chat=chat.uid)
    await ClosedBrowser.objects.aupdate(closed_at=timezone.now() - timedelta(days=366))
    assert await in_thread(visitors.actions.forget_closed)() == 2


@case()
async def vera_is_erased_while_she_waits(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    await world.others_waiting()
    yield
    whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
    assert await in_thread(chats.actions.erase_chats)(**whose) == 1


@case()
async def vera_is_erased_after_nobody_answered(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    await in_thread(chats.actions.end_chat)(principal=world.vera, uid=chat.uid)
    yield
    whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
    assert await in_thread(chats.actions.erase_chats)(**whose) == 1


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


@case(commands.Ping, commands.Resume, commands.LoadMessages, commands.LoadEarlier, commands.Sync)
async def questions_change_nothing(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    epoch = world.lines["olga"].welcome["epoch"]
    for who in ("vera", "olga"):
        await world.does(who, type="ping")
        await world.does(who, type="load_messages", chat=chat.uid)
        await world.does(who, type="resume", chat=chat.uid, after=1, epoch=epoch)
    await world.does("olga", type="load_earlier", chat=chat.uid)
    await world.does("olga", type="sync", positions={chat.uid: [1, 0, 0]}, epoch=epoch)
