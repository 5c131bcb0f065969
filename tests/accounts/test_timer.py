"""The timer of the tasks, and a clock that is set (V-5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from chatlead.celery import app
from chatlead.timer import KeptTimer, Timer


class Told(Timer):
    """Writes down what it would have given to a worker."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.sent: list[str] = []
        super().__init__(*arguments, **named)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **more: Any) -> None:
        self.sent.append(entry.task)


def runs(timer: Told, begin: datetime, seconds: int) -> list[str]:
    """What is due within so many seconds, each looked at."""
    timer.sent.clear()
    for passed in range(seconds):
        with time_machine.travel(begin + timedelta(seconds=passed)):
            while timer.tick() == 0:
                pass
    return sorted(timer.sent)


def test_tasks_go_on_when_the_clock_is_set_back_or_ahead() -> None:
    """R-121, V-7: chats that nobody is in, and what a broker forgot, do not wait for an hour."""
    noon = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
    often = sorted(
        entry["task"]
        for entry in app.conf.beat_schedule.values()
        if isinstance(entry["schedule"], float) and entry["schedule"] <= 60
    )
    with time_machine.travel(noon):
        timer = Told(app, lazy=False)
    for hours in (0, 1, 0, -1, 5):
        assert set(often) <= set(runs(timer, noon + timedelta(hours=hours), 125)), hours


def test_the_process_that_keeps_the_time_is_started_with_this_timer() -> None:
    assert app.conf.beat_scheduler == f"{KeptTimer.__module__}:{KeptTimer.__name__}"
