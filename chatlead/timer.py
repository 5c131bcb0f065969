"""The timer of the tasks, for a clock that is set back: what ran an hour ahead is not due an hour late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler, Scheduler

SECONDS = timedelta(seconds=2)  # what an adjusted clock may be off by


class Timer(Scheduler):
    """Celery's own, which counts from the time of day at which a task ran last."""

    def tick(self, *arguments: Any, **named: Any) -> float:
        """One look at what is due; how many seconds until the next one."""
        ahead = [each for each in self.schedule.values() if each.last_run_at > each.default_now() + SECONDS]
        for each in ahead:
            each.last_run_at = each.default_now()
        if ahead:
            self._heap = None  # made of the times as they were
        seconds: float = super().tick(*arguments, **named)
        return seconds


class KeptTimer(Timer, PersistentScheduler):
    """The same, with its times in a file: that of the process `celery beat`."""
