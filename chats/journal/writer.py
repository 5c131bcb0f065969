"""The threads that write what the sockets send.

While one commit runs, arrivals queue; the next commit takes them all. No timer: a lone message is
written at once, and under load the batches grow by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from queue import SimpleQueue
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from chatlead.errors import BadField, ChatLeadError, Unavailable
from chatlead.metrics import DELIVERY
from chatlead.sqlite import journal_first
from chats.journal import sqlite
from chats.journal.entries import Entry, Outcome, now_in_ms
from chats.journal.plain import Tongue, lock, write

logger = logging.getLogger(__name__)

BATCH_MAX = 256
QUEUE_MAX = 10_000  # beyond it the database hangs, and everybody is told so
CONNECT_SECONDS = 5

Told = Outcome | ChatLeadError


class Waiting(NamedTuple):
    """An entry on its way; `tell(result, publish)` runs on `loop` once it is settled."""

    entry: Entry
    loop: asyncio.AbstractEventLoop
    tell: Callable[[Told, bool], None]


class Settled(NamedTuple):
    """`is_news`: this process has to publish it."""

    result: Told
    is_news: bool


def tongue_of(connection: BaseDatabaseWrapper, mark: str = "%s") -> Tongue:
    """How `connection` takes parameters; `mark` is "?" for the bare cursors of sqlite3."""
    native = connection.features.has_native_uuid_field
    return Tongue(mark, _as_it_is if native else _hex, connection.ops.adapt_datetimefield_value)


def _as_it_is(value: Any) -> Any:
    return value


def _hex(value: Any) -> str:
    return str(value.hex)


class Link(Protocol):
    """A writer's own connection. Made again by the next `store` after `close`."""

    def store(self, entries: Sequence[Entry], *, together: bool) -> list[Outcome]:
        """One transaction, committed on return. `together`: by the set statement, where there is one."""

    def together(self, entry: Entry) -> bool:
        """Whether the set statement can take it."""

    def is_lost(self, error: Exception) -> bool:
        """Whether the database, and not a row, is to blame."""

    def close(self) -> None: ...


