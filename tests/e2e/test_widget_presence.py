"""Whether somebody is there: the launcher tells it as it changes, and a line in which nobody answers does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.e2e.browser import complaints
from tests.e2e.exchange import Staff
from tests.e2e.hosts import STRICT, Host, HostPage
from tests.e2e.people import MOMENT_MS, Desk, Visitor, time_passes
from tests.e2e.test_snippet import document, snippet
from tests.servers import Server

Desks = Callable[..., Desk]
Visitors = Callable[..., Visitor]
Look = Callable[[Page], list[str]]
HERE, AWAY = "Somebody is online", "Nobody is here right now. You can leave a message."


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


@pytest.fixture
def team(staff: Callable[[str], Staff]) -> dict[str, Staff]:
    """All of the firm, connected and away."""
    people = {who: staff(who) for who in ("olga", "sam", "nina")}
    for each in people.values():
        each.is_away()
    return people


def launcher(page: Page) -> Locator:
    return page.get_by_role("button", name="Chat with us", exact=True)


def sockets(page: Page) -> list[str]:
    """The addresses of the sockets that the page opens from now on."""
    opened: list[str] = []

    def note(socket: WebSocket) -> None:
        opened.append(socket.url)

    page.on("websocket", note)
    return opened


# --- the launcher -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_launcher_tells_who_is_there_as_it_changes(
    team: dict[str, Staff], visitor: Visitors, violations: Look, scheme: str
) -> None:
    """R-034: a dot for those who see it, words for those who hear it, under the same name."""
    vera = visitor(color_scheme=scheme)
    opened = sockets(vera.page)
    vera.visits()
    expect(launcher(vera.page)).to_have_accessible_description(AWAY)
    expect(launcher(vera.page)).not_to_have_attribute("data-here", "")
    vera.hears("page_welcome")
    vera.page.wait_for_timeout(MOMENT_MS)
    assert [each.rpartition("/")[2] for each in opened] == ["visitor"]
    team["sam"].is_online()
    expect(launcher(vera.page)).to_have_accessible_description(HERE)
    expect(launcher(vera.page)).to_have_attribute("data-here", "")
    assert violations(vera.page) == []
    team["sam"].is_away()
    expect(launcher(vera.page)).to_have_accessible_description(AWAY)


def test_a_page_that_has_allowed_only_requests_is_asked_for_no_socket(
    olga: Staff, new_page: Callable[..., Page], server: Server, host: Host, key: str
) -> None:
    """trials C: not a word in the page's console; the launcher says what it knew at the load."""
    host.pages["/strict"] = HostPage(
        document(snippet(server, key, 'nonce="n"')),
        {"Content-Security-Policy": STRICT.format(url=server.url)},
    )
    page = new_page()
    page.clock.install()
    heard, opened = complaints(page), sockets(page)
    page.goto(host.address("/strict"))
    expect(launcher(page)).to_have_accessible_description(HERE)
    time_passes(page, 60)
    assert (heard, opened) == ([], [])


def test_a_strict_page_that_allows_sockets_says_so_and_hears_of_changes(
    team: dict[str, Staff], new_page: Callable[..., Page], server: Server, host: Host, key: str
) -> None:
    """trials C: `wss` has to be allowed by name."""
    both = f"{server.url} {server.url.replace('http', 'ws')}"
    policy = STRICT.replace("connect-src {url}", "connect-src {both}").format(url=server.url, both=both)
    host.pages["/open"] = HostPage(
        document(snippet(server, key, 'nonce="n" data-live')), {"Content-Security-Policy": policy}
    )
    page = new_page()
    heard, vera = complaints(page), Visitor(page, server.url)
    page.goto(host.address("/open"))
    expect(launcher(page)).to_have_accessible_description(AWAY)
    vera.hears("page_welcome")
    team["olga"].is_online()
    expect(launcher(page)).to_have_accessible_description(HERE)
    assert heard == []


def test_a_page_that_forbids_sockets_unseen_has_a_chat_all_the_same(
    olga: Staff, new_page: Callable[..., Page], server: Server, host: Host, key: str
) -> None:
    """trials C: one attempt, nothing thrown, no second one."""
    policy = f"connect-src {server.url}"
    host.pages["/unseen"] = HostPage(document(snippet(server, key)), {"Content-Security-Policy": policy})
    page = new_page()
    page.clock.install()
    heard = complaints(page)
    page.goto(host.address("/unseen"))
    expect(launcher(page)).to_be_visible()
    time_passes(page, 8)  # the first attempt; a browser tells the page later than the console
    time_passes(page, 60)
    assert len([each for each in heard if "Content Security Policy" in each]) <= 1
    assert len(heard) <= 2
    launcher(page).click()
    frame = page.frame_locator("iframe[title='Chat']")
    expect(frame.get_by_role("button", name="Start chat")).to_be_visible()


def test_a_page_that_is_left_and_come_back_to_hears_again(
    team: dict[str, Staff], visitor: Visitors, server: Server
) -> None:
    """By the back button, from wherever the browser kept it."""
    vera = visitor()
    vera.visits()
    vera.hears("page_welcome")
    vera.visits("/demo/contact/")
    vera.page.go_back()
    vera.hears("page_welcome", times=2)
    team["olga"].is_online()
    expect(launcher(vera.page)).to_have_accessible_description(HERE)


