"""Reachable by everyone: every screen of `dev.py shots` in every language, as axe sees it, with large text on
a small window, with wide letters, with forced colours and by the keyboard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, ViewportSize, expect

from tests.e2e import reach
from tests.e2e.abroad import NAMES
from tests.e2e.people import Desk, Visitor
from tests.e2e.scenes import Walk
from tests.e2e.tidy import Tidy
from tests.e2e.widget_scenes import DEVICES
from tests.servers import Server

# two in a row have each scheme and each device once
LOOKS = (("light", "desktop"), ("dark", "phone"), ("dark", "desktop"), ("light", "phone"))
SMALL: ViewportSize = {"width": 320, "height": 256}  # WCAG 1.4.10: 1280 x 1024 at 400 %
# where the keyboard goes all the way round, on the small window and with forced colours
TABBED = {
    *("home", "login-error", "console-hint", "console-chat", "console-prepared"),
    *("console-settings-es", "console-end", "widget-form", "widget-chat", "widget-transcript-refused"),
    *("widget-chat-ar", "widget-leave-message-de", "hosted-chat", "greeting"),
}


# what is put into a log that is there already is read out
READ_OUT = """
globalThis.readOut = [];
new MutationObserver(list => list.forEach(({target, addedNodes}) => {
    if (target.closest?.("[role=log]")?.getAttribute("aria-live") !== "polite") return;
    for (const node of addedNodes) readOut.push(node.textContent);
})).observe(document, {childList: true, subtree: true});
"""


def walk_into(page: Page) -> Frame | None:
    """The chat where it is open."""
    box = page.locator("iframe[src*='/widget/v1/frame']")
    if not box.count() or not box.first.is_visible():
        return None
    return next((each for each in page.frames if "/widget/v1/frame" in each.url), None)


class Reach(Walk):
    """Switches scheme, size and colours of a page that is there, instead of coming there again."""

    def __init__(self, browser: Browser, server: Server, log_ins: dict[str, list[Any]]) -> None:
        super().__init__(browser, server, "light", "desktop")
        self.log_ins = log_ins
        self.pages: list[Page] = []
        self.schemes: dict[Page, str] = {}  # where it is another one than ours
        self.faults: list[str] = []
        self.turn = 0

    def page(self, locale: str = "en-US") -> Page:
        page = super().page(locale)
        self.pages.append(page)
        return page

    def desk(self) -> Desk:
        olga = Desk(self.page(), self.server.url, "olga@demo.test")
        olga.comes_in(self.log_ins)
        return olga

    def look(self, page: Page, screen: str, *, whole: bool = False) -> None:
        if screen.startswith("styleguide"):
            return  # has a test of its own (test_places.py)
        frame = walk_into(page) or page.main_frame
        self.turn += 1
        # In each language a screen has another one of the four; `dev.py shots` looks at all of all.
        # So have the pages of accounts and requests, which share their parts.
        is_one_of_many = screen.startswith(("account-", "admin-", "ask", "sms-", "survey-"))
        is_one_of_many |= screen[-3:-2] == "-" and screen.startswith("widget")
        for scheme, device in [LOOKS[self.turn % 4]] if is_one_of_many else LOOKS[self.turn % 2 * 2 :][:2]:
            self.becomes(page, *DEVICES[device], scheme=scheme)
            self.note(f"{screen}, {scheme}, {device}", reach.axe_of(frame))
            if screen.startswith("widget-form") and frame != page.main_frame:
                self.note(f"{screen}, the page around", reach.axe_of(page.main_frame))
        if screen.startswith("admin"):
            return  # how a small window shows it is Django's own
        self.becomes(page, **SMALL, scheme="light")
        self.note(screen, reach.cut(frame))
        if not screen.startswith("account-"):
            self.note(screen, reach.cut(frame, spaced=True))
        if screen in TABBED:
            page.emulate_media(forced_colors="active")
            self.note(f"{screen}, forced colours", reach.walk_with_tab(page, frame))
            page.emulate_media(forced_colors="none")
        self.becomes(page, *DEVICES["desktop"], scheme="light")

    def becomes(self, page: Page, width: int, height: int, *, scheme: str) -> None:
        if page.viewport_size != {"width": width, "height": height}:
            page.set_viewport_size({"width": width, "height": height})
        if self.schemes.get(page, self.scheme) != scheme:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            self.schemes[page] = scheme
        reach.settle(page)

    def note(self, where: str, faults: list[str]) -> None:
        self.faults += [f"{where}: {each}" for each in faults]


@pytest.mark.timeout(300)  # some thirty screens, each looked at several times
@pytest.mark.parametrize("part", ["pages", "account", "console", "places", *NAMES])
def test_nothing_stands_in_anybodys_way_on_any_screen_in_any_language(
    browser: Browser, server: Server, tidy: Tidy, log_ins: dict[str, list[Any]], part: str
) -> None:
    """Issue 4 C. In parts, so that none takes long."""
    tidy.end_all_chats()
    walk = Reach(browser, server, log_ins)
    try:
        if part == "pages":
            walk.public()
            walk.app()
        elif part == "account":
            walk.account(short=True)
        elif part == "console":
            walk.chats(walk.desk())
        else:
            olga = walk.desk()
            olga.is_online()
            if part == "places":
                walk.places(olga)
                walk.faces(olga)
            else:
                walk.turn = list(NAMES).index(part)
                walk.abroad(olga, part)
    finally:
        for page in walk.pages:
            page.context.close()
    assert walk.turn >= 5
    assert walk.faults == []


# --- what is read out, and the keyboard ---------------------------------------------------------------------


def read_out(where: Page | Frame, text: str) -> int:
    """How often a screen reader was given this since the document came."""
    count: int = where.evaluate("text => readOut.filter(each => each.includes(text)).length", text)
    return count


def test_what_is_said_is_read_out_once_and_what_was_said_before_is_not(
    olga: Desk, new_page: Callable[..., Page], server: Server
) -> None:
    """Issue 4 C, `role=log`: polite, on both sides; a reload reads nothing anew. Mute, mail and settings by
    keyboard alone, the settings on a window that hides the rail with their menu."""
    vera = Visitor(new_page(), server.url)
    for page in (vera.page, olga.page):
        page.context.add_init_script(READ_OUT)
    olga.page.reload()
    vera.starts_chat("Vera Hears", "the first word")
    press = vera.page.keyboard.press
    olga.accepts("Vera Hears")
    olga.says("an answer to it")
    vera.sees("an answer to it")

    def chat() -> Frame:
        frame = walk_into(vera.page)
        assert frame is not None
        return frame

    for said in ("the first word", "an answer to it"):
        assert (read_out(chat(), said), read_out(olga.page, said)) == (1, int("answer" in said)), said
    vera.page.reload()
    olga.page.reload()
    vera.sees("an answer to it")
    olga.opens("Vera Hears")
    olga.sees("an answer to it")
    vera.says("the second word")
    olga.sees("the second word")
    for where in (chat(), olga.page):
        assert [read_out(where, f"the {n} word") for n in ("first", "second")] == [0, 1]
        assert read_out(where, "an answer") == 0

    # mute, end, and have it mailed
    mute = vera.frame.get_by_role("button", name="Sound")
    for _ in range(6):
        press("Shift+Tab")
        if mute.evaluate("e => e === document.activeElement"):
            break
    press("Enter")
    expect(mute).to_have_attribute("aria-pressed", "false")
    vera.ends_chat()
    button = vera.frame.get_by_role("button", name="Send me the transcript by email")
    expect(vera.frame.get_by_role("button", name="Start a new chat")).to_be_focused()
    press("Shift+Tab")
    expect(button).to_be_focused()
    press("Enter")
    expect(vera.frame.get_by_role("textbox", name="Email")).to_be_focused()
    vera.page.keyboard.type("vera.hears@post.test")
    press("Tab")
    press("Tab")
    expect(vera.frame.get_by_role("button", name="Send transcript")).to_be_focused()
    press("Enter")
    expect(vera.frame.get_by_role("status").filter(has_text="vera.hears@post.test")).to_be_visible()
    expect(button).to_be_focused()

    # the settings, where the menu that has them is not on the screen
    olga.page.set_viewport_size(SMALL)
    back = olga.page.get_by_role("button", name="Back to the list")
    back.focus()
    olga.page.keyboard.press("Control+k")
    expect(olga.page.get_by_role("combobox")).to_be_focused()
    olga.page.keyboard.type("open settings")
    olga.page.keyboard.press("Enter")
    settings = olga.page.get_by_role("dialog", name="Settings")
    expect(settings.get_by_role("switch").first).to_be_visible()
    sound = settings.get_by_role("switch", name="Sound when somebody waits or writes")
    before = sound.get_attribute("aria-checked")
    expect(sound).to_be_focused()
    olga.page.keyboard.press("Space")
    expect(sound).not_to_have_attribute("aria-checked", before or "")
    olga.page.keyboard.press("Space")
    olga.page.keyboard.press("Escape")
    expect(settings).to_have_count(0)
    expect(back).to_be_focused()
