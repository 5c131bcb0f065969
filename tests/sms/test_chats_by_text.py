"""A text from somebody's phone is a chat in the console, and what olga answers reaches the phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Operator
from chats.actions import accept_chat
from chats.models import Chat
from sms.models import SmsSender
from tests.fake_twilio import FakeTwilio
from tests.sms.conftest import VERA, all_is_done, answers, said, time_passes

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
