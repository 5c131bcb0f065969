"""The chat as a page of its own, for firms without a website: who may open it, and what it lets in."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.actions import set_hosted_page
from accounts.models import Operator, Site, User
from chatlead.errors import TicketRefused
from chatlead.realtime import hub as hubs
from tests.sockets import OURS, PAGE, Closed, Line, frame_of, line
from visitors import passes, tickets
from visitors.sessions import check_sites, new_token

pytestmark = pytest.mark.django_db(transaction=True)
OWN = "http://127.0.0.1:8000"


@pytest.fixture
def site(site: Site) -> Site:
    """A firm without a website: the site lists no domain at all."""
    site.allowed_domains = []
    site.name = "Acme <Law>"
    site.save(update_fields=["allowed_domains", "name"])
    return site


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True, headers={"Host": "127.0.0.1:8000"})


def ask_ticket(client: Client, site: Site, origin: str = OWN) -> int:
    body = json.dumps({"site": site.key})
    answer = client.post("/widget/v1/ticket", body, content_type="text/plain", headers={"Origin": origin})
    return answer.status_code


async def close_code(site: Site, page: str, ticket: str, **changed: object) -> int:
    """What the hello of a chat that stands on `page` is answered with; 0 when it is let in."""
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "ticket": ticket}
    async with line("/ws/v1/visitor") as opened:
        await opened.say(hello | {"embedder": page} | changed)
        try:
            await opened.hear()
        except Closed as closed:
            return closed.code
    return 0


# --- the page -----------------------------------------------------------------------------------------


def test_whoever_has_the_link_sees_the_chat(client: Client, site: Site) -> None:
    """R-003: on no website, so no domain has to be listed; with a session of its own (R-120)."""
    answer = client.get(f"/chat/{site.key}/")
    assert answer.status_code == 200
    assert f'data-site="{site.key}"' in answer.text
    assert re.search(r'data-hosted="/static/dist/hosted.js\?v=\w+"', answer.text)
    assert "data-hosted" not in client.get(f"/widget/v1/frame?site={site.key}").text
    assert "Chat with Acme &lt;Law&gt;" in answer.text
    assert "Partitioned" in answer.cookies["__Host-cl_s"].OutputString()
    assert answer["Cache-Control"] == "no-store"
    assert "__Host-cl_s" not in client.get(f"/chat/{site.key}/?fresh=1").cookies  # a link logs nobody out


def test_no_page_may_embed_it(client: Client, site: Site) -> None:
    """P-2: there is no loader beside it whose word it would take, and nothing is laid over it."""
    Site.objects.filter(pk=site.pk).update(allowed_domains=["acme.test"])
    answer = client.get(f"/chat/{site.key}/")
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"] == policy["default-src"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_it_speaks_as_the_widget_does(client: Client, site: Site) -> None:
    """Issue 4 A: the link's language, else the site's, else the browser's; Arabic from the right."""
    spanish = client.get(f"/chat/{site.key}/", headers={"Accept-Language": "es-MX,en;q=0.5"}).text
    assert "<title>Chat con Acme &lt;Law&gt;</title>" in spanish
    assert '<html lang="es" dir="ltr">' in spanish
    assert "chat.es.js" in spanish
    arabic = client.get(f"/chat/{site.key}/?lang=ar", headers={"Accept-Language": "es"}).text
    assert '<html lang="ar" dir="rtl">' in arabic


def test_the_page_opens_no_frame_to_anybody(client: Client, site: Site) -> None:
    """P-2: whoever embeds the frame still has to be on the site's list, and it is empty."""
    answer = client.get(f"/widget/v1/frame?site={site.key}")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "frame-ancestors 'self'" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("key", ["x", "x" * 22, "x" * 500, "%00" * 22, "..%2f..%2fetc"])
