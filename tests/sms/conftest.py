"""acme has a programme and a number at a provider; vera has a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import outbox
from accounts.models import Account, Department, Operator, OutboxItem, Site
from chats.journal import Entry, append
from chats.models import Chat, Message
from sms import actions
from sms.models import SmsMessage, SmsProgramme, SmsSender
from tests.fake_twilio import ACCOUNT, HOST, FakeTwilio, fake_twilio
from tests.identifiers import new_ref

VERA = "+18135550100"
ACME = "+18135550199"


@pytest.fixture
def provider(settings: Settings, tmp_path: Path) -> Iterator[FakeTwilio]:
    with fake_twilio() as fake:
        settings.TWILIO_URL = fake.url
        settings.PUBLIC_URL = f"http://{HOST}"
        settings.SMS_FILE = tmp_path / "sent.log"
        yield fake


@pytest.fixture
def programme(acme: Account) -> SmsProgramme:
    return actions.add_programme(
        account=acme, name="Acme Law texts", contact="call 800-555-0100", terms_url="https://acme.test/terms"
    )


@pytest.fixture
def sender(
    acme: Account, programme: SmsProgramme, site: Site, intake: Department, provider: FakeTwilio
) -> SmsSender:
    """A local number of acme's, registered; ChatLead answers STOP."""
    return actions.add_sender(
        account=acme,
        programme=programme,
        site=site,
        department=intake,
        gateway="twilio",
        kind="long_code",
        number=ACME,
        account_sid=ACCOUNT,
        auth_token=provider.token,
        shared_key_id=provider.key_id,
        shared_key=provider.shared_key,
        is_registered=True,
    )


@pytest.fixture
def texts(sender: SmsSender, provider: FakeTwilio) -> Callable[..., Any]:
    """vera texts this; the answer of the webhook."""

    def send(body: str, *, number: str = VERA, **more: str) -> Any:
        answer = provider.post(f"/webhooks/twilio/{sender.uid}/inbound/", provider.form(number, body, **more))
        assert answer.status_code == 200, answer.content
        return answer

    return send


def all_is_done() -> None:
    """What operators have said is on its way, and whatever is due was carried out."""
    actions.follow_chats()
    for pk in outbox.due_ids():
        outbox.carry_out(pk)


def time_passes() -> None:
    """What failed is due again."""
    OutboxItem.objects.filter(state="pending").update(due_at=timezone.now())
    all_is_done()


def states() -> list[tuple[str, str, str]]:
    """(kind, state, error) of all texts that were to go out, in order."""
    out = SmsMessage.objects.filter(direction="out").order_by("id")
    return list(out.values_list("kind", "state", "error"))


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
