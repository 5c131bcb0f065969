"""More scenes of test_verify_actions: who is there, and what becomes of the chats of who is not (V-14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from django.utils import timezone

import accounts.actions
import chats.actions
from accounts.models import Operator, OperatorRole
from chatlead.realtime import commands
from chatlead.realtime import hub as hubs
from chats import rounds
from chats.models import Chat
from tests.conftest import make_operator
from tests.realtime.scenes import World, a_round_is_made, case, in_thread, said, works_in


async def nothing_was_heard_of(world: World, *operators: Operator) -> None:
    """For an hour and more, and a process with the turn has noticed."""
    await Operator.objects.filter(pk__in=[each.pk for each in operators]).aupdate(
        lease_until=timezone.now() - timedelta(minutes=5)
    )
    assert await in_thread(accounts.actions.expire_leases)() == len(operators)


@case(
    commands.StillHere,
    accounts.actions.keep_watch,
    accounts.actions.come_back_from_the_future,
    chats.actions.come_back_from_the_future,
)
async def everybody_is_still_here(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    await world.online(world.cast.olga)
    yield
    for who in ("vera", "olga"):
        await world.lines[who].say({"type": "still_here"})
        await world.lines[who].rest()
    # by a clock that was set back in between
    await Operator.objects.aupdate(lease_until=timezone.now() + timedelta(hours=1))
    await Chat.objects.aupdate(visitor_seen_at=timezone.now() + timedelta(hours=1))
    turn = await in_thread(accounts.actions.keep_watch)(began_at=timezone.now())
    assert turn is not None and not turn.may_judge
    await in_thread(accounts.actions.come_back_from_the_future)(turn.at)
    await in_thread(chats.actions.come_back_from_the_future)(turn.at)
    hub = hubs.current()
    assert hub is not None
    await rounds.keep_presence(hub)


@case(accounts.actions.expire_leases)
async def olgas_laptop_was_closed(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.olga, world.cast.owen)
    yield
    long_ago = timezone.now() - timedelta(hours=2)
    await Operator.objects.filter(pk=world.cast.owen.pk).aupdate(lease_until=long_ago)
    assert await in_thread(accounts.actions.expire_leases)() == 1


@case()
async def two_laptops_were_closed_at_once(world: World) -> AsyncIterator[None]:
    acme, role = world.cast.owen.account, OperatorRole.OPERATOR
    ada = await in_thread(make_operator)(acme, "Ada", role, await world.department("Intake"))
    await world.online(world.cast.owen, ada)
    yield
    gone = Operator.objects.filter(pk__in=[ada.pk, world.cast.owen.pk])
    await gone.aupdate(lease_until=timezone.now() - timedelta(hours=2))
    assert await in_thread(accounts.actions.expire_leases)() == 2


@case()
async def two_consoles_come_back_at_once(world: World) -> AsyncIterator[None]:
    ada = await in_thread(make_operator)(world.cast.owen.account, "Ada", OperatorRole.ADMIN)
    people = [ada.pk, world.cast.owen.pk]
    yield
    await in_thread(accounts.actions.renew_leases)(people)


@case(chats.actions.return_lost_chats, chats.actions.return_chats)
async def olga_was_lost_and_her_chats_wait_again(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    await world.others_waiting()
    await world.online(world.cast.olga, world.cast.nina)
    yield
    await nothing_was_heard_of(world, world.cast.olga)
    assert await in_thread(chats.actions.return_lost_chats)() == 1
    await in_thread(accounts.actions.renew_leases)([world.cast.olga.pk])


@case()
async def nina_takes_the_chat_that_olga_lost(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    await world.online(world.cast.olga)
    yield
    await nothing_was_heard_of(world, world.cast.olga)
    assert await in_thread(chats.actions.return_lost_chats)() == 1
    await said(world, "vera", chat, "Hello?")
    await world.does("nina", type="accept_chat", chat=chat.uid)
    await said(world, "nina", chat, "I am here")
    await in_thread(accounts.actions.renew_leases)([world.cast.olga.pk])


@case()
async def olga_takes_the_chat_that_she_lost(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await nothing_was_heard_of(world, world.cast.olga)
    assert await in_thread(chats.actions.return_lost_chats)() == 1
    await in_thread(accounts.actions.renew_leases)([world.cast.olga.pk])
    await world.does("olga", type="accept_chat", chat=chat.uid)
    await said(world, "olga", chat, "Here I am again")


@case(accounts.actions.set_departments)
async def olga_is_taken_off_the_department_of_her_chat(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    billing = await world.department("Billing")
    yield
    await works_in(billing, world.cast.olga)
    await a_round_is_made()


@case(commands.LeavePage, chats.actions.leave_page)
async def vera_leaves_the_page(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    yield
    for who in ("vera", "vera2"):
        await world.lines[who].say({"type": "leave_page"})
        await world.lines[who].rest()


@case(chats.actions.lose_visitors, chats.actions.note_visitors)
async def a_stranger_is_lost_and_vera_comes_back(world: World) -> AsyncIterator[None]:
    await world.waiting_chat()
    await world.others_waiting()
    yield
    long_ago = timezone.now() - timedelta(minutes=5)
    await Chat.objects.aupdate(visitor_seen_at=long_ago)
    assert await in_thread(chats.actions.lose_visitors)() == 2
    await in_thread(chats.actions.note_visitors)([world.vera.session_key])
