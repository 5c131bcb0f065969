"""ASVS 4.4: who may open a socket. A refusal is a close after the accept, so that a browser sees the code."""

from __future__ import annotations

import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from accounts.models import Operator, Site
from tests.sockets import OURS, PAGE, Closed, console_of, frame_of, hello_as_page, line, log_in
from visitors import tickets

pytestmark = pytest.mark.django_db(transaction=True)

FORBIDDEN_ORIGINS = [
    None,
    "null",
    "",
    "https://evil.test",
    "https://acme.test.evil.com",
    "https://www.acme.test.evil.com",
    "https://evilacme.test",
    "https://acme.test@evil.com",
    "https://www.acme.test:8443",
    "http://www.acme.test",
    "ftp://www.acme.test",
    "https://www.acme.test/",
    "https://www.acme.test.",
    "https://.acme.test",
    "javascript://www.acme.test",
    "file://",
    "https://www.acme.test https://evil.test",
]


@pytest.mark.parametrize("origin", FORBIDDEN_ORIGINS)
async def test_a_page_that_is_none_of_the_sites_is_refused(site: Site, origin: str | None) -> None:
    """ASVS 4.4.2, P-17: the loader's socket is let in by its Origin alone."""
    async with line("/ws/v1/visitor", origin=origin) as opened:
        with pytest.raises(Closed) as closed:
            await hello_as_page(opened, site)
    assert closed.value.code == 4403


@pytest.mark.parametrize(
    "origin",
    ["https://acme.test", "https://www.acme.test", "https://a.b.acme.test", "https://WWW.Acme.test",
     "http://127.0.0.1:8101", "http://localhost:3000", "https://www.acme.test:443"],
)  # fmt: skip
async def test_a_page_of_the_site_is_let_in(site: Site, origin: str) -> None:
    """R-002: the site's own domains, any sub-domain where the firm says so, and this machine for trying."""
    async with line("/ws/v1/visitor", origin=origin) as opened:
        assert (await hello_as_page(opened, site))["type"] == "page_welcome"


@pytest.mark.parametrize(
    "origin", [None, "null", "https://www.acme.test", "http://chat.example.evil.test", "http://chat.example:81",
               "https://chat.example", "http://evil.test"],
)  # fmt: skip
@pytest.mark.parametrize("who", ["frame", "console"])
async def test_the_frame_and_the_console_come_from_our_own_origin_only(
    site: Site, olga: Operator, origin: str | None, who: str
) -> None:
    """ASVS 4.4.2: a page elsewhere cannot ride on a cookie, its own customer's page included."""
    if who == "frame":
        with pytest.raises(Closed) as closed:
            async with frame_of(site, origin=origin):
                pass
    else:
        with pytest.raises(Closed) as closed:
            async with console_of(olga, origin=origin):
                pass
    assert closed.value.code == 4403


async def test_two_origins_are_none(site: Site) -> None:
    """A header that comes twice is not a choice."""
    async with line("/ws/v1/visitor", origin=PAGE, headers=[("origin", "https://evil.test")]) as opened:
        with pytest.raises(Closed) as closed:
            await hello_as_page(opened, site)
    assert closed.value.code == 4403


async def say_hello(site: Site, **changed: Any) -> int:
    """The close code that a frame's hello brings; 0 when it is let in."""
    hello = {
        "type": "hello", "protocol": 1, "role": "chat", "site": site.key, "embedder": PAGE, "ticket": "",
    } | changed  # fmt: skip
    async with line("/ws/v1/visitor") as opened:
        await opened.say(hello)
        try:
            return 0 if (await opened.hear())["type"] == "visitor_welcome" else -1
        except Closed as closed:
            return closed.code


async def test_a_ticket_is_good_once(site: Site) -> None:
    """ASVS 4.4.3: a ticket read from somewhere is of no use any more."""
    ticket = tickets.issue(site, PAGE)
    assert [await say_hello(site, ticket=ticket), await say_hello(site, ticket=ticket)] == [0, 4403]


async def test_a_ticket_of_one_page_lets_no_other_in(site: Site, rival_site: Site) -> None:
    """trials B: the browser names the embedder, so a ticket that was planted elsewhere is refused."""
    ticket = tickets.issue(site, PAGE)
    assert await say_hello(site, ticket=ticket, embedder="https://acme.test") == 4403
    assert await say_hello(site, ticket=ticket, embedder="https://evil.test") == 4403
    assert await say_hello(rival_site, ticket=ticket) == 4403
    planted = tickets.issue(site, "https://evil.test")
    assert await say_hello(site, ticket=planted, embedder="https://evil.test") == 4403
    assert await say_hello(site, ticket=ticket) == 0


