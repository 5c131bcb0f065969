"""pytest plugin (`-p tests.services`): where the database and Redis of a test run come from.

TEST_SERVICES=none      (default) SQLite in a directory of its own, everything in one process
             =private   a private PostgreSQL and Redis, started for this run and ended after it
             =external  DATABASE_URL and REDIS_URL as given; nothing is started, nothing is ended
Nothing of the caller's own settings reaches a test, and no test reaches beyond this machine.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.servers import OURS, PrivateServices

_stack = contextlib.ExitStack()
_real_connect = socket.socket.connect


def _local_only(self: socket.socket, address: Any) -> None:
    """A test that needs the network is a test that fails on somebody's train."""
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0]).partition("%")[0]
        try:
            # 198.51.100.0/24 leads nowhere: namespaces of our own use it (tests/faults/checker/wire.py)
            local = (
                host == "localhost"
                or host.startswith("198.51.100.")
                or ipaddress.ip_address(host).is_loopback
            )
        except ValueError:
            local = False
        if not local:
            raise OSError(f"a test may not connect to {host}")
    _real_connect(self, address)


def _prepare() -> None:
    """Environment of this run; with xdist the controller prepares it and the workers inherit it."""
    mode = os.environ.get("TEST_SERVICES", "none")
    if mode not in ("none", "private", "external"):
        raise pytest.UsageError(f"TEST_SERVICES is {mode!r}; it may be none, private or external")
    for key in [key for key in os.environ if key in OURS or key.startswith("CHATLEAD_")]:
        kept = key == "DJANGO_ALLOW_ASYNC_UNSAFE" or key.startswith("CHATLEAD_FAULTS_")
        if not kept and not (mode == "external" and key in ("DATABASE_URL", "REDIS_URL")):
            del os.environ[key]
    data = tempfile.mkdtemp(prefix="chatlead-test-")
    _stack.callback(shutil.rmtree, data, ignore_errors=True)
    os.environ["CHATLEAD_DATA_DIR"] = data
    # a developer's .env says how his copy runs, not how the tests do
    os.environ["CHATLEAD_ENV_FILE"] = os.devnull
    # made here, so that two workers do not make one each
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(32)
    if mode == "private":
        services = _stack.enter_context(PrivateServices())
        os.environ["DATABASE_URL"] = services.database_url
        os.environ["REDIS_URL"] = services.redis_url


def _database_for(worker: str) -> str:
    """Servers under test have a database of their own too: two demos in one are one too many."""
    import psycopg

    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "chatlead_{worker}"')
    return f"{url.rpartition('/')[0]}/chatlead_{worker}"


# A wrapper around pytest-django's own hook, which loads the settings and so reads the environment.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _prepare()
    else:
        # one Redis for the run; each worker has a name space for what is published, and a database of its
        # own, since emptying the cache empties a database and a task is taken by whoever comes first
        os.environ["CHATLEAD_REDIS_PREFIX"] = f"{worker}:"
        if redis_url := os.environ.get("REDIS_URL"):
            number = int(worker.removeprefix("gw")) + 1
            os.environ["REDIS_URL"] = f"{redis_url.rpartition('/')[0]}/{number}"
        if os.environ.get("TEST_SERVICES") == "private":
            os.environ["DATABASE_URL"] = _database_for(worker)
    socket.socket.connect = _local_only  # type: ignore[method-assign, assignment]
    return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What would say the same in both runs, or nothing in this one, is left out and not counted as skipped:
    tests about PostgreSQL in a run on SQLite; on PostgreSQL those that have neither database nor Redis."""
    for item in items:
        if item.get_closest_marker("once") and _has_database(item):
            raise pytest.UsageError(f"{item.nodeid} is marked `once`, but asks for the database of the run")
    left_out = "once" if os.environ.get("DATABASE_URL") else "postgres"
    others = [item for item in items if item.get_closest_marker(left_out)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if not item.get_closest_marker(left_out)]


def _has_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or not {"db", "transactional_db"}.isdisjoint(
        fixtures
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    """The pools' threads outlive a test, and on SQLite they keep their connections. A test without the
    database would be told off for looking after one that an earlier test has opened."""
    yield
    pool = sys.modules.get("chatlead.realtime.pool")
    if pool is None:
        return
    from django.conf import settings

    for made, count in (
        (pool._executor, settings.DATABASE_THREADS),
        (pool._door, settings.ADMISSION_THREADS),
    ):
        if made.cache_info().currsize:
            _let_go(made(), count)


def _let_go(threads: ThreadPoolExecutor, count: int) -> None:
    """Every one of these threads closes its connections."""
    from django.db import connections

    together = threading.Barrier(count)

    def close() -> None:
        connections.close_all()
        together.wait(5)  # so that no thread takes two turns

    for turn in [threads.submit(close) for _ in range(count)]:
        with contextlib.suppress(threading.BrokenBarrierError):  # one is busy with what a test left behind
            turn.result()


def pytest_unconfigure() -> None:
    _stack.close()
