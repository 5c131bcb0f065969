"""What several actions have in common: system rows, and who is told that a chat came or the line moved."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from accounts.selectors import OperatorPrincipal
from chatlead.realtime import topics
from chatlead.realtime.events import ChatListed, QueueMoved
from chatlead.realtime.publish import publish
from chats import estimates, journal, rows, selectors, snapshot
from chats.models import Chat

if TYPE_CHECKING:
    from chatlead.realtime.topics import Topic
    from chats.selectors import Principal

LINE_TOLD = 50  # so many who wait are told at once that the line moved; the others with their next position


def now() -> datetime:
    """The present in whole milliseconds: what a browser is told is what is stored."""
    present = timezone.now()
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


def moment(at: int) -> datetime:
    """The moment of a row, from the milliseconds that the journal tells."""
    return rows.EPOCH + timedelta(milliseconds=at)


def row_of(
    chat: Chat,
    kind: Literal["opened", "accepted", "transferred", "returned", "closed"],
    facts: dict[str, Any],
    by: Principal | None = None,
    ref: UUID | None = None,
) -> journal.Entry:
    """A row that says what happened to the chat, and by whom; the system's own doing without `by`."""
    entry = journal.Entry(
        chat_id=chat.pk,
        account_id=chat.account_id,
        author="system",
        ref=ref or UUID(bytes=secrets.token_bytes(16), version=4),
        kind=kind,
        facts=facts,
    )
    if isinstance(by, OperatorPrincipal):
        changes = {"author_id": by.operator_id, "name": by.name, "author_uid": by.operator_uid}
        return msgspec.structs.replace(entry, author="operator", **changes)
    if by is not None:
        return msgspec.structs.replace(entry, author="visitor", session_key=by.session_key)
    return entry


def staff_of(state: str, department_id: int, operator_id: int | None) -> tuple[Topic, ...]:
    """The operators who see a chat: whose it is, and the department while it waits or was missed."""
    found: list[Topic] = []
    if operator_id is not None:
        found.append(topics.operator(operator_id))
    if state in (Chat.State.WAITING, Chat.State.MISSED):
        found.append(topics.operators_of(department_id))
    return tuple(found)


def list_later(chat: Chat) -> None:
    """Give the chat, whole, to the operators who see it then, once this transaction is committed.

    Read after the commit, because reading takes longer than writing and others wait for the write lock.
    What is written in between is in the view and comes as an event, too; that applies idempotently.
    """
    transaction.on_commit(partial(_list, chat.pk), robust=True)


def _list(chat_id: int) -> None:
    chat = fresh(chat_id)
    to = staff_of(chat.state, chat.department_id, chat.operator_id)
    if to:
        publish(ChatListed(chat=snapshot.operator_view(chat)), *to)


def fresh(chat_id: int) -> Chat:
    """The chat as it is now, with all that a view needs."""
    return Chat.objects.select_related(*selectors.VIEWED).get(pk=chat_id)


def move_line_later(department_id: int) -> None:
    """Tell those who wait in the department of their places, once this transaction is committed.

    Counted after the commit: of two who leave the line at once the later one counts without both.
    """
    transaction.on_commit(partial(move_line, department_id=department_id), robust=True)


def move_line(*, department_id: int) -> None:
    """Tell the first who wait in a department of their places in line (R-034)."""
    for place, (uid, session_key) in enumerate(selectors.line(department_id, LINE_TOLD), start=1):
        minutes = estimates.minutes_to_turn(department_id, place)
        publish(QueueMoved(chat=uid, position=place, minutes=minutes), topics.session(session_key))
