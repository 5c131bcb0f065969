"""The journal row by row, in SQL that both databases speak.

SQLite's only way in, and PostgreSQL's for everything that is not a plain message from a socket. The
caller holds a transaction, and on PostgreSQL the locks of the chats (`lock`); on SQLite the transaction is
the lock. Per chat and call: one read and one update; per message: one insert, which also finds a `ref`
that was there before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from chats.journal.entries import CHANGES, CHECKED, OPEN, Entry, Outcome, Status, facts_of
from chats.rows import in_ms

EDITS_MAX = 100  # of one message; deleting it is possible still


class Cursor(Protocol):
    """What Django's cursors and those of sqlite3 have in common."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, sql: str, params: Sequence[Any], /) -> Any: ...
    def fetchone(self) -> Any: ...


class Tongue(NamedTuple):
    """How a driver writes parameters: its placeholder, UUIDs and moments."""

    mark: str
    uuid: Callable[[UUID], Any]
    moment: Callable[[datetime], Any]


class Statements:
    """The statements with one placeholder, as below with `%s`; built once for each, kept as they are for the
    drivers' caches."""

    lock = "SELECT 1 FROM chats_chat WHERE id = %s FOR NO KEY UPDATE"
    chat = """
        SELECT c.account_id, c.uid, c.state, c.department_id, c.operator_id, c.session_key, c.last_seq,
               c.last_staff_seq, o.rights_epoch
        FROM chats_chat c
        LEFT JOIN accounts_operator o ON o.id = c.operator_id AND o.suspended_at IS NULL
        WHERE c.id = %s"""
    known = """
        SELECT seq, created_at FROM chats_message
        WHERE chat_id = %s AND author = %s AND author_id = %s AND ref = %s"""
    target = """
        SELECT 1 FROM chats_message
        WHERE chat_id = %s AND seq = %s AND author = %s AND author_id = %s AND kind = 'text'
          AND text_state <> 'deleted'"""
    edits = """
        SELECT count(*) FROM chats_message WHERE chat_id = %s AND target = %s AND kind = 'edit'"""
    insert = """
        INSERT INTO chats_message (account_id, chat_id, seq, ref, author, author_id, kind, text,
                                   text_state, target, facts, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', %s, %s, %s)
        ON CONFLICT (chat_id, author, author_id, ref) DO NOTHING"""
    retext = "UPDATE chats_message SET text = %s, text_state = %s WHERE chat_id = %s AND seq = %s"
    # no older version stays readable in the row of an edit
    retext_edits = """
        UPDATE chats_message SET text = %s WHERE chat_id = %s AND target = %s AND kind = 'edit'"""
    update = """
        UPDATE chats_chat SET last_seq = %s,
            last_message_at = CASE WHEN last_message_at < %s THEN %s ELSE last_message_at END
        WHERE id = %s"""
    update_seen = """
        UPDATE chats_chat SET last_seq = %s,
            last_message_at = CASE WHEN last_message_at < %s THEN %s ELSE last_message_at END,
            visitor_seen_at = CASE WHEN visitor_seen_at < %s THEN %s ELSE visitor_seen_at END
        WHERE id = %s"""
    may_note = """
        SELECT 1 FROM accounts_operator o
        WHERE o.id = %s AND o.account_id = %s AND o.rights_epoch = %s AND o.suspended_at IS NULL
          AND (o.id = %s OR (%s = 'waiting' AND EXISTS (
              SELECT 1 FROM accounts_departmentmember m
              WHERE m.operator_id = o.id AND m.department_id = %s)))"""
    known_note = """
        SELECT staff_seq, created_at FROM chats_note
        WHERE chat_id = %s AND author_id = %s AND ref = %s"""
    insert_note = """
        INSERT INTO chats_note (account_id, chat_id, staff_seq, ref, author_id, text, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (chat_id, author_id, ref) DO NOTHING"""
    update_staff = "UPDATE chats_chat SET last_staff_seq = %s WHERE id = %s"

    def __init__(self, mark: str) -> None:
        for name, sql in vars(Statements).items():
            if isinstance(sql, str) and not name.startswith("_"):
                setattr(self, name, " ".join(sql.split()).replace("%s", mark))