async def test_a_ticket_lasts_a_minute(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that opens later asks for a new one."""
    ticket = tickets.issue(site, PAGE)
    real = time.time
    monkeypatch.setattr("visitors.tickets.time.time", lambda: real() + 62)
    assert await say_hello(site, ticket=ticket) == 4403


async def test_a_forged_ticket_is_refused(site: Site) -> None:
    """Whatever character is changed, and whatever is no ticket at all."""
    good = tickets.issue(site, PAGE)
    expiry, nonce, mac = good.split(".")
    forged = [
        f"{int(expiry) + 1}.{nonce}.{mac}",
        f"{expiry}.{nonce[::-1]}.{mac}",
        f"{expiry}.{nonce}.{'0' * 64}",
        f"{expiry}.{nonce}.{mac.upper()}",
        f"{good}.",
        f" {good}",
        f"{good}\n",
        "",
        "0",
        "None",
        "..",
        "a" * 600,
    ]
    assert {await say_hello(site, ticket=each) for each in forged} == {4403}
    assert await say_hello(site, ticket=good) == 0


async def test_a_token_in_the_address_opens_nothing(site: Site, olga: Operator) -> None:
    """ASVS 14.2.1: addresses are logged by everybody on the way, so nothing is read from them."""
    key = await sync_to_async(log_in)(olga)
    ticket = tickets.issue(site, PAGE)
    async with line(f"/ws/v1/operator?cl_login={key}&session={key}") as opened:
        await opened.say({"type": "hello", "protocol": 1})
        assert await opened.close_code() == 4401
    async with line(f"/ws/v1/visitor?ticket={ticket}&embedder={PAGE}&site={site.key}") as opened:
        await opened.say({"type": "hello", "protocol": 1, "role": "chat", "site": site.key})
        assert await opened.close_code() == 4403


async def test_a_console_needs_a_log_in_that_lives(olga: Operator) -> None:
    """ASVS 7.2: no cookie, an invented one, an ended one and that of a suspended operator are refused."""

    async def code(cookie: str | None) -> int:
        async with line("/ws/v1/operator", cookies={"cl_login": cookie} if cookie else None) as opened:
            await opened.say({"type": "hello", "protocol": 1})
            return await opened.close_code()

    assert await code(None) == 4401
    assert await code("a" * 32) == 4401
    assert await code("../../etc/passwd") == 4401
    key = await sync_to_async(log_in)(olga)
    async with console_of(olga, login=key):
        pass
    await Session.objects.filter(session_key=key).adelete()
    assert await code(key) == 4401
    key = await sync_to_async(log_in)(olga)
    await Operator.objects.filter(pk=olga.pk).aupdate(suspended_at="2026-01-01T00:00:00Z")
    assert await code(key) == 4403


async def test_a_changed_password_ends_the_old_log_ins(olga: Operator) -> None:
    """ASVS 7.4.3."""
    key = await sync_to_async(log_in)(olga)
    olga.user.password = "argon2$another"
    await olga.user.asave()
    async with line("/ws/v1/operator", cookies={"cl_login": key}) as opened:
        await opened.say({"type": "hello", "protocol": 1})
        assert await opened.close_code() == 4401


async def test_a_site_that_is_not_there_or_is_disabled_is_not_found(site: Site) -> None:
    """R-002: both look the same."""
    async with line("/ws/v1/visitor", origin=PAGE) as opened:
        await opened.say({"type": "hello", "protocol": 1, "role": "page", "site": "x" * 22})
        assert await opened.close_code() == 4404
    await Site.objects.filter(pk=site.pk).aupdate(is_enabled=False)
    async with line("/ws/v1/visitor", origin=PAGE) as opened:
        with pytest.raises(Closed) as closed:
            await hello_as_page(opened, site)
    assert closed.value.code == 4404


async def test_another_version_of_the_protocol_is_told_so(site: Site, olga: Operator) -> None:
    """docs/protocol.md: a page of last year reloads itself."""
    assert await say_hello(site, protocol=0, ticket=tickets.issue(site, PAGE)) == 4406
    key = await sync_to_async(log_in)(olga)
    async with line("/ws/v1/operator", cookies={"cl_login": key}) as opened:
        await opened.say({"type": "hello", "protocol": 0})
        assert await opened.close_code() == 4406


async def test_eve_is_let_into_her_own_account_only(olga: Operator, eve: Operator) -> None:
    """P-17: naming another account in the hello is no way in."""
    key = await sync_to_async(log_in)(eve)
    async with line("/ws/v1/operator", cookies={"cl_login": key}) as opened:
        await opened.say({"type": "hello", "protocol": 1, "account": olga.account.uid})
        assert await opened.close_code() == 4403


async def test_an_address_that_is_none_of_ours_closes(db: None) -> None:
    """There is no third socket."""
    for path in ("/ws/v1/", "/ws/v1/admin", "/ws/v2/visitor", "/"):
        async with line(path, origin=OURS) as opened:
            assert await opened.close_code() == 4404
