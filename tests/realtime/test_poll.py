"""The whole protocol by plain requests, for networks that let no socket through (R-006)."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Department, Operator, Site
from accounts.selectors import OperatorPrincipal
from chatlead.realtime import hub as hubs
from chatlead.realtime.codes import CloseCode
from chats import positions
from chats.actions import accept_chat, end_chat
from chats.models import Chat, Message
from tests.identifiers import new_ref
from tests.polls import Poller, polling
from tests.realtime.kit import until
from tests.sockets import PAGE, console_of, frame_of, log_in
from visitors import tickets
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def poller_of(site: Site, token: str = "", **handshake: Any) -> Poller:
    """Vera's frame, before it was let in."""
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "embedder": PAGE}
    cookies = {"__Host-cl_s": token} if token else None
    return Poller(
        "/poll/v1/visitor", hello | {"ticket": tickets.issue(site, PAGE)}, cookies=cookies, **handshake
    )


@sync_to_async
def console_poller(operator: Operator, **handshake: Any) -> Poller:
    """An operator's console, before it was let in."""
    cookies = {"cl_login": log_in(operator)}
    return Poller("/poll/v1/operator", {"type": "hello", "protocol": 1}, cookies=cookies, **handshake)


def at_of(chat: dict[str, Any], epoch: str, **more: Any) -> dict[str, Any]:
    """What a frame has that was just shown this chat."""
    marks = chat.get("marks", {})
    names = ("visitor_delivered", "visitor_read", "operator_delivered", "operator_read")
    here = {"chat": chat["uid"], "seq": chat["seq"], "marks": [marks.get(name, 0) for name in names]}
    return here | {"place": chat.get("position", 0), "epoch": epoch} | more


def said(chat: Chat, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "send_message", "chat": chat.uid, "ref": new_ref(), "text": text} | more


async def accepted(world: SimpleNamespace, chat: Chat, principal_of: Any) -> OperatorPrincipal:
    """The chat is olga's now."""
    principal: OperatorPrincipal = await sync_to_async(principal_of)(world.olga)
    await sync_to_async(accept_chat)(principal=principal, uid=chat.uid)
    return principal


def listening() -> hubs.Hub:
    hub = hubs.current()
    assert hub is not None
    return hub


def listeners() -> int:
    hub = hubs.current()
    return 0 if hub is None else len(hub.members)


def unheard(chat: Chat) -> None:
    """A row that no event told of, as when another process wrote it while Redis was away."""
    Message.objects.create(
        account_id=chat.account_id, chat=chat, seq=chat.last_seq + 1, ref=new_ref(), author="system",
        kind="text", text="nobody heard this", created_at=timezone.now(),
    )  # fmt: skip
    Chat.objects.filter(pk=chat.pk).update(last_seq=chat.last_seq + 1)


async def test_vera_and_olga_talk_without_a_socket(everybody, token: str, chat: Chat, principal_of) -> None:
    """R-006: what one says is in the other's held poll at once, under the number that the sender was told."""
    async with polling():
        await accepted(everybody, chat, principal_of)
        vera, olga = await poller_of(everybody.site, token), await console_poller(everybody.olga)
        shown = await vera.enter()
        listed = await olga.enter()
        assert shown["chat"]["uid"] == listed["chats"][0]["uid"] == chat.uid
        at = at_of(shown["chat"], shown["epoch"])
        held = asyncio.create_task(vera.poll("news", at=at, wait=20))
        await until(lambda: listeners() == 1)
        ack = (await olga.poll("answers", said(chat, "Are you hurt?", id=4))).frames
        assert [(frame["type"], frame["id"]) for frame in ack] == [("ack", 4)]
        heard = (await asyncio.wait_for(held, 2)).frames
        assert [(f["type"], f["text"], f["seq"]) for f in heard] == [
            ("message_posted", "Are you hurt?", ack[0]["seq"])
        ]
        assert listeners() == 0


