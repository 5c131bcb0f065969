"""A live session opens its chats; the id of a browser opens nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from accounts import notices
from accounts.models import Department, Operator, Site
from chatlead.errors import BadField
from chatlead.realtime import hub as hubs
from chats.models import Chat, Message
from tests.at_once import at_once
from tests.conftest import visitor_on
from tests.identifiers import new_ref
from tests.sockets import OURS, PAGE, Line, console_of, frame_of, hello_as_page, line
from visitors import tickets
from visitors.actions import engage
from visitors.models import Visitor, VisitorSession
from visitors.sessions import (
    VisitorPrincipal,
    browser_key_of,
    check_sites,
    new_token,
    page_of,
    plain_url,
    session_key_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


async def chat_of(opened: Line, text: str, **fields: str) -> dict[str, object]:
    """A chat begun with these fields."""
    notice = opened.welcome["site"]["notice"]["sha256"]
    answer = await opened.ask(type="start_chat", ref=new_ref(), text=text, fields=fields, notice=notice)
    assert answer["type"] == "started", answer
    chat: dict[str, object] = answer["chat"]
    return chat


# --- what opens what --------------------------------------------------------------------------------------


async def test_a_reload_brings_the_chat_back(site: Site, on_duty: Operator) -> None:
    """R-121: the same browser session, by its cookie."""
    token = new_token()
    async with frame_of(site, token=token) as vera:
        assert vera.welcome["cookie"] is True
        assert "session" not in vera.welcome
        chat = await chat_of(vera, "I was in a crash")
    async with frame_of(site, token=token) as again:
        assert again.welcome["chat"]["uid"] == chat["uid"]
        assert "I was in a crash" in str(again.welcome)


async def test_where_no_cookie_comes_back_a_token_is_handed_out(site: Site, on_duty: Operator) -> None:
    """R-125: the frame keeps it and says it in its next hello; the answer is the same token again."""
    async with frame_of(site) as vera:
        assert not vera.welcome.get("cookie")
        token = vera.welcome["session"]
        chat = await chat_of(vera, "Hello")
    async with line("/ws/v1/visitor", origin=OURS) as again:
        hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "session": token}
        await again.say(hello | {"ticket": tickets.issue(site, PAGE), "embedder": PAGE})
        welcome = await again.hear()
    assert welcome["chat"]["uid"] == chat["uid"]
    assert welcome["session"] == token


async def test_the_persistent_id_alone_shows_nothing_of_before(site: Site, on_duty: Operator) -> None:
    """R-124: the next person at the same computer sees nothing; the operator sees that somebody came back."""
    browser = new_token()
    async with frame_of(site, token=new_token(), browser=browser) as vera:
        chat = await chat_of(vera, "canary text", name="canary name")
        await vera.ask(type="end_chat", chat=chat["uid"])
    async with console_of(on_duty) as console, frame_of(site, token=new_token(), browser=browser) as later:
        assert "canary" not in str(later.welcome)
        assert "chat" not in later.welcome
        await chat_of(later, "another")
        listed = await console.hear_type("chat_listed")
        assert listed["chat"]["visitor"]["chat_count"] == 2
        assert listed["chat"]["visitor"]["name"] == "canary name"
        frames = await later.rest()
        assert "canary" not in str(frames)
    assert await Visitor.objects.acount() == 1
    assert await VisitorSession.objects.acount() == 2


async def test_one_cookie_is_two_sessions_on_two_sites(
    site: Site, rival_site: Site, on_duty: Operator
) -> None:
    """trials A: two sites under one domain share the jar, and must not share a chat."""
    token = new_token()
    async with frame_of(site, token=token) as vera:
        await chat_of(vera, "canary text")
    async with frame_of(rival_site, token=token, page="https://rival.test") as elsewhere:
        assert "canary" not in str(elsewhere.welcome)
        assert "chat" not in elsewhere.welcome


def test_ids_of_two_tenants_are_unrelated(site: Site, rival_site: Site) -> None:
    """R-122: what is stored of one browser, and of one session, differs from site to site."""
    token = new_token()
    stored = {
        browser_key_of(site.key, token),
        browser_key_of(rival_site.key, token),
        session_key_of(site.key, token),
        session_key_of(rival_site.key, token),
    }
    assert len(stored) == 4
    assert all(len(each) == 64 and token not in each for each in stored)


@pytest.mark.parametrize("browser", ["", "short", "1", "a" * 15, "a b" * 10, "x" * 201])
def test_an_id_that_is_too_easy_to_guess_is_no_id(site: Site, browser: str) -> None:
    """R-122: at least 128 bits can stand in it, or it links nobody."""
    assert browser_key_of(site.key, browser) == ""


async def test_somebody_who_looks_and_leaves_has_no_row(site: Site, on_duty: Operator) -> None:
    """R-110: opening the chat, and writing nothing, leaves nothing."""
    async with frame_of(site, token=new_token(), browser=new_token()) as vera:
        await vera.rest()
    assert not await Visitor.objects.aexists()
    assert not await VisitorSession.objects.aexists()


async def test_a_chat_needs_nothing_of_the_person(site: Site, on_duty: Operator) -> None:
    """R-146: every field blank, and both talk from end to end."""
    async with console_of(on_duty) as console, frame_of(site, token=new_token()) as vera:
        answer = await vera.ask(type="start_chat", ref=new_ref(), fields={"name": "", "email": ""})
        uid = answer["chat"]["uid"]
        assert (await console.ask(type="accept_chat", chat=uid))["type"] == "done"
        assert (await vera.ask(type="send_message", chat=uid, ref=new_ref(), text="Hi"))["type"] == "ack"
        assert (await console.hear_type("message_posted"))["text"] == "Hi"
        await console.ask(type="send_message", chat=uid, ref=new_ref(), text="Hello")
        assert (await vera.hear_type("message_posted"))["text"] == "Hello"
        assert (await vera.ask(type="end_chat", chat=uid))["type"] == "done"
    visitor = await Visitor.objects.aget()
    assert (visitor.name, visitor.email, visitor.number) == ("", "", 1)


# --- the pre-chat form (R-031) ------------------------------------------------------------------------------

FORM = [
    {"name": "name", "label": "Name", "kind": "text", "required": False},
    {"name": "email", "label": "Email", "kind": "email", "required": True},
    {"name": "case", "label": "Kind of case", "kind": "select", "options": ["Crash", "Divorce"]},
]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "missing_field", "email"),
        ({"email": ""}, "missing_field", "email"),
        ({"email": "no address"}, "bad_field", "email"),
        ({"email": "a@b.test\r\nBcc: x@y.test"}, "bad_field", "email"),
        ({"email": "a@b.test", "case": "Murder"}, "bad_field", "case"),
        ({"email": "a@b.test", "name": "Vera\r\nX: y"}, "bad_field", "name"),
        ({"email": "a@b.test", "card_number": "4111"}, "unknown_field", "card_number"),
        ({"email": "a@b.test", "tenant": "1"}, "unknown_field", "tenant"),
    ],
)
async def test_a_form_that_is_not_in_order_names_the_field_and_stores_nothing(
    site: Site, on_duty: Operator, fields: dict[str, str], code: str, field: str
) -> None:
    """R-031."""
    await Site.objects.filter(pk=site.pk).aupdate(fields=FORM)
    async with frame_of(site, token=new_token()) as vera:
        notice = vera.welcome["site"]["notice"]["sha256"]
        answer = await vera.ask(type="start_chat", ref=new_ref(), fields=fields, notice=notice)
        assert (answer["type"], answer["code"], answer["field"]) == ("failed", code, field)
        good = await vera.ask(type="start_chat", ref=new_ref(), fields={"email": "a@b.test"}, notice=notice)
        assert good["type"] == "started"
    assert await Chat.objects.acount() == 1
    assert await Visitor.objects.acount() == 1


async def test_a_site_without_a_form_starts_with_no_field(site: Site, on_duty: Operator) -> None:
    """R-031: and refuses one that nobody asked for."""
    await Site.objects.filter(pk=site.pk).aupdate(fields=[])
    async with frame_of(site, token=new_token()) as vera:
        assert not vera.welcome["site"].get("fields")
        refused = await vera.ask(type="start_chat", ref=new_ref(), fields={"name": "Vera"})
        assert (refused["code"], refused["field"]) == ("unknown_field", "name")
        assert (await vera.ask(type="start_chat", ref=new_ref()))["type"] == "started"


# --- rows ---------------------------------------------------------------------------------------------------


def test_visitors_are_numbered_on_their_site(site: Site, rival_site: Site) -> None:
    """R-030: whoever gives no name is "Visitor N"."""
    numbers = [engage(visitor_on(each))[0].number for each in (site, rival_site, site)]
    assert numbers == [1, 1, 2]


def test_two_sockets_of_one_session_are_one_visitor(vera: VisitorPrincipal) -> None:
    """R-110: whichever engages first."""

    def tab() -> tuple[int, int]:
        visitor, session = engage(vera)
        return visitor.pk, session.pk

    found = at_once(*[tab] * 6)
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_name_given_later_replaces_and_a_blank_one_does_not(vera: VisitorPrincipal) -> None:
    """R-030: stored in NFC, otherwise as it is."""
    engage(vera, name=" Ve\u0301ra ", email="vera@example.org")
    visitor, _ = engage(vera, name="  ")
    visitor.refresh_from_db()
    assert (visitor.name, visitor.email) == (" V\u00e9ra ", "vera@example.org")
    visitor, _ = engage(vera, name="Vera Lang")
    assert visitor.name == "Vera Lang"


@pytest.mark.parametrize("name", ["Vera\nX", "Vera\rX", "Vera\x00"])
def test_a_name_has_one_line(vera: VisitorPrincipal, name: str) -> None:
    """P-23: nothing of it can begin a header of its own."""
    with pytest.raises(BadField):
        engage(vera, name=name)
    assert not Visitor.objects.exists()


def test_a_failed_chat_leaves_no_visitor(vera: VisitorPrincipal) -> None:
    """R-110: the rows come and go with what was sent."""
    with pytest.raises(RuntimeError), transaction.atomic():
        engage(vera)
        raise RuntimeError
    assert not Visitor.objects.exists()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://www.acme.test/injuries?token=secret#part", "https://www.acme.test/injuries"),
        ("https://user:password@www.acme.test:8443/a", "https://www.acme.test:8443/a"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("https://[broken", ""),
        ("", ""),
        ("https://www.acme.test/a\r\nX: y", "https://www.acme.test/aX: y"),
    ],
)
def test_an_address_is_kept_without_what_might_be_secret(url: str, kept: str) -> None:
    """R-101, P-14: http(s) only, without user, query and fragment."""
    assert plain_url(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/log-in",
        "https://www.acme.test.evil.test/",
        "https://www.acme.test@evil.test/",
        "https://www.acme.test\\@evil.test/",
        "https://www.acme.testevil/",
        "https://www.acme.test:8443/",
        "http://www.acme.test/",
        "//www.acme.test/",
    ],
)
def test_a_visitor_cannot_send_olga_to_another_website(url: str) -> None:
    """P-17, D-7: the page is a link in her console, and its visitor's word alone."""
    assert page_of(PAGE, url) == ""
    assert page_of(PAGE, f"{PAGE}/injuries?a=1") == f"{PAGE}/injuries"
    assert page_of(PAGE.upper(), PAGE) == PAGE