STATEMENTS = {"%s": Statements("%s"), "?": Statements("?")}


class Chat:
    """A chat while a call writes to it."""

    __slots__ = (
        "account_id", "department_id", "id", "operator_epoch", "operator_id", "seen", "seq", "session_key",
        "staff_seq", "state", "told_seq", "told_staff_seq", "uid",
    )  # fmt: skip

    def __init__(self, chat_id: int, row: Sequence[Any]) -> None:
        self.id = chat_id
        self.account_id: int = row[0]
        self.uid: str = row[1]
        self.state: str = row[2]
        self.department_id: int = row[3]
        self.operator_id: int | None = row[4]
        self.session_key: str = row[5]
        self.seq = self.told_seq = int(row[6])
        self.staff_seq = self.told_staff_seq = int(row[7])
        self.operator_epoch: int | None = row[8]  # None: nobody, or suspended
        self.seen = False

    def outcome(self, entry: Entry, status: Status, seq: int = 0, at: int = 0) -> Outcome:
        return Outcome(
            entry,
            status,
            seq,
            at,
            self.uid,
            self.state,
            self.department_id,
            self.operator_id,
            self.session_key,
        )


def lock(cursor: Cursor, entries: Iterable[Entry]) -> None:
    """PostgreSQL: take the chats' row locks, in one order for everybody, until the transaction ends.

    Alone, before anything is read: the statements after it see what was committed meanwhile.
    """
    sql = STATEMENTS["%s"].lock
    for chat_id in sorted({entry.chat_id for entry in entries}):
        cursor.execute(sql, (chat_id,))


def write(cursor: Cursor, tongue: Tongue, entries: Iterable[Entry], now: datetime) -> list[Outcome]:
    """Carry the entries out in order; the outcomes in the same order. Database errors are passed on."""
    return _Call(cursor, tongue, now).write(entries)


