"""A widget as its site wants it: where it stands, how it greets, what it says and asks, and whose faces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e.abroad import NAMES, Foreigner
from tests.e2e.browser import complaints
from tests.e2e.exchange import Staff
from tests.e2e.hosts import STRICT, Host, HostPage
from tests.e2e.people import PASSWORD, Visitor, time_passes, until
from tests.e2e.wishes import FIRM, Settings
from tests.servers import Server

Pages = Callable[..., Page]
Look = Callable[[Page], list[str]]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
# everything that moves the page's own things is counted from the start
SHIFTS = """new PerformanceObserver(list => { for (const each of list.getEntries()) window.shifted =
    (window.shifted ?? 0) + each.value; }).observe({type: "layout-shift", buffered: true})"""


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


@pytest.fixture
def wants(server: Server) -> Iterator[Settings]:
    settings = Settings(server)
    with settings.put_back():
        yield settings


def launcher(page: Page, name: str = "Chat with us") -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def greeting(page: Page) -> Locator:
    return page.locator("chatlead-widget section")


def box_of(found: Locator) -> dict[str, float]:
    box = found.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


# --- where it stands --------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("corner", ["start", "end"])
def test_the_launcher_stands_in_its_corner_and_the_panel_above_it(
    new_page: Pages, server: Server, wants: Settings, corner: str, language: str
) -> None:
    """Issue 4 A: the end of a line is at the left where it is read from the right."""
    wants(corner=corner, offset_side=12, offset_bottom=90, language=language)
    page = new_page(viewport={"width": 1000, "height": 800})
    page.goto(server.url + "/demo/")
    button = launcher(page, NAMES[language].launcher if language == "ar" else "Chat with us")
    width = page.evaluate("document.documentElement.clientWidth")
    at_left = (corner == "start") == (language == "en")

    def side(box: dict[str, float]) -> float:
        return box["x"] if at_left else width - box["x"] - box["width"]

    closed = box_of(button)
    assert (side(closed), 800 - closed["y"] - closed["height"]) == (12, 90)
    button.click()
    panel = page.locator("chatlead-widget div")
    expect(panel).to_be_visible()
    opened = box_of(panel)
    assert side(opened) == 12
    assert opened["y"] >= 0
    assert opened["y"] + opened["height"] <= closed["y"]


def test_on_a_low_window_and_on_a_phone_the_panel_is_seen_whole(
    new_page: Pages, server: Server, wants: Settings
) -> None:
    """ui.md: full screen under 480 px, whatever the distances."""
    wants(corner="start", offset_side=200, offset_bottom=200)
    for wide, high in ((900, 400), (560, 700), (390, 844)):
        page = new_page(viewport={"width": wide, "height": high}, reduced_motion="reduce")
        page.goto(server.url + "/demo/")
        launcher(page).click()
        expect(page.frame_locator("iframe[title='Chat']").get_by_role("main")).to_be_visible()
        panel = box_of(page.locator("chatlead-widget div"))
        assert panel["x"] >= 0
        assert panel["y"] >= 0
        assert panel["x"] + panel["width"] <= wide
        assert panel["y"] + panel["height"] <= high
        assert panel["height"] >= 300
        if wide < 480:
            assert panel["width"] == page.evaluate("document.documentElement.clientWidth")
            assert panel["height"] == high


# --- the greeting -----------------------------------------------------------------------------------------


def test_vera_is_greeted_once_and_a_click_opens_the_chat(
    new_page: Pages, server: Server, wants: Settings, violations: Look
) -> None:
    """Issue 4 A: told politely, nothing on the page moves, and not again: not here and in no other tab."""
    wants(greeting="Questions about a crash? <b>Ask</b> us.", greeting_after=1)
    page = new_page()
    page.clock.install()
    page.add_init_script(SHIFTS)
    page.goto(server.url + "/demo/")
    expect(launcher(page)).to_be_visible()
    expect(greeting(page)).to_be_visible()
    words = page.get_by_role("button", name="Questions about a crash? <b>Ask</b> us.", exact=True)
    expect(words).to_be_visible()
    live = page.locator("chatlead-widget p[aria-live=polite]")
    expect(live).to_have_text("Questions about a crash? <b>Ask</b> us.")
    assert page.evaluate("document.activeElement === document.body")
    assert page.evaluate("window.shifted ?? 0") == 0
    above, below = box_of(greeting(page)), box_of(launcher(page))
    assert above["y"] + above["height"] < below["y"]
    assert above["x"] >= 0
    assert violations(page) == []
    words.click()
    expect(page.frame_locator("iframe[title='Chat']").get_by_role("main")).to_be_visible()
    expect(launcher(page)).to_have_attribute("aria-expanded", "true")
    expect(greeting(page)).to_have_count(0)
    page.reload()
    other = page.context.new_page()
    other.goto(server.url + "/demo/")
    for each in (page, other):
        expect(launcher(each)).to_be_visible()
        time_passes(each, 30)
        expect(greeting(each)).to_have_count(0)


def test_the_greeting_is_put_away_by_pointer_and_by_key(
    new_page: Pages, server: Server, wants: Settings
) -> None:
    """Issue 4 A, ui.md: the focus is at the launcher then, and a reload brings nothing back."""
    wants(greeting="May we help?", greeting_after=1)

    def greeted(**options: Any) -> Page:
        page = new_page(**options)
        page.clock.install()
        page.goto(server.url + "/demo/")
        expect(greeting(page)).to_be_visible()
        return page

    by_pointer, by_key, by_escape = greeted(), greeted(), greeted(reduced_motion="reduce")
    by_pointer.get_by_role("button", name="Dismiss", exact=True).click()
    launcher(by_key).focus()
    by_key.keyboard.press("Tab")
    expect(by_key.get_by_role("button", name="May we help?", exact=True)).to_be_focused()
    by_key.keyboard.press("Tab")
    expect(by_key.get_by_role("button", name="Dismiss", exact=True)).to_be_focused()
    by_key.keyboard.press("Enter")
    assert greeting(by_escape).evaluate("e => e.getAnimations().length") == 0
    by_escape.get_by_role("button", name="May we help?", exact=True).focus()
    by_escape.keyboard.press("Escape")
    for page in (by_pointer, by_key, by_escape):
        expect(greeting(page)).to_have_count(0)
        expect(launcher(page)).to_be_focused()
        expect(launcher(page)).to_have_attribute("aria-expanded", "false")
        page.reload()
        expect(launcher(page)).to_be_visible()
        time_passes(page, 30)
        expect(greeting(page)).to_have_count(0)


def test_nobody_is_greeted_who_has_opened_the_chat_or_has_no_launcher(
    new_page: Pages, server: Server, wants: Settings
) -> None:
    """Issue 4 A: not while it is open, not after it was, not where the page has hidden it."""
    wants(greeting="May we help?", greeting_after=20)
    busy, done, hidden = new_page(), new_page(), new_page()
    for page in (busy, done, hidden):
        page.clock.install()
        page.goto(server.url + "/demo/")
    launcher(busy).click()
    launcher(done).click()
    expect(launcher(done)).to_have_attribute("aria-expanded", "true")
    done.evaluate("ChatLead.push(['close'])")
    expect(launcher(hidden)).to_be_visible()
    hidden.evaluate("ChatLead.push(['hide'])")
    for page in (busy, done, hidden):
        time_passes(page, 30)
        expect(greeting(page)).to_have_count(0)


def test_a_greeting_stands_the_right_way_round_and_on_a_phone(
    new_page: Pages, server: Server, wants: Settings, violations: Look
) -> None:
    """Issue 4 A, R-003: mirrored in Arabic; never wider than the page; dark where the visitor likes it."""
    long = "Rechtsschutzversicherungsgesellschaften antworten nicht? " * 3
    wants(greeting=long, greeting_after=1, corner="start", language="ar")
    page = new_page(**PHONE, color_scheme="dark")
    page.goto(server.url + "/demo/")
    expect(greeting(page)).to_be_visible()
    shown, button = box_of(greeting(page)), box_of(launcher(page, NAMES["ar"].launcher))
    assert button["x"] + button["width"] == 390 - 20
    assert shown["x"] + shown["width"] == 390 - 20
    assert shown["x"] >= 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("button", name="إغلاق", exact=True)).to_be_visible()
    assert violations(page) == []


def test_a_page_that_forbids_all_it_can_shows_all_of_it_without_a_complaint(
    new_page: Pages, server: Server, wants: Settings, host: Host, key: str
) -> None:
    """R-003, trials C: they need nothing that a strict policy or Trusted Types would stop."""
    wants(greeting="May we help?", greeting_after=1, corner="start", offset_bottom=100)
    snippet = f'<script async nonce="n" src="{server.url}/widget/v1/loader.js" data-site="{key}"></script>'
    html = f'<!doctype html><title>Shop</title><link rel="icon" href="data:,">{snippet}<h1>Shop</h1>'
    host.pages["/"] = HostPage(html, {"Content-Security-Policy": STRICT.format(url=server.url)})
    page = new_page()
    heard = complaints(page)
    page.goto(host.address("/"))
    expect(greeting(page)).to_be_visible()
    assert greeting(page).evaluate("e => getComputedStyle(e).borderRadius") == "16px"
    assert box_of(launcher(page))["x"] == 20
    page.get_by_role("button", name="May we help?", exact=True).click()
    expect(page.frame_locator("iframe[title='Chat']").get_by_role("main")).to_be_visible()
    assert heard == []


# --- what it says and asks --------------------------------------------------------------------------------


def test_the_firms_own_words_and_questions(
    staff: Callable[[str], Staff], visitor: Callable[..., Visitor], wants: Settings, violations: Look
) -> None:
    """Issue 4 A: above each form, and what a form asks; a label of ours is in the visitor's language."""
    asked = [
        {"name": "email", "label": "Email", "kind": "email", "required": True},
        {"name": "phone", "label": "Phone", "kind": "phone"},
    ]
    wants(welcome="Tell us what happened", offline="We are in court until 5", fields=json.dumps(asked))
    olga = staff("olga")
    olga.is_away()
    vera = visitor(locale="de-DE")
    vera.visits()
    launcher(vera.page, NAMES["de"].launcher).click()
    expect(vera.frame.get_by_text("We are in court until 5")).to_be_visible()
    assert violations(vera.page) == []
    olga.is_online()
    expect(vera.frame.get_by_role("heading", name="Tell us what happened")).to_be_visible()
    expect(vera.frame.get_by_role("textbox", name="Telefon")).to_be_visible()
    expect(vera.frame.get_by_role("textbox", name="Name", exact=True)).to_have_count(0)
    vera.frame.get_by_role("button", name=NAMES["de"].start).click()
    expect(vera.frame.locator(".field-error")).to_have_count(1)
    assert violations(vera.page) == []


