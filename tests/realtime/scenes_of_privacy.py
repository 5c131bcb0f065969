"""More scenes of test_verify_actions: what is known of a chat is the same, whoever asks about their data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import chats.actions
import visitors.actions
from chatlead.realtime import commands
from tests.realtime.scenes import World, case, in_thread, said


@case(commands.AskPrivacyLink)
async def vera_asks_for_a_link_to_her_data(world: World) -> AsyncIterator[None]:
    await world.active_chat()
    yield
    assert (await world.does("vera", type="ask_privacy_link"))["path"].startswith("/privacy/proof/")


@case(
    chats.actions.withhold_chats,
    visitors.actions.restrict_visitors,
    visitors.actions.release_visitors,
    visitors.actions.rename_sessions,
)
async def vera_is_restricted_while_she_talks(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
    for _ in range(2):
        assert await in_thread(chats.actions.withhold_chats)(**whose) == 1


@case()
async def vera_is_restricted_after_nobody_answered(world: World) -> AsyncIterator[None]:
    chat = await world.waiting_chat()
    await in_thread(chats.actions.end_chat)(principal=world.vera, uid=chat.uid)
    yield
    whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
    assert await in_thread(chats.actions.withhold_chats)(**whose) == 1


@case(chats.actions.end_chats)
async def vera_is_under_legal_hold_and_her_chats_end(world: World) -> AsyncIterator[None]:
    """As when olga learns that she is under 18 (R-071): what was said stays."""
    chat = await world.active_chat()
    yield
    await said(world, "vera", chat, "I am sixteen")
    whose: dict[str, Any] = {"account_id": chat.account_id, "visitor_ids": {chat.visitor_id}}
    assert await in_thread(chats.actions.end_chats)(**whose) == 1
