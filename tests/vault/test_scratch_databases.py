"""A proof's scratch database goes, whoever is in it (V-12)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from chatlead.backups import proving
from tests.private_services import PrivateServices, Services

LEFT = f"{proving.PREFIX}{'1' * 16}"

pytestmark = pytest.mark.once


@pytest.fixture
def busy() -> Iterator[Services]:
    """A cluster whose autovacuum looks at its databases each second instead of each minute."""
    with PrivateServices() as services:
        with psycopg.connect(services.owner_url, autocommit=True) as superuser:
            superuser.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
            superuser.execute("SELECT pg_reload_conf()")
        yield services


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def autovacuum_is_in(cluster: Services, database: str) -> bool:
    with psycopg.connect(cluster.owner_url) as superuser:  # others do not see what kind of session it is
        asked = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND backend_type = 'autovacuum worker'"
        return superuser.execute(asked, [database]).fetchone() is not None


def test_it_goes_while_autovacuum_and_a_killed_restore_are_in_it(busy: Services) -> None:
    """V-12: the database's user, who is no superuser, may not end autovacuum; PostgreSQL does it for him."""
    url = f"{busy.database_url.rpartition('/')[0]}/{LEFT}"
    with psycopg.connect(busy.database_url, autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{LEFT}"')
        with psycopg.connect(url, autocommit=True) as restore:
            restore.execute(
                "CREATE TABLE much WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_cost_delay = 100,"
                " autovacuum_vacuum_cost_limit = 1) AS SELECT generate_series(1, 100000) AS number"
            )
            restore.execute("UPDATE much SET number = number + 1")
            assert within(60, lambda: autovacuum_is_in(busy, LEFT))
            proving.drop_scratch(owner, LEFT)
        assert owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [LEFT]).fetchone() is None
        proving.drop_scratch(owner, LEFT)  # none is left: nothing happens
