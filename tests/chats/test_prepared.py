"""What is asked for everybody who comes in is built once: it gets the answers of Django's own question."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts import actions as accounts
from accounts import logins, notices, presence, sites
from accounts import selectors as people
from accounts.models import Department, Operator, Site
from chatlead.prepared import Prepared
from chats import selectors, snapshot
from chats.actions import is_to_be_noted, note_visitors
from chats.models import Chat, Message
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db

MODULES: list[ModuleType] = [people, presence, sites, logins, accounts, selectors]
QUESTIONS = {
    f"{module.__name__}.{name}": question
    for module in MODULES
    for name, question in vars(module).items()
    if isinstance(question, Prepared)
} | {f"accounts.sites._shown[{language}]": question for language, question in sites._shown.items()}


def plain(row: Any) -> Any:
    """A row as plain data, what came with it included."""
    if not isinstance(row, Model):
        return row
    facts = {name: value for name, value in vars(row).items() if name != "_state"}
    cache = row._state.fields_cache
    return type(row).__name__, facts, {name: plain(value) for name, value in cache.items()}


@pytest.fixture
def known(
    site: Site, rival_site: Site, intake: Department, billing: Department, olga: Operator, nina: Operator,
    eve: Operator, vera: VisitorPrincipal, logged_in: Callable[[Operator], Client],
) -> dict[str, Any]:  # fmt: skip
    """A world in which each question has an answer, and what is asked for in it."""
    logged_in(olga), logged_in(eve)
    accounts.renew_leases([olga.pk, eve.pk])
    for each in (site, rival_site):
        notices.current(Site.objects.select_related("account").get(pk=each.pk))
    for state, operator in (("waiting", None), ("active", olga), ("missed", None)):
        closed_at = timezone.now() if state == "missed" else None
        make_chat(visitor_on(site), intake, state=state, operator=operator, closed_at=closed_at)
    talk = make_chat(
        vera, billing, state="active", operator=olga, answers=[{"name": "a", "label": "Ä", "value": "é"}]
    )
    Message.objects.create(
        account_id=talk.account_id, chat=talk, seq=2, ref=new_ref(), author="visitor", kind="text",
        text="%s?", facts={"name": "100 %"}, created_at=timezone.now(),
    )  # fmt: skip
    Chat.objects.filter(pk=talk.pk).update(last_seq=2, visitor_gone_at=timezone.now())
    lost = make_chat(visitor_on(site), intake)
    Chat.objects.filter(pk=lost.pk).update(returned_from=olga, returned_at=timezone.now())
    long_ago = timezone.now() - timedelta(days=1)
    Operator.objects.filter(pk=nina.pk).update(
        lease_until=timezone.now(), gone_at=long_ago, availability="away"
    )
    Operator.objects.filter(pk=eve.pk).update(lease_until=None)
    everybody = Operator.objects.values_list("pk", flat=True)
    return {
        "keys": {vera.session_key, site.key, rival_site.key, *Session.objects.values_list("pk", flat=True)},
        "sites": {site.pk, rival_site.pk},
        "accounts": {site.account_id, rival_site.account_id},
        "account": site.account_id,
        "departments": frozenset({intake.pk, billing.pk}),
        "operators": list(everybody),
        "operator": olga.pk,
        "rights_epoch": olga.rights_epoch,
        "users": [olga.user_id, eve.user_id],
        "ids": [olga.pk, olga.user_id],
        "chats": list(Chat.objects.values_list("pk", flat=True)),
        "visitors": tuple(Chat.objects.values_list("visitor_id", flat=True)),
        "now": timezone.now(),
        "recent": long_ago,
        "since": long_ago,
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_what_the_queryset_gives(name: str, known: dict[str, Any]) -> None:
    """V-9: whoever changes the one changes the other; the second time it is the kept one that is asked."""
    people.epoch()
    question = QUESTIONS[name]
    asked = {each: known[each] for each in question.names}
    expected = [plain(row) for row in question.queryset(**asked)]
    assert expected
    for _ in range(2):
        assert [plain(row) for row in question(**asked)] == expected


@pytest.mark.parametrize("name", [name for name in QUESTIONS if QUESTIONS[name].names])
def test_nobody_gets_what_another_asked_for(name: str, known: dict[str, Any]) -> None:
    """R-112: a kept question keeps no value; asked for nobody, it finds nobody."""
    question = QUESTIONS[name]
    asked = {each: known[each] for each in question.names}
    assert question(**asked)
    nobody = {
        each: type(value)() if isinstance(value, list | set | frozenset | tuple) else value
        for each, value in asked.items()
    }
    assert question(**nobody) == []


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_get_what_each_asked_for(
    olga: Operator, sam: Operator, eve: Operator
) -> None:
    """R-112: a question that was built by one thread keeps nothing of the others'."""

    def asking(operator: Operator) -> set[str]:
        try:
            return {uid for _ in range(50) for uid, _ in selectors.operator_names([operator.pk]).values()}
        finally:
            connection.close()

    team = [olga, sam, eve] * 3
    with ThreadPoolExecutor(len(team)) as threads:
        assert list(threads.map(asking, team)) == [{each.uid} for each in team]


@pytest.mark.parametrize("state", ["waiting", "active", "closed", "missed"])
@pytest.mark.parametrize("presence", ["here", "left", "lost"])
@pytest.mark.parametrize("seen", [0, 5, 40])
@pytest.mark.parametrize("gone", [None, -60, 1])
def test_who_comes_in_is_noted_exactly_where_there_is_something_to_note(
    state: str, presence: str, seen: int, gone: int | None, vera: VisitorPrincipal, intake: Department,
    olga: Operator,
) -> None:  # fmt: skip
    """V-14: the look at the chat that was read anyway says what the two questions of old said."""
    now = timezone.now()
    chat = make_chat(
        vera, intake, state=state, operator=olga if state == "active" else None,
        closed_at=now if state in ("closed", "missed") else None, started_at=now - timedelta(minutes=1),
        visitor_presence=presence, visitor_seen_at=now - timedelta(seconds=seen),
        visitor_gone_at=None if gone is None else now + timedelta(seconds=gone),
    )  # fmt: skip
    before = Chat.objects.filter(pk=chat.pk).values().get()
    read = snapshot.current_chats([vera])[vera.session_key]
    expected = is_to_be_noted(read)
    note_visitors([vera.session_key])
    assert (Chat.objects.filter(pk=chat.pk).values().get() != before) is expected
