"""What was said in a chat is taken away for good; that it was, and its rows, stay (R-014, R-071, R-111)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts import holds
from accounts.actions import next_version
from chatlead.errors import UnderLegalHold
from chatlead.realtime import topics
from chatlead.realtime.events import ChatErased
from chatlead.realtime.publish import publish
from chats import sealing, selectors
from chats.actions import handling
from chats.models import Chat, Message, Note, TranscriptRequest
from visitors.actions import cut_off

if TYPE_CHECKING:
    from collections.abc import Collection


def erase_chats(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """Takes away every text of all chats of these visitors of an account, the answers to the form and the
    page; returns how many chats had something to lose. Again: 0.

    The rows keep their places, so the logs stay gapless and what was sealed can be proved. An open chat ends
    first. The live sessions open nothing any more; whoever looks at one of the chats, its visitor too, is
    told to forget it. An erased chat asks for no answer: it is neither among the missed ones nor among
    those that an operator lost. Not inside `atomic()`: each chat is a transaction of its own. Raises
    UnderLegalHold where one of the visitors is held: the open chats have ended then, and all else is there.
    """
    if holds.on(account_id, visitor_ids) is not None:
        end_chats(account_id=account_id, visitor_ids=visitor_ids)
        raise UnderLegalHold
    old_keys = _shut_out(account_id, visitor_ids)
    chats = Chat.objects.filter(account_id=account_id, visitor_id__in=visitor_ids)
    ids = list(chats.order_by("id").values_list("pk", "session_id"))
    return sum(_erase(pk, old_keys.get(session_id, "")) for pk, session_id in ids)


def end_chats(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """Ends the open chats of these visitors of an account; returns how many. Not inside `atomic()`."""
    mine = Chat.objects.filter(account_id=account_id, visitor_id__in=visitor_ids, state__in=selectors.OPEN)
    count = 0
    for pk in list(mine.order_by("id").values_list("pk", flat=True)):
        with transaction.atomic():
            locked = Chat.objects.select_for_update(of=("self",), no_key=True)
            chat = locked.filter(pk=pk, state__in=selectors.OPEN).first()
            if chat is not None:
                handling.close(chat, "ended", None)
                count += 1
    return count


def _shut_out(account_id: int, visitor_ids: Collection[int]) -> dict[int, str]:
    """Nobody comes back to these chats: the sessions have other keys from now on. {session: its old key}."""
    with transaction.atomic():
        # the locks in the order of ids, as the journal takes them
        mine = Chat.objects.filter(account_id=account_id, visitor_id__in=visitor_ids)
        list(mine.select_for_update(of=("self",), no_key=True).order_by("id").values_list("pk"))
        keys = cut_off(account_id=account_id, visitor_ids=visitor_ids)
        for session_id, (_, new) in keys.items():
            Chat.objects.filter(session_id=session_id).update(session_key=new)
    return {session_id: old for session_id, (old, _) in keys.items()}


def _erase(chat_id: int, old_key: str) -> bool:
    with transaction.atomic():
        # 1 the lock under which the journal numbers rows, so that nothing is written behind our back
        locked = Chat.objects.select_for_update(of=("self",), no_key=True)
        chat = locked.filter(pk=chat_id).first()
        if chat is None:
            return False
        # 2 it ends before anybody hears that it is gone
        was_open = chat.state in selectors.OPEN
        if was_open:
            handling.close(chat, "ended", None)
        # 3 the texts, then what the chat says itself
        count = _empty(chat)
        count += _blank(chat)
        is_first = _note_erased(chat)
        sealing.forget([chat.pk])  # in the same moment, so that a seal fits at any time
        # one in the archive has nothing to lose here, and may stand on a screen all the same
        if count or was_open or is_first:
            # a console may keep a chat on its screen that is nobody's work any more, or have missed the news:
            # all of the account count it
            version = next_version(chat.account_id)
            publish(ChatErased(chat=chat.uid, version=version), topics.team(chat.account_id))
            publish(ChatErased(chat=chat.uid), topics.session(old_key or chat.session_key))
    return bool(count or was_open)


def _empty(chat: Chat) -> int:
    """How many rows of the two logs, and of what was asked for by mail, had something to lose."""
    said = Message.objects.filter(chat=chat).exclude(text="")
    count = said.filter(kind=Message.Kind.TEXT).update(text="", text_state=Message.TextState.DELETED)
    count += said.update(text="")
    count += Note.objects.filter(chat=chat).exclude(text="").update(text="")
    wanted = TranscriptRequest.objects.filter(chat=chat).exclude(email="", zone="")
    return count + wanted.update(email="", zone="")


def _blank(chat: Chat) -> int:
    """1 where the row of the chat itself had something to lose."""
    mine = Chat.objects.filter(pk=chat.pk)
    had = mine.exclude(answers=[], page_url="").exists()
    mine.update(answers=[], page_url="", returned_from=None, returned_at=None)
    mine.filter(state=Chat.State.MISSED).update(state=Chat.State.CLOSED)
    return int(had)


def _note_erased(chat: Chat) -> bool:
    """Whether this is the first time."""
    return bool(Chat.objects.filter(pk=chat.pk, erased_at=None).update(erased_at=timezone.now()))
