"""D-1, D-2, V-9: how much one person, one place and one site may take, and who comes in when all come."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from accounts.models import Account, Department, Operator, Site
from chatlead.realtime import commands as c
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.crowd import KINDS, Crowd, Standing, place_of
from chats.models import Chat, Message
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.sockets import Line, console_of, frame_of, hello_as_page, line
from visitors.sessions import new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


async def refused(site: Site, **handshake: Any) -> int:
    """The code with which a page's socket is closed; 0 where it is let in."""
    async with line("/ws/v1/visitor", origin="https://www.acme.test", **handshake) as opened:
        hello = {"type": "hello", "protocol": 1, "role": "page", "site": site.key}
        await opened.say(hello | {"page_url": "https://www.acme.test/"})
        message = await asyncio.wait_for(opened._out.get(), 10)
        return int(message.get("code", 0))


@contextlib.asynccontextmanager
async def pages(site: Site, *peers: str) -> AsyncIterator[list[Line]]:
    """Loaders at these addresses."""
    async with contextlib.AsyncExitStack() as stack:
        opened = []
        for peer in peers:
            one = line("/ws/v1/visitor", origin="https://www.acme.test", peer=peer)
            opened.append(await stack.enter_async_context(one))
            assert (await hello_as_page(opened[-1], site))["type"] == "page_welcome"
        yield opened


# --- sockets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("near", "far"), [("198.51.100.7", "198.51.100.8"), ("2001:db8:5:7::{}", "2001:db8:5:8::1")]
)
async def test_one_address_has_so_many_sockets_and_its_neighbour_too(
    site: Site, settings: Settings, near: str, far: str
) -> None:
    """D-2: an IPv4, or the /64 that one household has; whoever leaves makes room."""
    settings.SOCKETS_PER_ADDRESS = 2
    async with pages(site, near.format(1), near.format(2)) as inside:
        assert await refused(site, peer=near.format(3)) == CloseCode.FLOOD
        assert await refused(site, peer=far) == 0
        await inside[0].close()
        assert await refused(site, peer=near.format(3)) == 0


async def test_guests_of_a_firm_shut_out_none_of_its_operators(
    site: Site, olga: Operator, settings: Settings
) -> None:
    """D-1, D-2: a stranger in the waiting room, behind the same address, with all the sockets there are."""
    settings.SOCKETS_PER_ADDRESS, settings.ADDRESS_HELLOS = 2, (0.01, 3)
    async with pages(site, "198.51.100.7", "198.51.100.7"):
        for _ in range(3):
            assert await refused(site, peer="198.51.100.7") == CloseCode.FLOOD
        async with console_of(olga, peer="198.51.100.7"), console_of(olga, peer="198.51.100.7"):
            pass


async def test_one_address_opens_so_many_sockets_in_a_row(site: Site, settings: Settings) -> None:
    """D-2: closing them again is no way around."""
    settings.ADDRESS_HELLOS = (0.01, 3)
    async with pages(site, "203.0.113.77"):
        codes = [await refused(site, peer="198.51.100.7") for _ in range(4)]
        assert codes == [0, 0, 0, CloseCode.FLOOD]
        assert await refused(site, peer="198.51.100.8") == 0


async def test_this_machine_itself_is_no_stranger(site: Site, settings: Settings) -> None:
    """R-096: a proxy that nobody has named must not lock everybody out together."""
    settings.SOCKETS_PER_ADDRESS = 1
    async with pages(site, "127.0.0.1", "::1", "127.0.0.1"):
        assert (place_of("127.8.8.8"), place_of("::1"), place_of("")) == ("", "", "")


async def test_one_session_has_so_many_sockets(site: Site, settings: Settings) -> None:
    """D-1: an operator's too; sam is not olga."""
    settings.SOCKETS_PER_PERSON = 2
    token = new_token()
    async with frame_of(site, token=token), frame_of(site, token=token), frame_of(site):
        with pytest.raises(Exception, match="4029"):
            async with frame_of(site, token=token):
                pass


async def test_one_site_has_so_many_sockets_and_the_others_do_not_notice(
    site: Site, rival_site: Site, olga: Operator, settings: Settings
) -> None:
    """D-2: from many addresses; the operators of the site get in."""
    settings.SOCKETS_PER_SITE = 2
    async with pages(site, "198.51.100.1", "198.51.100.2"), console_of(olga):
        assert await refused(site, peer="198.51.100.3") == CloseCode.BUSY
        async with frame_of(rival_site, page="https://rival.test"):
            pass


