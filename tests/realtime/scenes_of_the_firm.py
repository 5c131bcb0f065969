"""More scenes of test_verify_actions: who is there and may do what, and how the firm's sites look."""

from __future__ import annotations

from collections.abc import AsyncIterator

import accounts.actions
from chatlead.realtime import commands
from tests.images import a_png
from tests.realtime.scenes import World, a_round_is_made, case, in_thread, works_in


@case(commands.SetAvailability, accounts.actions.set_availability, accounts.actions.renew_leases)
async def olga_comes_online_and_sam_goes(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.sam)
    yield
    await world.does("olga", type="set_availability", online=True)
    await world.does("sam", type="set_availability", online=False)


@case(accounts.actions.suspend_operator)
async def owen_is_suspended(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.owen)
    yield
    owen = world.cast.owen
    await in_thread(accounts.actions.suspend_operator)(account_id=owen.account_id, operator_id=owen.pk)


@case(accounts.actions.set_answer_target)
async def the_firm_wants_to_answer_sooner(world: World) -> AsyncIterator[None]:
    yield
    for seconds in (30, 20):
        assert await in_thread(accounts.actions.set_answer_target)(by=world.cast.owen, seconds=seconds)
    await world.does("sam", type="set_availability", online=True)


@case(accounts.actions.set_hosted_page)
async def the_hosted_page_is_switched_off(world: World) -> AsyncIterator[None]:
    site = world.cast.site
    yield
    assert await in_thread(accounts.actions.set_hosted_page)(site_id=site.pk, on=False)


@case(accounts.actions.set_site_language)
async def the_site_is_to_speak_spanish(world: World) -> AsyncIterator[None]:
    site = world.cast.site
    yield
    await in_thread(accounts.actions.set_site_language)(site_id=site.pk, language="es")


@case(accounts.actions.set_site_look, accounts.actions.set_site_fields, accounts.actions.set_site_picture)
async def the_site_is_to_look_and_ask_otherwise(world: World) -> AsyncIterator[None]:
    site = world.cast.site
    yield
    look = {"color": "#00ff00", "corner": "start", "offline": "We are out", "greeting": "Hello"}
    await in_thread(accounts.actions.set_site_look)(site_id=site.pk, look=look)
    await in_thread(accounts.actions.set_site_fields)(site_id=site.pk, fields=[])
    await in_thread(accounts.actions.set_site_picture)(site_id=site.pk, png=a_png())


@case(accounts.actions.set_operator_picture)
async def olga_gets_another_picture_in_the_middle_of_a_chat(world: World) -> AsyncIterator[None]:
    olga = world.cast.olga
    named = {"account_id": olga.account_id, "operator_id": olga.pk}
    await in_thread(accounts.actions.set_operator_picture)(**named, png=a_png())
    await world.active_chat()
    yield
    await in_thread(accounts.actions.set_operator_picture)(**named, png=a_png(64))


@case(accounts.actions.set_departments)
async def owen_gets_departments(world: World) -> AsyncIterator[None]:
    await world.online(world.cast.owen)
    intake = await world.department("Intake")
    yield
    await works_in(intake, world.cast.owen)


@case(accounts.actions.set_departments)
async def sam_changes_department_before_our_eyes(world: World) -> AsyncIterator[None]:
    await world.waiting_chat()
    intake = await world.department("Intake")
    yield
    await works_in(intake, world.cast.sam)
    await a_round_is_made()
