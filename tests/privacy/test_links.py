"""Vera asks about her own data from a chat in a website: a link proves that the chat is hers (R-151)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Department, Operator, Site
from chatlead.errors import Forbidden, RateLimited
from chats.models import Chat
from privacy import links, selectors
from privacy.models import PrivacyLink
from tests.conftest import visitor_on
from visitors.actions import cut_off
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
PROVED = "You ask from your chat"
FORM = {"kind": "access", "lang": "en"}


def test_the_link_proves_whose_chat_it_is_once(
    client: Client, site: Site, vera: VisitorPrincipal, chat: Chat, owen: Operator
) -> None:
    """R-151: no code and no address; whoever finds the link afterwards has nothing."""
    path = links.issue(vera)
    assert PROVED in client.get(path, follow=True).text
    thief = Client()
    told = thief.get(path, follow=True)
    assert PROVED not in told.text and "Email" in told.text
    assert PROVED not in thief.get(f"/privacy/requests/?site={site.key}").text
    sent = client.post("/privacy/requests/", FORM | {"site": site.key}, follow=True)
    assert "Your request is confirmed" in sent.text
    [request] = selectors.queue(owen.account)
    assert (request.proof, request.origin, request.visitor_uids) == ("session", "chat", [chat.visitor.uid])
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert PROVED not in client.get(f"/privacy/requests/?site={site.key}").text


def test_the_link_is_of_no_use_after_ten_minutes(client: Client, vera: VisitorPrincipal, chat: Chat) -> None:
    """R-151: nor is what is left of it in the database, which the next link clears away."""
    path = links.issue(vera)
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        assert PROVED not in client.get(path, follow=True).text
        links.issue(vera)
    links.issue(vera)
    with time_machine.travel(timezone.now() + timedelta(minutes=25)):
        links.issue(vera)
        assert PrivacyLink.objects.count() == 1


def test_the_link_is_of_no_use_for_another_firm(
    client: Client, vera: VisitorPrincipal, chat: Chat, rival_site: Site, rival: Account
) -> None:
    """R-112: eve's firm is asked for nothing by it."""
    assert PROVED in client.get(links.issue(vera), follow=True).text
    assert PROVED not in client.get(f"/privacy/requests/?site={rival_site.key}").text
    refused = client.post("/privacy/requests/", FORM | {"site": rival_site.key})
    assert refused.status_code == 400
    assert not selectors.queue(rival).exists()


def test_an_erasure_ends_the_link(
    client: Client, site: Site, vera: VisitorPrincipal, chat: Chat, intake: Department
) -> None:
    """R-176: nobody is that visitor any more, neither by a link nor by one that was used before."""
    unused = links.issue(vera)
    assert PROVED in client.get(links.issue(vera), follow=True).text
    cut_off(account_id=chat.account_id, visitor_ids=[chat.visitor_id])
    assert PROVED not in client.get(f"/privacy/requests/?site={site.key}").text
    assert PROVED not in Client().get(unused, follow=True).text


def test_who_has_not_chatted_gets_the_form_alone(client: Client, site: Site) -> None:
    """R-110, R-151: there is nobody to be proved, no row is made, and a loader's line gets no link at all."""
    stranger = visitor_on(site, language="es")
    path = links.issue(stranger)
    assert path == f"/privacy/requests/?site={site.key}&lang=es"
    assert not PrivacyLink.objects.exists()
    with pytest.raises(Forbidden):
        links.issue(replace(stranger, role="page", session_key=""))
    for token in ("A" * 43, "x" * 5000, "%00", "%F0%9F%99%82"):
        assert client.get(f"/privacy/proof/{token}/").status_code == 302


def test_nobody_fills_the_table_with_links(vera: VisitorPrincipal, chat: Chat) -> None:
    """D-2."""
    for _ in range(links.MOST):
        links.issue(vera)
    with pytest.raises(RateLimited):
        links.issue(vera)
    assert PrivacyLink.objects.count() == links.MOST