async def test_nothing_is_lost_between_two_polls(everybody, token: str, chat: Chat, principal_of) -> None:
    """V-3: what was said while nobody listened is read from the database, once and in order."""
    async with polling():
        await accepted(everybody, chat, principal_of)
        vera, olga = await poller_of(everybody.site, token), await console_poller(everybody.olga)
        shown, _ = await vera.enter(), await olga.enter()
        for number in range(3):
            await olga.poll("answers", said(chat, f"line {number}"))
        news = await vera.poll("news", at=at_of(shown["chat"], shown["epoch"]), wait=20)
        assert news.types == ["resumed", "marks_changed", "marks_changed"]
        rows = news.frames[0]["log"]
        assert [row["text"] for row in rows] == ["line 0", "line 1", "line 2"]
        here = at_of(shown["chat"], shown["epoch"]) | {"seq": rows[-1]["seq"]}
        assert (await vera.poll("news", at=here, wait=0.2)).frames == []


async def test_a_poll_without_news_is_held_for_as_long_as_it_asks(everybody, token: str, chat: Chat) -> None:
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        began = time.monotonic()
        answer = await vera.poll("news", at=at_of(shown["chat"], shown["epoch"]), wait=0.5)
        assert (answer.status, answer.frames) == (200, [])
        assert 0.4 < time.monotonic() - began < 3


async def test_nobody_holds_a_poll_for_longer_than_the_server_wants(
    everybody, token: str, chat: Chat, settings: Settings
) -> None:
    settings.POLL_SECONDS = 0.2
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        began = time.monotonic()
        await vera.poll("news", at=at_of(shown["chat"], shown["epoch"]), wait=600)
        assert time.monotonic() - began < 3


