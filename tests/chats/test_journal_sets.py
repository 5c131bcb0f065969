"""Many messages that arrive together are stored together, and nothing among them harms the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, connections

from accounts.models import Department, Operator, Site
from chats.journal.writer import Link, PostgresLink, SqliteLink
from chats.models import Chat, Message
from tests.chats.journal_hands import by_operator, by_visitor, check_gapless
from tests.conftest import make_chat, visitor_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def link() -> Iterator[Link]:
    """A writer's connection, in this thread."""
    before = connections["default"]
    link: Link = PostgresLink() if connection.vendor == "postgresql" else SqliteLink()
    yield link
    link.close()
    connections["default"] = before


def test_a_set_is_numbered_chat_by_chat(
    link: Link, active_chat: Chat, olga: Operator, site: Site, intake: Department
) -> None:
    """R-035: 90 messages of three chats and two authors in one transaction: no gap, the order kept."""
    others = [make_chat(visitor_on(site), intake) for _ in range(2)]
    entries = []
    for number in range(30):
        entries += [by_visitor(chat, f"visitor {number}") for chat in others]
        entries.append(
            by_operator(active_chat, olga, f"olga {number}")
            if number % 2
            else by_visitor(active_chat, f"visitor {number}")
        )
    outcomes = link.store(entries, together=True)
    assert {outcome.status for outcome in outcomes} == {"stored"}
    for chat in (active_chat, *others):
        check_gapless(chat)
        stored = Message.objects.filter(chat=chat, kind="text").order_by("seq").values_list("seq", "text")
        assert list(stored) == [(o.seq, o.entry.text) for o in outcomes if o.entry.chat_id == chat.pk]
    newest = Message.objects.filter(chat=others[0]).latest("seq").created_at
    others[0].refresh_from_db()
    assert others[0].last_message_at == others[0].visitor_seen_at == newest


def test_what_was_sent_before_is_answered_among_new_ones(
    link: Link, active_chat: Chat, olga: Operator, site: Site, intake: Department
) -> None:
    """R-035: a known ref keeps its place, strangers are refused, the rest is stored."""
    ended = make_chat(visitor_on(site), intake, state="closed")
    known = by_visitor(active_chat, "again")
    (first,) = link.store([known], together=True)
    batch = [
        by_visitor(active_chat, "new"),
        known,
        by_visitor(ended, "too late"),
        by_visitor(active_chat, "not mine", session_key="0" * 64),
        by_operator(active_chat, olga, "stale", rights_epoch=olga.rights_epoch + 1),
        by_operator(active_chat, olga, "new too"),
    ]
    told = [(outcome.status, outcome.seq) for outcome in link.store(batch, together=True)]
    assert told == [
        ("stored", first.seq + 1),
        ("known", first.seq),
        ("closed", 0),
        ("refused", 0),
        ("refused", 0),
        ("stored", first.seq + 2),
    ]
    check_gapless(active_chat)
    assert not Message.objects.filter(chat=ended, kind="text").exists()