async def test_the_page_of_a_chat_is_one_of_the_site(site: Site, on_duty: Operator) -> None:
    """D-7: whatever a forged hello says."""
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "embedder": PAGE}
    ticket = await sync_to_async(tickets.issue)(site, PAGE)
    async with line("/ws/v1/visitor") as mallory:
        await mallory.say(hello | {"ticket": ticket, "page_url": "https://evil.test/log-in"})
        mallory.welcome = await mallory.hear()
        await chat_of(mallory, "Hello")
    assert (await Chat.objects.aget()).page_url == ""


async def test_the_page_of_a_chat_is_stored_without_its_query(site: Site, on_duty: Operator) -> None:
    """R-101."""
    async with frame_of(site, token=new_token()) as vera:
        await chat_of(vera, "Hello")
    assert (await Chat.objects.aget()).page_url == "https://www.acme.test/injuries"


async def test_a_message_that_is_left_tells_the_team_and_is_no_chat(
    site: Site, intake: Department, olga: Operator
) -> None:
    """R-034: nobody is online, so the words go to the department."""
    sha256 = await sync_to_async(lambda: notices.current(site).sha256)()
    sent = {"email": "vera@example.org", "name": "Vera", "text": "Call me", "notice": sha256}
    async with console_of(olga) as console, frame_of(site, token=new_token()) as vera:
        ref = new_ref()
        for _ in range(2):
            answer = await vera.ask(type="leave_message", ref=ref, department=intake.uid, **sent)
            assert answer["type"] == "done", answer
        listed = await console.hear_type("chat_listed")
        assert listed["chat"]["state"] == "missed"
        assert [each for each in await console.rest() if each["type"] == "chat_listed"] == []
    assert await Message.objects.filter(text="Call me").acount() == 1


