"""Whether the visitor's page is open: told beside the chat, and what follows when it stays closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from accounts.models import Department, Installation, Operator, Site
from chatlead.realtime import hub as hubs
from chats import news, positions, rounds, rows
from chats.actions import accept_chat, close_idle, leave_page, lose_visitors, note_visitors
from chats.models import Chat, Message
from tests.conftest import make_chat, visitor_on
from tests.sockets import Line, console_of, frame_of
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


def silent_for(seconds: float) -> None:
    Chat.objects.update(visitor_seen_at=timezone.now() - timedelta(seconds=seconds))


def presence_of(chat: Chat) -> str:
    return Chat.objects.values_list("visitor_presence", flat=True).get(pk=chat.pk)


async def told(line: Line) -> list[tuple[str, str]]:
    frames = await line.rest()
    return [(each["chat"], each["presence"]) for each in frames if each["type"] == "presence_changed"]


async def test_olga_sees_that_vera_left_and_that_she_is_back(
    olga: Operator, nina: Operator, eve: Operator, site: Site, intake: Department,
    principal_of: Callable[[Operator], Any],
) -> None:  # fmt: skip
    """V-14: at once, a state and no row; told to whom the chat is, and to nobody else."""
    token = new_token()
    key = session_key_of(site.key, token)
    chat = await sync_to_async(make_chat)(visitor_on(site, session_key=key), intake)
    await sync_to_async(accept_chat)(principal=await sync_to_async(principal_of)(olga), uid=chat.uid)
    async with console_of(olga) as olgas, console_of(nina) as ninas, console_of(eve) as eves:
        async with frame_of(site, token=token) as vera:
            await vera.say({"type": "leave_page"})
            await vera.rest()
            assert await told(olgas) == [(chat.uid, "left")]
        async with console_of(olga) as again:
            [view] = again.welcome["chats"]
            assert (view["presence"], view["gone_at"] > 0) == ("left", True)
        async with frame_of(site, token=token):
            assert await told(olgas) == [(chat.uid, "here")]
        assert (await told(ninas), await told(eves)) == ([], [])
    rows = Message.objects.filter(chat=chat).order_by("seq")
    kinds = [each async for each in rows.values_list("kind", flat=True)]
    assert kinds == ["opened", "accepted"]


async def test_one_of_two_pages_is_closed_and_vera_is_still_there(
    olga: Operator, site: Site, intake: Department
) -> None:
    """V-14: a shop is read in several tabs."""
    token = new_token()
    chat = await sync_to_async(make_chat)(
        visitor_on(site, session_key=session_key_of(site.key, token)), intake
    )
    async with frame_of(site, token=token) as first, frame_of(site, token=token) as second:
        await first.say({"type": "leave_page"})
        await first.rest()
        assert await sync_to_async(presence_of)(chat) == "here"
        await second.say({"type": "leave_page"})
        await second.rest()
        assert await sync_to_async(presence_of)(chat) == "left"


async def test_nobody_says_of_others_that_they_have_left(site: Site, intake: Department) -> None:
    """R-124: a session says it of itself."""
    chat = await sync_to_async(make_chat)(visitor_on(site), intake)
    async with frame_of(site) as stranger:
        await stranger.say({"type": "leave_page"})
        await stranger.rest()
    assert await sync_to_async(presence_of)(chat) == "here"


async def test_who_has_said_it_once_must_go_on_saying_it(
    olga: Operator, site: Site, intake: Department, installation: Installation
) -> None:
    """V-14: an open connection proves nothing; but a client that never says it is believed by it."""
    token = new_token()
    await sync_to_async(make_chat)(visitor_on(site, session_key=session_key_of(site.key, token)), intake)
    async with console_of(olga) as console, frame_of(site, token=token) as frame:
        hub = hubs.current()
        assert hub is not None

        async def look() -> tuple[float, float]:
            """The age of what is known of both, after a round; before it nothing was known for an hour."""
            long_ago = timezone.now() - timedelta(hours=1)
            await Chat.objects.aupdate(visitor_seen_at=long_ago)
            await Operator.objects.aupdate(lease_until=long_ago)
            await rounds.keep_presence(hub)
            chat, operator = await Chat.objects.aget(), await Operator.objects.aget(pk=olga.pk)
            assert operator.lease_until is not None
            lease = operator.lease_until - timedelta(seconds=settings.LEASE_SECONDS)
            now = timezone.now()
            return (now - lease).total_seconds(), (now - chat.visitor_seen_at).total_seconds()

        assert max(await look()) < 2
        for line in (console, frame):
            await line.say({"type": "still_here"})
            await line.rest()
        assert max(await look()) < 3
        for each in hub.members:
            each.memory[positions.HEARD] -= 20  # type: ignore[attr-defined]
        lease, seen = await look()
        assert (19 < lease < 24, 19 < seen < 24) == (True, True)
        for each in hub.members:
            each.memory[positions.HEARD] -= 60  # type: ignore[attr-defined]
        lease, seen = await look()
        assert (lease > 3000, seen > 3000) == (True, True)


async def test_every_position_says_who_is_gone(
    olga: Operator, sam: Operator, chat: Chat, principal_of: Callable[[Operator], Any]
) -> None:
    """V-14, R-121: so that a lost `presence_changed` heals as everything else does; by a poll as well."""
    async with console_of(olga) as olgas, console_of(sam) as sams:
        hub = hubs.current()
        assert hub is not None

        async def told() -> list[Any]:
            await positions.tell_operators(hub)
            told = [
                each for line in (olgas, sams) for each in await line.rest() if each["type"] == "position"
            ]
            return [each["gone"] for each in told]

        assert await told() == [[], []]
        gone_at = timezone.now()
        await Chat.objects.aupdate(visitor_presence="lost", visitor_gone_at=gone_at)  # nobody hears of it
        vera = {"chat": chat.uid, "presence": "lost", "at": rows.in_ms(gone_at)}
        assert await told() == [[vera], []]
    principal = await sync_to_async(principal_of)(olga)
    position = (await sync_to_async(positions.operator_positions)([principal]))[principal]
    at = news.OperatorAt(digest=position.digest, version=position.version, epoch=position.epoch)
    known = {"lost": True, "left": False}
    for presence, is_same in known.items():
        there = msgspec.structs.replace(at, gone={chat.uid: presence})
        assert news.same_for_operator(there, position) == is_same
    assert not news.same_for_operator(msgspec.structs.replace(at, gone={}), position)
    assert news.same_for_operator(at, position), "who does not want to know is not woken"


def test_a_visitor_of_whom_nothing_is_heard_has_lost_the_connection(chat: Chat) -> None:
    """V-14: after 75 s at the latest, the sweep included."""
    assert settings.VISITOR_SECONDS + settings.LEASE_SECONDS / 6 <= 75
    silent_for(settings.VISITOR_SECONDS - 5)
    assert lose_visitors() == 0
    silent_for(settings.VISITOR_SECONDS + 1)
    assert (lose_visitors(), lose_visitors()) == (1, 0)
    assert presence_of(chat) == "lost"
    note_visitors([chat.session_key])
    assert presence_of(chat) == "here"


def test_a_sign_from_before_she_left_does_not_bring_her_back(vera: VisitorPrincipal, chat: Chat) -> None:
    leave_page(principal=vera)
    note_visitors([chat.session_key], heard_ago=10)
    assert presence_of(chat) == "left"


def test_who_has_left_is_not_lost_as_well(vera: VisitorPrincipal, chat: Chat) -> None:
    leave_page(principal=vera)
    silent_for(3600)
    assert lose_visitors() == 0
    assert presence_of(chat) == "left"


# --- chats that nobody is in any more ---------------------------------------------------------------------


def last_facts(chat: Chat) -> tuple[str, str]:
    facts = Message.objects.filter(chat=chat).latest("seq").facts
    assert facts is not None
    return facts["state"], facts["reason"]


def test_a_waiting_chat_that_was_abandoned_is_missed_after_half_an_hour(chat: Chat) -> None:
    """V-14, R-121: never before."""
    assert settings.ABANDONED_MINUTES >= 30
    silent_for(settings.ABANDONED_MINUTES * 60 - 5)
    assert close_idle() == 0
    silent_for(settings.ABANDONED_MINUTES * 60 + 5)
    assert close_idle() == 1
    assert last_facts(chat) == ("missed", "abandoned")


def test_an_active_chat_whose_visitor_stays_away_ends(active_chat: Chat) -> None:
    """R-121."""
    assert settings.CHAT_GRACE_MINUTES >= 30
    silent_for(settings.CHAT_GRACE_MINUTES * 60 - 5)
    assert close_idle() == 0
    silent_for(settings.CHAT_GRACE_MINUTES * 60 + 5)
    assert close_idle() == 1
    assert last_facts(active_chat) == ("closed", "idle")


def test_a_chat_in_which_nobody_writes_ends_though_its_page_is_open(active_chat: Chat) -> None:
    """V-14: a tab that was forgotten."""
    quiet = timedelta(minutes=settings.IDLE_MINUTES)
    Chat.objects.update(last_message_at=timezone.now() - quiet + timedelta(minutes=1))
    assert close_idle() == 0
    Chat.objects.update(last_message_at=timezone.now() - quiet - timedelta(minutes=1))
    assert close_idle() == 1
    assert last_facts(active_chat) == ("closed", "idle")


def test_the_time_in_which_nothing_of_ours_was_running_is_nobodys_absence(
    chat: Chat, installation: Installation
) -> None:
    """V-14, R-121: after a night without a server every visitor has her half hour."""
    silent_for(12 * 3600)
    Installation.objects.update(watched_since=timezone.now() - timedelta(minutes=29))
    assert close_idle() == 0
    Installation.objects.update(watched_since=timezone.now() - timedelta(minutes=31))
    assert close_idle() == 1


# --- clocks that are set (V-5) ------------------------------------------------------------------------

HOUR = timedelta(hours=1)


def is_watched() -> None:
    now = timezone.now()
    Installation.objects.update_or_create(pk=1, defaults={"watched_since": now - 9 * HOUR, "watched_at": now})


def test_a_clock_that_leaps_an_hour_ends_no_chat(active_chat: Chat) -> None:
    """R-121: neither before the first signs of life by the new time are written down, nor after."""
    is_watched()
    with time_machine.travel(timezone.now() + HOUR):
        assert close_idle() == 0
        rounds._look_who_has_gone(timezone.now())
        assert close_idle() == 0
        active_chat.refresh_from_db()
        assert (active_chat.state, active_chat.visitor_presence) == ("active", "here")


def test_whoever_is_away_for_the_grace_time_is_so_for_the_watch_too(active_chat: Chat) -> None:
    """R-121: a watch without a break is one that tells how long somebody is away."""
    is_watched()
    Chat.objects.update(visitor_seen_at=timezone.now() - HOUR)
    assert close_idle() == 1


def test_she_is_back_at_once_although_the_clock_was_set_back(vera: VisitorPrincipal, chat: Chat) -> None:
    """V-14: she left, by a clock that was an hour ahead."""
    with time_machine.travel(timezone.now() + HOUR):
        leave_page(principal=vera)
        Chat.objects.update(visitor_seen_at=timezone.now())
    rounds._look_who_has_gone(timezone.now())  # a watch that begins anew: nobody is judged yet
    with time_machine.travel(timezone.now() + timedelta(seconds=1)):
        note_visitors([chat.session_key])
    assert presence_of(chat) == "here"
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.VISITOR_SECONDS + 2)):
        assert lose_visitors() == 1


async def test_a_process_begins_to_listen_anew_when_the_clock_is_set(olga: Operator) -> None:
    """V-14: by less than a lease, too, and a clock that was wrong at the start of it is forgotten."""
    async with console_of(olga):
        hub = hubs.current()
        assert hub is not None

        def heard_for() -> float:
            return (timezone.now() - rounds.heard_since(hub)).total_seconds()

        with time_machine.travel(timezone.now() + HOUR):
            rounds.heard_since(hub)  # a machine that does not know the time yet
        assert heard_for() < 0.5
        await asyncio.sleep(1.2)
        with time_machine.travel(timezone.now() + timedelta(seconds=1)):
            assert heard_for() > 1, "an adjusted clock is no clock that was set"
        assert heard_for() > 1
        with time_machine.travel(timezone.now() + timedelta(seconds=12)):
            assert heard_for() < 0.5
            await asyncio.sleep(1.2)
            assert heard_for() > 1
        assert heard_for() < 0.5, "and it was set back"
