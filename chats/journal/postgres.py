"""PostgreSQL: any number of plain messages in one statement, one round trip, one commit.

The messages travel as one JSON text: psycopg needs some 20 us a row to write eight arrays, msgspec and
PostgreSQL's own reader together a third of that.

1. `held` locks the chats in the order of their ids (the one order that everybody keeps) and returns them
   as they are once the lock is ours, not as they were when the statement began.
2. `told` decides on each message: known ref, rights, state.
3. `raised` counts the chats up, `numbered` deals the numbers out, `written` inserts.

What `told` reads of `chats_message` is as old as the statement. So if another process commits the same
`ref` while we wait for the lock, the unique constraint stops us: then the rows go one by one, each with
the lock first (`plain.lock`). A batch may not hold one `ref` twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from chats.journal.entries import Entry, Outcome
from chats.rows import in_ms

if TYPE_CHECKING:
    import psycopg

STATEMENT = """
WITH sent AS MATERIALIZED (
  SELECT * FROM ROWS FROM (json_to_recordset(%s::json) AS (
    chat_id bigint, account_id bigint, author text, author_id bigint, rights_epoch bigint, session_key text,
    ref uuid, text text)) WITH ORDINALITY
    AS t (chat_id, account_id, author, author_id, rights_epoch, session_key, ref, text, place)
), held AS MATERIALIZED (
  SELECT id, account_id, uid, state, department_id, operator_id, session_key FROM chats_chat
  WHERE id IN (SELECT chat_id FROM sent) ORDER BY id FOR NO KEY UPDATE
), told AS MATERIALIZED (
  SELECT t.*, h.uid, h.state, h.department_id, h.operator_id, h.session_key AS chat_key,
    m.seq AS known_seq, m.created_at AS known_at,
    CASE
      WHEN h.id IS NULL OR (t.author = 'visitor' AND h.session_key <> t.session_key) THEN 'refused'
      WHEN m.seq IS NOT NULL THEN 'known'
      WHEN t.author = 'operator' AND (h.operator_id IS DISTINCT FROM t.author_id OR o.id IS NULL)
        THEN 'refused'
      WHEN h.state NOT IN ('waiting', 'active') AND t.author <> 'system' THEN 'closed'
      ELSE 'stored'
    END AS status
  FROM sent t
  LEFT JOIN held h ON h.id = t.chat_id AND h.account_id = t.account_id
  LEFT JOIN LATERAL (
    SELECT seq, created_at FROM chats_message m
    WHERE m.chat_id = t.chat_id AND m.author = t.author AND m.author_id = t.author_id AND m.ref = t.ref
    LIMIT 1
  ) m ON true
  LEFT JOIN LATERAL (
    SELECT id FROM accounts_operator o
    WHERE t.author = 'operator' AND o.id = t.author_id AND o.rights_epoch = t.rights_epoch
      AND o.suspended_at IS NULL LIMIT 1
  ) o ON true
), raised AS (
  UPDATE chats_chat c SET last_seq = c.last_seq + n.count,
    last_message_at = GREATEST(c.last_message_at, %s),
    visitor_seen_at = CASE WHEN n.seen THEN GREATEST(c.visitor_seen_at, %s) ELSE c.visitor_seen_at END
  FROM (
    SELECT chat_id, count(*), bool_or(author = 'visitor') AS seen FROM told
    WHERE status = 'stored' GROUP BY chat_id
  ) n
  WHERE c.id = n.chat_id RETURNING c.id, c.last_seq - n.count AS base
), numbered AS (
  SELECT place, base + row_number() OVER (PARTITION BY chat_id ORDER BY place) AS seq
  FROM told JOIN raised ON raised.id = chat_id WHERE status = 'stored'
), written AS (
  INSERT INTO chats_message (account_id, chat_id, seq, ref, author, author_id, kind, text, text_state,
    created_at)
  SELECT account_id, chat_id, seq, ref, author, author_id, 'text', text, '', %s
  FROM told JOIN numbered USING (place)
)
SELECT status, coalesce(seq, known_seq, 0), known_at, coalesce(uid, ''), coalesce(state, ''),
  coalesce(department_id, 0), operator_id, coalesce(chat_key, '')
FROM told LEFT JOIN numbered USING (place) ORDER BY place
"""

# The plan must stay the same whatever the statistics say of a young table: look rows up by index.
SESSION = "SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"

_encode = msgspec.json.Encoder().encode


def write_texts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], now: datetime) -> list[Outcome]:
    """Store messages of kind `text`, no `ref` twice; `cursor` binds on the server and is in autocommit.

    Raises psycopg's errors, IntegrityError where the same `ref` is being stored elsewhere right now.
    """
    cursor.execute(STATEMENT, (_encode(entries).decode(), now, now, now), prepare=True)
    at = in_ms(now)
    outcomes: list[Outcome] = []
    for entry, (status, seq, known_at, uid, state, department, operator, key) in zip(
        entries, cursor.fetchall(), strict=True
    ):
        if status == "refused":
            outcomes.append(Outcome(entry, status))
            continue
        told_at = at if status == "stored" else in_ms(known_at) if known_at is not None else 0
        outcomes.append(Outcome(entry, status, seq, told_at, uid, state, department, operator, key))
    return outcomes


def binding_cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that prepares on the server; Django's own fill the parameters in on our side."""
    from psycopg import Cursor

    connection.prepare_threshold = 0
    return Cursor(connection)
