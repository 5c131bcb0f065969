"""Where the chat may stand besides a corner: a page of its own, and the middle of somebody's page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.e2e.browser import complaints
from tests.e2e.exchange import Staff
from tests.e2e.hosts import STRICT, Host, HostPage
from tests.e2e.people import Desk
from tests.servers import Server

Pages = Callable[..., Page]
Look = Callable[[Page], list[str]]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


def log_of(chat: Page | FrameLocator) -> Locator:
    return chat.get_by_role("log", name="Conversation")


def says(chat: Page | FrameLocator, text: str) -> None:
    chat.get_by_role("textbox", name="Message").fill(text)
    chat.get_by_role("button", name="Send").click()
    expect(log_of(chat).get_by_text(text, exact=True)).to_have_count(1)


# --- a page of its own ----------------------------------------------------------------------------------


def test_vera_opens_the_link_on_her_phone_and_olga_answers(
    olga: Staff, new_page: Pages, server: Server, key: str, violations: Look
) -> None:
    """Issue 4 A: no website and no loader; a reload goes on where it was (R-121)."""
    page = new_page(**PHONE)
    heard = complaints(page)
    page.goto(f"{server.url}/chat/{key}/")
    expect(page).to_have_title("Chat with Harbor & Lane")
    expect(page.get_by_role("button", name="Start chat")).to_be_visible()
    expect(page.get_by_role("button", name="Minimise")).to_have_count(0)
    assert page.locator("iframe").count() == 0
    assert violations(page) == []
    page.get_by_role("textbox", name="Name").fill("Vera Link")
    page.get_by_role("button", name="Start chat").click()
    says(page, "I found your link on a card")
    olga.accepts("Vera Link")
    olga.says("Good that you write")
    expect(log_of(page).get_by_text("Good that you write")).to_be_visible()
    assert violations(page) == []
    page.reload()
    expect(log_of(page).get_by_text("I found your link on a card")).to_have_count(1)
    olga.says("Are you still there?")
    expect(log_of(page).get_by_text("Are you still there?")).to_be_visible()
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    page.keyboard.press("Escape")  # there is nothing to put it away into
    expect(log_of(page)).to_be_visible()
    assert heard == []


def test_who_looks_at_another_tab_sees_in_the_title_that_somebody_answered(
    olga: Staff, new_page: Pages, server: Server, key: str
) -> None:
    """What the launcher's count is elsewhere."""
    page = new_page()
    page.goto(f"{server.url}/chat/{key}/")
    page.get_by_role("textbox", name="Name").fill("Vera Tabs")
    page.get_by_role("button", name="Start chat").click()
    expect(log_of(page)).to_be_visible()
    olga.accepts("Vera Tabs")
    page.evaluate("""() => {
        Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    olga.says("An answer")
    expect(page).to_have_title("(1) Chat with Harbor & Lane")
    page.evaluate("""() => {
        delete document.visibilityState;
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    expect(page).to_have_title("Chat with Harbor & Lane")


# --- the middle of a page -------------------------------------------------------------------------------


def inline_page(server: Server, key: str, place: str = '<div id="chatlead"></div>') -> HostPage:
    """The script stands in the head and so before the place, under a policy as strict as there is."""
    script = (
        f'<script async nonce="n" src="{server.url}/widget/v1/loader.js" data-site="{key}" '
        'data-inline="#chatlead"></script>'
    )
    style = '<style nonce="n">#chatlead { width: 420px; height: 600px; margin: 24px }</style>'
    body = f'<h1>Contact</h1><label>Search <input name="q" autofocus></label>{place}<p>Below</p>'
    head = f'<title>Shop</title><link rel="icon" href="data:,">{style}{script}'
    return HostPage(
        f'<!doctype html><html lang="en"><head>{head}</head><body><main>{body}</main></body></html>',
        {"Content-Security-Policy": STRICT.format(url=server.url)},
    )


def test_the_chat_stands_open_in_the_middle_of_a_strict_page(
    olga: Staff, new_page: Pages, server: Server, host: Host, key: str, violations: Look
) -> None:
    """Issue 4 A, R-003: no launcher, the size of its element, the focus where it was; a reload resumes."""
    host.pages["/contact"] = inline_page(server, key)
    page = new_page()
    heard = complaints(page)
    page.goto(host.address("/contact"))
    frame = page.frame_locator("iframe[title='Chat']")
    expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
    expect(page.get_by_role("button", name="Chat with us")).to_have_count(0)
    expect(frame.get_by_role("button", name="Minimise")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Search")).to_be_focused()
    box, place = page.locator("iframe").bounding_box(), page.locator("#chatlead").bounding_box()
    assert box and place
    assert box == pytest.approx(place, abs=0.6)
    assert (round(place["width"]), round(place["height"])) == (420, 600)
    assert violations(page) == []
    frame.get_by_role("textbox", name="Name").fill("Vera Inline")
    frame.get_by_role("button", name="Start chat").click()
    expect(frame.get_by_role("textbox", name="Message")).to_be_focused()  # she is in it already
    says(frame, "I write from the middle")
    olga.accepts("Vera Inline")
    olga.says("And I answer")
    expect(log_of(frame).get_by_text("And I answer")).to_be_visible()
    page.evaluate("() => ChatLead.push(['close'])")
    page.keyboard.press("Escape")
    expect(log_of(frame)).to_be_visible()
    page.reload()
    expect(log_of(frame).get_by_text("I write from the middle")).to_have_count(1)
    expect(page.get_by_role("textbox", name="Search")).to_be_focused()
    page.evaluate("() => ChatLead.push(['hide'])")
    expect(page.locator("iframe")).to_be_hidden()
    page.evaluate("() => ChatLead.push(['show'], ['reset'])")
    expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
    assert heard == []


def test_a_page_that_has_no_such_place_gets_the_launcher(
    olga: Staff, new_page: Pages, server: Server, host: Host, key: str
) -> None:
    """One snippet for all pages of a website, the place on one of them."""
    host.pages["/other"] = inline_page(server, key, place="")
    page = new_page()
    page.goto(host.address("/other"))
    page.get_by_role("button", name="Chat with us").click()
    frame = page.frame_locator("iframe[title='Chat']")
    expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
    expect(frame.get_by_role("button", name="Minimise")).to_be_visible()


def test_an_element_without_a_height_gets_one_on_a_phone_too(
    olga: Staff, new_page: Pages, server: Server, host: Host, key: str
) -> None:
    """The panel is not taken for one that floats: it neither covers the screen nor leaves its place."""
    plain = inline_page(server, key, place='<section id="chatlead"></section>')
    host.pages["/phone"] = HostPage(plain.html.replace("width: 420px; height: 600px; ", ""), plain.headers)
    page = new_page(**PHONE)
    page.goto(host.address("/phone"))
    expect(
        page.frame_locator("iframe[title='Chat']").get_by_role("button", name="Start chat")
    ).to_be_visible()
    box, below = page.locator("iframe").bounding_box(), page.get_by_text("Below").bounding_box()
    assert box and below
    assert 480 <= box["height"] <= 640
    assert below["y"] >= box["y"] + box["height"]


def test_what_stands_below_the_fold_is_not_taken_for_read(
    console: Desk, new_page: Pages, server: Server, host: Host, key: str
) -> None:
    """R-005: Read means that she has had it before her eyes."""
    place = '<div id="chatlead"></div><hr>'
    plain = inline_page(server, key, place)
    far_away = "margin: 24px } hr { margin-top: 3000px }"
    host.pages["/long"] = HostPage(plain.html.replace("margin: 24px }", far_away), plain.headers)
    page = new_page()
    page.goto(host.address("/long"))
    frame = page.frame_locator("iframe[title='Chat']")
    frame.get_by_role("textbox", name="Name").fill("Vera Long")
    frame.get_by_role("button", name="Start chat").click()
    console.accepts("Vera Long")
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    console.says("Are you still reading?")
    expect(console.log.get_by_text("· Delivered")).to_be_visible()
    page.wait_for_timeout(1_500)  # a mark is told within a second
    expect(console.log.get_by_text("· Read")).to_have_count(0)
    page.evaluate("() => scrollTo(0, 0)")
    expect(console.log.get_by_text("· Read")).to_be_visible()


# --- our own pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gallery_shows_every_component_and_axe_finds_nothing(
    new_page: Pages, server: Server, violations: Look, scheme: str
) -> None:
    """Issue 4 E, ui.md Components: in both schemes, from the left and from the right."""
    page = new_page(color_scheme=scheme)
    heard = complaints(page)
    page.goto(server.url + "/styleguide/")
    for name in (
        *("Button, primary", "Button, quiet", "Button, danger", "Icon button", "Field", "Select", "Checkbox"),
        *("Switch", "Menu", "Tabs", "Dialog", "Toast", "Banner", "Avatar", "Badge", "Bubble", "Card"),
        *("Table", "Empty state", "Skeleton", "Progress"),
    ):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    assert page.evaluate("() => document.documentElement.dataset.scheme") == scheme
    heights = page.evaluate(
        "() => [...document.querySelectorAll('.skeleton')].map(each => each.offsetHeight)"
    )
    assert len(heights) == 5 and min(heights) >= 16
    assert violations(page) == []
    page.get_by_role("switch", name="Right to left").click()
    assert page.evaluate("() => getComputedStyle(document.body).direction") == "rtl"
    assert violations(page) == []
    assert heard == []


def test_what_the_gallery_shows_works_by_keys(new_page: Pages, server: Server) -> None:
    """ui.md Components: a keyboard path each."""
    page = new_page()
    page.goto(server.url + "/styleguide/")
    page.get_by_role("button", name="Transfer to").press("Enter")
    expect(page.get_by_role("menuitem", name="Intake", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("picked: Billing")).to_be_visible()
    expect(page.get_by_role("button", name="Transfer to")).to_be_focused()
    page.get_by_role("tab", name="Open").press("ArrowRight")
    expect(page.get_by_role("tab", name="Missed")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Closed")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Open")).to_have_attribute("aria-selected", "true")
    page.get_by_role("switch", name="Right to left").press("Space")
    page.get_by_role("tab", name="Open").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Missed")).to_be_focused()
    page.get_by_role("button", name="End chat …").press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="End chat …")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_front_page_is_for_everybody_and_its_chat_is_real(
    new_page: Pages, server: Server, violations: Look, scheme: str, device: str
) -> None:
    """Issue 4 E: a page that others judge us by."""
    page = new_page(color_scheme=scheme, **(PHONE if device == "phone" else {}))
    heard = complaints(page)
    page.goto(server.url + "/")
    expect(page.get_by_role("button", name="Chat with us")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name=re.compile("Copied|Selected"))).to_be_visible()
    page.get_by_role("button", name="Chat with us").click()
    expect(page.frame_locator("iframe[title='Chat']").get_by_role("textbox").first).to_be_visible()
    page.goto(server.url + "/nothing-here/")
    assert violations(page) == []
    assert [each for each in heard if "404" not in each] == []
