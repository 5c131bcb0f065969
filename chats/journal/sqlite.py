"""SQLite: any number of plain messages in three statements.

Each statement lets go of the interpreter's lock and has to win it back from the loop, which costs more than
the statement; so a batch has few of them. It is for what nearly always comes: new messages of people who may
write. Whatever else is in a batch sends it row by row (plain.py), in a transaction of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from chats.journal.entries import OPEN, Entry, Outcome
from chats.rows import in_ms

# UPDATE … FROM; an older SQLite takes every batch row by row
IS_ABLE = sqlite3.sqlite_version_info >= (3, 33)
# of one INSERT: older libraries take 999 parameters, and sqlite3 keeps 128 statements prepared
ROWS_MAX = 32

CHATS = """
SELECT json_group_array(json_array(c.id, c.account_id, c.uid, c.state, c.department_id, c.operator_id,
  c.session_key, c.last_seq, o.rights_epoch))
FROM chats_chat c LEFT JOIN accounts_operator o ON o.id = c.operator_id AND o.suspended_at IS NULL
WHERE c.id IN (SELECT value FROM json_each(?))"""
UPDATE = """
UPDATE chats_chat SET last_seq = new.seq, last_message_at = max(last_message_at, new.at),
  visitor_seen_at = CASE WHEN new.seen THEN max(visitor_seen_at, new.at) ELSE visitor_seen_at END
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS seq,
  json_extract(value, '$[2]') AS seen, ? AS at FROM json_each(?)) AS new
WHERE chats_chat.id = new.id"""

INSERT = """
INSERT INTO chats_message
  (account_id, chat_id, seq, ref, author, author_id, kind, text, text_state, created_at)
VALUES %s ON CONFLICT (chat_id, author, author_id, ref) DO NOTHING"""


class OneByOne(Exception):
    """There is more to say to a row than that it is stored. What was written must be rolled back."""


class _Chat(msgspec.Struct, array_like=True):
    """A row of CHATS. `operator_epoch` is None for nobody, and for somebody who is suspended."""

    id: int
    account_id: int
    uid: str
    state: str
    department_id: int
    operator_id: int | None
    session_key: str
    seq: int
    operator_epoch: int | None
    seen: bool = False


_chats = msgspec.json.Decoder(list[_Chat]).decode
_json = msgspec.json.Encoder().encode


@cache
def _insert(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, 'text', ?, '', ?)"] * rows)
    return INSERT.replace("%s", values)


def write_texts(
    cursor: sqlite3.Cursor, entries: Sequence[Entry], now: datetime, moment: str
) -> list[Outcome]:
    """Store messages of kind `text`, no `ref` twice, inside the caller's transaction; `moment` is `now` as
    the database keeps it. Raises OneByOne unless every one of them is new and allowed; sqlite3's errors."""
    at = in_ms(now)
    cursor.execute(CHATS, (_json(list({entry.chat_id for entry in entries})).decode(),))
    chats = {chat.id: chat for chat in _chats(cursor.fetchone()[0])}
    outcomes: list[Outcome] = []
    values: list[Any] = []
    for entry in entries:
        chat = chats.get(entry.chat_id)
        if chat is None or not _may(entry, chat):
            raise OneByOne
        chat.seq += 1
        chat.seen = chat.seen or entry.author == "visitor"
        values += (
            chat.account_id, chat.id, chat.seq, entry.ref.hex, entry.author, entry.author_id, entry.text,
            moment,
        )  # fmt: skip
        facts = (chat.uid, chat.state, chat.department_id, chat.operator_id, chat.session_key)
        outcomes.append(Outcome(entry, "stored", chat.seq, at, *facts))
    _insert_all(cursor, values, len(entries))
    cursor.execute(UPDATE, (moment, _json([(c.id, c.seq, c.seen) for c in chats.values()]).decode()))
    return outcomes


def _may(entry: Entry, chat: _Chat) -> bool:
    if chat.account_id != entry.account_id:
        return False
    if entry.author == "visitor":
        return chat.session_key == entry.session_key and chat.state in OPEN
    if entry.author == "operator":
        return (
            chat.operator_id == entry.author_id
            and chat.operator_epoch == entry.rights_epoch
            and chat.state in OPEN
        )
    return False


def _insert_all(cursor: sqlite3.Cursor, values: list[Any], count: int) -> None:
    width = len(values) // count
    for done in range(0, count, ROWS_MAX):
        rows = min(ROWS_MAX, count - done)
        cursor.execute(_insert(rows), values[done * width : (done + rows) * width])
        if cursor.rowcount != rows:  # a ref was there before
            raise OneByOne
