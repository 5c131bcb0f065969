"""What a test has committed is gone before the next one: only tables in which something stands are emptied.

In place of Django's `flush`, which makes every table anew and then writes content types and permissions
again, for each test. Those two are what the migrations have made of them, and stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.test import TransactionTestCase

KEPT = {ContentType._meta.db_table, Permission._meta.db_table}


@cache
def _tables(alias: str) -> list[str]:
    """All tables that a test may write, quoted."""
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [connection.ops.quote_name(name) for name in sorted({*names} - KEPT)]


def empty(alias: str) -> None:
    """Whoever still writes is waited for, as TRUNCATE would wait. Foreign keys are looked at in the end."""
    tables = _tables(alias)
    is_filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables
    )
    with transaction.atomic(alias, durable=True), connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        cursor.execute(is_filled)
        for [table] in cursor.fetchall():
            with _unguarded(cursor, connections[alias].vendor, table):
                cursor.execute(f"DELETE FROM {table}")


@contextmanager
def _unguarded(cursor: Any, vendor: str, table: str) -> Iterator[None]:
    """Some tables refuse to lose a row (the audit's): for this DELETE their triggers are away."""
    if vendor == "postgresql":
        # of these only: a table that a deferred foreign key still looks at cannot be altered
        of_table = "SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal"
        is_guarded = cursor.execute(of_table, [table]).fetchone() is not None
        if is_guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        if is_guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    of_table = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    triggers = cursor.execute(of_table, [table.strip('"')]).fetchall()
    for name, _ in triggers:
        cursor.execute(f"DROP TRIGGER {name}")
    yield
    for _, statement in triggers:
        cursor.execute(statement)


def _after_a_test(self: TransactionTestCase) -> None:
    for alias in self._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        empty(alias)


def instead_of_flush() -> None:
    """For all tests of this run."""
    TransactionTestCase._fixture_teardown = _after_a_test  # type: ignore[attr-defined]