class _Call:
    """One transaction's worth of entries."""

    def __init__(self, cursor: Cursor, tongue: Tongue, now: datetime) -> None:
        self.cursor = cursor
        self.tongue = tongue
        self.sql = STATEMENTS[tongue.mark]
        self.at = in_ms(now)
        self.now = tongue.moment(now)
        self.chats: dict[int, Chat | None] = {}

    def write(self, entries: Iterable[Entry]) -> list[Outcome]:
        outcomes = [self._note(entry) if entry.kind == "note" else self._message(entry) for entry in entries]
        for chat in self.chats.values():
            if chat is not None:
                self._number(chat)
        return outcomes

    def _chat(self, entry: Entry) -> Chat | None:
        """None: there is no such chat in that account."""
        try:
            chat = self.chats[entry.chat_id]
        except KeyError:
            self.cursor.execute(self.sql.chat, (entry.chat_id,))
            row = self.cursor.fetchone()
            chat = self.chats[entry.chat_id] = Chat(entry.chat_id, row) if row else None
        return chat if chat is not None and chat.account_id == entry.account_id else None

    def _number(self, chat: Chat) -> None:
        now = self.now
        if chat.seq != chat.told_seq:
            if chat.seen:
                self.cursor.execute(self.sql.update_seen, (chat.seq, now, now, now, now, chat.id))
            else:
                self.cursor.execute(self.sql.update, (chat.seq, now, now, chat.id))
        if chat.staff_seq != chat.told_staff_seq:
            self.cursor.execute(self.sql.update_staff, (chat.staff_seq, chat.id))

    def _message(self, entry: Entry) -> Outcome:
        chat = self._chat(entry)
        author = entry.author
        if chat is None or (author == "visitor" and chat.session_key != entry.session_key):
            return _refused(entry)
        ref = self.tongue.uuid(entry.ref)
        fault = self._fault(chat, entry)
        if fault is None:
            facts = facts_of(entry)
            target = entry.target if entry.kind in CHANGES else None
            self.cursor.execute(
                self.sql.insert,
                (
                    chat.account_id, chat.id, chat.seq + 1, ref, author, entry.author_id, entry.kind,
                    entry.text, target, None if facts is None else json.dumps(facts), self.now,
                ),
            )  # fmt: skip
            if self.cursor.rowcount == 1:
                chat.seq += 1
                chat.seen = chat.seen or author == "visitor"
                if entry.kind in CHANGES:
                    self._retext(chat, entry)
                return chat.outcome(entry, "stored", chat.seq, self.at)
        # a known ref is answered with its old place, whatever has happened since
        self.cursor.execute(self.sql.known, (chat.id, author, entry.author_id, ref))
        return self._old(chat, entry, fault)

    def _fault(self, chat: Chat, entry: Entry) -> Status | None:
        """What forbids the row, in the order in which it is told."""
        if entry.author == "system" or entry.kind not in CHECKED:
            return None
        if entry.author == "operator" and (
            chat.operator_id != entry.author_id or chat.operator_epoch != entry.rights_epoch
        ):
            return "refused"
        if chat.state not in OPEN:
            return "closed"
        if entry.kind in CHANGES:
            self.cursor.execute(self.sql.target, (chat.id, entry.target or 0, entry.author, entry.author_id))
            if self.cursor.fetchone() is None or (entry.kind == "edit" and self._is_worn(chat, entry)):
                return "no_target"
        return None

    def _is_worn(self, chat: Chat, entry: Entry) -> bool:
        """An edit rewrites all edits before it, so that their number has an end (D-1)."""
        self.cursor.execute(self.sql.edits, (chat.id, entry.target))
        return bool(self.cursor.fetchone()[0] >= EDITS_MAX)

    def _retext(self, chat: Chat, entry: Entry) -> None:
        text, state = (entry.text, "edited") if entry.kind == "edit" else ("", "deleted")
        self.cursor.execute(self.sql.retext, (text, state, chat.id, entry.target))
        self.cursor.execute(self.sql.retext_edits, (text, chat.id, entry.target))

    def _note(self, entry: Entry) -> Outcome:
        chat = self._chat(entry)
        if chat is None or entry.author != "operator":
            return _refused(entry)
        ref = self.tongue.uuid(entry.ref)
        fault: Status | None = None
        self.cursor.execute(
            self.sql.may_note,
            (
                entry.author_id, chat.account_id, entry.rights_epoch, chat.operator_id or 0, chat.state,
                chat.department_id,
            ),
        )  # fmt: skip
        if self.cursor.fetchone() is None:
            fault = "refused"
        elif chat.state not in OPEN:
            fault = "closed"
        else:
            self.cursor.execute(
                self.sql.insert_note,
                (chat.account_id, chat.id, chat.staff_seq + 1, ref, entry.author_id, entry.text, self.now),
            )
            if self.cursor.rowcount == 1:
                chat.staff_seq += 1
                return chat.outcome(entry, "stored", chat.staff_seq, self.at)
        self.cursor.execute(self.sql.known_note, (chat.id, entry.author_id, ref))
        return self._old(chat, entry, fault)

    def _old(self, chat: Chat, entry: Entry, fault: Status | None) -> Outcome:
        row = self.cursor.fetchone()
        if row is not None:
            seq, moment = row
            if isinstance(moment, str):  # sqlite3 without Django's converters
                moment = datetime.fromisoformat(moment)
            return chat.outcome(entry, "known", seq, in_ms(moment))
        if fault is None:
            raise LookupError("a row was neither inserted nor found")
        return _refused(entry) if fault == "refused" else chat.outcome(entry, fault)


def _refused(entry: Entry) -> Outcome:
    return Outcome(entry, "refused")
