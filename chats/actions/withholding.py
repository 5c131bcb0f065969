"""What is kept of somebody and nothing else is done with it (B2-7): their chats are on no screen any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.actions import next_version
from chatlead.realtime import topics
from chatlead.realtime.events import ChatErased
from chatlead.realtime.publish import publish
from chats import selectors
from chats.actions import handling
from chats.models import Chat
from visitors.actions import rename_sessions, restrict_visitors

if TYPE_CHECKING:
    from collections.abc import Collection


def withhold_chats(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """Restricts these visitors of an account; returns how many chats they have. Again: the same.

    An open chat ends first. The live sessions open nothing any more; whoever looks at one of the chats, its
    visitor too, is told to forget it, and nobody is asked to answer it. Nothing of what was said is changed:
    once the visitors are released it is where it was. Not inside `atomic()`: each chat is a transaction.
    """
    chats = Chat.objects.filter(account_id=account_id, visitor_id__in=visitor_ids)
    with transaction.atomic():
        # the locks in the order of ids, as the journal takes them
        list(chats.select_for_update(of=("self",), no_key=True).order_by("id").values_list("pk"))
        restrict_visitors(account_id=account_id, visitor_ids=visitor_ids)
        keys = rename_sessions(account_id=account_id, visitor_ids=visitor_ids)
        for session_id, (_, new) in keys.items():
            Chat.objects.filter(session_id=session_id).update(session_key=new)
    ids = list(chats.order_by("id").values_list("pk", "session_id"))
    for pk, session_id in ids:
        _withhold(pk, keys.get(session_id, ("", ""))[0])
    return len(ids)


def _withhold(chat_id: int, old_key: str) -> None:
    with transaction.atomic():
        chat = Chat.objects.select_for_update(of=("self",), no_key=True).filter(pk=chat_id).first()
        if chat is None:
            return
        if chat.state in selectors.OPEN:
            handling.close(chat, "ended", None)
        Chat.objects.filter(pk=chat.pk).update(returned_from=None, returned_at=None)
        Chat.objects.filter(pk=chat.pk, state=Chat.State.MISSED).update(state=Chat.State.CLOSED)
        publish(
            ChatErased(chat=chat.uid, version=next_version(chat.account_id)), topics.team(chat.account_id)
        )
        publish(ChatErased(chat=chat.uid), topics.session(old_key or chat.session_key))
