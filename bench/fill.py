"""`python -m bench.fill MESSAGES`: old, closed chats of the demo's account, in the real tables.

Runs before the server, on its database: migrates and makes the demo first. One visitor, session, chat and
message are made by the models; the rest are copies of these rows, 20 messages a chat, with keys, refs and
texts of their own, made by the database itself. Prints {"messages", "chats", "seconds", "bytes"}.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Operator, Site  # noqa: E402
from bench.chat_log import uuid7  # noqa: E402
from chats.models import Chat, Message  # noqa: E402
from visitors.models import Visitor, VisitorSession  # noqa: E402

A_CHAT = 20  # messages
A_STEP = 250_000  # rows of one statement
SQLITE = connection.vendor == "sqlite"
TEXT = "I have a question about order "
REF = "lower(hex(randomblob(16)))" if SQLITE else "gen_random_uuid()"
UID = "lower(hex(randomblob(11)))" if SQLITE else "left(replace(gen_random_uuid()::text, '-', ''), 22)"
KEY = "lower(hex(randomblob(32)))" if SQLITE else "md5(n::text) || replace(gen_random_uuid()::text, '-', '')"


def main(count: int) -> dict[str, Any]:
    started = time.monotonic()
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    with Path(os.devnull).open("w") as nowhere:
        call_command("demo", skip_checks=True, stdout=nowhere)
    chats = -(-count // A_CHAT)
    with _hurrying():
        visitor, session, chat, message = _patterns()
        base = {pattern: pattern.pk for pattern in (visitor, session, chat)}
        for first, last in _steps(chats):
            rows = _numbers(first, last)
            _copy(visitor, rows, id=f"{base[visitor]} + n", uid=UID, number="1000 + n", browser_key=KEY)
            _copy(session, rows, id=f"{base[session]} + n", key=KEY, visitor_id=f"{base[visitor]} + n")
            _copy(
                chat, rows, id=f"{base[chat]} + n", uid=UID, session_key=KEY, start_ref=REF,
                visitor_id=f"{base[visitor]} + n", session_id=f"{base[session]} + n",
            )  # fmt: skip
        for first, last in _steps(count):
            author = "n % 2 = 1"
            _copy(
                message, _numbers(first, last), chat_id=f"{base[chat]} + 1 + (n - 1) / {A_CHAT}",
                seq=f"1 + (n - 1) % {A_CHAT}", ref=REF, text=f"'{TEXT}' || n",
                author=f"CASE WHEN {author} THEN 'visitor' ELSE 'operator' END",
                author_id=f"CASE WHEN {author} THEN 0 ELSE {chat.operator_id} END",
            )  # fmt: skip
        Site.objects.filter(pk=visitor.site_id).update(visitor_count=1000 + chats)
    return {
        "messages": Message.objects.count(),
        "chats": chats,
        "seconds": round(time.monotonic() - started, 1),
        "bytes": _size(),
    }


def _patterns() -> tuple[Visitor, VisitorSession, Chat, Message]:
    """The rows that are copied: a chat that ended a month ago."""
    olga = Operator.objects.get(user__email="olga@demo.test")
    site = Site.objects.filter(account=olga.account_id).order_by("id")[0]
    department = olga.departments.order_by("id")[0]
    then = timezone.now() - timedelta(days=30)
    with transaction.atomic():
        of = {"account_id": olga.account_id, "site": site}
        visitor = Visitor.objects.create(**of, number=1000, name="Vera", email="vera@example.com")
        session = VisitorSession.objects.create(**of, visitor=visitor, key=UUID(uuid7()).hex * 2)
        chat = Chat.objects.create(
            **of, department=department, visitor=visitor, session=session, session_key=session.key,
            operator=olga, start_ref=UUID(uuid7()), state=Chat.State.CLOSED, last_seq=A_CHAT, started_at=then,
            accepted_at=then, closed_at=then, last_message_at=then, visitor_seen_at=then,
        )  # fmt: skip
        message = Message.objects.create(
            account_id=olga.account_id, chat=chat, seq=1, ref=UUID(uuid7()), author="visitor", kind="text",
            text=TEXT, created_at=then,
        )  # fmt: skip
    return visitor, session, chat, message


def _steps(count: int) -> Iterator[tuple[int, int]]:
    for first in range(1, count + 1, A_STEP):
        yield first, min(count, first + A_STEP - 1)


def _numbers(first: int, last: int) -> str:
    """A table of the numbers n."""
    if SQLITE:
        return (
            f"(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) "
            "SELECT n FROM s)"
        )
    return f"generate_series({first}::bigint, {last}::bigint) AS numbers(n)"


def _copy(pattern: models.Model, rows: str, **own: str) -> None:
    """A copy of the pattern for each number, with expressions of `n` for the columns that are its own."""
    table = pattern._meta.db_table
    every = [str(field.column) for field in pattern._meta.concrete_fields]
    columns = [column for column in every if column != "id" or "id" in own]
    values = [own.get(column, f'pattern."{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "
            f"FROM {rows}, {table} AS pattern WHERE pattern.id = {pattern.pk}"
        )


# --- quickly, and afterwards as if it had been done slowly ------------------------------------------------


@contextlib.contextmanager
def _hurrying() -> Iterator[None]:
    """Nothing is safe until the end, when everything is on the disk, indexed, checked and analysed."""
    if SQLITE:
        with _sqlite_hurrying():
            yield
    else:
        with _postgres_hurrying():
            yield


@contextlib.contextmanager
def _sqlite_hurrying() -> Iterator[None]:
    run = connection.cursor().execute
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "foreign_keys = OFF"):
        run(f"PRAGMA {pragma}")
    yield
    connection.close()
    file = os.open(connection.settings_dict["NAME"], os.O_RDONLY)
    os.fsync(file)
    os.close(file)


@contextlib.contextmanager
def _postgres_hurrying() -> Iterator[None]:
    """Foreign keys are checked in one go; an index is built faster than it grows."""
    tables = ("visitors_visitor", "visitors_visitorsession", "chats_chat", "chats_message")
    with connection.cursor() as cursor:
        cursor.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'"
        )
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype IN ('f', 'u') AND conrelid = ANY(%s::regclass[]) ORDER BY contype DESC",
            [list(tables)],
        )
        constraints = cursor.fetchall()
        for table, name, _ in reversed(constraints):
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        yield
        for table in tables[:3]:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        for table, name, definition in constraints:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for table in tables:
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def _size() -> int:
    if SQLITE:
        return Path(connection.settings_dict["NAME"]).stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
