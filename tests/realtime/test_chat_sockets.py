"""Two people talk over sockets: what is answered, what is refused, and what the socket forgets."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from accounts.actions import set_departments, suspend_operator
from accounts.models import Account, Department
from chatlead.realtime import hub as hubs
from chats import positions
from chats.actions import accept_chat
from chats.models import Chat, Message
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.sockets import Line, console_of, frame_of, log_in
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.asynccontextmanager
async def talking(
    world: SimpleNamespace, token: str, chat: Chat, principal_of: Any
) -> AsyncIterator[tuple[Line, Line]]:
    """Vera's frame and olga's console, in an active chat."""
    principal = await sync_to_async(principal_of)(world.olga)
    await sync_to_async(accept_chat)(principal=principal, uid=chat.uid)
    async with frame_of(world.site, token=token) as frame, console_of(world.olga) as console:
        await frame.rest()
        await console.rest()
        yield frame, console


async def say(line: Line, chat: Chat, text: str = "Hello?", **changed: Any) -> dict[str, Any]:
    return await line.ask(
        **{"type": "send_message", "chat": chat.uid, "ref": new_ref(), "text": text} | changed
    )


async def test_both_hear_each_other(everybody, token: str, chat: Chat, principal_of) -> None:
    """R-005: the sender gets the ack, the other side the message, both under one number."""
    async with talking(everybody, token, chat, principal_of) as (frame, console):
        asked = await say(frame, chat, "I was in a crash")
        heard = await console.hear_type("message_posted")
        assert (heard["seq"], heard["text"], heard["author"]) == (asked["seq"], "I was in a crash", "visitor")
        answered = await say(console, chat, "Are you hurt?")
        heard = await frame.hear_type("message_posted")
        assert (heard["seq"], heard["name"], heard["at"]) == (answered["seq"], "Olga", answered["at"])


async def test_the_same_thing_said_twenty_times_over_two_sockets(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    """V-1: one row, one number, also after the end."""
    await Account.objects.aupdate(is_unlimited=True)
    ref = new_ref()
    async with (
        talking(everybody, token, chat, principal_of) as (frame, console),
        frame_of(everybody.site, token=token) as tab,
    ):
        lines = [frame, tab] * 10
        answers = [await say(each, chat, ref=ref) for each in lines]
        await console.ask(type="end_chat", chat=chat.uid)
        answers.append(await say(tab, chat, ref=ref))
        assert {(each["type"], each["seq"], each["at"]) for each in answers} == {("ack", 3, answers[0]["at"])}
        assert await Message.objects.filter(kind="text").acount() == 1
        closed = await say(frame, chat, "one more thing")
        assert (closed["type"], closed["code"], closed["chat"]) == ("failed", "chat_closed", chat.uid)


async def test_what_olga_sent_is_known_after_the_chat_was_taken_from_her(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    """V-1: her line broke before the ack; meanwhile sam has the chat."""
    ref = new_ref()
    async with talking(everybody, token, chat, principal_of) as (_frame, console):
        first = await say(console, chat, "Good morning", ref=ref)
        await console.ask(type="transfer_chat", chat=chat.uid, operator=everybody.sam.uid)
        async with console_of(everybody.olga) as again:
            assert (await say(again, chat, "Good morning", ref=ref))["seq"] == first["seq"]
            assert (await say(again, chat, "Hello?"))["code"] == "not_found"


async def test_own_words_only(everybody, token: str, chat: Chat, principal_of) -> None:
    """R-005: nobody rewrites the other side, or the system."""
    async with talking(everybody, token, chat, principal_of) as (frame, console):
        mine = await say(console, chat)
        for target in (1, 2, mine["seq"], 99):
            answer = await frame.ask(
                type="edit_message", chat=chat.uid, ref=new_ref(), target=target, text="I pay you a million"
            )
            assert (answer["code"], answer["field"]) == ("not_found", "target")
        assert await Message.objects.filter(text="I pay you a million").acount() == 0


async def test_a_word_without_a_place_in_a_database(everybody, token: str, chat: Chat, principal_of) -> None:
    async with talking(everybody, token, chat, principal_of) as (frame, _console):
        answer = await say(frame, chat, "a\x00b")
        assert (answer["code"], answer["field"]) == ("bad_field", "text")
        assert (await say(frame, chat, "still here"))["type"] == "ack"


async def test_vera_may_write_fast_but_not_that_fast(everybody, token: str, chat: Chat, principal_of) -> None:
    """D-1: twenty at once, then five a second; olga is not limited, nor is a plan without limits."""
    async with talking(everybody, token, chat, principal_of) as (frame, console):
        answers = [await say(frame, chat) for _ in range(30)]
        limited = [each for each in answers if each["type"] == "failed"]
        assert all(each["code"] == "rate_limited" and 0 < each["retry_after_ms"] <= 201 for each in limited)
        assert 20 <= 30 - len(limited) <= 29
        await asyncio.sleep(limited[-1]["retry_after_ms"] / 1000)
        assert (await say(frame, chat))["type"] == "ack"
        assert {(await say(console, chat))["type"] for _ in range(30)} == {"ack"}
        await Account.objects.aupdate(is_unlimited=True)
        async with frame_of(everybody.site, token=token) as unlimited:
            assert {(await say(unlimited, chat))["type"] for _ in range(30)} == {"ack"}


async def test_a_second_tab_makes_vera_no_faster(everybody, token: str, chat: Chat, principal_of) -> None:
    """D-1: the measure is the visitor's, not the socket's; another visitor has one of her own."""
    other = new_token()
    dana = visitor_on(everybody.site, session_key=session_key_of(everybody.site.key, other))
    hers = await sync_to_async(make_chat)(dana, chat.department)
    async with (
        talking(everybody, token, chat, principal_of) as (frame, _),
        frame_of(everybody.site, token=token) as tab,
        frame_of(everybody.site, token=other) as danas,
    ):
        began = time.monotonic()
        answers = [await say(each, chat) for _ in range(20) for each in (frame, tab)]
        allowed = 20 + 5 * (time.monotonic() - began) + 1
        assert 20 <= sum(each["type"] == "ack" for each in answers) <= allowed
        assert (await say(danas, hers))["type"] == "ack"


@pytest.mark.parametrize("who", ["another visitor", "sam", "eve"])
async def test_to_everybody_else_the_chat_is_not_there(
    who: str, everybody, token: str, chat: Chat, principal_of
) -> None:
    """R-112: a chat of somebody else and none at all are answered alike, and nothing happens."""
    if who == "another visitor":
        opened = frame_of(everybody.site)
    else:
        opened = console_of(getattr(everybody, who))
    async with talking(everybody, token, chat, principal_of) as (frame, console), opened as stranger:
        commands: list[dict[str, Any]] = [
            {"type": "send_message", "ref": new_ref(), "text": "Hello?"},
            {"type": "edit_message", "ref": new_ref(), "target": 1, "text": "x"},
            {"type": "delete_message", "ref": new_ref(), "target": 1},
            {"type": "set_typing", "on": False},
            {"type": "mark", "delivered": 1, "read": 1},
            {"type": "end_chat"},
            {"type": "load_messages"},
        ]
        if who != "another visitor":
            commands += [
                {"type": "accept_chat"},
                {"type": "transfer_chat", "operator": getattr(everybody, who).uid},
                {"type": "add_note", "ref": new_ref(), "text": "x"},
            ]
        for command in commands:
            theirs = await stranger.ask(**command, chat=chat.uid)
            none = await stranger.ask(**command, chat="no-such-chat-000000001")
            assert theirs["code"] == none["code"] == "not_found", command
            assert theirs["message"] == none["message"]
        team = {"availability_changed", "operator_changed"}
        assert {each["type"] for each in (*await frame.rest(), *await console.rest())} <= team
    now = await Chat.objects.aget(pk=chat.pk)
    assert (now.state, now.last_seq, now.last_staff_seq, now.visitor_read) == ("active", 2, 0, 0)


async def test_the_old_browser_id_opens_nothing(everybody, token: str, chat: Chat, principal_of) -> None:
    """R-124: with only the persistent id, in a new session, the widget gets none of the old text, while the
    operator sees that it is the same visitor."""
    browser = new_token()
    async with frame_of(everybody.site, browser=browser) as first:
        await first.rest()
    async with talking(everybody, token, chat, principal_of) as (frame, _console):
        await say(frame, chat, "my secret")
    async with frame_of(everybody.site, browser=browser) as later:
        assert later.welcome.get("chat") is None
        for command in ({"type": "load_messages"}, {"type": "resume", "after": 0, "epoch": "x"}):
            assert "my secret" not in str(await later.ask(**command, chat=chat.uid))


# --- signs ------------------------------------------------------------------------------------------------


async def test_marks_only_grow_and_end_with_the_log(everybody, token: str, chat: Chat, principal_of) -> None:
    """R-005: delivered and read, to both sides; nothing behind the end counts, nothing goes back."""
    async with talking(everybody, token, chat, principal_of) as (frame, console):
        await say(frame, chat)
        await console.say({"type": "mark", "chat": chat.uid, "delivered": 1, "read": 99})
        told = await frame.hear_type("marks_changed")
        assert (told["side"], told["delivered"], told["read"]) == ("operator", 3, 3)
        await console.say({"type": "mark", "chat": chat.uid, "delivered": 1, "read": 1})
        await asyncio.sleep(1.2)
        assert [each for each in await frame.rest() if each["type"] == "marks_changed"] == []
        now = await Chat.objects.aget(pk=chat.pk)
        assert (now.operator_delivered, now.operator_read, now.visitor_read) == (3, 3, 0)


async def test_many_marks_are_one_write(everybody, token: str, chat: Chat, principal_of) -> None:
    """At most once a second for a chat and side."""
    await Account.objects.aupdate(is_unlimited=True)
    async with talking(everybody, token, chat, principal_of) as (frame, console):
        for seq in range(3, 43):
            await say(frame, chat)
            await console.say({"type": "mark", "chat": chat.uid, "delivered": seq, "read": seq})
        marks = [await frame.hear_type("marks_changed")]
        while marks[-1]["read"] < 42:
            marks.append(await frame.hear_type("marks_changed"))
        assert len(marks) <= 4


async def test_typing_goes_to_the_other_side_only(everybody, token: str, chat: Chat, principal_of) -> None:
    """B2-14: a sign and no text."""
    async with (
        talking(everybody, token, chat, principal_of) as (frame, console),
        console_of(everybody.nina) as nina,
    ):
        await frame.say({"type": "set_typing", "chat": chat.uid, "on": True})
        assert await console.hear_type("typing_changed") == {
            "type": "typing_changed", "chat": chat.uid, "side": "visitor", "on": True,
        }  # fmt: skip
        assert [each for each in await frame.rest() if each["type"] == "typing_changed"] == []
        assert [each for each in await nina.rest() if each["type"] == "typing_changed"] == []
        refused = await frame.ask(type="set_typing", chat=chat.uid, on=True, text="I was in a cr")
        assert refused["code"] == "unknown_field"


async def test_who_waits_is_seen_typing_by_the_department(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    async with (
        frame_of(everybody.site, token=token) as frame,
        console_of(everybody.olga) as olga,
        console_of(everybody.sam) as sam,
    ):
        await frame.say({"type": "set_typing", "chat": chat.uid, "on": True})
        assert (await olga.hear_type("typing_changed"))["chat"] == chat.uid
        assert [each for each in await sam.rest() if each["type"] == "typing_changed"] == []


# --- rights, again and again --------------------------------------------------------------------------------


async def check_rights() -> None:
    hub = hubs.current()
    assert hub is not None
    await positions.check_rights(hub)


async def test_who_is_suspended_is_shown_out(everybody) -> None:
    """Within 5 s: 4403."""
    async with console_of(everybody.olga) as olga, console_of(everybody.nina) as nina:
        await sync_to_async(suspend_operator)(
            account_id=everybody.olga.account_id, operator_id=everybody.olga.pk
        )
        await check_rights()
        assert await olga.close_code() == 4403
        assert (await nina.ask(type="ping"))["type"] == "pong"


async def test_who_logs_out_is_shown_out(everybody) -> None:
    """Within 5 s: 4401, on this log-in only."""
    key = await sync_to_async(log_in)(everybody.olga)
    async with console_of(everybody.olga, login=key) as gone, console_of(everybody.olga) as stays:
        await Session.objects.filter(session_key=key).adelete()
        await check_rights()
        assert await gone.close_code() == 4401
        assert (await stays.ask(type="ping"))["type"] == "pong"


async def test_who_changes_department_hears_the_other_line(
    everybody, vera: VisitorPrincipal, intake: Department, billing: Department
) -> None:
    """Topics are the shadow of rights: from now on intake, and billing no more."""
    sam = everybody.sam
    async with console_of(sam) as console:
        await sync_to_async(set_departments)(
            account_id=sam.account_id, operator_id=sam.pk, department_uids=[intake.uid]
        )
        await check_rights()
        for department in (intake, billing):
            chat = await sync_to_async(make_chat)(visitor_on(everybody.site), department)
            async with console_of(everybody.nina) as nina:
                await nina.ask(type="accept_chat", chat=chat.uid)
            heard = [each for each in await console.rest() if each["type"] == "chat_accepted"]
            assert [each["chat"] for each in heard] == ([chat.uid] if department == intake else [])
        waiting = await sync_to_async(make_chat)(vera, intake)
        assert (await console.ask(type="accept_chat", chat=waiting.uid))["type"] == "done"