async def test_a_ref_sent_twenty_times_by_polls_is_one_row(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    """V-1: also in one poll, also by two pollers, also after the end."""
    await Account.objects.aupdate(is_unlimited=True)
    async with polling():
        principal = await accepted(everybody, chat, principal_of)
        vera, tab = await poller_of(everybody.site, token), await poller_of(everybody.site, token)
        await vera.enter()
        await tab.enter()
        message = said(chat, "once")
        answers = await asyncio.gather(*(who.poll("answers", message, message) for who in (vera, tab) * 5))
        await sync_to_async(end_chat)(principal=principal, uid=chat.uid)
        late = await vera.poll("answers", message)
        seqs = {(frame["type"], frame["seq"]) for answer in [*answers, late] for frame in answer.frames}
        assert len(seqs) == 1
        assert await Message.objects.filter(chat=chat, text="once").acount() == 1
        refused = await vera.poll("answers", said(chat, "too late"))
        assert [(f["type"], f["code"]) for f in refused.frames] == [("failed", "chat_closed")]


async def test_a_poll_may_listen_and_speak_at_once(everybody, token: str, chat: Chat, principal_of) -> None:
    """For a client that has one request only: the answer is not waited for longer than it takes."""
    async with polling():
        await accepted(everybody, chat, principal_of)
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        began = time.monotonic()
        at = at_of(shown["chat"], shown["epoch"])
        answer = await vera.poll("news", said(chat, "hello", id=1), said(chat, "there", id=2), at=at, wait=20)
        assert [(frame["type"], frame["id"]) for frame in answer.frames] == [("ack", 1), ("ack", 2)]
        assert time.monotonic() - began < 5


async def test_commands_of_one_poll_are_carried_out_in_their_order(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    async with polling():
        await accepted(everybody, chat, principal_of)
        vera = await poller_of(everybody.site, token)
        await vera.enter()
        end = {"type": "end_chat", "chat": chat.uid, "id": 2}
        answer = await vera.poll("answers", said(chat, "goodbye", id=1), end, said(chat, "and", id=3))
        assert {(frame["id"], frame["type"]) for frame in answer.frames} == {
            (1, "ack"), (2, "done"), (3, "failed")
        }  # fmt: skip


async def test_what_vera_never_heard_of_comes_whole(everybody, token: str, chat: Chat) -> None:
    """A chat that began in another tab, unheard."""
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        news = await vera.poll("news", at={"epoch": shown["epoch"]}, wait=20)
        assert news.types == ["reset"]
        assert news.frames[0]["own"]["uid"] == chat.uid


async def test_a_mark_that_is_still_to_be_written_is_no_news(everybody, token: str, chat: Chat) -> None:
    """Else two that are a moment ahead of the database would ask it in a circle."""
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        at = at_of(shown["chat"], shown["epoch"]) | {"marks": [1, 1, 0, 0]}
        assert (await vera.poll("news", at=at, wait=0.2)).frames == []
        await Chat.objects.filter(pk=chat.pk).aupdate(operator_read=1)
        assert (await vera.poll("news", at=at, wait=0.2)).types == ["marks_changed", "marks_changed"]


async def test_who_is_in_no_chat_is_told_who_is_online(everybody, site: Site, intake: Department) -> None:
    async with polling():
        vera, olga = await poller_of(site), await console_poller(everybody.olga)
        shown = await vera.enter()
        at = {"epoch": shown["epoch"], "online": []}
        assert (await vera.poll("news", at=at, wait=0.2)).frames == []
        await olga.enter()
        await olga.poll("answers", {"type": "set_availability", "online": True})
        news = await vera.poll("news", at=at, wait=20)
        assert news.frames == [{"type": "availability_changed", "online": [intake.uid]}]


async def test_olgas_console_gets_the_differences_and_nothing_when_there_are_none(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    """V-3: as `sync` does, without asking."""
    async with polling():
        olga = await console_poller(everybody.olga)
        welcome = await olga.enter()
        (listed,) = welcome["chats"]
        here = {listed["uid"]: (listed["seq"], listed["staff_seq"], 0)}
        at = {"digest": welcome["digest"], "version": welcome["version"], "epoch": welcome["epoch"]}
        assert (await olga.poll("news", at=at | {"positions": here}, wait=0.2)).frames == []
        await accepted(everybody, chat, principal_of)
        (synced,) = (await olga.poll("news", at=at | {"positions": here}, wait=20)).frames
        assert (synced["type"], [row["type"] for row in synced["log"]]) == ("synced", ["chat_accepted"])


async def test_a_position_ends_no_poll_but_where_something_was_not_heard(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    """V-15: where the hub hears nothing, the regular look into the database brings the rows themselves."""
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        held = asyncio.create_task(
            vera.poll("news", at=at_of(shown["chat"], shown["epoch"], place=1), wait=20)
        )
        await until(lambda: listeners() == 1)
        await positions.tell_visitors(listening(), in_chats_only=True)
        await asyncio.sleep(0.1)
        assert not held.done()
        await sync_to_async(unheard)(chat)
        await positions.tell_visitors(listening(), in_chats_only=True)
        news = await asyncio.wait_for(held, 5)
        assert news.types == ["resumed", "marks_changed", "marks_changed"]
        assert [row["text"] for row in news.frames[0]["log"]] == ["nobody heard this"]


async def test_a_browser_that_hangs_up_is_listened_for_no_longer(everybody, token: str, chat: Chat) -> None:
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        gone = asyncio.Event()
        said = {"hello": vera.hello, "want": "news", "pass": vera.pass_, "wait": 20_000}
        body = json.dumps(said | {"at": at_of(shown["chat"], shown["epoch"], place=1)})
        held = asyncio.create_task(vera.post(body, gone=gone))
        await until(lambda: listeners() == 1)
        gone.set()
        assert (await asyncio.wait_for(held, 5)).status == 0
        assert listeners() == 0
        assert listening().crowd.seats == {}


async def test_a_process_that_leaves_sends_those_who_wait_away_at_once(
    everybody, token: str, chat: Chat
) -> None:
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        at = at_of(shown["chat"], shown["epoch"], place=1)
        held = asyncio.create_task(vera.poll("news", at=at, wait=20))
        await until(lambda: listeners() == 1)
        for member in positions.sockets_of(listening(), VisitorPrincipal):
            member.close(CloseCode.RESTART)
        answer = await asyncio.wait_for(held, 5)
        assert (answer.status, answer.close, answer.headers["connection"]) == (
            503,
            CloseCode.RESTART,
            "close",
        )
        listening().is_leaving = True
        assert (await vera.poll("news", at=at)).close == CloseCode.RESTART


async def test_sockets_and_polls_hear_each_other_and_no_note_reaches_vera(
    everybody, token: str, chat: Chat, principal_of
) -> None:
    """Two logs: whichever way it travels, what is said about a visitor is not said to her."""
    async with polling():
        await accepted(everybody, chat, principal_of)
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        at = at_of(shown["chat"], shown["epoch"])
        async with console_of(everybody.olga) as console, frame_of(everybody.site, token=token) as tab:
            held = asyncio.create_task(vera.poll("news", at=at, wait=20))
            await until(lambda: listeners() == 3)
            note = {"type": "add_note", "chat": chat.uid, "ref": new_ref(), "text": "do not take this case"}
            assert (await console.ask(**note))["type"] == "ack"
            await console.ask(**said(chat, "How can I help?"))
            news = await asyncio.wait_for(held, 5)
            assert [frame.get("text") for frame in news.frames] == ["How can I help?"]
            await vera.poll("answers", said(chat, "By listening"))
            assert (await console.hear_type("message_posted"))["text"] == "By listening"
            assert (await tab.hear_type("message_posted"))["text"] == "How can I help?"
        again = await vera.poll("news", at=at, wait=0)
        assert "do not take" not in json.dumps(again.body)


async def test_the_place_of_a_poll_is_free_again_when_it_ends(everybody, token: str, chat: Chat) -> None:
    async with polling():
        vera = await poller_of(everybody.site, token)
        await vera.enter()
        await vera.poll("answers", said(chat, "hello"))
        assert listening().crowd.seats == {}


async def test_a_session_holds_so_many_polls_and_no_more(
    everybody, token: str, chat: Chat, settings: Settings
) -> None:
    """D-5: with its sockets together; beyond it 429, and the held ones go on."""
    settings.SOCKETS_PER_PERSON = 2
    await Account.objects.aupdate(is_unlimited=False)
    async with polling():
        vera = await poller_of(everybody.site, token)
        shown = await vera.enter()
        at = at_of(shown["chat"], shown["epoch"], place=1)
        held = [asyncio.create_task(vera.poll("news", at=at, wait=1.0)) for _ in range(2)]
        await until(lambda: listeners() == 2)
        third = await vera.poll("news", at=at, wait=20)
        assert (third.status, third.close) == (429, CloseCode.FLOOD)
        assert [(await each).status for each in held] == [200, 200]


async def test_a_new_poll_does_not_fill_the_bucket_again(everybody, token: str, chat: Chat) -> None:
    """D-1: the bound of messages holds over all polls of a session."""
    await Account.objects.aupdate(is_unlimited=False)
    async with polling():
        vera = await poller_of(everybody.site, token)
        await vera.enter()
        codes = []
        for _ in range(10):
            answer = await vera.poll("answers", *(said(chat, "spam") for _ in range(4)))
            codes += [frame.get("code", frame["type"]) for frame in answer.frames]
        assert 20 <= codes.count("ack") < 30
        assert codes.count("rate_limited") == 40 - codes.count("ack")


async def test_who_goes_on_sending_faulty_commands_is_sent_away_for_a_while(
    everybody, token: str, chat: Chat
) -> None:
    """D-5: over all polls together."""
    async with polling():
        vera = await poller_of(everybody.site, token)
        await vera.enter()
        for _ in range(4):
            await vera.poll("answers", *({"type": "nonsense"} for _ in range(12)))
        answer = await vera.poll("answers", {"type": "nonsense"}, {"type": "nonsense"})
        assert (answer.status, answer.close) == (429, CloseCode.FLOOD)
        assert (await vera.poll("answers", said(chat, "hello"))).close == CloseCode.FLOOD


async def test_a_ping_alone_asks_nobody_who_she_is(site: Site) -> None:
    async with polling():
        vera = await poller_of(site)
        answer = await vera.poll("answers", {"type": "ping"})
        assert (answer.status, answer.types) == (200, ["pong"])
        assert "pass" not in answer.body
