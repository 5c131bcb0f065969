"""More scenes of test_verify_actions: an ended chat is sealed and moved, and nobody sees a difference."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.utils import timezone

import chats.actions
from accounts.models import Operator
from chats.models import Chat
from tests.realtime.scenes import World, case, in_thread


@case(
    chats.actions.seal_ended, chats.actions.extend_seals, chats.actions.archive_chat,
    chats.actions.archive_account, chats.actions.archive_due, chats.actions.verify_asked,
    chats.actions.set_retention_limits, chats.actions.ask_verification, chats.actions.reconcile,
    chats.actions.sweep_left_behind,
)  # fmt: skip
async def what_vera_sees_of_her_chat_lies_in_the_archive(world: World) -> AsyncIterator[None]:
    chat = await world.active_chat()
    yield
    await world.does("vera", type="end_chat", chat=chat.uid)
    owner = await Operator.objects.select_related("account").aget(pk=world.cast.owen.pk)
    assert await in_thread(chats.actions.set_retention_limits)(by=owner, days={world.cast.site.uid: 30}) == 1
    assert await in_thread(chats.actions.seal_ended)() == 0  # it has just ended
    assert await in_thread(chats.actions.archive_due)() == 0
    assert await in_thread(chats.actions.archive_chat)(chat.pk)
    await in_thread(chats.actions.ask_verification)(by=owner)
    assert await in_thread(chats.actions.verify_asked)() == 1
    stored = await Chat.objects.aget(pk=chat.pk)
    assert stored.archived_at is not None and stored.archived_at <= timezone.now()
