"""The two doors of the journal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction

from chatlead.errors import ChatLeadError
from chatlead.realtime.hub import Member
from chatlead.realtime.publish import publish, publish_committed
from chatlead.realtime.topics import Topic
from chats.journal.entries import CHECKED, Entry, Outcome, event_of, now_in_ms, topics_of
from chats.journal.measured import Measured
from chats.journal.plain import lock, write
from chats.journal.writer import Link, PostgresLink, SqliteLink, Told, Waiting, Writer, tongue_of

# By chat, so that each chat has its one writer: with one thread alone a lone message would wait for the
# commit of somebody else's. SQLite has one write lock, so one thread.
POSTGRES_WRITERS = 2

_writers: tuple[Writer, ...] = ()
_guard = threading.Lock()


def submit(
    entry: Entry, callback: Callable[[Outcome | ChatLeadError], None], skip: Member | None = None
) -> None:
    """The sockets' door: returns at once; on this loop, after the commit, the event is published to
    `topics_of` (not to `skip`, the sender) and `callback` gets the outcome.

    It gets `Unavailable` where the database is away (the same `ref` may be sent again) and `BadField`
    where the row itself cannot be stored; neither harms a neighbour. Only messages, edits, deletions and
    notes; raises RuntimeError inside `atomic()`, where waiting for another connection's commit may hang
    for ever.
    """
    loop = asyncio.get_running_loop()
    if _connection_of(loop).in_atomic_block:
        raise RuntimeError("inside atomic() use append(): submit() writes on another connection")
    if entry.kind not in CHECKED:
        raise ValueError(f"{entry.kind} rows are part of an action: use append()")

    def tell(result: Told, is_news: bool) -> None:
        if is_news and isinstance(result, Outcome):
            publish_committed(event_of(result), topics_of(result), skip)
        callback(result)

    writers = _writers or _start()
    writers[entry.chat_id % len(writers)].submit(Waiting(entry, loop, tell))


_of_loop: tuple[asyncio.AbstractEventLoop | None, Any] = (None, None)


def _connection_of(loop: asyncio.AbstractEventLoop) -> Any:
    """The connection of the loop's thread. Kept, because looking it up costs as much as decoding a frame."""
    global _of_loop
    if _of_loop[0] is not loop:
        _of_loop = (loop, transaction.get_connection())
    return _of_loop[1]


def append(entries: Iterable[Entry], also: Sequence[Topic] = ()) -> list[Outcome]:
    """The actions' door: writes on the caller's connection inside the caller's `atomic()`.

    Everything is committed or nothing; what is stored is published on commit, to `topics_of` the outcome
    (the chat as it is now, so update it first) and to `also`. On PostgreSQL the chats' rows stay locked
    until the end of the transaction. Raises TransactionManagementError outside of `atomic()`.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("append() writes inside the caller's atomic()")
    entries = list(entries)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            lock(cursor, entries)
        outcomes = write(cursor, tongue_of(connection), entries, now_in_ms())
    for outcome in outcomes:
        if outcome.status == "stored":
            publish(event_of(outcome), *dict.fromkeys((*topics_of(outcome), *also)))
    return outcomes


def stop() -> None:
    """Write what waits and end the threads and their connections; the next `submit` starts them anew.

    For the end of a process, and of a test. Blocks until done, so never on a loop that serves.
    """
    global _writers
    with _guard:
        writers, _writers = _writers, ()
    for writer in writers:
        writer.stop()


def depth() -> int:
    """How many entries were submitted and wait for a writer of this process."""
    return sum(writer.depth for writer in _writers)


def _start() -> tuple[Writer, ...]:
    global _writers
    with _guard:
        if not _writers:
            on_postgres = transaction.get_connection().vendor == "postgresql"
            kind = PostgresLink if on_postgres else SqliteLink

            def link() -> Link:
                return Measured(kind())

            _writers = tuple(
                Writer(f"journal-{number}", link) for number in range(POSTGRES_WRITERS if on_postgres else 1)
            )
        return _writers
