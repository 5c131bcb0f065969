"""A firm, and the whole service, find the same people by the same address."""

from __future__ import annotations

import pytest

from accounts.models import Account, Department
from privacy import selectors
from tests.conftest import make_chat
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Vera@Post.test", "vera@post.test"),
        ("vera@exämple.com", "vera@exämple.com"),
        ("Vera@EXÄMPLE.com", "vera@exämple.com"),
        ('"a b"@post.test', '"a b"@post.test'),
        ('"a\\b"@post.test', '"a\\b"@post.test'),
    ],
)
def test_whoever_acme_finds_the_whole_service_finds(
    vera: VisitorPrincipal, intake: Department, rival: Account, written: str, asked: str
) -> None:
    """R-150, R-175: also by an address that is escaped where forms are kept."""
    chat = make_chat(vera, intake, answers=[{"name": "email", "label": "Email", "value": written}])
    assert selectors.find(chat.account_id, email=asked).visitor_ids == {chat.visitor_id}
    assert selectors.accounts_with(asked) == [chat.account]
    assert not selectors.find(rival.pk, email=asked).visitor_ids
    assert selectors.accounts_with(f"x{asked}") == []
