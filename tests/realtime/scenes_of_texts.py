"""More scenes of test_verify_actions: somebody writes by text message, and what becomes of an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from django.db import transaction

import chats.actions
from accounts.models import Department
from chats.models import Chat
from tests.conftest import visitor_on
from tests.identifiers import new_ref
from tests.realtime.scenes import World, case, in_thread


def writes(world: World, department: Department, *texts: str) -> None:
    """A person without a browser."""
    person = replace(visitor_on(world.cast.site), session_key="sms:" + "0" * 60, browser_key="")
    for text in texts:
        with transaction.atomic():
            chats.actions.take_text(
                principal=person, department=department, ref=new_ref(), text=text, name="Number ending in 00"
            )


@case(chats.actions.take_text, chats.actions.Arrived)
async def somebody_writes_by_text(world: World) -> AsyncIterator[None]:
    intake = await world.department("Intake")
    await world.others_waiting()
    yield
    await in_thread(writes)(world, intake, "Hello", "Is anybody there?")
    chat = await Chat.objects.aget(session_key__startswith="sms:")
    await world.does("olga", type="accept_chat", chat=chat.uid)
    await in_thread(writes)(world, intake, "Good")


@case(chats.actions.tell_in_chat)
async def olga_reads_that_a_text_did_not_arrive(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield

    def told() -> None:
        ref = new_ref()
        for _ in range(2):
            with transaction.atomic():
                chats.actions.tell_in_chat(chat=chat, ref=ref, text="Not delivered.")

    await in_thread(told)()
