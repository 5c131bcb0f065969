"""V-7: what must not be lost is a row; it is carried out at least once, and under one key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import notices, outbox, tasks
from accounts.models import Account, Department, OutboxItem, Site
from chats.actions import leave_message
from chats.models import Chat
from tests.accounts.mailbox import Mailbox
from tests.at_once import at_once
from tests.identifiers import new_ref
from visitors.sessions import VisitorPrincipal

done: list[str] = []
troubles: list[Exception] = []


@outbox.handler("test_errand")
def errand(subject: dict[str, Any], key: str) -> None:
    """Carried out, unless there is trouble first."""
    if troubles:
        raise troubles.pop()
    done.append(key)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    done.clear()
    troubles.clear()
    yield


@pytest.fixture
def left(vera: VisitorPrincipal, site: Site, intake: Department) -> Chat:
    """Vera has left a message; nobody has carried anything out yet."""
    return leave_message(
        principal=vera, ref=new_ref(), name="Vera O'Brien", email="vera@example.org",
        text="Please call me.\nThanks", notice=notices.current(site).sha256, department=intake.uid,
    )  # fmt: skip


def later(seconds: float) -> None:
    """Time goes by for every item."""
    for item in OutboxItem.objects.all():
        item.due_at -= timedelta(seconds=seconds)
        if item.leased_until:
            item.leased_until -= timedelta(seconds=seconds)
        item.save()


# --- the mail of a left message ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_left_message_reaches_the_department(left: Chat, inbox: Mailbox) -> None:
    """R-034, V-7: through a real mail server; an answer goes to the visitor."""
    assert tasks.sweep_outbox() == 1
    [mail] = inbox.mails
    assert inbox.recipients == [["intake@acme.test"]]
    assert "Please call me.\nThanks" in mail.get_content().replace("\r\n", "\n")
    assert "Vera O'Brien" in mail["Subject"]
    assert mail["Reply-To"] == "vera@example.org"
    assert mail["Message-ID"].endswith("@localhost>")
    assert tasks.sweep_outbox() == 0
    assert len(inbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_the_row_holds_ids_and_no_text(left: Chat) -> None:
    """V-7, R-123: an erased chat leaves nothing behind in the outbox."""
    item = OutboxItem.objects.get()
    assert item.subject == {"chat": left.pk}
    assert "Vera" not in str(OutboxItem.objects.values().get())


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_mail_with_it(acme: Account, inbox: Mailbox) -> None:
    """V-7: no message left, no mail about it."""
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.add("test_errand", {}, "a", acme)
        raise RuntimeError
    assert not OutboxItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_claim_and_send_is_made_good(left: Chat, inbox: Mailbox) -> None:
    """V-7: the lease of the dead worker ends, and another one sends."""
    item = OutboxItem.objects.get()
    crashed = timezone.now() + timedelta(seconds=outbox.LEASE_SECONDS)
    OutboxItem.objects.filter(pk=item.pk).update(leased_until=crashed, attempt_count=1)
    assert tasks.sweep_outbox() == 0
    assert inbox.mails == []
    later(outbox.LEASE_SECONDS + 1)
    assert tasks.sweep_outbox() == 1
    assert len(inbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_a_crash_after_the_send_sends_again_under_the_same_name(left: Chat, inbox: Mailbox) -> None:
    """V-7: at least once, and whoever gets it twice can tell."""
    assert tasks.sweep_outbox() == 1
    OutboxItem.objects.update(state="pending", done_at=None, due_at=timezone.now())
    assert tasks.sweep_outbox() == 1
    first, second = inbox.mails
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_refuses_is_asked_again_later(left: Chat, inbox: Mailbox) -> None:
    """V-7: later and later, and the reason is kept without a word of the message."""
    inbox.refuse = 2
    assert tasks.sweep_outbox() == 0
    item = OutboxItem.objects.get()
    assert (item.state, item.attempt_count, item.last_error) == ("pending", 1, "SMTPDataError")
    assert timedelta(seconds=3) < item.due_at - timezone.now() < timedelta(seconds=6)
    later(6)
    assert tasks.sweep_outbox() == 0
    assert OutboxItem.objects.get().due_at - timezone.now() > timedelta(seconds=8)
    later(12)
    assert tasks.sweep_outbox() == 1
    assert len(inbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_not_there_loses_nothing(left: Chat, settings: Settings) -> None:
    """V-7."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert tasks.sweep_outbox() == 0
    assert OutboxItem.objects.get().last_error == "ConnectionRefusedError"


@pytest.mark.django_db(transaction=True)
def test_a_chat_that_was_erased_since_wants_no_mail(left: Chat, inbox: Mailbox) -> None:
    """R-014: erasure does not make the outbox stumble for ever."""
    left.delete()
    assert tasks.sweep_outbox() == 1
    assert inbox.mails == []


