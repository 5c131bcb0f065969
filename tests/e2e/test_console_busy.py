"""A busy day at the console: many chats, changes in the wrong moment, lines that fail."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.people import Desk, Visitor

Visitors = Callable[..., Visitor]
Desks = Callable[..., Desk]


def test_the_words_of_a_note_never_go_out_as_a_reply(olga: Desk, visitor: Visitors) -> None:
    """R-005: neither when olga looks into another chat in between, nor in the moment of changing over."""
    vera, dana = visitor(), visitor()
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
    olga: Desk, vera: Visitor
) -> None:
    """R-123: on the screen, no longer in the storage."""
    vera.starts_chat("Vera H")
    olga.accepts("Vera H")
    olga.message.press_sequentially("canary: I will look it u")
    vera.ends_chat()
    kept = olga.region("Reply not sent")
    expect(kept).to_contain_text("canary: I will look it u")
    expect(kept.get_by_role("button", name="Copy the text")).to_be_visible()
    assert "canary" not in olga.page.evaluate("() => JSON.stringify(Object.entries(sessionStorage))")
    olga.page.get_by_role("button", name="Dismiss").last.click()
    expect(olga.region("Reply not sent")).to_have_count(0)


def test_a_window_that_changes_its_size_stays_at_the_newest_message(olga: Desk, vera: Visitor) -> None:
    vera.starts_chat("Vera W", "first")
    olga.accepts("Vera W")
    for number in range(3):
        olga.says(f"{number} " + "as long as a letter " * 60)
    newest = olga.page.get_by_role("button", name="Newest messages")
    for width in (1100, 760, 390, 1440):
        olga.page.set_viewport_size({"width": width, "height": 700})
        olga.page.wait_for_timeout(300)
        expect(newest).to_have_count(0)
        end = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
        assert olga.page.locator(".scroll").evaluate(end) < 2
