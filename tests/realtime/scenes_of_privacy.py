"""More scenes of test_verify_actions: what is known of a chat is the same, whoever asks about their data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

import accounts.actions
import chats.actions
import visitors.actions
from chatlead.realtime import commands
from chatlead.realtime.shapes import FieldSpec
from tests.identifiers import new_ref
from tests.realtime.scenes import World, case, in_thread, said
from visitors.models import ClosedBrowser


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


@case(visitors.actions.close_browser)
async def vera_says_before_a_chat_that_she_is_under_18(world: World) -> AsyncIterator[None]:
    """Nobody hears of it (R-070). After a year she is a stranger, who is told what anybody is."""
    asked = FieldSpec(
        name="of_age", label="How old are you?", kind="select", required=True,
        options=["18 or older", "Under 18"], hint="Call 813 555 0100.",
    )  # fmt: skip
    await in_thread(accounts.actions.set_site_fields)(site_id=world.cast.site.pk, fields=[asked])
    yield
    refused = await world.lines["vera"].ask(
        type="start_chat", ref=new_ref(), fields={"of_age": "Under 18"}, text="I am sixteen"
    )
    assert (refused["type"], refused["code"]) == ("failed", "under_age")
    await ClosedBrowser.objects.aupdate(closed_at=timezone.now() - timedelta(days=366))
    assert await in_thread(visitors.actions.forget_closed)()
