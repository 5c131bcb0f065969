"""What benches need of the machine: CPU time and memory of a process, cores, medians."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

CPU_CLOCK = 2  # CPUCLOCK_SCHED of a process, as clock_getcpuclockid(3) makes it
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """CPU time, user and system, of all threads of a process since its start, those that have ended included.

    Of the process's own clock, in nanoseconds: `/proc` counts in ticks of 10 ms, longer than a tiny sample.
    """
    return time.clock_gettime((~pid << 3) | CPU_CLOCK)


def ratio(value: float, floor: float) -> float:
    """How many times the floor; 0.0 where there was none to be measured."""
    return round(value / floor, 2) if floor > 0 else 0.0


def rss_mb(pid: int) -> float:
    """Resident memory in MB (10⁶ bytes)."""
    return round(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6, 1)


def quantile(values: list[float], share: float) -> float:
    """Of seconds, in milliseconds; 0.0 when there are none."""
    if not values:
        return 0.0
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000, 2)


def median(values: Iterable[float]) -> float:
    """Rounded to a hundredth."""
    return round(statistics.median(values), 2)


def wait_until_idle(pid: int, seconds: float = 20.0) -> None:
    """Return when a process has nothing left to do of its start, or after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = cpu_seconds(pid)
        time.sleep(0.5)
        if cpu_seconds(pid) - before < 0.02:
            return


@contextlib.contextmanager
def cores(*numbers: int) -> Iterator[None]:
    """Processes started inside run on these cores only (as far as the machine has them)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before & set(numbers) or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
