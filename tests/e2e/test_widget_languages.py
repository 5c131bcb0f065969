"""The widget in other languages, in a real browser: the names of things, the direction, and long words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.abroad import NAMES, Foreigner
from tests.e2e.exchange import Staff
from tests.servers import Server

Look = Callable[[Page], list[str]]
PHONE = {"width": 320, "height": 640}
# what is wider than where it stands, and what is scrolled or cut off sideways
TOO_WIDE = """() => [...document.querySelectorAll("html, body, .scroll, .form, .ask, .head, .button, p, h2")]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1
        && getComputedStyle(e).textOverflow !== "ellipsis")
    .map(e => e.tagName + "." + e.className + ": " + e.textContent)"""


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


def look_at(visitor: Foreigner, violations: Look) -> None:
    """As it is now: nothing for axe to find, nothing to be scrolled sideways, on page and in frame."""
    assert violations(visitor.page) == []
    for frame in visitor.page.frames:
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth"), frame.url
    assert visitor.frame.locator("html").evaluate(TOO_WIDE) == []


@pytest.fixture
def foreigner(new_page: Callable[..., Page], server: Server) -> Callable[[str], Foreigner]:
    """A visitor with a small phone that speaks that language."""

    def come(language: str) -> Foreigner:
        page = new_page(viewport=PHONE, locale=NAMES[language].locale, reduced_motion="reduce")
        return Foreigner(page, server.url, language)

    return come


@pytest.mark.parametrize(
    ("language", "direction", "said"),
    [
        ("ar", "rtl", "أتواصل معكم بشأن حادث سيارة"),
        ("es", "ltr", "Tuve un accidente de coche"),
        ("de", "ltr", "Rechtsschutzversicherungsgesellschaften antworten mir nicht"),
    ],
)
def test_a_chat_from_the_launcher_to_its_end_in_another_language(
    olga: Staff,
    foreigner: Callable[[str], Foreigner],
    violations: Look,
    language: str,
    direction: str,
    said: str,
) -> None:
    """contract.md: the names in her language; no fault for axe; nothing wider than 320 px on any screen."""
    vera = foreigner(language)
    vera.visits()
    host = vera.page.locator("chatlead-widget")
    expect(host).to_have_attribute("lang", language)
    expect(host).to_have_attribute("dir", direction)
    vera.opens_chat()
    expect(vera.button(vera.names.start)).to_be_visible()
    expect(vera.frame.locator("html")).to_have_attribute("lang", language)
    expect(vera.frame.locator("html")).to_have_attribute("dir", direction)
    look_at(vera, violations)
    vera.frame.get_by_role("textbox", name=vera.names.name, exact=True).fill(f"Vera {language}")
    vera.frame.get_by_role("textbox", name=vera.names.email, exact=True).fill("vera@nowhere")
    vera.button(vera.names.start).click()
    expect(vera.frame.locator(".field-error")).to_have_count(1)
    assert "This" not in vera.frame.locator(".field-error").inner_text()
    look_at(vera, violations)
    vera.frame.get_by_role("textbox", name=vera.names.email, exact=True).fill("vera@example.test")
    vera.button(vera.names.start).click()
    expect(vera.frame.locator(".waiting")).to_be_visible()
    look_at(vera, violations)
    olga.accepts(f"Vera {language}")
    expect(vera.frame.get_by_role("heading", name="Olga")).to_be_visible()
    vera.says(said)
    olga.sees(said)
    olga.says("Hello, how are you?")
    answer = vera.log.get_by_text("Hello, how are you?", exact=True)
    assert answer.evaluate("e => getComputedStyle(e).direction") == "ltr"
    assert vera.log.get_by_text(said, exact=True).evaluate("e => getComputedStyle(e).direction") == direction
    expect(vera.log.locator(".system-line bdi").filter(has_text="Olga")).to_have_count(1)
    look_at(vera, violations)
    vera.button(vera.names.end).first.click()
    expect(vera.frame.get_by_role("alertdialog")).to_be_visible()
    look_at(vera, violations)
    vera.frame.get_by_role("alertdialog").get_by_role("button", name=vera.names.end, exact=True).click()
    expect(vera.frame.get_by_role("alertdialog")).to_have_count(0)
    look_at(vera, violations)


@pytest.mark.parametrize("language", ["ar", "es", "de"])
def test_a_message_is_left_in_another_language(
    staff: Callable[[str], Staff], foreigner: Callable[[str], Foreigner], violations: Look, language: str
) -> None:
    """R-034: also where the chat that waits has nobody left to answer it."""
    people = [staff(who) for who in ("olga", "sam", "nina")]
    for each in people:
        each.is_online()
    vera = foreigner(language)
    vera.starts_chat(f"Vera Left {language}", "1")
    for each in people:
        each.is_away()
    expect(vera.frame.locator(".waiting .button")).to_be_visible()
    look_at(vera, violations)
    vera.frame.locator(".waiting .button").click()
    expect(vera.button(vera.names.leave)).to_be_visible()
    vera.button(vera.names.leave).click()
    expect(vera.frame.locator(".field-error")).to_have_count(1)
    look_at(vera, violations)
    vera.frame.get_by_role("textbox", name=vera.names.email, exact=True).fill("vera@example.test")
    vera.button(vera.names.leave).click()
    expect(vera.frame.locator(".ask")).to_be_visible()
    look_at(vera, violations)


def test_in_arabic_the_line_is_read_from_the_right_and_the_launcher_stands_where_it_ends(
    olga: Staff, foreigner: Callable[[str], Foreigner]
) -> None:
    """ui.md: what points is turned round, the way down is not; her own words stand where she reads last."""
    vera = foreigner("ar")
    vera.page.set_viewport_size({"width": 900, "height": 700})
    vera.starts_chat("Vera Mirror")
    assert vera.message.evaluate("e => getComputedStyle(e).direction") == "rtl"
    vera.message.fill("Hello")
    assert vera.message.evaluate("e => getComputedStyle(e).direction") == "ltr"
    vera.says("مرحبا")
    box = vera.page.get_by_role("button", name=vera.names.launcher).bounding_box()
    assert box is not None
    assert box["x"] == 20
    turned = "e => new DOMMatrix(getComputedStyle(e).transform).a"
    assert vera.frame.locator(".icon-send").evaluate(turned) == -1
    assert vera.frame.locator(".icon-minimise").evaluate(turned) == 1
    own = vera.log.get_by_text("مرحبا", exact=True).bounding_box()
    log = vera.log.bounding_box()
    assert own is not None
    assert log is not None
    assert own["x"] - log["x"] < 40
    vera.ends_chat()


def test_a_page_says_in_which_language_its_widget_speaks(
    olga: Staff, new_page: Callable[..., Page], server: Server
) -> None:
    """`data-language`: over the browser's own; one that nobody speaks is passed over."""
    page = new_page(locale="de-DE")

    def with_language(language: str) -> None:
        def change(route: Route) -> None:
            html = route.fetch().text()
            route.fulfill(
                body=html.replace("data-site=", f'data-language="{language}" data-site='),
                content_type="text/html; charset=utf-8",
            )

        page.unroute_all()
        page.route(re.compile("/demo/$"), change)
        page.goto(server.url + "/demo/")

    with_language("es")
    page.get_by_role("button", name=NAMES["es"].launcher, exact=True).click()
    expect(page.frame_locator("iframe").locator("html")).to_have_attribute("lang", "es")
    with_language("tlh")
    page.get_by_role("button", name=NAMES["de"].launcher, exact=True).click()
    expect(page.frame_locator("iframe").locator("html")).to_have_attribute("lang", "de")
    with_language("en")
    page.get_by_role("button", name="Chat with us", exact=True).click()
    expect(page.frame_locator("iframe").locator("html")).to_have_attribute("lang", "en")


def test_unread_words_are_told_in_her_language(olga: Staff, foreigner: Callable[[str], Foreigner]) -> None:
    """The launcher says the number in words for who does not see it."""
    vera = foreigner("ar")
    vera.starts_chat("Vera Unread")
    olga.accepts("Vera Unread")
    vera.frame.get_by_role("button", name="تصغير المحادثة").click()
    olga.says("one")
    olga.says("two")
    expect(vera.page.locator("chatlead-widget p[aria-live]")).to_have_text("رسالتان جديدتان")
