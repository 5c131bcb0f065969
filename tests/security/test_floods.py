"""D-2, P-22: whoever does a thing again and again is held up, and hardly anybody else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from accounts import limits as counters
from accounts import notices
from accounts.models import Operator, OutboxItem, Site
from chatlead.asgi import application
from chatlead.errors import RateLimited
from chats import journal
from chats.actions import end_chat, leave_message, start_chat
from chats.journal.plain import EDITS_MAX
from chats.models import Chat, Message
from tests.chats.journal_hands import by_visitor
from tests.conftest import PASSWORD, goes_online, visitor_on
from tests.identifiers import new_ref
from visitors import tickets
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = "not her password"


@pytest.fixture
def limits(settings: Settings) -> Settings:
    """So small that they are seen: 2 for a session, 4 for a network and as many with work, 6 for a site and 3
    with work, which is some milliseconds of it."""
    settings.STARTS = settings.LEFT_MESSAGES = {"session": 2, "address": 4, "site": 6, "worked": 3}
    settings.WORK_BITS = 6
    return settings


def leaves(principal: VisitorPrincipal, **changed: Any) -> Chat:
    """Leaves a message."""
    site = Site.objects.select_related("account").get(pk=principal.site_id)
    told: dict[str, Any] = {"ref": new_ref(), "email": "vera@post.test", "text": "Call me"}
    notice = notices.current(site).sha256
    return leave_message(principal=principal, notice=notice, **told | changed)


def begins(principal: VisitorPrincipal, **changed: Any) -> Chat:
    """Starts a chat and gives it up at once."""
    told: dict[str, Any] = {"ref": new_ref(), "fields": {}}
    chat = start_chat(principal=principal, **told | changed)
    end_chat(principal=principal, uid=chat.uid)
    return chat


@pytest.mark.parametrize("begin", [leaves, begins])
def test_one_session_is_held_up_and_the_next_is_not(
    site: Site, on_duty: Operator, limits: Settings, begin: Any
) -> None:
    """D-2: and is told how long; nothing is stored, and no mail is sent."""
    mallory = visitor_on(site, is_unlimited=False)
    begin(mallory)
    begin(mallory)
    stored = Chat.objects.count(), OutboxItem.objects.count()
    with pytest.raises(RateLimited) as refused:
        begin(mallory)
    assert 0 < (refused.value.retry_after_ms or 0) <= 600_000
    assert (Chat.objects.count(), OutboxItem.objects.count()) == stored
    begin(visitor_on(site, is_unlimited=False))


@pytest.mark.parametrize("begin", [leaves, begins])
@pytest.mark.parametrize(
    ("near", "far"), [("198.51.100.{}", "192.0.2.7"), ("2001:db8:5:{}::1", "2001:db8:6::1")]
)
def test_sessions_are_free_so_an_address_is_held_up_with_its_neighbours(
    site: Site, on_duty: Operator, limits: Settings, begin: Any, near: str, far: str
) -> None:
    """D-2: a new session, or the next address of one's own network, is no way around; others get in."""
    for number in range(4):
        begin(visitor_on(site, is_unlimited=False, ip=near.format(number)))
    with pytest.raises(RateLimited):
        begin(visitor_on(site, is_unlimited=False, ip=near.format(9)))
    begin(visitor_on(site, is_unlimited=False, ip=far))


@pytest.mark.parametrize("begin", [leaves, begins])
def test_many_addresses_fill_one_site_only_so_far(
    site: Site, rival_site: Site, eve: Operator, on_duty: Operator, limits: Settings, begin: Any
) -> None:
    """D-2: operators are spared, and the sites of others do not notice."""
    goes_online(eve)
    for number in range(6):
        begin(visitor_on(site, is_unlimited=False, ip=f"10.{number}.0.1"))
    with pytest.raises(RateLimited):
        begin(visitor_on(site, is_unlimited=False, ip="10.9.0.1"))
    begin(visitor_on(rival_site, is_unlimited=False, ip="10.0.0.1"))


@pytest.mark.parametrize("begin", [leaves, begins])
def test_behind_a_proxy_that_nobody_has_named_all_share_the_bound_of_the_site_only(
    site: Site, on_duty: Operator, limits: Settings, begin: Any
) -> None:
    """R-096: everybody has the same address there, and one of them must not lock out the others."""
    for _ in range(6):
        begin(visitor_on(site, is_unlimited=False, ip="127.0.0.1"))
    with pytest.raises(RateLimited):
        begin(visitor_on(site, is_unlimited=False, ip="127.0.0.1"))


