"""After a chat: the questions of the firm, once, on a line that breaks; and what they bring."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.people import BACK_MS, Desk, Visitor, until

Look = Callable[[Page], list[str]]

EVENTS = "ChatLead.push(['on', 'survey_sent', () => { window.surveys = (window.surveys || 0) + 1 }])"


def test_vera_is_asked_once_and_answers_when_her_line_is_back(
    olga: Desk, desk: Callable[..., Desk], visitor: Callable[..., Visitor], violations: Look
) -> None:
    """R-040, R-041, R-046, V-4: skipping is as easy, a reload asks nobody twice, an answer is stored once."""
    vera = visitor()
    vera.starts_chat("Vera Asked", "Hello")
    vera.page.evaluate(EVENTS)
    olga.accepts("Vera Asked")
    olga.ends()
    form = vera.frame.get_by_role("form", name="How was your chat?")
    expect(form).to_be_visible()
    send, skip = (form.get_by_role("button", name=name) for name in ("Send", "Skip"))
    sizes = [each.bounding_box() for each in (send, skip)]
    assert sizes[0] and sizes[1]
    assert abs(sizes[0]["width"] - sizes[1]["width"]) < 2 and sizes[0]["height"] == sizes[1]["height"]
    assert violations(vera.page) == []
    form.get_by_role("radio", name="5, Very good").check()
    form.get_by_role("textbox", name="What could be better?").fill("More tea for Vera Asked")
    vera.page.context.set_offline(True)
    send.click()
    expect(form.get_by_role("alert")).to_contain_text("No connection", timeout=BACK_MS)
    vera.page.context.set_offline(False)
    expect(vera.frame.get_by_text("Thank you for your answers.")).to_be_visible(timeout=BACK_MS)
    until(vera.page, lambda: vera.page.evaluate("window.surveys") == 1, "the page hears of it")
    vera.page.reload()
    vera.opens_chat()
    expect(vera.frame.get_by_role("button", name="Send me the transcript")).to_be_visible()
    expect(form).to_have_count(0)
    nina = desk("nina")
    nina.page.goto(f"{nina.url}/account/surveys/results/")
    expect(nina.page.get_by_text("More tea for Vera Asked")).to_be_visible()
    expect(nina.page.get_by_role("row", name="Olga")).to_contain_text("5.00")
    assert violations(nina.page) == []