@pytest.mark.parametrize(("language", "word"), [("de", "im Auftrag von"), ("ar", "نيابةً عن")])
def test_vera_agrees_in_her_own_language(
    olga: Staff, new_page: Pages, server: Server, wants: Settings, language: str, word: str
) -> None:
    """R-032, R-033: what she reads is what is proved, with the language that it was in."""
    vera = Foreigner(new_page(locale=NAMES[language].locale), server.url, language)
    vera.visits()
    vera.opens_chat()
    notice = vera.frame.locator(".notice")
    expect(notice).to_contain_text(word)
    shown = notice.inner_text()
    vera.frame.get_by_role("textbox", name=vera.names.name, exact=True).fill(f"Vera Agrees {language}")
    vera.button(vera.names.start).click()
    expect(vera.log).to_be_visible()
    [(said, text)] = wants.run(
        "SELECT c.language, n.text FROM accounts_consent c JOIN accounts_notice n ON n.id = c.notice_id"
        " JOIN visitors_visitor v ON v.uid = c.visitor_uid WHERE v.name = ?",
        f"Vera Agrees {language}",
    )
    assert said == language
    assert text in shown


# --- faces ------------------------------------------------------------------------------------------------


def paints(page: Page, kind: str, colour: str) -> FilePayload:
    """A file as a camera or a program writes it: 300 x 200 of one colour."""
    data = page.evaluate(
        """async ([kind, colour]) => {
            const canvas = Object.assign(document.createElement("canvas"), {width: 300, height: 200});
            const pen = canvas.getContext("2d");
            pen.fillStyle = colour;
            pen.fillRect(0, 0, 300, 200);
            const blob = await new Promise(done => canvas.toBlob(done, kind));
            return [...new Uint8Array(await blob.arrayBuffer())];
        }""",
        [kind, colour],
    )
    return {"name": f"a.{kind.split('/')[1]}", "mimeType": kind, "buffer": bytes(data)}


