"""Rows of the two logs <-> the events that tell of them. No query: the caller brings what is needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from chatlead.realtime.events import (
    ChatAccepted,
    ChatClosed,
    ChatOpened,
    ChatReturned,
    ChatTransferred,
    LogEvent,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    NoteAdded,
    PublicRow,
)
from chats.models import Message, Note

# An operator's public id and name, by database id.
Operators = Mapping[int, tuple[str, str]]

NOBODY: Final = ("", "")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SYSTEM_ROWS: Final[dict[str, type[LogEvent]]] = {
    "opened": ChatOpened,
    "accepted": ChatAccepted,
    "transferred": ChatTransferred,
    "returned": ChatReturned,
    "closed": ChatClosed,
}


def in_ms(moment: datetime) -> int:
    """Milliseconds since 1970. A moment without a zone is UTC, as SQLite keeps it."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def public_event(
    *,
    kind: str,
    chat: str,
    seq: int,
    at: int,
    author: Any,
    ref: str,
    operator: str = "",
    name: str = "",
    text: str = "",
    state: Any = "",
    target: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> PublicRow:
    """The event of a row of the public log. `facts` are further fields of a system row's event; what they
    say of operator and name counts, because that is how it was then. Their `ref` is the server's own and
    nobody's business."""
    if kind == "text":
        return MessagePosted(
            chat=chat, seq=seq, at=at, author=author, ref=ref, operator=operator, name=name, text=text,
            state=state,
        )  # fmt: skip
    if kind == "edit":
        return MessageEdited(
            chat=chat, seq=seq, at=at, author=author, ref=ref, operator=operator, name=name, text=text,
            target=target or 0,
        )  # fmt: skip
    if kind == "deletion":
        return MessageDeleted(
            chat=chat, seq=seq, at=at, author=author, ref=ref, operator=operator, name=name,
            target=target or 0,
        )  # fmt: skip
    told = {"operator": operator, "name": name, **(facts or {})}
    return SYSTEM_ROWS[kind](chat=chat, seq=seq, at=at, author=author, **told)  # type: ignore[return-value]


def event_of_message(row: Message, operators: Operators, chat: str = "") -> PublicRow:
    """The event of a stored row as it is now: `state` and `text` follow later edits and deletions.

    `operators` must know the authors that are operators; `chat` is the chat's uid, else `row.chat` is read.
    """
    operator, name = operators.get(row.author_id, NOBODY) if row.author == "operator" else NOBODY
    return public_event(
        kind=row.kind,
        chat=chat or row.chat.uid,
        seq=row.seq,
        at=in_ms(row.created_at),
        author=row.author,
        ref=str(row.ref),
        operator=operator,
        name=name,
        text=row.text,
        state=row.text_state,
        target=row.target,
        facts=row.facts,
    )


def event_of_note(row: Note, operators: Operators, chat: str = "") -> NoteAdded:
    """The event of a stored note; `operators` must know its author."""
    operator, name = operators.get(row.author_id, NOBODY)
    return NoteAdded(
        chat=chat or row.chat.uid,
        staff_seq=row.staff_seq,
        at=in_ms(row.created_at),
        ref=str(row.ref),
        operator=operator,
        name=name,
        text=row.text,
    )
