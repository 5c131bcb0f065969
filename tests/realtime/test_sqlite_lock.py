"""SQLite's writers take turns: first come, first served, the journal before all others (trials E)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import ConnectionHandler, OperationalError

from chatlead.sqlite import FairLock, journal_first
from chatlead.sqlite.base import lock_of, writes

pytestmark = pytest.mark.once


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: Any) -> Iterator[ConnectionHandler]:
    """A file with a table `line(who)`; each thread gets a connection of its own, as in Django."""
    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "chatlead.sqlite",
                "NAME": tmp_path / "db.sqlite3",
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 5,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
                },
            }
        }
    )
    with django_db_blocker.unblock():
        handler["default"].cursor().execute("CREATE TABLE line (who TEXT)")
        yield handler
        handler.close_all()


@contextmanager
def atomic(connection: Any) -> Iterator[None]:
    """What transaction.atomic() does, on a connection that has no alias."""
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    else:
        connection.commit()
    finally:
        connection.set_autocommit(True)


def write(connection: Any, who: str) -> None:
    connection.cursor().execute("INSERT INTO line VALUES (%s)", [who])


def lines(database: ConnectionHandler) -> list[str]:
    return [who for (who,) in database["default"].cursor().execute("SELECT who FROM line ORDER BY rowid")]


class Threads:
    """Threads that are started one after the other, each (if it `waits`) when the one before is in line."""

    def __init__(self, database: ConnectionHandler) -> None:
        self.database = database
        self.threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []

    def start(self, work: Callable[[Any], None], *, first: bool = False, waits: bool = True) -> None:
        def body() -> None:
            connection = self.database["default"]
            try:
                with journal_first() if first else nullcontext():
                    work(connection)
            except BaseException as error:
                self.errors.append(error)
            finally:
                connection.close()

        lock = lock_of(str(self.database["default"].settings_dict["NAME"]))
        before = len(lock._first) + len(lock._others)
        thread = threading.Thread(target=body)
        thread.start()
        self.threads.append(thread)
        end = time.monotonic() + 5
        while (
            waits and lock._held and len(lock._first) + len(lock._others) == before and time.monotonic() < end
        ):
            time.sleep(0.001)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(10)
        assert self.errors == []


def test_whoever_came_first_writes_first_and_the_journal_before_all(database: ConnectionHandler) -> None:
    threads = Threads(database)
    with atomic(database["default"]):
        write(database["default"], "holder")
        for who in ("a", "b", "c"):
            threads.start(lambda connection, who=who: write(connection, who))  # type: ignore[misc]
        threads.start(lambda connection: write(connection, "journal"), first=True)
    threads.join()
    assert lines(database) == ["holder", "journal", "a", "b", "c"]


def test_a_transaction_keeps_its_turn_until_it_ends(database: ConnectionHandler) -> None:
    threads = Threads(database)
    with pytest.raises(ZeroDivisionError), atomic(database["default"]):
        write(database["default"], "rolled back")
        threads.start(lambda connection: write(connection, "next"))
        write(database["default"], "rolled back too")
        raise ZeroDivisionError
    threads.join()
    assert lines(database) == ["next"]


def test_reading_waits_for_nobody(database: ConnectionHandler) -> None:
    threads = Threads(database)
    seen: list[int] = []
    with atomic(database["default"]):
        write(database["default"], "not yet")

        def read(connection: Any) -> None:
            seen.append(connection.cursor().execute("SELECT count(*) FROM line").fetchone()[0])

        threads.start(read, waits=False)
        threads.join()
        assert seen == [0]


def test_a_connection_that_is_closed_in_the_middle_gives_its_turn_back(database: ConnectionHandler) -> None:
    threads = Threads(database)

    def vanish(connection: Any) -> None:
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        write(connection, "half")
        connection.close()

    threads.start(vanish)
    threads.join()
    write(database["default"], "after")
    assert lines(database) == ["after"]


def test_a_statement_that_fails_gives_its_turn_back(database: ConnectionHandler) -> None:
    for _ in range(3):
        with pytest.raises(OperationalError, match="no such table"):
            database["default"].cursor().execute("INSERT INTO nowhere VALUES (1)")
    write(database["default"], "after")
    assert lines(database) == ["after"]


def test_waiting_ends_with_the_timeout(database: ConnectionHandler) -> None:
    errors: list[Exception] = []

    def wait(connection: Any) -> None:
        connection.settings_dict["OPTIONS"] = connection.settings_dict["OPTIONS"] | {"timeout": 0.1}
        try:
            write(connection, "in vain")
        except OperationalError as error:
            errors.append(error)

    threads = Threads(database)
    with atomic(database["default"]):
        threads.start(wait)
        threads.join()
    assert "database is locked" in str(errors[0])
    write(database["default"], "after")
    assert lines(database) == ["after"]


def test_a_busy_writer_starves_nobody(database: ConnectionHandler) -> None:
    """SQLite's own busy handler gave others 8 to 130 turns against 3,600 (trials E)."""
    stop = threading.Event()
    counts = {"greedy": 0, "second": 0, "third": 0}

    def busy(who: str) -> Callable[[Any], None]:
        def work(connection: Any) -> None:
            while not stop.is_set():
                with atomic(connection):
                    write(connection, who)
                counts[who] += 1

        return work

    threads = Threads(database)
    for who in counts:
        threads.start(busy(who), waits=False)
    time.sleep(0.6)
    stop.set()
    threads.join()
    assert min(counts.values()) > 20
    assert max(counts.values()) < 3 * min(counts.values())
    assert len(lines(database)) == sum(counts.values())


@pytest.mark.parametrize(
    ("sql", "does"),
    [
        ("SELECT 1", False),
        ("\n  select * from line", False),
        ("PRAGMA table_info(line)", False),
        ("EXPLAIN QUERY PLAN DELETE FROM line", False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", False),
        ("WITH x AS (SELECT 1) INSERT INTO line SELECT * FROM x", True),
        ("INSERT INTO line VALUES (1)", True),
        ("insert into line values (1) returning who", True),
        ("UPDATE line SET who = 1", True),
        ("DELETE FROM line", True),
        ("REPLACE INTO line VALUES (1)", True),
        ("CREATE TABLE x (y)", True),
        ("VACUUM", True),
        ("", False),
    ],
)
def test_what_writes_is_known_and_in_doubt_it_does(sql: str, does: bool) -> None:
    assert writes(sql) == does


def test_a_lock_that_nobody_holds_is_there_at_once_and_again() -> None:
    lock = FairLock()
    for _ in range(3):
        assert lock.acquire(0)
        assert not lock.acquire(0.01)
        lock.release()


def test_many_threads_and_short_timeouts_never_lose_the_lock() -> None:
    """A turn handed over in the moment of a timeout is taken, not dropped."""
    lock = FairLock()
    inside, taken, done = 0, 0, threading.Event()

    def work() -> None:
        nonlocal inside, taken
        while not done.is_set():
            if lock.acquire(0.0002):
                inside += 1
                assert inside == 1
                taken += 1
                inside -= 1
                lock.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    done.set()
    for thread in threads:
        thread.join(5)
    assert taken > 100
    assert lock.acquire(1)
