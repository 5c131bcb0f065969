"""More scenes of test_verify_actions: what is known of a chat is the same, whoever asks about their data."""

from __future__ import annotations

from collections.abc import AsyncIterator

from chatlead.realtime import commands
from tests.realtime.scenes import World, case


@case(commands.AskPrivacyLink)
async def vera_asks_for_a_link_to_her_data(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    yield
    assert (await world.does("vera", type="ask_privacy_link"))["path"].startswith("/privacy/proof/")
