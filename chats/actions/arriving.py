"""What comes into chats by other ways than a browser, and what goes wrong on these ways.

Whoever is on the other side has a session whose key begins with a word and a colon (`sms:`), which no token
of a browser can have: so no page of theirs is waited for, looked after or told anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chats import journal, prechat, selectors
from chats.actions import beginning, telling
from chats.models import Chat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from accounts.models import Department
    from chatlead.realtime.shapes import Answer
    from visitors.sessions import VisitorPrincipal


class Arrived(NamedTuple):
    """Where a text stands now; `is_new` where the chat began with it."""

    chat: Chat
    is_new: bool


def take_text(
    *,
    principal: VisitorPrincipal,
    department: Department,
    ref: UUID,
    text: str,
    name: str = "",
    answers: Sequence[Answer] = (),
) -> Arrived:
    """Stores what somebody wrote, in their open chat or in a new one that waits in the department, whether
    anybody is online or not.

    Inside the caller's transaction, which lets no two texts of one session in at once. The same `ref` again
    changes nothing while its chat is open.
    """
    text = prechat.check_text(text)
    mine = selectors.chats_of_session(principal.session_key).filter(state__in=selectors.OPEN)
    chat = mine.select_related(*selectors.VIEWED).select_for_update(of=("self",), no_key=True).first()
    if chat is not None:
        [outcome] = journal.append([beginning.said(chat, ref, text)])
        if outcome.status in ("stored", "known"):
            return Arrived(chat, False)
    filled = prechat.Filled(name, "", list(answers))
    chat = beginning.begin_waiting(principal, department, ref, filled, text)
    telling.list_later(chat)
    return Arrived(telling.fresh(chat.pk), True)


def tell_in_chat(*, chat: Chat, ref: UUID, text: str) -> None:
    """A line of ours in a chat, whatever its state, that says what became of what was said in it.

    Inside the caller's transaction; the same `ref` again is the same line.
    """
    row = journal.Entry(
        chat_id=chat.pk, account_id=chat.account_id, author="system", ref=ref, kind="text", text=text
    )
    journal.append([row])
