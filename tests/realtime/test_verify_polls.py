"""Snapshot before + what one poll brings afterwards = snapshot after: nobody needs to have listened.

The scenes of test_verify_actions, seen by people who were between two polls all the while (V-2, V-3).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.polls import Poller
from tests.realtime import (  # noqa: F401 - they register their scenes
    scenes_of_canned,
    scenes_of_presence,
    scenes_of_the_firm,
)
from tests.realtime.reducers import Reducers
from tests.realtime.scenes import CASES, World
from tests.realtime.test_poll import console_poller, poller_of
from tests.realtime.test_verify_actions import PEOPLE, opened, side_of

pytestmark = pytest.mark.django_db(transaction=True)

ABSENT = ("vera", "olga", "nina", "sam", "eve")
POLLS = 4  # enough for whatever happened, and one in which nothing comes


async def absent(world: World, who: str) -> Poller:
    """Somebody who has just been shown everything, and does not listen."""
    if who == "vera":
        found = await poller_of(world.cast.site, world.token)
    else:
        found = await console_poller(getattr(world.cast, who))
    await found.enter()
    return found


def at_of(known: dict[str, Any]) -> dict[str, Any]:
    """What a browser that knows this says to have."""
    if "digest" in known:
        gone = {uid: chat["presence"] for uid, chat in known["chats"].items() if chat["presence"] != "here"}
        canned = known["canned_version"]
        return {"gone": gone, "canned": canned} | {
            name: known[name] for name in ("digest", "version", "epoch", "positions")
        }
    at = {"epoch": known["epoch"], "online": known["online"]}
    if (chat := known["chat"]) is None:
        return at
    names = ("visitor_delivered", "visitor_read", "operator_delivered", "operator_read")
    marks = [chat["marks"][name] for name in names]
    return at | {"chat": chat["uid"], "seq": chat["seq"], "marks": marks, "place": chat["position"]}


async def catches_up(poller: Poller, side: Any, reducers: Reducers) -> dict[str, Any]:
    """What they know when a poll brings nothing any more."""
    frames = [poller.welcome]
    for _number in range(POLLS):
        known = reducers.known(side, frames)
        news = (await poller.poll("news", at=at_of(known))).frames
        if not news:
            return known
        frames += news
    raise AssertionError(f"there is always something new: {[frame['type'] for frame in frames]}")


@pytest.mark.parametrize("name", CASES)
async def test_one_poll_leads_where_a_new_snapshot_begins(
    name: str, world: World, reducers: Reducers
) -> None:
    """V-2, V-3."""
    arranged: AsyncIterator[None] = CASES[name](world)
    await anext(arranged)
    async with contextlib.AsyncExitStack() as stack:
        for who in PEOPLE:
            world.lines[who] = await stack.enter_async_context(opened(world, who))
        pollers = {who: await absent(world, who) for who in ABSENT}
        for line in world.lines.values():
            await line.rest()
        with pytest.raises(StopAsyncIteration):
            await anext(arranged)
        for line in world.lines.values():
            await line.rest()
        for who, poller in pollers.items():
            told = await catches_up(poller, side_of(who), reducers)
            shown = reducers.known(side_of(who), [(await absent(world, who)).welcome])
            assert told == shown, f"{who} knows something else"
