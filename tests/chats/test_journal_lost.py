"""What a socket is told when the database goes away under the journal."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection

from chats import journal
from chats.journal import Entry, Outcome
from chats.journal.writer import PostgresLink, Settled, SqliteLink, settle
from chats.models import Chat
from tests.chats.journal_hands import by_visitor, check_gapless, one, statuses, submitted, through

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_connections() -> Iterator[None]:
    """What a test has cut is not left to the next."""
    yield
    connection.close()
    if connection.vendor == "postgresql":
        empty_pool()


def empty_pool() -> None:
    pooled: Any = connection
    pooled.close_pool()


def end_all_others() -> None:
    """As a restart of PostgreSQL does it to everybody who is connected."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() AND backend_type = 'client backend'"
        )
        assert cursor.fetchone()[0] > 0


@pytest.fixture
def owner() -> Iterator[psycopg.Connection[Any]]:
    """Connected to another database of the same server."""
    told = connection.settings_dict
    with psycopg.connect(
        host=told["HOST"], port=told["PORT"], user=told["USER"], password=told["PASSWORD"], dbname="postgres",
        autocommit=True,
    ) as link:  # fmt: skip
        yield link


@pytest.mark.postgres
def test_after_a_restart_of_the_database_nobody_notices(active_chat: Chat) -> None:
    """The connection is dead, the next message finds it out and is stored all the same."""
    assert one("submit", by_visitor(active_chat, "before")).seq == 3
    end_all_others()
    assert one("submit", by_visitor(active_chat, "after")).seq == 4
    end_all_others()
    edit = by_visitor(active_chat, "after, indeed", kind="edit", target=4)
    assert one("submit", edit).seq == 5
    assert check_gapless(active_chat) == 5


@pytest.mark.postgres
def test_while_the_database_is_away_everybody_is_told(active_chat: Chat, owner: Any) -> None:
    """Told at once, not after a timeout; and the same refs are stored when it is back."""
    entries = [by_visitor(active_chat, f"message {number}") for number in range(5)]
    assert statuses(through("submit", entries[0])) == ["stored"]
    name = connection.settings_dict["NAME"]
    connection.close()
    empty_pool()
    owner.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

        async def scene() -> tuple[list[str], float]:
            loop = asyncio.get_running_loop()
            before = loop.time()
            return statuses(await submitted(entries)), loop.time() - before

        told, seconds = asyncio.run(scene())
    finally:
        owner.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        empty_pool()
    assert told == ["unavailable"] * 5
    assert seconds < 5
    assert statuses(through("submit", *entries)) == ["known"] + ["stored"] * 4
    assert check_gapless(active_chat) == 7


def test_a_commit_whose_answer_was_lost_is_still_news(active_chat: Chat) -> None:
    """Nobody else will publish it: the row is our own, although its ref is known by now."""
    Base: Any = PostgresLink if connection.vendor == "postgresql" else SqliteLink

    class Forgetful(Base):
        """The database carries out the first commit, and the line breaks before it can say so."""

        has_lost = False

        def store(self, entries: Sequence[Entry], *, together: bool) -> list[Outcome]:
            outcomes: list[Outcome] = super().store(entries, together=together)
            if self.has_lost:
                return outcomes
            self.has_lost = True
            self._wrapper.close()
            error = (
                psycopg.OperationalError if connection.vendor == "postgresql" else sqlite3.OperationalError
            )
            raise error("the line is dead")

    sent = [by_visitor(active_chat, "one"), by_visitor(active_chat, "two")]

    def write() -> tuple[list[Settled], list[Settled]]:
        link = Forgetful()
        try:
            return settle(link, sent, together=True), settle(link, sent, together=True)
        finally:
            link.close()

    with ThreadPoolExecutor(1) as own_thread:
        first, again = own_thread.submit(write).result(30)
    news = [(told.result.seq, told.is_news) for told in first if isinstance(told.result, Outcome)]
    assert news == [(3, True), (4, True)]
    assert [told.is_news for told in again] == [False, False]
    assert check_gapless(active_chat) == 4


def test_the_end_of_the_process_waits_for_what_is_on_its_way(active_chat: Chat) -> None:
    async def scene() -> list[str]:
        work = asyncio.ensure_future(submitted([by_visitor(active_chat, f"{n}") for n in range(300)]))
        await asyncio.sleep(0)
        await asyncio.to_thread(journal.stop)
        return statuses(await work)

    assert set(asyncio.run(scene())) == {"stored"}
    assert check_gapless(active_chat) == 302
