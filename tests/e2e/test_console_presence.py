"""Who is really there, on the screens: colleagues, visitors, the chats of a lost operator (V-14)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.exchange import Exchange
from tests.e2e.people import PASSWORD, Desk, Visitor
from tests.e2e.wishes import FIRM, Settings
from tests.servers import Server

Visitors = Callable[..., Visitor]
Look = Callable[[Page], list[str]]
ANSWERED = 5  # enough to say something of waits (chats/estimates.py)
GONE_MS = 30_000  # it is told at once, and shown some seconds later
QUICK = {
    "CHATLEAD_DEMO_PASSWORD": PASSWORD,
    "CHATLEAD_LEASE_SECONDS": "4",
    "CHATLEAD_RETURN_SECONDS": "6",
    "CHATLEAD_VISITOR_SECONDS": "8",
    "CHATLEAD_SETTLE_SECONDS": "4",
    "CHATLEAD_POSITION_SECONDS": "2",
    "CHATLEAD_AWAY_SECONDS": "900",
}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which a minute is some seconds, started again after olga has answered a few."""
    folder = tmp_path_factory.mktemp("quick")
    with Server(data_dir=folder, options=["--migrate", "--demo"], env=QUICK) as running:
        ((key,),) = Settings(running).run("SELECT key FROM accounts_site WHERE name = ?", FIRM)
        with Exchange(running.url, key, {}) as exchange:
            olga = exchange.staff("olga")
            olga.is_online()
            for number in range(ANSWERED):
                exchange.caller().starts_chat(f"Earlier {number}")
                olga.accepts(f"Earlier {number}")
                olga.ends()
            olga.is_away()
        running.kill()
        running.start()
        yield running
        running.kill()  # as `server` does


@pytest.fixture
def at_work(quick: Server, new_page: Callable[..., Page]) -> Callable[[str], Desk]:
    def log_in(who: str) -> Desk:
        operator = Desk(new_page(), quick.url, f"{who}@demo.test")
        operator.logs_in()
        return operator

    return log_in


def colleague(desk: Desk, name: str) -> Locator:
    return desk.region("Team").get_by_role("listitem").filter(has_text=name)


def test_olga_sees_that_the_visitor_has_left_the_page_and_is_back(
    olga: Desk, vera: Visitor, violations: Look
) -> None:
    """V-14: beside the chat, in the list and above the conversation; no line in the log."""
    vera.starts_chat("Vera L", "one moment")
    olga.accepts("Vera L")
    lines = olga.log.locator(".system-line")
    expect(lines.last).to_be_visible()
    before = lines.count()
    vera.page.goto("about:blank")
    row = olga.row("My chats", "Vera L")
    expect(row).to_contain_text("Left the page", timeout=GONE_MS)
    expect(olga.page.locator(".pane-gone")).to_contain_text("Left the page")
    assert violations(olga.page) == []
    expect(lines).to_have_count(before)
    vera.visits()
    expect(row).not_to_contain_text("Left the page")
    expect(olga.page.locator(".pane-gone")).to_have_count(0)


def test_who_goes_from_page_to_page_has_not_left(olga: Desk, vera: Visitor) -> None:
    """V-14."""
    vera.starts_chat("Vera P", "hello")
    olga.accepts("Vera P")
    row = olga.row("My chats", "Vera P")
    row.evaluate("""row => { window.seen = []; new MutationObserver(() => window.seen.push(row.textContent))
        .observe(row, { subtree: true, childList: true, characterData: true }); }""")
    for path in ("/demo/injuries/", "/demo/contact/", "/demo/"):
        vera.visits(path)
        expect(vera.log).to_be_visible()
    vera.says("I am still here")
    expect(row).to_contain_text("I am still here")
    assert not any("Left" in text for text in olga.page.evaluate("() => window.seen"))


def test_the_chat_of_an_operator_who_was_lost_waits_again_and_everybody_is_told(
    at_work: Callable[[str], Desk], new_page: Callable[..., Page], quick: Server, violations: Look
) -> None:
    """V-14, R-034, R-121: the visitor, the colleague who takes over, and olga when she comes back. On the way
    the visitor is told after how many minutes it is her turn, and how long a department usually takes."""
    nina, olga = at_work("nina"), at_work("olga")
    nina.is_online()
    olga.is_online()
    vera = Visitor(new_page(), quick.url)
    vera.starts_chat("Vera G", "I was in a crash")
    expect(vera.frame.get_by_text("You are next in line, about 1 minute", exact=True)).to_be_visible()
    olga.accepts("Vera G")
    olga.says("Tell me more")
    expect(colleague(nina, "Olga")).to_contain_text("online")
    olga.page.context.close()  # the browser is gone, and nobody has said goodbye

    expect(colleague(nina, "Olga")).to_contain_text("not connected")
    lost = "Olga lost the connection. We are finding somebody else for you."
    expect(vera.log.get_by_text(lost)).to_be_visible(timeout=GONE_MS)
    waiting = nina.row("Waiting", "Vera G")
    expect(waiting).to_contain_text("Returned")
    assert violations(nina.page) == []
    nina.accepts("Vera G")
    nina.says("I am Nina, and I have read everything")
    vera.sees("I am Nina, and I have read everything")
    expect(nina.log.get_by_text("Olga lost the connection, so the chat waits again")).to_be_visible()

    again = at_work("olga")
    expect(again.page.get_by_role("button", name="Online", exact=True)).to_be_visible()
    note = again.region("My chats").get_by_role("status")
    expect(note).to_contain_text("went back to the line: Vera G")
    assert violations(again.page) == []
    note.get_by_role("button", name="All right").click()
    expect(again.page.get_by_text("went back to the line")).to_have_count(0)
    again.page.reload()
    expect(again.status).to_be_visible()
    expect(again.page.get_by_text("went back to the line")).to_have_count(0)

    vera.page.reload()
    vera.sees("I am Nina, and I have read everything")
    nina.ends()
    vera.frame.get_by_role("button", name="Start a new chat").click()
    usual = "We usually reply in about 1 minute"
    expect(vera.frame.get_by_text(usual)).to_be_visible()


def test_after_a_long_absence_olga_is_away_and_told_why(
    at_work: Callable[[str], Desk], quick: Server
) -> None:
    """V-14, decision 0013: she has been gone for half an hour by the database, the only one who knows."""
    olga = at_work("olga")
    olga.is_online()
    olga.page.context.close()
    nina = at_work("nina")
    expect(colleague(nina, "Olga")).to_contain_text("not connected")
    with closing(sqlite3.connect(quick.data_dir / "db.sqlite3", timeout=20)) as database, database:
        left = "UPDATE accounts_operator SET gone_at = datetime(gone_at, '-30 minutes') WHERE name = 'Olga'"
        assert database.execute(left + " AND gone_at IS NOT NULL").rowcount == 1
    again = at_work("olga")
    expect(again.page.get_by_role("button", name="Away", exact=True)).to_be_visible()
    expect(again.region("Waiting")).to_contain_text(re.compile("You were gone for 3[01] "))
    again.page.get_by_role("button", name="Start taking chats").click()
    expect(again.page.get_by_role("button", name="Online", exact=True)).to_be_visible()
    expect(again.page.get_by_text("You were gone for")).to_have_count(0)