def test_a_page_of_no_site_is_not_there(client: Client, key: str) -> None:
    """P-23: a page for people, and no cookie."""
    answer = client.get(f"/chat/{key}/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert not answer.cookies


def test_a_site_that_is_disabled_or_has_switched_its_page_off_has_none(client: Client, site: Site) -> None:
    assert set_hosted_page(site_id=site.pk, on=False)
    assert not set_hosted_page(site_id=site.pk, on=False)
    assert client.get(f"/chat/{site.key}/").status_code == 404
    assert ask_ticket(client, site) == 403
    assert set_hosted_page(site_id=site.pk, on=True)
    assert client.get(f"/chat/{site.key}/").status_code == 200
    Site.objects.filter(pk=site.pk).update(is_enabled=False)
    assert client.get(f"/chat/{site.key}/").status_code == 404
    assert ask_ticket(client, site) == 404


# --- its tickets --------------------------------------------------------------------------------------


def test_it_gets_a_ticket_for_itself_and_another_page_gets_none(client: Client, site: Site) -> None:
    """R-002: the list of domains goes on to say which other pages may have the chat."""
    assert ask_ticket(client, site) == 200
    for origin in (PAGE, "https://evil.test", "http://127.0.0.1:8001", "https://127.0.0.1:8000", "null"):
        assert ask_ticket(client, site, origin) == 403


async def test_its_ticket_lets_it_in(site: Site) -> None:
    """R-121: and a reload finds the same session."""
    token = new_token()
    async with frame_of(site, token=token, page=OURS) as vera:
        assert vera.welcome["cookie"] is True
        assert vera.welcome["site"]["key"] == site.key


async def test_its_ticket_is_good_nowhere_else(site: Site, rival_site: Site) -> None:
    """P-2: neither on another page, nor for eve's site, nor for a launcher, nor twice."""
    assert await close_code(site, PAGE, tickets.issue(site, OURS)) == 4403
    assert await close_code(site, "https://evil.test", tickets.issue(site, "https://evil.test")) == 4403
    assert await close_code(rival_site, OURS, tickets.issue(site, OURS)) == 4403
    assert await close_code(site, OURS, "", role="page") == 4403
    once = tickets.issue(site, OURS)
    assert [await close_code(site, OURS, once), await close_code(site, OURS, once)] == [0, 4403]


async def test_a_site_that_has_switched_its_page_off_lets_nobody_in_there(site: Site) -> None:
    await sync_to_async(set_hosted_page)(site_id=site.pk, on=False)
    assert await close_code(site, OURS, tickets.issue(site, OURS)) == 4403


@pytest.fixture
async def vera(site: Site) -> AsyncIterator[Line]:
    async with frame_of(site, token=new_token(), page=OURS) as opened:
        yield opened


async def test_who_is_on_the_page_when_it_is_switched_off_is_shown_out(site: Site, vera: Line) -> None:
    """V-1: within seconds, and who talks on a website of the firm stays."""
    await Site.objects.filter(pk=site.pk).aupdate(allowed_domains=["www.acme.test"])
    hub = hubs.current()
    assert hub is not None
    async with frame_of(site, token=new_token()) as other:
        await check_sites(hub)
        assert await vera.rest() == await other.rest() == []
        await sync_to_async(set_hosted_page)(site_id=site.pk, on=False)
        await check_sites(hub)
        assert await vera.close_code() == 4403
        assert await other.rest() == []


def test_a_pass_of_the_page_names_the_page(site: Site) -> None:
    """docs/protocol.md: what stands for the ticket of a poll is bound to where it was given."""
    given = passes.issue(site.key, OURS, "a" * 64, in_cookie=False)
    assert passes.check(given, site.key, OURS) == ("a" * 64, False)
    with pytest.raises(TicketRefused):
        passes.check(given, site.key, PAGE)


# --- who switches it ------------------------------------------------------------------------------------


@pytest.fixture
def switch(site: Site) -> Callable[[Client, str], int]:
    def press(client: Client, action: str) -> int:
        asked = {"action": action, "_selected_action": [site.pk]}
        return client.post("/admin/accounts/site/", asked).status_code

    return press


def test_staff_switches_it_off_and_on_and_it_is_written_down(
    site: Site, switch: Callable[[Client, str], int]
) -> None:
    """design §2: the admin's buttons call actions."""
    staff = Client()
    staff.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    for action, on in (("switch_hosted_page_off", False), ("switch_hosted_page_on", True)):
        assert switch(staff, action) == 302
        site.refresh_from_db()
        assert site.hosted_page is on
    assert [entry.change_message for entry in LogEntry.objects.order_by("id")] == [
        "hosted page off",
        "hosted page on",
    ]


def test_nobody_else_does(
    site: Site, olga: Operator, eve: Operator, switch: Callable[[Client, str], int]
) -> None:
    """R-008."""
    for person in (olga, eve):
        client = Client()
        client.force_login(person.user)
        assert switch(client, "switch_hosted_page_off") == 302
    assert switch(Client(), "switch_hosted_page_off") == 302
    site.refresh_from_db()
    assert site.hosted_page is True
