"""Several people do something at the same moment, each in a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Found = TypeVar("Found")


def at_once(*works: Callable[[], Found]) -> list[Found]:
    """What each of them found, in the order in which they are named. Raises what one of them has raised.

    Needs `django_db(transaction=True)`: what a test has not committed is seen by nobody else.
    """
    barrier = threading.Barrier(len(works))

    def take_part(work: Callable[[], Found]) -> Found:
        try:
            barrier.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(take_part, works))
