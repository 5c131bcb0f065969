"""A text from somebody's phone is a chat in the console, and what olga answers reaches the phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Operator
from chats.actions import accept_chat
from chats.journal import Entry, append
from chats.models import Chat, Message
from sms.models import SmsSender
from tests.fake_twilio import FakeTwilio
from tests.identifiers import new_ref
from tests.sms.conftest import VERA, all_is_done, time_passes

pytestmark = pytest.mark.django_db(transaction=True)
Texts = Callable[..., Any]


def answers(operator: Operator, chat: Chat, text: str) -> None:
    """olga writes in the chat."""
    entry = Entry(
        chat_id=chat.pk, account_id=chat.account_id, author="operator", author_id=operator.pk,
        rights_epoch=operator.rights_epoch, ref=new_ref(), kind="text", text=text, name=operator.name,
        author_uid=operator.uid,
    )  # fmt: skip
    with transaction.atomic():
        [outcome] = append([entry])
    assert outcome.status == "stored"


def said(chat: Chat) -> list[tuple[str, str]]:
    """(author, text) of all that was said."""
    rows = Message.objects.filter(chat=chat, kind="text").order_by("seq")
    return list(rows.values_list("author", "text"))


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