def test_nothing_of_the_principal_can_be_changed(
    principal_of: Callable[[Operator], object], olga: Operator
) -> None:
    """design §7: who somebody is, is settled at the hello."""
    with pytest.raises(AttributeError):
        principal_of(olga).account_id = 7  # type: ignore[attr-defined]


# --- sites that close -------------------------------------------------------------------------------------


async def checks() -> None:
    hub = hubs.current()
    assert hub is not None
    await check_sites(hub)


async def test_who_is_on_a_site_that_was_disabled_is_shown_out(site: Site, rival_site: Site) -> None:
    """ASVS 4.4: page and frame, with a code that says not to come back; other sites notice nothing."""
    async with (
        frame_of(site) as vera,
        line("/ws/v1/visitor", origin=PAGE) as page,
        frame_of(rival_site, page="https://rival.test") as other,
    ):
        await hello_as_page(page, site)
        await checks()
        assert (await vera.ask(type="ping"))["type"] == "pong"
        await Site.objects.filter(pk=site.pk).aupdate(is_enabled=False)
        await checks()
        assert (await vera.close_code(), await page.close_code()) == (4404, 4404)
        assert (await other.ask(type="ping"))["type"] == "pong"


async def test_who_is_on_a_domain_that_was_taken_away_is_shown_out(site: Site) -> None:
    """R-002: within the same query for all, and only those of that domain."""
    await Site.objects.filter(pk=site.pk).aupdate(allowed_domains=["www.acme.test", "shop.acme.test"])
    async with (
        frame_of(site) as vera,
        frame_of(site, page="https://shop.acme.test") as other,
        line("/ws/v1/visitor", origin=PAGE) as page,
    ):
        await hello_as_page(page, site)
        await Site.objects.filter(pk=site.pk).aupdate(allowed_domains=["shop.acme.test"])
        await checks()
        assert (await vera.close_code(), await page.close_code()) == (4403, 4403)
        assert (await other.ask(type="ping"))["type"] == "pong"


async def test_no_page_stays_on_by_naming_none(site: Site) -> None:
    """R-002: `page_url` is the word of a page that may be hostile; where it was let in is not."""
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "embedder": PAGE}
    ticket = await sync_to_async(tickets.issue)(site, PAGE)
    async with line("/ws/v1/visitor") as mallory:
        await mallory.say(hello | {"ticket": ticket, "page_url": "https://evil.test/"})
        assert (await mallory.hear())["type"] == "visitor_welcome"
        await Site.objects.filter(pk=site.pk).aupdate(allowed_domains=["shop.acme.test"])
        await checks()
        assert await mallory.close_code() == 4403
