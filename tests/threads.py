"""Several at once, in one process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from django.db import connection


def in_threads(work: Sequence[Callable[[], object]]) -> list[object]:
    """All at once, each in a thread with a connection of its own."""
    start = threading.Barrier(len(work))

    def run(job: Callable[[], object]) -> object:
        start.wait(20)
        with closing(connection):
            return job()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))
