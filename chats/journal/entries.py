"""What goes into the journal and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from chatlead.realtime.events import NoteAdded, PublicRow
from chatlead.realtime.shapes import Author
from chatlead.realtime.topics import Topic, operator, operators_of, session
from chats.rows import public_event

Kind = Literal["opened", "text", "edit", "deletion", "accepted", "transferred", "returned", "closed", "note"]
Status = Literal["stored", "known", "closed", "refused", "no_target"]

# Written by people at any time, so rights and state are checked. Every other row is part of an action
# that has checked them under the chat's lock.
CHECKED: Final = frozenset({"text", "edit", "deletion", "note"})
CHANGES: Final = frozenset({"edit", "deletion"})
OPEN: Final = frozenset({"waiting", "active"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row that somebody wants in one of the logs of a chat.

    `ref` with chat, author and `author_id` names the intent: sent again, it is the same row. An operator's
    right is `author_id` with `rights_epoch`; a visitor's is `session_key`, the stored hash. `author_id` is 0
    for visitor and system. `target` is the `seq` that an edit or a deletion is about. `facts` is for system
    rows: what they say, with names as they are now (the further fields of their event, by name). `name` and
    `author_uid` are the operator's, for the event.
    """

    chat_id: int
    account_id: int
    author: Author
    author_id: int = 0
    rights_epoch: int = 0
    session_key: str = ""
    ref: UUID
    kind: Kind
    text: str = ""
    target: int | None = None
    facts: dict[str, Any] | None = None
    name: str = ""
    author_uid: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of an entry; one transaction later than asked, and committed when a callback gets it.

    `stored`, or `known`: the same `ref` was stored before. `seq` and `at` (ms since 1970) are the row's, in
    the staff log for a note. Otherwise nothing was written and both are 0: `closed` (the chat has ended),
    `refused` (no right, or no such chat: tell nobody which), `no_target` (nothing of the author's to change).
    The rest is the chat as the statement saw it, empty where it was refused for want of a chat.
    """

    entry: Entry
    status: Status
    seq: int = 0
    at: int = 0
    chat_uid: str = ""
    state: str = ""
    department_id: int = 0
    operator_id: int | None = None
    session_key: str = ""


def topics_of(outcome: Outcome) -> tuple[Topic, ...]:
    """Who hears of the row: the visitor (never of a note), the assigned operator, and the department
    while nobody has accepted."""
    topics: list[Topic] = []
    if outcome.entry.kind != "note":
        topics.append(session(outcome.session_key))
    if outcome.operator_id is not None:
        topics.append(operator(outcome.operator_id))
    if outcome.state in ("waiting", "missed"):
        topics.append(operators_of(outcome.department_id))
    return tuple(topics)


def event_of(outcome: Outcome) -> PublicRow | NoteAdded:
    """The event that tells of a stored row; the same that a snapshot would hold."""
    entry = outcome.entry
    if entry.kind == "note":
        return NoteAdded(
            chat=outcome.chat_uid,
            staff_seq=outcome.seq,
            at=outcome.at,
            ref=str(entry.ref),
            operator=entry.author_uid,
            name=entry.name,
            text=entry.text,
        )
    return public_event(
        kind=entry.kind,
        chat=outcome.chat_uid,
        seq=outcome.seq,
        at=outcome.at,
        author=entry.author,
        ref=str(entry.ref),
        operator=entry.author_uid,
        name=entry.name,
        text=entry.text,
        target=entry.target,
        facts=facts_of(entry),
    )


def facts_of(entry: Entry) -> Mapping[str, Any] | None:
    """The facts that are stored: a system row also keeps its operator's name as it is now."""
    if entry.kind in CHECKED:
        return None
    facts = dict(entry.facts or {})
    if entry.author == "operator":
        facts |= {"operator": entry.author_uid, "name": entry.name}
    return facts


def now_in_ms() -> datetime:
    """The present, cut to milliseconds, so that what is stored is exactly what was told."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
