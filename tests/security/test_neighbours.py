"""D-2, R-096: who is in a chat, or logged in, is kept out by no stranger: not by a crowd on the same site,
nor by one behind the same address."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from pytest_django import Settings

from accounts import devices
from accounts.models import Account, Department, Operator, Site
from chatlead.realtime import known
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.known import Known, name_of
from chats.flow import KEPT_SEATS
from chats.models import Chat
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.polls import Poller, polling
from tests.realtime.test_poll import at_of, console_poller, poller_of
from tests.security.test_crowds import pages, refused
from tests.sockets import Closed, Line, console_of, frame_of, log_in
from visitors.sessions import new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)
SHARED = "198.51.100.7"  # of a hotel, a whole firm, or a provider of telephones


@pytest.fixture
def token() -> str:
    return new_token()


@pytest.fixture
def hers(site: Site, token: str, intake: Department) -> Chat:
    """Vera's chat, which waits."""
    return make_chat(visitor_on(site, session_key=session_key_of(site.key, token)), intake)


async def is_let_in(opening: Any) -> bool:
    """Whether a socket comes to its welcome."""
    try:
        async with opening:
            return True
    except (Closed, AssertionError):
        return False


async def say(frame: Line, chat: Chat) -> str:
    """What is answered to one more word."""
    told = await frame.ask(type="send_message", chat=chat.uid, ref=new_ref(), text="x")
    return str(told.get("code", told["type"]))


# --- a crowd on the same site -----------------------------------------------------------------------------


async def test_a_full_site_has_a_seat_for_whoever_is_in_a_chat(
    site: Site, hers: Chat, token: str, settings: Settings
) -> None:
    """D-2: she comes back, by a socket or without; a newcomer is told to come later, and so is she when the
    chat has ended."""
    settings.SOCKETS_PER_SITE = 2
    async with polling(), pages(site, "10.1.0.1", "10.2.0.1"):
        assert await refused(site, peer="203.0.113.9") == CloseCode.BUSY
        assert not await is_let_in(frame_of(site))
        async with frame_of(site, token=token) as frame:
            assert frame.welcome["chat"]["uid"] == hers.uid
            assert await say(frame, hers) == "ack"
        vera = await poller_of(site, token)
        await vera.enter()
        at = at_of(vera.welcome["chat"], vera.welcome["epoch"], online=vera.welcome["site"].get("online", []))
        held = asyncio.create_task(vera.poll("news", at=at, wait=0.5))
        assert (await held).status == 200
        newcomer = await (await poller_of(site)).poll("welcome")
        assert newcomer.close == CloseCode.BUSY
        told, _, milliseconds = newcomer.body["reason"].partition(" ")
        assert (told, 5_000 <= int(milliseconds) <= 70_000) == ("busy", True)
        await Chat.objects.filter(pk=hers.pk).aupdate(state="closed")
        assert not await is_let_in(frame_of(site, token=token))


async def test_a_crowd_on_one_site_leaves_room_for_the_other_firms_people(
    site: Site, rival_site: Site, eve: Operator, hers: Chat, token: str, settings: Settings
) -> None:
    """D-2, D-5: of what the process can hold visitors without a chat have three quarters at most."""
    settings.CONNECTIONS = 4
    async with pages(site, "10.1.0.1", "10.2.0.1"), frame_of(rival_site, page="https://rival.test"):
        assert await refused(site, peer="10.3.0.1") == CloseCode.BUSY
        assert not await is_let_in(frame_of(rival_site, page="https://rival.test"))
        async with console_of(eve), frame_of(site, token=token):
            pass


async def test_one_chat_does_not_fill_what_is_kept(
    site: Site, hers: Chat, token: str, settings: Settings
) -> None:
    """D-2: a chat is some tabs, not a hundred."""
    settings.SOCKETS_PER_SITE = 0
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(KEPT_SEATS):
            await stack.enter_async_context(frame_of(site, token=token))
        assert not await is_let_in(frame_of(site, token=token))
    assert await is_let_in(frame_of(site, token=token))


@pytest.mark.parametrize("state", ["waiting", "active"])
async def test_what_strangers_say_takes_nothing_of_what_she_may_say(
    site: Site, intake: Department, olga: Operator, hers: Chat, token: str, settings: Settings, state: str
) -> None:
    """D-1, D-2: the site's bound is used up; each open chat has a little of its own, and a closed one not."""
    settings.SITE_WORDS = (0.001, 3)
    settings.RATES = settings.RATES | {"reserve": (0.001, 2)}
    if state == "active":
        await Chat.objects.filter(pk=hers.pk).aupdate(state="active", operator=olga)
    loud = new_token()
    who = visitor_on(site, session_key=session_key_of(site.key, loud))
    theirs = await sync_to_async(make_chat)(who, intake)
    async with frame_of(site, token=loud) as mallory, frame_of(site, token=token) as vera:
        told = [await say(mallory, theirs) for _ in range(7)]
        assert told == ["ack"] * 5 + ["rate_limited"] * 2
        told = [await say(vera, hers) for _ in range(3)]
        assert told == ["ack"] * 2 + ["rate_limited"]


# --- strangers behind the same address --------------------------------------------------------------------


@pytest.fixture
def crowded(settings: Settings) -> Settings:
    """An address may open three sockets and then hardly any, and hold two."""
    settings.ADDRESS_HELLOS, settings.SOCKETS_PER_ADDRESS = (0.01, 3), 2
    return settings