# --- commands ---------------------------------------------------------------------------------------------


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Three of each at once, and then hardly any."""
    settings.RATES = dict.fromkeys(settings.RATES, (0.2, 3)) | {"hello": (10, 10)}
    return settings


UNANSWERED = ("mark", "set_typing")


def asks(chat: Chat, olga: Operator) -> dict[str, dict[str, Any]]:
    """A frame of each command, by its name."""
    uid = chat.uid
    return {
        "resume": {"chat": uid, "after": 0, "epoch": ""},
        "load_messages": {"chat": uid},
        "sync": {"positions": {}, "epoch": ""},
        "ping": {},
        "mark": {"chat": uid, "delivered": 1, "read": 1},
        "set_typing": {"chat": uid, "on": True},
        "set_availability": {"online": True},
        "accept_chat": {"chat": uid},
        "transfer_chat": {"chat": uid, "operator": olga.uid},
        "end_chat": {"chat": uid},
        "send_message": {"chat": uid, "ref": new_ref(), "text": "x"},
        "edit_message": {"chat": uid, "ref": new_ref(), "target": 2, "text": "x"},
        "delete_message": {"chat": uid, "ref": new_ref(), "target": 2},
        "add_note": {"chat": uid, "ref": new_ref(), "text": "x"},
    }


@pytest.mark.parametrize("name", asks(Chat(), Operator()))
async def test_every_command_has_its_bound(
    active_chat: Chat, olga: Operator, small: Settings, name: str
) -> None:
    """D-1: told when to try again; whoever goes on is closed, and another socket has no bucket of its own."""
    ask = {"type": name} | asks(active_chat, olga)[name]
    async with console_of(olga) as first, console_of(olga) as second:
        for _ in range(3):
            await (first.say(ask) if name in UNANSWERED else first.ask(**ask))
        await asyncio.sleep(0.2 if name in UNANSWERED else 0)
        answer = await second.ask(**ask)
        assert (answer["type"], answer["code"]) == ("failed", "rate_limited")
        assert 0 < answer["retry_after_ms"] <= 5001
        for _ in range(60):
            await second.say(ask)
        assert await second.close_code() == CloseCode.FLOOD


def test_every_command_is_counted_as_something() -> None:
    """D-1: what nobody has thought of is a deed, the rarest."""
    told = {command: KINDS.get(command, "deed") for command in (*c.VISITOR, *c.OPERATOR)}
    deeds = {command.__name__ for command, kind in told.items() if kind == "deed"}
    assert deeds == {
        "Hello", "OperatorHello", "StartChat", "LeaveMessage", "MailTranscript", "EndChat", "SetAvailability",
        "AcceptChat", "TransferChat", "SaveCannedReply", "DeleteCannedReply", "AskSurvey", "SendSurvey",
        "SkipSurvey", "AskPrivacyLink", "ReportMinor",
    }  # fmt: skip


async def test_hanging_up_and_coming_back_fills_no_bucket(
    site: Site, active_chat: Chat, olga: Operator, small: Settings
) -> None:
    """D-1: while somebody else keeps the house awake."""
    async with frame_of(site):
        for left in (3, 0):
            async with console_of(olga) as console:
                answers = [(await console.ask(type="sync", positions={}, epoch=""))["type"] for _ in range(4)]
                assert answers == ["synced"] * left + ["failed"] * (4 - left)


async def test_thirty_chats_are_resumed_at_once_by_two_consoles(site: Site, olga: Operator) -> None:
    """R-007: a bad line makes nobody a flood, with the bounds as they are delivered."""
    department = await olga.departments.aget()
    chats = [await sync_to_async(make_chat)(visitor_on(site), department) for _ in range(30)]
    async with console_of(olga) as first, console_of(olga) as second:
        for console in (first, second) * 2:
            for chat in chats:
                await console.say({"type": "resume", "chat": chat.uid, "after": 0, "epoch": "another"})
            heard: list[str] = []
            while len(heard) < 30:
                frame = await console.hear()
                assert frame["type"] != "failed"
                heard += [frame["type"]] * (frame["type"] in ("reset", "resumed"))


async def test_the_visitors_of_a_site_share_a_bound_and_its_operator_does_not(
    site: Site, olga: Operator, active_chat: Chat, settings: Settings
) -> None:
    """D-1: a thousand a second and site, so that operators are never starved; here it is three."""
    settings.SITE_WORDS = (0.1, 3)
    settings.RATES = settings.RATES | {"reserve": (0.001, 0)}  # tests/security/test_neighbours.py
    department = await olga.departments.aget()
    tokens = [new_token() for _ in range(4)]
    async with contextlib.AsyncExitStack() as stack:
        told = []
        for token in tokens:
            who = visitor_on(site, session_key=session_key_of(site.key, token))
            chat = await sync_to_async(make_chat)(who, department)
            frame = await stack.enter_async_context(frame_of(site, token=token))
            told.append(await frame.ask(type="send_message", chat=chat.uid, ref=new_ref(), text="x"))
        assert [each["type"] for each in told] == ["ack"] * 3 + ["failed"]
        assert told[3]["retry_after_ms"] > 5000
        console = await stack.enter_async_context(console_of(olga))
        said = {"type": "send_message", "chat": active_chat.uid, "text": "x"}
        assert {(await console.ask(**said, ref=new_ref()))["type"] for _ in range(20)} == {"ack"}


async def test_words_to_nobody_use_up_nothing_of_the_site(
    site: Site, chat: Chat, intake: Department, settings: Settings
) -> None:
    """D-1: sessions cost nothing and chats are counted, so only who has a chat takes of what all share."""
    settings.SITE_WORDS = (0.1, 3)
    settings.RATES = settings.RATES | {"reserve": (0.001, 0)}  # tests/security/test_neighbours.py
    token = new_token()
    who = visitor_on(site, session_key=session_key_of(site.key, token))
    hers = await sync_to_async(make_chat)(who, intake)
    said = {"type": "send_message", "text": "x"}
    async with frame_of(site) as mallory, frame_of(site, token=token) as vera:
        for uid in (chat.uid, "A" * 22) * 3:
            assert (await mallory.ask(**said, chat=uid, ref=new_ref()))["code"] == "not_found"
        told = [(await vera.ask(**said, chat=hers.uid, ref=new_ref()))["type"] for _ in range(4)]
        assert told == ["ack"] * 3 + ["failed"]


async def test_nobody_feels_the_flood_of_another(site: Site, olga: Operator, active_chat: Chat) -> None:
    """D-1: with the bounds as they are delivered. A thousand messages at once, again from a new socket as
    soon as one is closed: little of it is stored, and a chat beside it goes on."""
    department = await olga.departments.aget()
    token = new_token()
    loud = visitor_on(site, session_key=session_key_of(site.key, token))
    theirs = await sync_to_async(make_chat)(loud, department)
    over, codes = asyncio.Event(), []

    async def flood() -> None:
        while not over.is_set():
            async with frame_of(site, token=token) as frame:
                for number in range(1000):
                    said = {"type": "send_message", "chat": theirs.uid, "ref": new_ref(), "text": f"{number}"}
                    await frame.say(said)
                codes.append(await frame.close_code())

    async with console_of(olga) as console:
        flooding = asyncio.create_task(flood())
        began, waits = time.monotonic(), []
        for _ in range(30):
            asked = time.monotonic()
            said = {"type": "send_message", "chat": active_chat.uid, "ref": new_ref(), "text": "x"}
            assert (await console.ask(**said))["type"] == "ack"
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.03)
        over.set()
        await flooding
        spent = time.monotonic() - began
    assert set(codes) == {CloseCode.FLOOD}
    assert await Message.objects.filter(chat=theirs, kind="text").acount() <= 20 + 5 * spent + 1
    assert sorted(waits)[28] < 0.5


async def test_a_plan_without_limits_bounds_neither_words_nor_deeds(
    active_chat: Chat, olga: Operator, small: Settings
) -> None:
    """contract.md: one log-in replays a hundred chats at once."""
    await Account.objects.aupdate(is_unlimited=True)
    async with console_of(olga) as console:
        for _ in range(20):
            said = await console.ask(type="send_message", chat=active_chat.uid, ref=new_ref(), text="x")
            done = await console.ask(type="set_availability", online=True)
            assert (said["type"], done["type"]) == ("ack", "done")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-2: 50,000 fake visitors from as many addresses leave nothing behind."""
    now = 1000.0
    monkeypatch.setattr("chatlead.realtime.crowd.monotonic", lambda: now)
    crowd = Crowd()
    for number in range(50_000):
        ip = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        assert crowd.knock(place_of(ip)) == 0
        person = crowd.person(Standing(("session", number)))
        assert person.wait("hello") == 0
        crowd.rest(person)
    assert len(crowd._people) <= 20_001
    now += 100
    crowd.sweep()
    del person
    assert (len(crowd.places), len(crowd._people), len(crowd._resting)) == (0, 0, 0)
