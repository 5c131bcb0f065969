"""What a visitor's browser is told every some seconds, and what it thereby learns of lost events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import notices, selectors
from accounts.models import Department, Operator, Site
from chatlead.realtime import hub as hubs
from chats import positions
from chats.actions import accept_chat, end_chat, leave_message
from chats.models import Chat
from tests.conftest import goes_online, make_chat, visitor_on
from tests.identifiers import new_ref
from tests.snapshots import console_of_one
from tests.sockets import Line, console_of, frame_of
from visitors.sessions import VisitorPrincipal, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dana(site: Site, token: str) -> VisitorPrincipal:
    """A visitor whose token we know, so that she can come with a frame of her own."""
    return visitor_on(site, session_key=session_key_of(site.key, token))


async def told(opened: Line, *types: str) -> list[dict[str, Any]]:
    """What one round of positions tells this socket."""
    await opened.rest()
    hub = hubs.current()
    assert hub is not None
    await positions.tell_visitors(hub)
    return [frame for frame in await opened.rest() if frame["type"] in types]


async def test_a_visitor_who_missed_the_end_of_her_chat_learns_of_it(
    site: Site, dana: VisitorPrincipal, token: str, intake: Department
) -> None:
    """V-3: the position of a chat that has just ended is one row further than hers, so she asks."""
    chat = await sync_to_async(make_chat)(dana, intake)
    async with frame_of(site, token=token) as opened:
        [before] = await told(opened, "position")
        assert (before["chat"], before["seq"]) == (chat.uid, 1)
        await sync_to_async(end_chat)(principal=dana, uid=chat.uid)
        [after] = await told(opened, "position")  # what came between was dropped: `rest` in `told`
        assert (after["chat"], after["seq"]) == (chat.uid, 2)
        asked = {"type": "resume", "chat": chat.uid, "after": 1, "epoch": after["epoch"]}
        [closed] = (await opened.ask(**asked))["log"]
        assert (closed["type"], closed["state"]) == ("chat_closed", "missed")
        rounds = timedelta(seconds=settings.POSITION_SECONDS * positions.ENDED_ROUNDS + 1)
        assert rounds > timedelta(seconds=2 * 25)
        await Chat.objects.aupdate(closed_at=timezone.now() - rounds)
        assert await told(opened, "position") == []


async def test_a_chat_that_goes_on_comes_before_one_that_has_ended(
    site: Site, dana: VisitorPrincipal, token: str, intake: Department
) -> None:
    """V-3."""
    first = await sync_to_async(make_chat)(dana, intake)
    await sync_to_async(end_chat)(principal=dana, uid=first.uid)
    second = await sync_to_async(make_chat)(dana, intake)
    async with frame_of(site, token=token) as opened:
        assert [frame["chat"] for frame in await told(opened, "position")] == [second.uid]


async def test_a_visitor_who_missed_that_somebody_came_hears_it_after_all(
    site: Site,
    rival_site: Site,
    dana: VisitorPrincipal,
    token: str,
    olga: Operator,
    intake: Department,
    principal_of: Callable[..., Any],
) -> None:
    """R-034: or she would leave a message although somebody is there."""
    async with (
        frame_of(site, token=token) as opened,
        frame_of(rival_site, page="https://rival.test") as other,
    ):
        assert await told(opened, "availability_changed") == [{"type": "availability_changed", "online": []}]
        await sync_to_async(goes_online)(olga)
        [heard] = await told(opened, "availability_changed")
        assert heard["online"] == [intake.uid]
        assert [frame["online"] for frame in await told(other, "availability_changed")] == [[]]
        chat = await sync_to_async(make_chat)(dana, intake)
        assert len(await told(opened, "availability_changed")) == 1  # she may be waiting in vain
        await sync_to_async(lambda: accept_chat(principal=principal_of(olga), uid=chat.uid))()
        assert await told(opened, "availability_changed") == []  # she is in a chat: its position is enough


async def test_a_message_that_was_left_is_no_chat_to_state(
    site: Site, dana: VisitorPrincipal, token: str
) -> None:
    """R-034: to its visitor it never was one."""
    shown = (
        await sync_to_async(notices.current)(await Site.objects.select_related("account").aget(pk=site.pk))
    ).sha256
    await sync_to_async(leave_message)(
        principal=dana, ref=new_ref(), email="dana@post.test", text="Call me", notice=shown
    )
    async with frame_of(site, token=token) as opened:
        assert await told(opened, "position") == []


def test_a_round_costs_the_same_for_one_visitor_and_for_twenty(
    everybody: SimpleNamespace, intake: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """design §3: no query a socket."""
    people = [visitor_on(everybody.site) for _ in range(20)]
    for each in people:
        make_chat(each, intake)
    keys = {each.session_key for each in people}
    for asked in ({people[0].session_key}, keys):
        with django_assert_num_queries(3):  # the epoch, the open ones, those that ended
            assert {key for key, *_ in positions.visitor_positions(asked)} == asked
    with django_assert_num_queries(1):
        selectors.online_by_site([everybody.site.pk, everybody.rival_site.pk])


async def test_a_missed_chat_whose_news_was_lost_is_told_though_a_newer_one_came(
    olga: Operator, sam: Operator, eve: Operator, site: Site, intake: Department
) -> None:
    """V-3: the digest names the newest missed chat alone; told before it, so that nobody need ask."""
    now = timezone.now()
    async with console_of(olga) as olgas, console_of(sam) as sams, console_of(eve) as eves:

        def missed(seconds: float) -> str:
            """Nobody hears of it."""
            ended = now - timedelta(seconds=seconds)
            return make_chat(visitor_on(site), intake, state="missed", closed_at=ended).uid

        newer, older, long_over = [await sync_to_async(missed)(ago) for ago in (1, 5, 3600)]
        hub = hubs.current()
        assert hub is not None
        await positions.tell_operators(hub)
        frames = await olgas.rest()
        told = [each["chat"]["uid"] for each in frames if each["type"] == "chat_listed"]
        assert told == [newer, older]
        assert long_over not in str(frames)
        assert frames[-1]["type"] == "position"
        for others in (sams, eves):
            assert {each["type"] for each in await others.rest()} <= {"position", "operator_changed"}


def test_of_two_missed_in_one_moment_everybody_takes_the_same_for_the_newest(
    everybody: SimpleNamespace, intake: Department, billing: Department, principal_of: Callable[..., Any]
) -> None:
    """docs/protocol.md: by bytes, where a dictionary would put small letters before capitals."""
    moment = timezone.now()
    for uid in ("Zzzzzzzzzzzzzzzzzzzzzz", "aaaaaaaaaaaaaaaaaaaaaa", "AAAAAAAAAAAAAAAAAAAAAA"):
        for department in (intake, billing):
            chat = make_chat(visitor_on(everybody.site), department, state="missed", closed_at=moment)
            Chat.objects.filter(pk=chat.pk).update(uid=uid if department == intake else uid[:-1] + "_")
    for operator in (everybody.olga, everybody.nina, everybody.sam):
        principal = principal_of(operator)
        welcome = console_of_one(principal)
        shown = [each.uid for each in welcome.missed]
        assert shown == sorted(shown, reverse=True)
        [position] = positions.operator_positions([principal]).values()
        assert position.digest == welcome.digest
