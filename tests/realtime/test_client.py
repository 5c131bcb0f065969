"""The client without a browser (bench/) keeps the rules of docs/protocol.md, else it would prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from accounts.models import Operator
from bench import chat_log
from bench.chat_log import Chat as ChatLog
from bench.console import Console
from bench.replay import Verdict, compare, holes
from bench.visitor import Visitor
from chatlead.realtime import replies
from chats import journal
from chats.models import Chat
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.snapshots import console_of_one

Frame = dict[str, Any]


def decoded(reply: replies.Reply) -> Frame:
    frame: Frame = msgspec.json.decode(replies.encode(reply))
    return frame


def row(seq: int, text: str = "", **more: Any) -> Frame:
    facts = {"type": "message_posted", "chat": "c", "seq": seq, "at": 1, "author": "visitor"}
    return {**facts, "text": text or f"text {seq}", **more}


@pytest.fixture
def gaps() -> list[int]:
    """After which rows a gap stayed open."""
    return []


@pytest.fixture
def log(gaps: list[int]) -> ChatLog:
    return ChatLog("c", lambda chat: gaps.append(chat.seq), lambda chat, row: None)


@pytest.mark.once
async def test_an_early_row_waits_for_the_one_before(log: ChatLog, gaps: list[int]) -> None:
    """V-3: two processes interleave; within 300 ms that is no gap."""
    log.take(row(1))
    log.take(row(3))
    assert log.seq == 1 and log.holds_back
    log.take(row(2))
    log.take(row(2, "again"))
    assert [text for _, text in log.texts()] == ["text 1", "text 2", "text 3"]
    await asyncio.sleep(chat_log.HOLD_SECONDS + 0.1)
    assert gaps == [] and not log.holds_back


@pytest.mark.once
async def test_a_gap_that_stays_open_is_asked_for(log: ChatLog, gaps: list[int]) -> None:
    """V-3: after 300 ms the client resumes from its last row."""
    log.take(row(1))
    log.take(row(3))
    await asyncio.sleep(chat_log.HOLD_SECONDS + 0.1)
    assert gaps == [1]
    log.take(row(2))
    log.resumed()
    assert log.seq == 3


@pytest.mark.once
async def test_an_edit_and_a_deletion_keep_their_targets_place(log: ChatLog) -> None:
    """R-035: the row stays, its text is replaced or emptied."""
    log.take(row(1))
    log.take(row(2))
    log.take(
        {
            "type": "message_edited",
            "chat": "c",
            "seq": 3,
            "at": 1,
            "author": "visitor",
            "target": 1,
            "text": "new",
        }
    )
    log.take({"type": "message_deleted", "chat": "c", "seq": 4, "at": 1, "author": "visitor", "target": 2})
    assert log.texts() == [("visitor", "new"), ("visitor", "")]


@pytest.mark.django_db(transaction=True)
def test_a_consoles_digest_is_the_servers(
    active_chat: Chat, olga: Operator, principal_of: Callable[[Operator], Any], site: Any, intake: Any
) -> None:
    """V-4: both sides compute the same position over messages, notes, marks and missed chats."""
    from django.db import transaction
    from django.utils import timezone

    waiting = make_chat(visitor_on(site), intake)
    missed = make_chat(visitor_on(site), intake, state="missed", closed_at=timezone.now())
    principal = principal_of(olga)
    entry = journal.Entry(
        chat_id=active_chat.pk, account_id=active_chat.account_id, author="operator", author_id=olga.pk,
        rights_epoch=principal.rights_epoch, ref=new_ref(), kind="note", text="Called back", name=olga.name,
        author_uid=olga.uid,
    )  # fmt: skip
    with transaction.atomic():
        journal.append([entry])
    Chat.objects.filter(pk=active_chat.pk).update(visitor_read=2, operator_delivered=1)
    welcome = console_of_one(principal)

    async def reduced() -> Console:
        console = Console("http://127.0.0.1:1", "")
        console._take_welcome(decoded(welcome))
        return console

    console = asyncio.run(reduced())
    assert set(console.chats) == {active_chat.uid, waiting.uid} and set(console.missed) == {missed.uid}
    assert console.digest() == welcome.digest


@pytest.mark.once
async def test_what_was_not_acknowledged_is_sent_again_in_order() -> None:
    """R-007: one message of a chat is on the wire at a time; after a welcome the same refs go again."""
    visitor = Visitor("http://127.0.0.1:1", "key")
    sent: list[str] = []
    up = True

    def send(frame: Frame) -> bool:
        if up:
            sent.append(frame.get("text", ""))
        return up

    visitor.link.send = send  # type: ignore[method-assign]  # a line of our own, up or down
    visitor._welcome = asyncio.get_running_loop().create_future()
    chat = visitor.chat = ChatLog("c", visitor.resume, visitor._changed)
    first, second = visitor.say(chat, "one"), visitor.say(chat, "two")
    assert sent == ["one"]
    up = False
    visitor._heard({"type": "ack", "ref": next(iter(visitor._outbox)), "chat": "c", "seq": 1, "at": 1})
    assert first.done() and not second.done() and sent == ["one"]
    up = True
    view = {"uid": "c", "seq": 1, "state": "active", "marks": {}, "department": "Intake"}
    welcome = {"type": "visitor_welcome", "epoch": "e", "site": {}, "chat": view}
    visitor._welcomed(welcome)
    assert sent == ["one", "two"]
    visitor._welcomed(welcome)
    assert sent == ["one", "two", "two"]
    # it comes back as a row before its ack does
    visitor._heard(row(2, "two", ref=next(iter(visitor._outbox))))
    assert (await second)["seq"] == 2 and not visitor._outbox
    assert chat.texts() == [("visitor", "one"), ("visitor", "two")]


@pytest.mark.once
def test_a_transcript_that_differs_is_told_how() -> None:
    """R-035: lost, twice and displaced are three different faults."""
    said = [("visitor", "a"), ("operator", "b"), ("visitor", "a")]
    assert compare(said, list(said)) == Verdict(0, 0, 0)
    assert compare(said, said[:2]) == Verdict(1, 0, 0)
    assert compare(said, [*said, said[1]]) == Verdict(0, 1, 0)
    assert compare(said, [said[1], said[0], said[2]]) == Verdict(0, 0, 1)
    assert compare(said, [("operator", "a"), *said[1:]]) == Verdict(1, 1, 0)
    assert holes([row(1), row(2), row(2), row(4)]) == (1, 1)


@pytest.mark.once
def test_news_of_a_colleague_that_were_lost_show_in_the_version() -> None:
    """R-121: who has the third and hears of the fifth waits for a position to say what the fourth was."""
    console = Console("http://127.0.0.1:1", "")
    console.version = 3

    def heard(version: int, uid: str, online: bool) -> None:
        view = {"uid": uid, "departments": [], "online": online}
        console._take({"type": "operator_changed", "version": version, "operator": view})

    console.me = {"uid": "sam"}
    heard(5, "olga", True)
    assert (console.version, console.team["olga"]["online"]) == (3, True)
    heard(4, "nina", True)
    assert console.version == 4
    heard(3, "olga", False)
    assert console.team["olga"]["online"]


@pytest.mark.once
def test_a_snapshot_that_does_not_join_what_was_there_leaves_no_hole(log: ChatLog) -> None:
    """docs/protocol.md: it holds the newest rows, and older ones are fetched."""
    view = {"uid": "c", "state": "active", "marks": {}, "department": "Intake"}
    log.snapshot({**view, "seq": 2, "log": [row(1), row(2)]})
    log.snapshot({**view, "seq": 3, "log": [row(3)]})
    assert sorted(log.rows) == [1, 2, 3]
    log.snapshot({**view, "seq": 8, "log": [row(7), row(8)]})
    assert sorted(log.rows) == [7, 8]


@pytest.mark.once
def test_who_is_there_heals_with_the_position() -> None:
    """V-14: unless the visitor has written since."""
    console = Console("http://127.0.0.1:1", "")
    console.chats["c"] = chat = ChatLog("c", lambda chat: None, lambda chat, row: None)
    console._take_gone({"c": {"chat": "c", "presence": "lost", "at": 5}})
    assert (chat.presence, chat.gone_at) == ("lost", 5)
    console._take_gone({})
    assert (chat.presence, chat.gone_at) == ("here", 0)
    chat.take(row(1, at=9))
    console._take_gone({"c": {"chat": "c", "presence": "lost", "at": 5}})
    assert chat.presence == "here"
