"""More scenes of test_verify_actions: an operator's prepared replies, at two consoles of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import accounts.actions
from chatlead.realtime import commands
from tests.realtime.scenes import World, case, in_thread


async def prepared(world: World, shortcut: str) -> str:
    """Olga has this one; its uid."""
    me, text = await world.principal(world.cast.olga), "Hello {visitor_name}"
    save = in_thread(accounts.actions.save_canned_reply)
    return await save(principal=me, uid="", shortcut=shortcut, text=text)


@case(commands.SaveCannedReply, accounts.actions.save_canned_reply)
async def olga_prepares_a_reply_and_words_another_anew(world: World) -> AsyncIterator[None]:
    known = await prepared(world, "hours")
    yield
    await world.does("olga", type="save_canned_reply", shortcut="Fee", text="The first is free.")
    await world.does("olga2", type="save_canned_reply", canned=known, shortcut="times", text="Nine to five")


@case(commands.DeleteCannedReply, accounts.actions.delete_canned_reply)
async def olga_deletes_a_prepared_reply(world: World) -> AsyncIterator[None]:
    first, second = await prepared(world, "hours"), await prepared(world, "fee")
    yield
    await world.does("olga", type="delete_canned_reply", canned=first)
    await world.does("olga2", type="delete_canned_reply", canned=second)
    await world.does("olga", type="save_canned_reply", shortcut="hours", text="From nine to five")