def test_staff_gives_the_firm_and_olga_a_picture_and_vera_sees_them(
    olga: Staff, new_page: Pages, server: Server, wants: Settings, vera: Visitor
) -> None:
    """Issue 4 A: from whatever the browser can show; in the header and beside what is said."""
    staff = new_page()
    staff.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # /admin/ has none
    heard = complaints(staff)
    staff.goto(server.url + "/admin/")
    staff.get_by_label("Email").fill("staff@demo.test")
    staff.get_by_label("Password").fill(PASSWORD)
    staff.get_by_role("button", name="Log in").click()
    chosen = staff.locator("input[type=file]")
    for where, name, kind in (("site", FIRM, "image/jpeg"), ("operator", "Olga", "image/webp")):
        staff.goto(f"{server.url}/admin/accounts/{where}/")
        staff.get_by_role("link", name=name, exact=True).first.click()
        staff.get_by_label("Picture", exact=False).first.set_input_files(paints(staff, kind, "#c03030"))
        until(staff, lambda: chosen.evaluate("e => e.files[0].type") == "image/png", "a small picture")
        staff.get_by_role("button", name="Save", exact=True).click()
        expect(staff.locator(".messagelist")).to_contain_text("changed successfully")
    assert heard == []
    vera.visits()
    heard = complaints(vera.page)
    vera.opens_chat()
    face = vera.frame.locator(".head .avatar img")
    is_there = "e => e.decode().then(() => [e.naturalWidth, e.naturalHeight])"
    assert face.evaluate(is_there) == [96, 96]
    firm = face.get_attribute("src")
    vera.frame.get_by_role("textbox", name="Name").fill("Vera Faces")
    vera.frame.get_by_role("button", name="Start chat").click()
    olga.accepts("Vera Faces")
    olga.says("Hello Vera")
    expect(vera.frame.get_by_role("heading", name="Olga")).to_be_visible()
    assert face.evaluate(is_there) == [96, 96]
    assert face.get_attribute("src") != firm
    beside = vera.frame.locator(".said .avatar img")
    expect(beside).to_have_count(1)
    assert beside.get_attribute("src") == face.get_attribute("src")
    vera.page.reload()
    expect(vera.frame.locator(".said .avatar img")).to_have_count(1)
    assert heard == []
    vera.ends_chat()