def test_a_plan_without_limits_starts_chats_but_mails_are_bounded(
    site: Site, on_duty: Operator, limits: Settings
) -> None:
    """contract.md, D-8: replays begin thousands of chats from one address; a flood of mail helps nobody."""
    crowd = visitor_on(site, is_unlimited=True)
    for _ in range(8):
        begins(crowd)
    leaves(crowd)
    leaves(crowd)
    with pytest.raises(RateLimited):
        leaves(crowd)


def test_what_is_sent_again_is_not_counted_again(site: Site, limits: Settings) -> None:
    """V-1: a client that has not heard the answer is nobody's enemy."""
    vera, ref = visitor_on(site), new_ref()
    for _ in range(9):
        leaves(vera, ref=ref)
    leaves(vera)
    assert Chat.objects.count() == 2


# --- the log-in (P-22) ------------------------------------------------------------------------------------


def tries(address: str, email: str, password: str, peer: str = "203.0.113.5") -> str:
    page = Client(REMOTE_ADDR=peer).post(address, {"username": email, "password": password})
    return "in" if page.status_code == 302 else "too many" if "Too many tries" in page.text else "no"


@pytest.mark.parametrize("address", ["/console/login/", "/admin/login/"])
@pytest.mark.parametrize("email", ["olga@acme.test", "nobody@acme.test"])
def test_the_eleventh_guess_is_not_looked_at(olga: Operator, address: str, email: str) -> None:
    """P-22: the right password included, and for an address that nobody has just the same."""
    olga.user.is_staff = True
    olga.user.save()
    assert [tries(address, email, WRONG) for _ in range(10)] == ["no"] * 10
    assert tries(address, email, PASSWORD) == "too many"
    assert tries(address, email.upper(), PASSWORD) == "too many"


def test_a_guesser_does_not_lock_olga_out(olga: Operator) -> None:
    """P-22: from her own desk she gets in, and so does her colleague's neighbour from there."""
    for _ in range(12):
        tries("/console/login/", "olga@acme.test", WRONG, peer="198.51.100.66")
    assert tries("/console/login/", "olga@acme.test", PASSWORD, peer="203.0.113.5") == "in"


def test_many_places_and_many_names_are_counted_too(olga: Operator, settings: Settings) -> None:
    """P-22: by account and by address, ten times as many."""
    settings.LOGIN_FAILURES = 1
    for number in range(10):
        assert tries("/console/login/", "olga@acme.test", WRONG, peer=f"10.1.{number}.1") == "no"
    assert tries("/console/login/", "olga@acme.test", PASSWORD, peer="10.1.99.1") == "too many"
    for number in range(10):
        assert tries("/console/login/", f"somebody{number}@acme.test", WRONG, peer="10.2.0.1") == "no"
    assert tries("/console/login/", "sam@acme.test", WRONG, peer="10.2.0.2") == "too many"


def test_strangers_who_guess_from_everywhere_keep_olga_out_of_no_browser_of_hers(
    olga: Operator, sam: Operator, settings: Settings
) -> None:
    """P-22, D-2: it knows her and nobody else; what is guessed wrong there is counted too, for it alone."""
    settings.LOGIN_FAILURES = 2

    def tries_there(email: str, password: str, device: str) -> str:
        browser = Client(REMOTE_ADDR="203.0.113.5")
        browser.cookies["cl_device"] = device
        page = browser.post("/console/login/", {"username": email, "password": password})
        return "in" if page.status_code == 302 else "too many" if "Too many tries" in page.text else "no"

    hers = Client(REMOTE_ADDR="203.0.113.5")
    hers.post("/console/login/", {"username": "Olga@acme.test", "password": PASSWORD})
    kept = hers.cookies["cl_device"]
    assert "HttpOnly" in kept.OutputString()
    assert "olga" not in kept.value
    for number in range(20):
        for email in ("olga@acme.test", "sam@acme.test"):
            tries("/console/login/", email, WRONG, peer=f"10.{number}.0.1")
    for _ in range(20):
        tries("/console/login/", "somebody@acme.test", WRONG, peer="203.0.113.6")
    assert tries("/console/login/", "olga@acme.test", PASSWORD, peer="203.0.114.5") == "too many"
    assert tries_there("sam@acme.test", PASSWORD, kept.value) == "too many"
    for forged in ("", "x", f"{kept.value}x", kept.value[1:], kept.value.replace(":", ".")):
        assert tries_there("olga@acme.test", PASSWORD, forged) == "too many"
    assert tries_there("olga@acme.test", PASSWORD, kept.value) == "in"
    told = [tries_there("olga@acme.test", WRONG, kept.value) for _ in range(3)]
    assert told == ["no", "no", "too many"]