def test_nothing_of_it_stands_in_the_way_of_the_page(
    olga: Staff, new_page: Callable[..., Page], server: Server, host: Host, key: str
) -> None:
    """performance.md (`widget`): the socket comes after `load`, in no long task and without a shift."""
    watch = """<script>
      window.long = 0; window.shift = 0;
      new PerformanceObserver(list => long += list.getEntries().length)
        .observe({type: "longtask", buffered: true});
      new PerformanceObserver(list => list.getEntries().forEach(e => shift += e.value))
        .observe({type: "layout-shift", buffered: true});
      const Real = WebSocket;
      window.WebSocket = class extends Real {
        constructor(url) { super(url); window.at = performance.now() }
      };
    </script>"""
    host.pages["/watched"] = HostPage(document(watch + snippet(server, key)))
    page = new_page()
    after = "() => at - performance.getEntriesByType('navigation')[0].loadEventEnd"
    long_tasks: list[int] = []
    while not long_tasks or (long_tasks[-1] and len(long_tasks) < 8):  # the machine may be busy, we are not
        page.goto(host.address("/watched"))
        page.wait_for_function("() => window.at")
        page.wait_for_timeout(500)
        assert page.evaluate(after) > 900
        assert page.evaluate("() => [shift, frames.length]") == [0, 0]
        long_tasks.append(page.evaluate("() => long"))
    assert long_tasks[-1] == 0, long_tasks
    assert page.evaluate("() => document.cookie + sessionStorage.length + localStorage.length") == "00"


# --- the line ---------------------------------------------------------------------------------------------


def test_when_the_last_one_goes_who_waits_may_leave_a_message_with_all_that_she_wrote(
    team: dict[str, Staff], desk: Desks, visitor: Visitors, violations: Look
) -> None:
    """R-034: offered, not forced; one missed chat with her words, and nothing of it left in the tab."""
    team["olga"].is_online()
    vera = visitor()
    vera.starts_chat("Vera Waits", "I was in a crash")
    expect(vera.frame.get_by_text("in line")).to_be_visible()
    vera.message.fill("My number is")
    team["olga"].is_away()
    expect(vera.frame.get_by_text("Nobody is here right now").first).to_be_visible()
    expect(vera.message).to_have_value("My number is")
    assert violations(vera.page) == []
    vera.frame.get_by_role("button", name="Leave a message instead").click()
    expect(vera.frame.get_by_role("textbox", name="Name")).to_have_value("Vera Waits")
    expect(vera.frame.get_by_role("textbox", name="Message")).to_have_value("My number is")
    assert violations(vera.page) == []
    vera.frame.get_by_role("button", name="Leave message").click()
    expect(vera.frame.get_by_text("Please fill in: Email")).to_be_visible()
    vera.frame.get_by_role("textbox", name="Email").fill("waits@example.test")
    vera.frame.get_by_role("button", name="Leave message").click()
    expect(vera.frame.get_by_text("Your message is with us")).to_be_visible()
    vera.sees("My number is")
    olga = desk("olga")
    olga.opens("Vera Waits", "Missed")
    olga.sees("I was in a crash")
    olga.sees("My number is")
    kept = vera.frame.locator("body").evaluate("() => JSON.stringify({...sessionStorage})")
    assert "waits@" not in kept and "number" not in kept
    vera.page.reload()
    vera.opens_chat()
    expect(vera.frame.get_by_text("Your message is with us")).to_be_visible()


def test_who_waits_on_is_found_in_the_line_by_whoever_comes(
    team: dict[str, Staff], visitor: Visitors
) -> None:
    """R-034: and what she was writing comes along, from the form as from the message box."""
    team["olga"].is_online()
    vera = visitor()
    vera.starts_chat("Vera Stays")
    team["olga"].is_away()
    leave = vera.frame.get_by_role("button", name="Leave a message instead")
    leave.click()
    vera.frame.get_by_role("button", name="Keep waiting").click()
    expect(vera.message).to_be_visible()
    leave.click()
    vera.frame.get_by_role("textbox", name="Message").fill("half a thought")
    team["nina"].is_online()
    expect(vera.frame.get_by_text("Somebody is here now")).to_be_visible()
    vera.frame.get_by_role("button", name="Back to the chat").click()
    expect(vera.message).to_have_value("half a thought")
    expect(leave).to_be_hidden()
    team["nina"].accepts("Vera Stays")
    vera.message.press("Enter")
    team["nina"].sees("half a thought")


def test_who_is_answered_while_she_writes_a_message_is_in_the_chat_with_it(
    team: dict[str, Staff], visitor: Visitors
) -> None:
    """R-034: an operator may accept without being online."""
    team["olga"].is_online()
    vera = visitor()
    vera.starts_chat("Vera Found")
    team["olga"].is_away()
    vera.frame.get_by_role("button", name="Leave a message instead").click()
    vera.frame.get_by_role("textbox", name="Message").fill("still writing")
    team["olga"].accepts("Vera Found")
    expect(vera.frame.get_by_role("heading", name="Olga")).to_be_visible()
    expect(vera.message).to_have_value("still writing")


def test_heard_is_said_in_no_text_that_was_not_asked_for(
    olga: Staff, visitor: Visitors, server: Server
) -> None:
    """P-17: a page's own socket hears of its site's departments and colour, and of no chat."""
    other, vera = visitor(), visitor()
    vera.visits()
    vera.hears("page_welcome")
    other.starts_chat("Somebody Else", "a secret")
    olga.accepts("Somebody Else")
    vera.page.wait_for_timeout(500)
    kinds = {json.loads(each)["type"] for each in vera.heard}
    assert kinds <= {"page_welcome", "availability_changed"}
