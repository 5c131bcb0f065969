"""What the tests of requests share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts import outbox
from accounts.models import Department, Operator
from chats.models import Chat
from privacy import actions
from privacy.models import PrivacyRequest
from tests.conftest import PASSWORD, make_chat
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

EMAIL = "vera@post.test"


@pytest.fixture(autouse=True)
def _own_stones(settings: Settings, tmp_path: Path) -> None:
    settings.TOMBSTONES = (tmp_path / "stones").as_uri()


@pytest.fixture
def deliver() -> Callable[[], None]:
    """The workers do all that waits, and what follows from it."""

    def work() -> None:
        for _ in range(5):
            for item_id in outbox.due_ids():
                outbox.carry_out(item_id)

    return work


def mailed_code() -> str:
    """The digits of the newest mail that has some."""
    codes = [
        found[0] for each in mail.outbox if (found := re.findall(r"^\d{8}$", str(each.body), re.MULTILINE))
    ]
    return codes[-1]


@pytest.fixture
def known_vera(vera: VisitorPrincipal, intake: Department) -> Chat:
    """Vera has told acme her address."""
    chat = make_chat(vera, intake, answers=[{"name": "email", "label": "Email", "value": EMAIL}])
    Visitor.objects.filter(pk=chat.visitor_id).update(email=EMAIL)
    return chat


@pytest.fixture
def proved(known_vera: Chat, deliver: Callable[[], None]) -> Callable[[str], PrivacyRequest]:
    """Vera has asked acme for something, and proved that it is she."""

    def ask(kind: str) -> PrivacyRequest:
        asked = actions.receive(kind=kind, email=EMAIL, language="en", account=known_vera.account)
        deliver()
        return actions.prove(uid=asked.uid, code=mailed_code())

    return ask


@pytest.fixture
def owens(client: Client, owen: Operator) -> Client:
    """The browser in which owen is logged in."""
    client.login(username=owen.user.email, password=PASSWORD)
    return client