class PostgresLink:
    """Outside of Django's pool, whose waiting for a connection would make everybody wait with it."""

    def __init__(self) -> None:
        from chats.journal import postgres

        self._postgres = postgres
        wrapper = connections.create_connection(DEFAULT_DB_ALIAS)
        options = {key: value for key, value in wrapper.settings_dict["OPTIONS"].items() if key != "pool"}
        options.setdefault("connect_timeout", CONNECT_SECONDS)
        wrapper.settings_dict = {**wrapper.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": None}
        # this thread's own from here on, so that `transaction.atomic` means it
        connections[DEFAULT_DB_ALIAS] = wrapper
        self._wrapper: Any = wrapper
        self._tongue = tongue_of(wrapper)
        self._cursor: Any = None
        self._used: Any = None

    def store(self, entries: Sequence[Entry], *, together: bool) -> list[Outcome]:
        self._used = None
        self._wrapper.ensure_connection()
        self._used = self._wrapper.connection
        if together:
            return self._postgres.write_texts(self._set_cursor(), entries, now_in_ms())
        with transaction.atomic(durable=True), self._wrapper.cursor() as cursor:
            lock(cursor, entries)
            return write(cursor, self._tongue, entries, now_in_ms())

    def _set_cursor(self) -> Any:
        if self._cursor is None or self._cursor.connection is not self._used:
            with self._wrapper.cursor() as cursor:
                cursor.execute(self._postgres.SESSION)
            self._cursor = self._postgres.binding_cursor(self._used)
        return self._cursor

    def together(self, entry: Entry) -> bool:
        return entry.kind == "text"

    def is_lost(self, error: Exception) -> bool:
        # not the wrapper's present connection: leaving atomic() may have made a new one
        return self._used is None or bool(self._used.closed)

    def close(self) -> None:
        self._cursor = None
        self._wrapper.close()


class SqliteLink:
    """Bare cursors of sqlite3 inside Django's transaction: they take the statements as they are."""

    def __init__(self) -> None:
        self._wrapper: Any = connections.create_connection(DEFAULT_DB_ALIAS)
        connections[DEFAULT_DB_ALIAS] = self._wrapper
        self._tongue = tongue_of(self._wrapper, "?")

    def store(self, entries: Sequence[Entry], *, together: bool) -> list[Outcome]:
        if sqlite.IS_ABLE and len(entries) > 1 and all(entry.kind == "text" for entry in entries):
            with contextlib.suppress(sqlite.OneByOne):
                return self._store_texts(entries)
        with transaction.atomic(durable=True):
            return write(self._wrapper.connection.cursor(), self._tongue, entries, now_in_ms())

    def _store_texts(self, entries: Sequence[Entry]) -> list[Outcome]:
        """As `atomic()` does, at a fifth of its price; this thread uses the connection for nothing else."""
        wrapper = self._wrapper
        wrapper.ensure_connection()
        cursor = wrapper.connection.cursor()
        now = now_in_ms()
        wrapper.take_turn()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            outcomes = sqlite.write_texts(cursor, entries, now, self._tongue.moment(now))
            cursor.execute("COMMIT")
        finally:
            if wrapper.connection.in_transaction:
                cursor.execute("ROLLBACK")
            wrapper.end_turn()
        return outcomes

    def together(self, entry: Entry) -> bool:
        return True  # what is not for the set statement need not wait for another commit

    def is_lost(self, error: Exception) -> bool:
        import sqlite3

        return isinstance(error, OperationalError | sqlite3.OperationalError)

    def close(self) -> None:
        self._wrapper.close()


class Writer:
    """One thread with one connection. `submit` from any thread; results come on the submitter's loop.

    What the sockets of one loop submit during one turn of it is handed over together, at its end: one wake-up
    of the thread instead of one a message, each of which may cost the loop the interpreter's lock.
    """

    def __init__(self, name: str, link: Callable[[], Link]) -> None:
        self._queue: SimpleQueue[list[Waiting] | None] = SimpleQueue()
        self._turns: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}  # not handed over yet
        self._given = self._taken = 0
        self._is_open = True
        self._guard = threading.Lock()  # of all these, against other threads
        self._make_link = link
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many entries were submitted and are not in a batch yet."""
        return self._given - self._taken

    def submit(self, waiting: Waiting) -> None:
        loop = waiting.loop
        with self._guard:
            if self._is_open and self._given - self._taken < QUEUE_MAX:
                self._given += 1
                turn = self._turns.get(loop)
                if turn is not None:
                    turn.append(waiting)
                elif asyncio._get_running_loop() is loop:
                    self._turns[loop] = [waiting]
                    loop.call_soon(self._hand_over, loop)
                else:
                    self._queue.put([waiting])
                return
        loop.call_soon_threadsafe(waiting.tell, Unavailable(), False)

    def stop(self) -> None:
        """Write what waits, tell, close the connection; returns when that is done. What is submitted
        afterwards is told `Unavailable`."""
        with self._guard:
            self._is_open = False
            for turn in self._turns.values():  # of loops that had no next turn
                self._queue.put(turn)
            self._turns.clear()
            self._queue.put(None)
        self._thread.join()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._guard:
            turn = self._turns.pop(loop, None)
            if turn is not None:
                self._queue.put(turn)

    def _run(self) -> None:
        link = self._make_link()
        queue = self._queue
        arrived: list[Waiting] = []
        is_open = True
        with journal_first():
            while is_open or arrived:
                # the only reader, so that what is counted can be taken
                while is_open and (not arrived or (queue.qsize() and len(arrived) < BATCH_MAX)):
                    turn = queue.get()
                    if turn is None:
                        is_open = False
                    else:
                        arrived += turn
                batch, arrived = arrived[:BATCH_MAX], arrived[BATCH_MAX:]
                self._taken += len(batch)
                if batch:
                    self._carry_out(link, batch)
        link.close()

    def _carry_out(self, link: Link, batch: list[Waiting]) -> None:
        settled: list[Settled] = []
        for together, run in _runs(link, [waiting.entry for waiting in batch]):
            settled += settle(link, run, together=together)
        pairs = list(zip(batch, settled, strict=True))
        for loop, share in groupby(pairs, key=_loop):
            try:
                loop.call_soon_threadsafe(_tell, list(share), perf_counter())
            except RuntimeError:  # that loop is closed: nobody is there to be told
                pass


def _loop(pair: tuple[Waiting, Settled]) -> asyncio.AbstractEventLoop:
    return pair[0].loop


def _tell(pairs: list[tuple[Waiting, Settled]], committed_at: float) -> None:
    for waiting, (result, is_news) in pairs:
        try:
            waiting.tell(result, is_news)
        except Exception as error:  # one socket's fault is not its neighbours'
            logger.error("the answer to a stored row failed: %s", type(error).__name__)
    DELIVERY.observe(perf_counter() - committed_at)


def _runs(link: Link, entries: list[Entry]) -> Iterator[tuple[bool, list[Entry]]]:
    """The entries in order, cut where the way of writing changes and before a `ref` that comes again."""
    run: list[Entry] = []
    seen: set[tuple[object, ...]] = set()
    way = True
    for entry in entries:
        together = link.together(entry)
        key = (entry.ref, entry.chat_id, entry.author, entry.author_id)
        if run and (together is not way or key in seen):
            yield way, run
            run = []
            seen.clear()
        way = together
        run.append(entry)
        seen.add(key)
    if run:
        yield way, run


def settle(link: Link, entries: list[Entry], *, together: bool) -> list[Settled]:
    """The outcome of each entry, whatever happens to the database or to a neighbour.

    1. After a lost connection once more, because nobody knows whether the commit had succeeded: a known
       `ref` is then our own row, not yet published. If that fails too, everybody is told `Unavailable`.
    2. After any other error nothing is written: then one by one, and only the bad row fails.
    """
    was_lost = False
    for _ in range(2):
        try:
            outcomes = link.store(entries, together=together)
        except Exception as error:
            if not link.is_lost(error):
                fault = error
                break
            logger.warning("the journal lost its database: %s", type(error).__name__)
            link.close()
            was_lost = True
        else:
            return [Settled(outcome, _is_news(outcome, was_lost)) for outcome in outcomes]
    else:
        return [Settled(Unavailable(), False)] * len(entries)
    if len(entries) == 1 and not together:
        return [Settled(_explained(fault), False)]
    return [settled for entry in entries for settled in settle(link, [entry], together=False)]


def _is_news(outcome: Outcome, was_lost: bool) -> bool:
    return outcome.status == "stored" or (was_lost and outcome.status == "known")


def _explained(error: Exception) -> ChatLeadError:
    """The text of a database error may hold what somebody wrote, so only its class is logged (R-109)."""
    logger.error("a row could not be stored: %s", type(error).__name__)
    if isinstance(error, DataError | IntegrityError | ValueError | OverflowError):
        return BadField("This cannot be stored.")
    return Unavailable()
