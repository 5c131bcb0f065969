"""Tasks: the Celery app, the only list of scheduled ones, and the worker inside `serve`."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatlead.settings")

from celery import Celery, Task, signals  # reads the variable above when it looks for its settings
from celery.exceptions import Ignore
from celery.schedules import crontab

from chatlead import logs

logger = logging.getLogger(__name__)


class CarefulTask(Task):
    """A task of ours: none does anything while a restore is not finished (B2-6). What it was about is found
    again: by the outbox's sweep, or when it is due the next time."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        from chatlead.standby import standby

        if not standby.may_work():
            raise Ignore
        return super().__call__(*args, **named)


app = Celery("chatlead", task_cls=CarefulTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()  # for every thread: the current app is otherwise the thread's own
app.autodiscover_tasks()
app.conf.worker_hijack_root_logger = False
app.conf.beat_schedule = {
    "what the broker forgot": {"task": "accounts.tasks.sweep_outbox", "schedule": 30.0},
    "what was noted is chained": {"task": "accounts.tasks.chain_audit", "schedule": 300.0},
    "privacy requests that are due": {"task": "privacy.tasks.watch_deadlines", "schedule": 3600.0},
    "privacy requests that are over": {"task": "privacy.tasks.tidy", "schedule": 3600.0},
    "chats that nobody is in": {"task": "chats.tasks.close_idle", "schedule": 60.0},
    "chats that have ended": {"task": "chats.tasks.seal_ended", "schedule": 120.0},
    "chats for the archive": {"task": "chats.tasks.archive_due", "schedule": crontab(hour="2", minute="20")},
    "seals to be proved": {"task": "chats.tasks.verify_asked", "schedule": 60.0},
    "what was said in chats by text message and nobody was told of": {
        "task": "sms.tasks.follow_chats",
        "schedule": 60.0,
        "options": {"expires": 60.0},  # without a worker they would pile up
    },
    "the day's backup and the week's proof, when due": {"task": "chatlead.tasks.back_up", "schedule": 300.0},
}
app.conf.beat_scheduler = "chatlead.timer:KeptTimer"
EMBEDDED_THREADS = 5


@signals.setup_logging.connect
def leave_logging_alone(**_: Any) -> None:
    """The program `celery` would have its loggers write arguments and exceptions out (R-109)."""
    logs.catch_the_rest()


@signals.task_prerun.connect
def name_the_task(task_id: str = "", **_: Any) -> None:
    """What a task logs, it logs under its id."""
    logs.request_id.set(task_id)


def start_embedded(stop: threading.Event) -> list[threading.Thread]:
    """A worker and the timer in threads of this process, for the broker `memory://`. Returns at once.

    Both end within some 4 s after `stop` is set; the threads are daemons, so a process need not wait for
    them: whatever is under way is found again by its lease. What is due is swept at the start.
    """
    threads = [
        threading.Thread(target=_work, args=(stop,), name="celery-worker", daemon=True),
        threading.Thread(target=_beat, args=(stop,), name="celery-beat", daemon=True),
    ]
    for thread in threads:
        thread.start()
    return threads


def _work(stop: threading.Event) -> None:
    from celery.signals import task_postrun
    from celery.worker import WorkController, state
    from django.db import close_old_connections

    def tidy(**_: Any) -> None:
        close_old_connections()

    try:
        task_postrun.connect(tidy, weak=False)
        # A backup, the archive and a proof of seals may take hours each, one of them at a time; two threads
        # are left, so that a mail server that hangs does not keep chats from being closed. A thread is only
        # begun when it is needed.
        worker: Any = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=EMBEDDED_THREADS,
            hostname="embedded@localhost",
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        state.should_stop = None

        def end() -> None:
            stop.wait()
            state.should_stop = 0  # the worker's loop looks at it once a second

        threading.Thread(target=end, name="celery-stopper", daemon=True).start()
        app.send_task("accounts.tasks.sweep_outbox")
        worker.start()
    except Exception:
        logger.exception("the embedded worker has ended")


def _beat(stop: threading.Event) -> None:
    from celery.beat import Service

    from chatlead.timer import Timer

    service: Any = Service(app, scheduler_cls=Timer, max_interval=1)

    def end() -> None:
        stop.wait()
        service.stop()

    threading.Thread(target=end, name="celery-beat-stopper", daemon=True).start()
    try:
        service.start()
    except Exception:
        logger.exception("the embedded timer has ended")