async def test_who_is_in_a_chat_comes_back_beside_a_flood_from_the_same_address(
    site: Site, hers: Chat, token: str, crowded: Settings
) -> None:
    """D-2: by a socket and without; somebody new from there has to wait."""
    async with polling():
        async with frame_of(site, token=token, peer=SHARED):
            pass
        async with pages(site, SHARED, SHARED):
            for _ in range(5):
                assert await refused(site, peer=SHARED) == CloseCode.FLOOD
            assert not await is_let_in(frame_of(site, token=new_token(), peer=SHARED))
            assert await is_let_in(frame_of(site, token=token, peer=SHARED))
            vera = await poller_of(site, token, peer=SHARED)
            await vera.enter()
            assert (await vera.poll("news")).close == 0


async def test_whoever_has_begun_a_chat_since_is_known_as_well(
    site: Site, intake: Department, crowded: Settings
) -> None:
    """D-2: from her first word on, without a new hello."""
    token = new_token()
    async with pages(site, "203.0.113.77"):
        async with frame_of(site, token=token, peer=SHARED) as frame:
            who = visitor_on(site, session_key=session_key_of(site.key, token))
            chat = await sync_to_async(make_chat)(who, intake)
            assert await say(frame, chat) == "ack"
        assert [await refused(site, peer=SHARED) for _ in range(3)] == [0, 0, CloseCode.FLOOD]
        assert await is_let_in(frame_of(site, token=token, peer=SHARED))


async def test_a_replay_on_this_machine_is_one_log_in_with_many_consoles(
    olga: Operator, crowded: Settings
) -> None:
    """contract.md: it needs no exemption but the plan's."""
    await Account.objects.aupdate(is_unlimited=True)
    login = await sync_to_async(log_in)(olga)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(console_of(olga, login=login, peer="127.0.0.1"))


async def test_a_session_that_is_in_no_chat_is_nobody(site: Site, crowded: Settings) -> None:
    """D-2: sessions cost nothing, so having one is no way around what an address may."""
    token = new_token()
    async with pages(site, "203.0.113.77"):
        assert await is_let_in(frame_of(site, token=token, peer=SHARED))
        assert [await refused(site, peer=SHARED) for _ in range(3)] == [0, 0, CloseCode.FLOOD]
        assert not await is_let_in(frame_of(site, token=token, peer=SHARED))


async def test_forged_log_ins_keep_no_operator_of_the_same_office_out(
    olga: Operator, crowded: Settings
) -> None:
    """R-096, D-1: authenticated people are counted one by one, whatever else comes from their address."""
    login = await sync_to_async(log_in)(olga)
    async with polling():
        async with console_of(olga, login=login, peer=SHARED):
            pass
        olgas = await console_poller(olga, peer=SHARED)
        await olgas.enter()
        hello = {"type": "hello", "protocol": 1}
        forged = Poller("/poll/v1/operator", hello, cookies={"cl_login": "x" * 32}, peer=SHARED)
        codes = [(await forged.poll("news")).status for _ in range(6)]
        assert codes == [401] * 3 + [429] * 3
        assert (await forged.poll("welcome")).status == 429
        assert (await olgas.poll("news")).close == 0
        assert (await olgas.poll("welcome")).close == 0
        async with console_of(olga, login=login, peer=SHARED), console_of(olga, login=login, peer=SHARED):
            pass


async def test_the_browser_in_which_she_has_logged_in_is_known_everywhere(
    olga: Operator, sam: Operator, crowded: Settings
) -> None:
    """R-096, D-1: in another process and after a restart as well, and with the very first socket of a log-in;
    a forged cookie is nobody's."""
    page = HttpResponse()
    devices.remember(page, olga.user.email)
    proof = page.cookies["cl_device"].value
    async with console_of(sam, peer="203.0.113.77"), polling():
        hello = {"type": "hello", "protocol": 1}
        for device, status in (("", 429), (f"{proof}x", 429), (proof, 200)):
            cookies = {"cl_login": await sync_to_async(log_in)(olga), "cl_device": device}
            forged = Poller("/poll/v1/operator", hello, cookies={"cl_login": "x" * 32}, peer=SHARED)
            while (await forged.poll("welcome")).status != 429:
                pass
            olgas = Poller("/poll/v1/operator", hello, cookies=cookies, peer=SHARED)
            assert (await olgas.poll("welcome")).status == status


async def test_a_log_in_that_has_ended_is_counted_alone_and_soon_no_more(
    olga: Operator, crowded: Settings
) -> None:
    """D-5: being known is no right, and costs no more than an address may."""
    async with polling():
        olgas = await console_poller(olga, peer=SHARED)
        await olgas.enter()
        olga.user.password = "argon2$another"
        await olga.user.asave()
        assert [(await olgas.poll("news")).status for _ in range(4)] == [401] * 3 + [429]


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-2: and holds no secret."""
    monkeypatch.setattr(known, "MOST", 3)
    now = 1000.0
    monkeypatch.setattr(known, "monotonic", lambda: now)
    house, names = Known(), [name_of(f"secret {number}") for number in range(5)]
    for name in (*names, names[2], ""):
        house.note(name)
    assert [house.knows(name) for name in names] == [False, False, True, True, True]
    assert not any("secret" in name for name in names)
    assert (name_of(""), house.knows("")) == ("", False)
    assert len(house) == 3
    now += known.FORGOTTEN_SECONDS
    assert not any(house.knows(name) for name in names)