# --- the outbox itself ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_key_is_one_errand(acme: Account) -> None:
    """V-7: the same reason twice is one thing to do."""
    assert outbox.add("test_errand", {}, "once", acme) is True
    assert outbox.add("test_errand", {}, "once", acme) is False
    assert tasks.sweep_outbox() == 1
    assert outbox.add("test_errand", {}, "once", acme) is False
    assert tasks.sweep_outbox() == 0
    assert done == ["once"]


@pytest.mark.django_db(transaction=True)
def test_an_errand_that_always_fails_ends_as_a_dead_letter(acme: Account) -> None:
    """V-7: kept for somebody to look at, and in nobody's way."""
    outbox.add("test_errand", {}, "never", acme)
    outbox.add("test_errand", {}, "fine", acme)
    for _ in range(outbox.ATTEMPTS):
        troubles.append(ValueError("vera@example.org is not here"))
        outbox.carry_out(OutboxItem.objects.get(key="never").pk)
        later(outbox.LONGEST_DELAY_SECONDS + 1)
    item = OutboxItem.objects.get(key="never")
    assert (item.state, item.attempt_count, item.last_error) == ("dead", outbox.ATTEMPTS, "ValueError")
    assert tasks.sweep_outbox() == 1
    assert done == ["fine"]


def test_an_errand_of_a_clock_that_was_an_hour_ahead_does_not_wait_for_an_hour(acme: Account) -> None:
    """V-7, V-5: nor one that a dead worker had claimed by that clock."""
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        outbox.add("test_errand", {}, "wanted", acme)
    assert tasks.sweep_outbox() == 1
    now = timezone.now()
    facts = {"account": acme, "kind": "test_errand", "due_at": now}
    claimed_at = now + timedelta(hours=1)
    OutboxItem.objects.create(key="claimed", leased_until=claimed_at, **facts)
    tasks.sweep_outbox()
    with time_machine.travel(now + timedelta(seconds=2 * outbox.LEASE_SECONDS)):
        assert tasks.sweep_outbox() == 1
    assert done == ["wanted", "claimed"]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_carries_it_out(acme: Account) -> None:
    """V-7: the claim is one statement."""
    outbox.add("test_errand", {}, "contested", acme)
    item = OutboxItem.objects.get()
    won = at_once(*[lambda: outbox.carry_out(item.pk)] * 8)
    assert sorted(won) == [False] * 7 + [True]
    assert done == ["contested"]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_forgot_everything_costs_nothing(acme: Account) -> None:
    """V-7: a thousand errands, none of which any broker knows, are done by sweeping, each once."""
    now = timezone.now()
    facts = {"account": acme, "kind": "test_errand", "due_at": now}
    OutboxItem.objects.bulk_create(OutboxItem(key=f"key {number}", **facts) for number in range(1000))
    assert tasks.sweep_outbox() + tasks.sweep_outbox() == 1000
    assert sorted(done) == sorted(f"key {number}" for number in range(1000))


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_does_not_answer_hinders_nobody(acme: Account, settings: Settings) -> None:
    """V-7: the row is there, so the sweep will find it."""
    from celery import Celery

    silent = Celery("silent", broker="redis://127.0.0.1:1/0", set_as_current=False)
    silent.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    globals()["silent"] = silent
    settings.CELERY_APP = f"{__name__}.silent"
    started = time.monotonic()
    assert outbox.add("test_errand", {}, "unheard", acme)
    assert time.monotonic() - started < 1.5
    assert tasks.sweep_outbox() == 1


def test_an_errand_that_nobody_can_do_is_refused_at_once(db: None) -> None:
    """A fault in the code, found where it is made."""
    with pytest.raises(ValueError, match="no handler"):
        outbox.add("unheard_of", {}, "a")
    with pytest.raises(ValueError, match="two handlers"):
        outbox.handler("test_errand")(lambda subject, key: None)


@pytest.mark.django_db(transaction=True)
def test_the_worker_inside_the_server_carries_it_out_at_once(acme: Account) -> None:
    """design §5: worker and timer are threads of the one process, and end when they are told to."""
    from chatlead.celery import app, start_embedded

    app.control.purge()  # what hundreds of tests before this one have hinted at
    arrived = threading.Event()
    threads_seen: list[str] = []

    def note(subject: dict[str, Any], key: str) -> None:
        threads_seen.append(threading.current_thread().name)
        connection.close()
        arrived.set()

    outbox._handlers["test_now"] = note
    stop = threading.Event()
    threads = start_embedded(stop)
    try:
        outbox.add("test_now", {}, "now", acme)
        assert arrived.wait(60)
        assert threads_seen[0] != threading.current_thread().name
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
        del outbox._handlers["test_now"]
    assert not any(thread.is_alive() for thread in threads)
    assert OutboxItem.objects.get(key="now").state == "done"
