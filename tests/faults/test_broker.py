"""A broker that forgets and a worker that dies lose no errand, and no mail is sent twice (V-7).

Real Celery workers and a real timer on a real Redis, and a real mail server. A short run leaves some
messages; `--long` leaves 1,000, as V-7 wants.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.accounts.mailbox import Mailbox
from tests.faults.checker.stage import Stage
from tests.private_services import PrivateServices
from tests.processes import free_port, tied, wait_for_end
from tests.servers import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS") or 0)
ERRANDS = 1000 if LONG else 40
SWEPT_SECONDS = 60.0  # V-7
SWEEP_EVERY = 30.0  # chatlead/celery.py

# how many may be left from one place is not what this is about
UNBOUNDED = {"CHATLEAD_LEFT_PER_ADDRESS": "100000", "CHATLEAD_LEFT_PER_SITE": "100000"}

LEAVE = """
import sys
import django; django.setup()
from accounts.models import Account, Department, Site
from accounts import notices
from chats.actions import leave_message
from tests.conftest import visitor_on
from tests.identifiers import new_ref
site = Site.objects.get(account__name="acme")
department = Department.objects.get(account__name="acme", name="intake")
for number in range(int(sys.argv[1])):
    leave_message(
        principal=visitor_on(site, is_unlimited=True, ip=f"203.0.{number // 250}.{number % 250}"),
        ref=new_ref(), name=f"Vera {number}", email="vera@example.org", text=f"errand {number}",
        notice=notices.current(site).sha256, department=department.uid,
    )
"""
COUNT = """
import django; django.setup()
from accounts.models import OutboxItem
from collections import Counter
print(dict(Counter(OutboxItem.objects.values_list("state", flat=True))))
"""
SWEEP = """
import django; django.setup()
from chatlead.celery import app
app.send_task("accounts.tasks.sweep_outbox")
"""


@pytest.fixture
def mails() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


class Office:
    """PostgreSQL, Redis, workers; no web process is needed for what has been asked for already."""

    def __init__(self, stage: Stage, services: PrivateServices) -> None:
        self.stage, self.services = stage, services
        self.running: list[subprocess.Popen[bytes]] = []

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.stage.server.environment, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [*tied("KILL"), sys.executable, "-m", "celery", "-A", "chatlead", *arguments]
        with (self.stage.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.stage.server.environment, stdout=log, stderr=log
            )
        self.running.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        # threads: a killed parent leaves no child behind that would go on working
        return self.start("worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "WARNING")

    def close(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                wait_for_end(process, 10)


@pytest.fixture
def office(tmp_path: Path, mails: tuple[Mailbox, int]) -> Iterator[Office]:
    services = PrivateServices()
    with services as addresses:
        stage = Stage(
            tmp_path, services=services, addresses=(addresses.database_url, addresses.redis_url),
            env={"EMAIL_URL": f"smtp://127.0.0.1:{mails[1]}"} | UNBOUNDED,
        )  # fmt: skip
        stage.make_firms()
        office = Office(stage, services)
        with contextlib.closing(office):
            yield office


def until(true: Callable[[], bool], seconds: float) -> float:
    """How long it took to come true. Fails when it does not."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s"
        time.sleep(0.05)
    return time.monotonic() - began


def errands_of(box: Mailbox) -> Counter[str]:
    found = Counter[str]()
    for mail in box.mails:
        found.update(line for line in mail.get_content().splitlines() if line.startswith("errand "))
    return found


def test_a_broker_that_forgets_all_costs_nothing(office: Office, mails: tuple[Mailbox, int]) -> None:
    """V-7: everything is queued, then FLUSHALL; after the sweep all is done within 60 s, each once."""
    box, _ = mails
    office.python("-c", LEAVE, str(ERRANDS))
    office.services.flush_redis()
    office.worker()
    if LONG:  # the timer's own sweep
        office.start("beat", "--loglevel", "WARNING", "--schedule", str(office.stage.folder / "beat"))
        until(lambda: bool(box.mails), SWEEP_EVERY * 2)
    else:
        office.python("-c", SWEEP)
    until(lambda: len(errands_of(box)) >= ERRANDS, SWEPT_SECONDS)
    assert set(errands_of(box).values()) == {1}
    assert len(errands_of(box)) == ERRANDS
    until(lambda: office.python("-c", COUNT).strip() == f"{{'done': {ERRANDS}}}", 20)


def test_a_killed_worker_loses_no_errand(office: Office, mails: tuple[Mailbox, int]) -> None:
    """V-5, V-7: kill -9 of the worker in the middle; the next one does the rest. Only what it held in its
    hands may be sent again, under the same Message-ID."""
    box, _ = mails
    office.python("-c", LEAVE, str(ERRANDS))
    worker = office.worker()
    until(lambda: len(box.mails) >= 5, 30)
    worker.send_signal(signal.SIGKILL)
    wait_for_end(worker, 10)
    lease_ends = time.monotonic() + 60
    office.worker()
    office.python("-c", SWEEP)
    until(
        lambda: len(errands_of(box)) >= ERRANDS - 2, 60 + ERRANDS / 5
    )  # two threads held one each, on a lease
    if LONG:
        time.sleep(max(0.0, lease_ends + 2 - time.monotonic()))
        office.python("-c", SWEEP)
        until(lambda: len(errands_of(box)) == ERRANDS, 30)
    twice = [errand for errand, count in errands_of(box).items() if count > 1]
    assert len(twice) <= 2
    numbers = Counter(mail["Message-ID"] for mail in box.mails)
    assert len(numbers) == len(errands_of(box))
