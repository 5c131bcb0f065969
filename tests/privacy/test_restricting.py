"""Vera's data are kept, and nothing else is done with them, until owen ends it (B2-7, R-175)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import audit, outbox
from accounts.models import Department, Operator, Site
from chatlead.errors import MissingField, NotFound
from chats import history, mails, selectors
from chats.models import Chat, Message, TranscriptRequest
from privacy import actions, restricting
from privacy.models import PrivacyRequest
from privacy.selectors import counts, person_of
from privacy.tasks import tidy
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.privacy.conftest import EMAIL
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Proved = Callable[[str], PrivacyRequest]


@pytest.fixture
def restricted(proved: Proved, known_vera: Chat, owens: Client, deliver: Work) -> PrivacyRequest:
    """She has asked for it, and owen has pressed the button."""
    Message.objects.create(
        account_id=known_vera.account_id, chat=known_vera, seq=2, ref=new_ref(), author="visitor",
        kind="text", text="I was in a crash", created_at=known_vera.started_at,
    )  # fmt: skip
    Chat.objects.filter(pk=known_vera.pk).update(last_seq=2)
    request = proved("restrict")
    page = f"/account/privacy/requests/{request.uid}/"
    assert 'value="restrict"' in owens.get(page).text
    owens.post(f"{page}do/", {"do": "restrict"})
    deliver()
    request.refresh_from_db()
    return request


def test_what_is_restricted_is_kept_and_on_no_screen(
    restricted: PrivacyRequest, known_vera: Chat, nina: Operator, olga: Operator, vera: VisitorPrincipal,
    principal_of: Any,
) -> None:  # fmt: skip
    """B2-7: not in the console, not on the account's pages, not in her own window; all of it is there."""
    assert restricted.state == "done" and restricted.restricted_at is not None
    known_vera.refresh_from_db()
    assert known_vera.state == "closed" and known_vera.closed_at is not None
    assert Message.objects.get(chat=known_vera, seq=2).text == "I was in a crash"
    assert Visitor.objects.get(pk=known_vera.visitor_id).email == EMAIL
    assert counts(person_of(restricted))["chats"] == 1
    for operator in (olga, nina):
        at_desk = principal_of(operator)
        assert history.find_chats(at_desk, history.Wanted()).chats == []
        assert not selectors.missed_chats(at_desk) and not selectors.chats_at_work(at_desk).exists()
    for principal in (principal_of(nina), vera):
        with pytest.raises(NotFound):
            selectors.access_chat(principal, known_vera.uid)
    [told] = [each for each in mail.outbox if "does nothing else with it" in each.body]
    assert told.to == [EMAIL]


def test_whoever_comes_back_with_her_browser_is_a_stranger(
    restricted: PrivacyRequest, known_vera: Chat, vera: VisitorPrincipal, intake: Department
) -> None:
    """B2-7: nothing new is put to what is kept; a chat that she begins herself is nobody's known."""
    again = make_chat(vera, intake)
    assert again.visitor_id != known_vera.visitor_id and again.visitor.browser_key is None
    assert Visitor.objects.get(pk=known_vera.visitor_id).browser_key == vera.browser_key


def test_nothing_of_what_waits_is_mailed(restricted: PrivacyRequest, known_vera: Chat, deliver: Work) -> None:
    """B2-7: a transcript that was asked for stays where it is."""
    asked = TranscriptRequest.objects.create(
        account_id=known_vera.account_id, chat=known_vera, ref=new_ref(), email=EMAIL, language="en"
    )
    outbox.add(mails.TRANSCRIPT, {"request": asked.pk}, "transcript:1", known_vera.account_id)
    mail.outbox.clear()
    deliver()
    assert mail.outbox == []


def test_owen_ends_it_with_a_reason_that_she_reads(
    restricted: PrivacyRequest, known_vera: Chat, owen: Operator, owens: Client, nina: Operator,
    principal_of: Any, deliver: Work,
) -> None:  # fmt: skip
    """B2-7, R-151: her address is kept for that, and forgotten then; all is audited; never twice."""
    tidy()
    restricted.refresh_from_db()
    assert restricted.email == EMAIL
    page = f"/account/privacy/requests/{restricted.uid}/"
    assert "End the restriction" in owens.get(page).text
    with pytest.raises(MissingField):
        restricting.lift(by=owen, request=restricted, reason=" ")
    owens.post(f"{page}do/", {"do": "lift", "reason": "The dispute is over."})
    deliver()
    assert "The dispute is over." in mail.outbox[-1].body and mail.outbox[-1].to == [EMAIL]
    restricted.refresh_from_db()
    assert restricted.email == "" and restricted.lifted_at is not None
    [back] = history.find_chats(principal_of(nina), history.Wanted()).chats
    assert back == known_vera
    with pytest.raises(actions.IllegalStep):
        restricting.lift(by=owen, request=restricted, reason="again")
    deeds = {entry.action for entry in audit.entries(owen.account)}
    assert {"privacy.restricted", "privacy.lifted"} <= deeds


def test_whom_two_requests_restrict_one_alone_does_not_free(
    restricted: PrivacyRequest, known_vera: Chat, proved: Proved, owen: Operator
) -> None:
    """B2-7."""
    second = proved("restrict")
    restricting.restrict(by=owen, request=second)
    restricting.lift(by=owen, request=restricted, reason="The first is over.")
    assert Visitor.objects.get(pk=known_vera.visitor_id).restricted_at is not None
    second.refresh_from_db()
    restricting.lift(by=owen, request=second, reason="Both are.")
    assert Visitor.objects.get(pk=known_vera.visitor_id).restricted_at is None


def test_a_neighbour_is_not_restricted_and_eve_restricts_nobody(
    proved: Proved, known_vera: Chat, site: Site, intake: Department, owen: Operator, eve: Operator
) -> None:
    """R-112, B2-7."""
    neighbour = make_chat(visitor_on(site), intake)
    request = proved("restrict")
    with pytest.raises(NotFound):
        restricting.restrict(by=eve, request=request)
    assert not Visitor.objects.exclude(restricted_at=None).exists()
    with pytest.raises(actions.IllegalStep):
        actions.finish(by=owen, request=request)
    with pytest.raises(actions.IllegalStep):
        restricting.restrict(by=owen, request=proved("erase"))
    restricting.restrict(by=owen, request=request)
    neighbour.refresh_from_db()
    assert neighbour.state == "waiting" and neighbour.visitor.restricted_at is None