def test_who_logs_in_often_is_not_counted(olga: Operator, settings: Settings) -> None:
    """Only failures are."""
    settings.LOGIN_FAILURES = 1
    assert [tries("/console/login/", "olga@acme.test", PASSWORD) for _ in range(4)] == ["in"] * 4


# --- requests (D-3) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("address", ["/console/login/", "/nowhere", "/widget/v1/ticket"])
async def test_a_body_without_end_is_not_kept(settings: Settings, declared: bool, address: str) -> None:
    """D-3: refused before it is read, or as soon as it is too much; the disk does not fill."""
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 65536
            yield b"x" * 65536

    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        headers = {"Content-Length": str(64 * 65536)} if declared else {}
        answer = await client.post(address, content=body(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert answer.headers["connection"] == "close"
    assert sent <= settings.BODY_MAX_BYTES + 65536 if not declared else sent == 0


# --- edits (D-1) ------------------------------------------------------------------------------------------


def test_a_message_is_not_edited_without_end(active_chat: Chat) -> None:
    """D-1: an edit rewrites those before it; a repetition is known, and a deletion possible."""
    with transaction.atomic():
        [said] = journal.append([by_visitor(active_chat, "first")])
        changes = [
            by_visitor(active_chat, f"{n}", kind="edit", target=said.seq) for n in range(EDITS_MAX + 1)
        ]
        assert [each.status for each in journal.append(changes)] == ["stored"] * EDITS_MAX + ["no_target"]
        assert [each.status for each in journal.append(changes[:1])] == ["known"]
        [other] = journal.append([by_visitor(active_chat, "second")])
        more = [by_visitor(active_chat, "x", kind="edit", target=other.seq)]
        assert [each.status for each in journal.append(more)] == ["stored"]
        gone = [by_visitor(active_chat, kind="deletion", target=said.seq)]
        assert [each.status for each in journal.append(gone)] == ["stored"]
    assert set(Message.objects.filter(target=said.seq).values_list("text", flat=True)) == {""}


# --- tickets (D-2) ----------------------------------------------------------------------------------------


def test_a_flood_of_counters_does_not_free_a_used_ticket(site: Site) -> None:
    """D-2, P-18: what is counted and what was used up are kept apart."""
    used = (tickets.issue(site, "https://www.acme.test"), site, "https://www.acme.test")
    assert tickets.redeem_all([used]) == [True]
    for number in range(25_000 if "locmem" in django_settings.CACHES["default"]["BACKEND"] else 100):
        counters.count("starts:session", f"stranger {number}")
    assert tickets.redeem_all([used]) == [False]


# --- ten minutes are always ten minutes -------------------------------------------------------------------


def test_no_moment_allows_twice_as_much(settings: Settings) -> None:
    """D-2: whoever waits for the clock to strike gets nothing for it; what is told to wait is enough."""
    start = datetime(2026, 1, 1, 12, 9, 59, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(10):
            counters.take("starts", "mallory", 10)
        clock.shift(2)  # another window has begun
        with pytest.raises(RateLimited) as refused:
            counters.take("starts", "mallory", 10)
        wait = refused.value.retry_after_ms or 0
        assert 50_000 < wait < 70_000
        for _ in range(50):
            with pytest.raises(RateLimited):
                counters.take("starts", "mallory", 10)
        clock.shift(wait / 1000)
        counters.take("starts", "mallory", 10)
        with pytest.raises(RateLimited):
            counters.take("starts", "mallory", 10)
        clock.shift(1200)
        for _ in range(10):
            counters.take("starts", "mallory", 10)
        assert counters.so_far("starts", "mallory") == 10


@pytest.mark.parametrize("second", [0, 1, 300, 599])
@pytest.mark.parametrize("most", [1, 2, 60])
def test_what_is_told_to_wait_is_enough(second: int, most: int) -> None:
    """D-2: an honest client that waits as it was told is let in, wherever in the window it is."""
    with time_machine.travel(datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC), tick=False) as clock:
        clock.shift(second)
        for _ in range(most):
            counters.take("starts", "vera", most)
        for _ in range(4):
            with pytest.raises(RateLimited) as refused:
                counters.take("starts", "vera", most)
            clock.shift((refused.value.retry_after_ms or 0) / 1000)
            if counters.so_far("starts", "vera") < most:
                break
        counters.take("starts", "vera", most)
