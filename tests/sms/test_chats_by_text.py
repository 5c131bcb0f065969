"""A text from somebody's phone is a chat in the console, and what olga answers reaches the phone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from celery import Celery
from django.db import transaction
from pytest_django import Settings

from accounts import outbox
from accounts.models import Operator
from chats.actions import accept_chat
from chats.models import Chat
from sms import actions, tasks
from sms.models import SmsSender
from tests.at_once import at_once
from tests.fake_twilio import FakeTwilio
from tests.identifiers import new_ref
from tests.sms.conftest import VERA, all_is_done, answers, said, time_passes
from tests.sockets import console_of

pytestmark = pytest.mark.django_db(transaction=True)
Texts = Callable[..., Any]


def test_a_text_waits_in_the_department_and_the_answer_goes_out_once(
    texts: Texts, provider: FakeTwilio, sender: SmsSender, olga: Operator, principal_of: Any
) -> None:
    """B1-14, B1-15: signed post -> chat in the console -> reply handed to the provider, once."""
    answer = texts("I was in a crash")
    assert answer["Content-Type"].startswith("text/xml")
    assert b"<Response/>" in answer.content
    chat = Chat.objects.get()
    assert (chat.state, chat.department) == ("waiting", sender.department)
    assert VERA not in chat.visitor.name and chat.visitor.name.endswith("00")
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    time_passes()
    assert [(each["to"], each["body"]) for each in provider.sent] == [(VERA, "Are you hurt?")]
    texts("No, my car is")
    assert said(chat) == [
        ("visitor", "I was in a crash"),
        ("operator", "Are you hurt?"),
        ("visitor", "No, my car is"),
    ]
    assert Chat.objects.count() == 1


async def test_a_worker_is_told_at_once_and_only_of_chats_by_text(
    texts: Texts, provider: FakeTwilio, olga: Operator, chat: Chat, settings: Settings
) -> None:
    """B1-15, V-9: olga says something in a chat by text and in one with a browser: one hint, and by it alone
    the answer goes out."""
    heard.conf.task_default_queue = "heard"
    settings.CELERY_APP = f"{__name__}.heard"
    await sync_to_async(texts)("I was in a crash")
    by_text = await Chat.objects.aget(session_key__startswith="sms:")
    async with console_of(olga) as console:
        for each in (chat, by_text):
            await console.ask(type="accept_chat", chat=each.uid)
        for each in (chat, by_text):
            say = {"type": "send_message", "chat": each.uid, "text": "Are you hurt?", "ref": new_ref()}
            assert (await console.ask(**say))["type"] == "ack"
        note = {"type": "add_note", "chat": by_text.uid, "text": "She sounds hurt", "ref": new_ref()}
        assert (await console.ask(**note))["type"] == "ack"
    [arguments] = await sync_to_async(hints)()
    assert arguments == [by_text.pk]
    await sync_to_async(tasks.follow_chat)(*arguments)
    await sync_to_async(carries_out)()
    assert provider.bodies() == ["Are you hurt?"]


def test_what_nobody_was_told_of_is_found(
    texts: Texts, provider: FakeTwilio, olga: Operator, principal_of: Any
) -> None:
    """V-7: the process that took olga's answer ended before it could tell a worker; another worker ended over
    an older one. Both go out, each once."""
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    answers(olga, chat, "Are you hurt?")
    with pytest.raises(Dies), transaction.atomic():
        actions.follow_chat(chat_id=chat.pk)
        raise Dies
    answers(olga, chat, "Where are you?")
    assert [tasks.follow_chats(), tasks.follow_chats(), tasks.follow_chat(chat.pk)] == [2, 0, 0]
    carries_out()
    time_passes()
    assert provider.bodies() == ["Are you hurt?", "Where are you?"]


def test_a_broker_that_is_away_hinders_nobody(
    texts: Texts, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """V-7: the hint is a hint."""
    texts("I was in a crash")
    settings.CELERY_APP = f"{__name__}.silent"
    actions.hint(Chat.objects.get().pk)
    assert "the timer will find" in caplog.text


def test_hints_that_come_together_lose_nothing_and_double_nothing(
    texts: Texts, provider: FakeTwilio, olga: Operator, principal_of: Any
) -> None:
    """V-7: a hint comes while another is being followed."""
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)

    def says_and_hints(number: int) -> int:
        answers(olga, chat, f"{number}")
        return actions.follow_chat(chat_id=chat.pk)

    assert sum(at_once(*[partial(says_and_hints, number) for number in range(6)])) == 6
    assert actions.follow_chats() == 0


class Dies(Exception):
    """A process ends here."""


def carries_out() -> None:
    """Whatever is due in the outbox; nobody looks through the chats."""
    for pk in outbox.due_ids():
        outbox.carry_out(pk)


def hints() -> list[list[Any]]:
    """What workers were told of chats by text."""
    with heard.connection_for_read() as connection:
        queue = connection.SimpleQueue("heard")
        found = [queue.get(timeout=10)]
        while queue.qsize():
            found.append(queue.get(timeout=10))
        queue.close()
    return [each.payload[0] for each in found if each.headers["task"] == "sms.tasks.follow_chat"]


heard = Celery("heard", broker="memory://", set_as_current=False)
silent = Celery("silent", broker="redis://127.0.0.1:1/0", set_as_current=False)
silent.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0, "socket_connect_timeout": 2}
