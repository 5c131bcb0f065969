"""A busy day at the console: many chats, changes in the wrong moment, lines that fail."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.crowd import Crowd
from tests.e2e.exchange import Caller
from tests.e2e.people import Desk, Visitor, until
from tests.servers import Server

Visitors = Callable[..., Visitor]
Callers = Callable[[], Caller]
Desks = Callable[..., Desk]


def test_the_words_of_a_note_never_go_out_as_a_reply(olga: Desk, visitor: Visitors, caller: Callers) -> None:
    """R-005: neither when olga looks into another chat in between, nor in the moment of changing over."""
    vera, dana = caller(), visitor()
    vera.starts_chat("Vera Q")
    olga.accepts("Vera Q")
    dana.starts_chat("Dana Q")
    olga.accepts("Dana Q")
    olga.page.get_by_role("button", name="Note", exact=True).click()
    olga.message.fill("canary: asks for")
    olga.opens("Vera Q")
    reply = olga.page.get_by_role("button", name="Reply", exact=True)
    expect(reply).to_have_attribute("aria-pressed", "true")
    olga.opens("Dana Q")
    expect(olga.message).to_have_value("canary: asks for")
    olga.message.press("End")
    olga.page.keyboard.type(" too much\n")
    expect(olga.log.locator(".said-note")).to_contain_text("canary: asks for too much")
    olga.message.fill("canary: in the moment")
    at_once = """() => {
        const named = name => [...document.querySelectorAll(".composer button")].find(b => b.textContent.includes(name));
        named("Reply").click();
        return Promise.resolve().then(() => named("Send").click());
    }"""  # noqa: E501
    olga.page.evaluate(at_once)
    expect(olga.message).to_have_value("")
    olga.says("Hello Dana")
    dana.sees("Hello Dana")
    assert not any("canary" in each for each in dana.heard)


def test_what_olga_was_writing_when_the_visitor_ended_the_chat_can_be_taken_along(
    olga: Desk, caller: Callers
) -> None:
    """R-123: on the screen, no longer in the storage."""
    vera = caller()
    vera.starts_chat("Vera H")
    olga.accepts("Vera H")
    olga.message.press_sequentially("canary: I will look it u")
    vera.ends_chat()
    kept = olga.region("Reply not sent")
    expect(kept).to_contain_text("canary: I will look it u")
    expect(olga.page.locator(".pane .scroll")).to_be_focused()  # the next key would press a button
    expect(kept.get_by_role("button", name="Copy the text")).to_be_visible()
    assert "canary" not in olga.page.evaluate("() => JSON.stringify(Object.entries(sessionStorage))")
    olga.page.get_by_role("button", name="Dismiss").last.click()
    expect(olga.region("Reply not sent")).to_have_count(0)


def test_a_window_that_changes_its_size_stays_at_the_newest_message(olga: Desk, caller: Callers) -> None:
    caller().starts_chat("Vera W", "first")
    olga.accepts("Vera W")
    for number in range(3):
        olga.says(f"{number} " + "as long as a letter " * 60)
    newest = olga.page.get_by_role("button", name="Newest messages")
    end = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    scroll = olga.page.locator(".scroll")
    for width in (1100, 760, 390, 1440):
        olga.page.set_viewport_size({"width": width, "height": 700})
        olga.page.wait_for_timeout(300)
        until(olga.page, lambda: scroll.evaluate(end) < 2, "the newest is in sight")
        expect(newest).to_have_count(0)


def test_who_reads_further_up_is_told_what_came_below_and_it_is_not_read_yet(
    olga: Desk, caller: Callers
) -> None:
    vera = caller()
    vera.starts_chat("Vera U", "first")
    olga.accepts("Vera U")
    for number in range(3):
        olga.says(f"{number} " + "as long as a letter " * 120)
    olga.page.locator(".scroll").evaluate("e => { e.scrollTop = 0 }")
    newest = olga.page.get_by_role("button", name="Newest messages")
    expect(newest).to_be_visible()
    vera.says("and another thing")
    below = olga.page.get_by_role("button", name="1 new message")
    expect(below).to_be_visible()
    expect(olga.row("My chats", "Vera U").locator(".row-badge")).to_have_text("1 unread")
    below.click()
    expect(below).to_have_count(0)
    expect(olga.row("My chats", "Vera U").locator(".row-badge")).to_have_count(0)


def test_a_long_conversation_is_read_upwards_without_losing_ones_place(
    olga: Desk, server: Server, key: str
) -> None:
    """Issue 4 D: of what the console holds the end is drawn; the rest comes when it is asked for."""
    line = "Line {} of a long story, which goes on for quite some time"
    earlier = olga.page.get_by_role("button", name="Show earlier messages")
    bubbles = olga.log.locator(".said")

    def place(number: int) -> float:
        box = olga.log.get_by_text(line.format(number), exact=True).bounding_box()
        assert box
        return box["y"]

    with Crowd(server.url, key, olga.email, ["Vera L"]) as crowd:
        crowd.pours(0, 150)
        olga.opens("Vera L")
        olga.sees(line.format(149))
        assert bubbles.count() < 100
        olga.log.get_by_text(line.format(110), exact=True).scroll_into_view_if_needed()
        earlier.focus()
        before = place(110)
        olga.page.keyboard.press("Enter")
        olga.sees(line.format(60))
        assert abs(place(110) - before) < 3
        olga.page.reload()  # now the console holds the last hundred alone
        olga.opens("Vera L")
        to_the_top = (
            "() => { const more = document.querySelector('.older button'); more?.click(); return !more }"
        )
        olga.page.wait_for_function(to_the_top, polling=100)
        for number in (0, 49, 50, 90, 149):
            olga.sees(line.format(number))


LOSES_EVERY_THIRD = """() => {
    const events = /^[{]"type":"(message_|chat_|marks_|operator_|note_)/;
    const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
    let heard = 0;
    window.lost = 0;
    Object.defineProperty(WebSocket.prototype, "onmessage", { set(hear) {
        set.call(this, e => {
            if (events.test(e.data) && ++heard % 3 === 0) window.lost++;
            else hear(e);
        });
    } });
}"""


def test_a_console_that_loses_every_third_event_has_no_hole_and_knows_all_within_25_seconds(
    olga: Desk, caller: Callers
) -> None:
    """V-3, R-121."""
    olga.page.add_init_script(f"({LOSES_EVERY_THIRD})()")
    olga.page.reload()
    vera = caller()
    vera.starts_chat("Vera V")
    expect(olga.row("Waiting", "Vera V")).to_be_visible(timeout=25_000)
    olga.accepts("Vera V")
    said = [f"sentence {number}" for number in range(8)]
    seen = olga.log.locator(".said-visitor .bubble")
    for text in said:
        vera.says(text)
        shown = seen.all_inner_texts()
        assert shown == said[: len(shown)]
    gone = caller()
    gone.starts_chat("Gone V", "anybody?")
    gone.ends_chat()
    expect(seen).to_have_text(said, timeout=25_000)
    expect(olga.row("Missed", "Gone V")).to_be_visible(timeout=25_000)
    expect(olga.row("Waiting", "Gone V")).to_have_count(0)
    assert olga.page.evaluate("() => window.lost") > 2


def test_many_who_wait_do_not_push_the_own_chats_out_of_sight(olga: Desk, caller: Callers) -> None:
    """Issue 4 D: in any height of the window; and compact, which is remembered."""
    waiting = olga.region("Waiting").get_by_role("listitem")
    first = waiting.count()
    for number in range(4):
        caller().starts_chat(f"Queue {number}")
    expect(waiting).to_have_count(first + 4)
    names = waiting.locator("bdi").all_inner_texts()
    assert names[-4:] == [f"Queue {number}" for number in range(4)]  # the longest wait on top
    olga.page.set_viewport_size({"width": 1100, "height": 400})
    low = "e => e.getBoundingClientRect().height < 240"
    until(olga.page, lambda: olga.region("Waiting").evaluate(low), "the list is low")
    expect(olga.page.get_by_role("heading", name="My chats")).to_be_in_viewport(ratio=1)
    expect(olga.page.get_by_role("status").filter(has_text="people are waiting")).to_have_count(1)

    # who wants to see more of them at once
    row = waiting.first
    high = "e => e.getBoundingClientRect().height"
    roomy = row.evaluate(high)
    olga.page.set_viewport_size({"width": 1100, "height": 800})
    olga.page.get_by_role("button", name="your menu").click()
    olga.page.get_by_role("menuitem", name="Settings").click()
    olga.page.get_by_role("switch", name="Compact view").click()
    olga.page.keyboard.press("Escape")
    until(olga.page, lambda: row.evaluate(high) < roomy - 8, "rows stand closer together")
    olga.page.reload()
    expect(waiting).to_have_count(first + 4)
    until(olga.page, lambda: row.evaluate(high) < roomy - 8, "they still do")
