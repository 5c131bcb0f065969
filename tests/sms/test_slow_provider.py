"""A provider takes its time over a text, and a STOP comes in: it waits for nobody, and nothing leaves after
it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connections

from accounts import outbox
from accounts.models import Operator, OutboxItem
from chats.actions import accept_chat
from chats.models import Chat
from sms import actions, locks, selectors
from sms.actions.handing import NotYet
from sms.models import SmsContact, SmsMessage, SmsProgramme, SmsSender, SmsSuppression
from sms.numbers import key_of
from tests.at_once import at_once
from tests.fake_twilio import FakeTwilio
from tests.sms.conftest import VERA, all_is_done, answers, said, states, time_passes

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 60  # seconds after which a test gives up; nothing waits for as long where all is well


@pytest.fixture
def chat(texts: Callable[..., Any], olga: Operator, principal_of: Any) -> Chat:
    """vera has texted, olga has accepted."""
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    return chat


class Worker(threading.Thread):
    """Hands over whatever is due, or does what it is given, once."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work

    def run(self) -> None:
        try:
            self._work()
        finally:
            connections.close_all()

    def ends(self) -> None:
        self.join(LONG)
        assert not self.is_alive()


def hands_over() -> None:
    for pk in outbox.due_ids():
        outbox.carry_out(pk)


def test_a_stop_is_committed_while_the_provider_is_silent(
    texts: Callable[..., Any], provider: FakeTwilio, sender: SmsSender, chat: Chat, olga: Operator
) -> None:
    """B1-15, B1-5: olga's text has left, and no answer comes: the STOP is committed and answered before one
    does. What has left is known as such; what she says afterwards does not go."""
    is_there, may_answer = threading.Event(), threading.Event()

    def hangs() -> None:
        is_there.set()
        may_answer.wait(LONG)

    provider.while_sending = hangs
    answers(olga, chat, "Are you hurt?")
    actions.follow_chats()
    worker = Worker(hands_over)
    worker.start()
    try:
        assert is_there.wait(LONG)
        texts("STOP", OptOutType="STOP")
        assert selectors.is_suppressed(key_of(VERA), sender.programme)
        assert states() == [("chat", "sending", "")] and worker.is_alive()
    finally:
        may_answer.set()
        worker.ends()
    assert states() == [("chat", "accepted", "")]
    answers(olga, chat, "Where?")
    all_is_done()
    assert provider.bodies() == ["Are you hurt?"]
    assert states()[1:] == [("chat", "refused", "stopped")]


def test_a_text_that_has_not_left_when_the_stop_comes_never_does(
    provider: FakeTwilio, programme: SmsProgramme, chat: Chat, olga: Operator, owen: Operator
) -> None:
    """B1-5, R-195: the worker has looked and has the provider on the line; then vera's STOP is committed. It
    is looked at once more, and the line is closed with nothing said; olga reads why."""
    is_there = threading.Event()
    provider.while_asked = is_there.set
    answers(olga, chat, "Are you hurt?")
    actions.follow_chats()
    contact = SmsContact.objects.get()
    worker = Worker(hands_over)
    with locks.held(contact.pk):
        worker.start()
        assert is_there.wait(LONG)
        actions.opt_out(operator=owen, programme=programme, phone=VERA, source="phone")
    worker.ends()
    assert (provider.sent, provider.calls) == ([], 0)
    assert states() == [("chat", "refused", "stopped")]
    assert "“Are you hurt?”" in said(chat)[-1][1]


def test_the_switch_catches_a_text_whose_line_stands(
    provider: FakeTwilio, chat: Chat, olga: Operator, owen: Operator
) -> None:
    """R-186: the same for the switch."""
    is_there = threading.Event()
    provider.while_asked = is_there.set
    answers(olga, chat, "Are you hurt?")
    actions.follow_chats()
    contact = SmsContact.objects.get()
    worker = Worker(hands_over)
    with locks.held(contact.pk):
        worker.start()
        assert is_there.wait(LONG)
        actions.pause(operator=owen)
    worker.ends()
    assert (provider.sent, states()) == ([], [("chat", "refused", "paused")])


def test_whatever_the_order_nothing_leaves_after_a_stop(
    texts: Callable[..., Any], provider: FakeTwilio, chat: Chat, olga: Operator
) -> None:
    """B1-5, R-195: workers and STOPs in any order: what was handed over was so before the STOP, what was not
    never is, and nothing goes twice."""
    provider.while_sending = lambda: time.sleep(0.003)
    for round_ in range(8):
        for number in range(3):
            answers(olga, chat, f"{round_}.{number}")
        actions.follow_chats()

        def stops(wait: float = round_ * 0.004) -> None:
            time.sleep(wait)
            texts("STOP", OptOutType="STOP")

        at_once(hands_over, stops, hands_over)
        stopped = SmsSuppression.objects.latest("id").created_at
        mine = SmsMessage.objects.filter(direction="out", text__startswith=f"{round_}.")
        time_passes()
        assert not mine.filter(state__in=("queued", "sending")).exists()
        gone = {each.text for each in mine.filter(handed_over_at__lte=stopped, provider_sid__isnull=False)}
        assert gone == {each for each in provider.bodies() if each.startswith(f"{round_}.")}
        texts("START", OptOutType="START")
        OutboxItem.objects.filter(state="pending").update(state="done")
    bodies = provider.bodies()
    assert len(bodies) == len(set(bodies)), "nothing goes twice"


def test_of_two_workers_at_one_text_one_sends_it(provider: FakeTwilio, chat: Chat, olga: Operator) -> None:
    """V-7: the first one's lease has ended while it stood still; the second asks the provider, which knows
    nothing yet. Whoever comes second to the moment in which it leaves finds that it has."""
    asked = threading.Semaphore(0)
    provider.while_asked = asked.release
    answers(olga, chat, "Are you hurt?")
    actions.follow_chats()
    message = SmsMessage.objects.get(direction="out")

    def takes_it_up() -> None:
        with suppress(NotYet):
            actions.hand_over({"message": message.pk}, "")

    workers = [Worker(hands_over), Worker(takes_it_up)]
    with locks.held(message.contact_id):
        for worker in workers:
            worker.start()
            assert asked.acquire(timeout=LONG)  # it has the provider on the line, and waits for the lock
    for worker in workers:
        worker.ends()
    time_passes()
    assert (provider.bodies(), states()) == (["Are you hurt?"], [("chat", "accepted", "")])
