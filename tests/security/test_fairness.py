"""D-1: a socket that says as much as it can neither fills the journal nor keeps the others waiting."""

from __future__ import annotations

import asyncio

import pytest
from pytest_django import Settings

from accounts.models import Account, Operator, Site
from chatlead.realtime.socket import TURN
from chats import flow
from chats.journal import doors
from chats.models import Chat, Message
from tests.identifiers import new_ref
from tests.sockets import console_of, frame_of

pytestmark = pytest.mark.django_db(transaction=True)


async def longest_queue(until: asyncio.Event) -> int:
    """How many rows waited for the journal at most, looked at in every turn of the loop."""
    longest = 0
    while not until.is_set():
        longest = max([longest, *(writer.depth for writer in doors._writers)])
        await asyncio.sleep(0)
    return longest


async def test_an_operator_who_floods_waits_for_the_journal(
    active_chat: Chat, olga: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-1: two consoles of one person share the bound; everything is stored, once and in order."""
    monkeypatch.setattr(flow, "IN_FLIGHT", 8)
    await Account.objects.aupdate(is_unlimited=True)
    done = asyncio.Event()
    watching = asyncio.create_task(longest_queue(done))
    async with console_of(olga) as first, console_of(olga) as second:
        sent = [(console, [str(new_ref()) for _ in range(60)]) for console in (first, second)]
        for console, refs in sent:
            for ref in refs:
                said = {"chat": active_chat.uid, "ref": ref, "text": "x"}
                await console.say({"type": "send_message"} | said)
        for console, refs in sent:
            heard: list[str] = []
            while len(heard) < 60:
                heard.append((await console.hear_type("ack"))["ref"])
            assert heard == refs
    done.set()
    assert await watching <= 8 + 2  # of each console one more was read when there was no room
    assert await Message.objects.filter(chat=active_chat, text="x").acount() == 120


async def test_a_socket_that_hangs_up_in_between_leaves_room_for_the_next(
    active_chat: Chat, olga: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-007: what was read is stored, and nobody inherits the wait."""
    monkeypatch.setattr(flow, "IN_FLIGHT", 2)
    async with console_of(olga) as gone:
        for _ in range(20):
            said = {"chat": active_chat.uid, "ref": new_ref(), "text": "x"}
            await gone.say({"type": "send_message"} | said)
    async with console_of(olga) as again:
        said = {"chat": active_chat.uid, "ref": new_ref(), "text": "y"}
        assert (await again.ask(type="send_message", **said))["type"] == "ack"


async def test_everybody_gets_a_turn(site: Site, settings: Settings) -> None:
    """D-1: of a thousand frames that lie ready some are answered, then somebody else is."""
    settings.RATES = settings.RATES | {"sign": (1000, 1000)}
    async with frame_of(site) as loud, frame_of(site) as quiet:
        for number in range(1, 1001):
            await loud.say({"type": "ping", "id": number})
        await quiet.say({"type": "ping", "id": 1})
        assert (await quiet.hear())["type"] == "pong"
        answered = loud._out.qsize()
        assert answered < 8 * TURN
        while (await loud.hear()).get("id") != 1000:
            pass
