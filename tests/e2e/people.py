"""The people of the browser tests, by what they do: visitors of the demo firm, operators at consoles.

Everything is found by the accessible names of the contract, as a person with a screen reader finds it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, expect

PASSWORD = "four-words-for-the-demo"
# Whoever is right waits no longer for it; a machine may be five times slower than ours and busy as well.
PATIENCE_MS = 20_000
BACK_MS = 40_000  # a connection that was away: up to 16 s until it is tried again, and what comes then
MOMENT_MS = 400
expect.set_options(timeout=PATIENCE_MS)


def until(page: Page, is_so: Callable[[], bool], what: str, seconds: float = PATIENCE_MS / 1000) -> None:
    """Waits for what no locator shows, while the page goes on. Raises AssertionError with `what`."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        page.wait_for_timeout(50)


def time_passes(page: Page, seconds: float) -> None:
    """For the scripts of a page that has the clock in hand (`page.clock.install()`), at once; and a moment in
    which what they asked for then comes. A page that holds a connection wants `fast_forward` instead: its
    questions cannot be answered within no time."""
    page.clock.run_for(int(seconds * 1000))
    page.wait_for_timeout(MOMENT_MS)


class Visitor:
    """vera, or another, on the demo firm's website."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.name = ""
        self.heard: list[str] = []  # every text that any socket of her page received
        page.on("websocket", lambda ws: ws.on("framereceived", lambda data: self.heard.append(str(data))))

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe[title='Chat']")

    @property
    def log(self) -> Locator:
        return self.frame.get_by_role("log", name="Conversation")

    @property
    def message(self) -> Locator:
        return self.frame.get_by_role("textbox", name="Message")

    def visits(self, path: str = "/demo/") -> None:
        self.page.goto(self.url + path)

    def opens_chat(self) -> None:
        self.page.bring_to_front()  # a browser that is busy draws nothing in a tab that nobody looks at
        self.page.get_by_role("button", name="Chat with us").click()

    def starts_chat(self, name: str, first: str = "") -> None:
        """From the page to a chat that waits, with `first` as its first message."""
        self.name = name
        self.visits()
        self.opens_chat()
        if name:
            self.frame.get_by_role("textbox", name="Name").fill(name)
        self.frame.get_by_role("button", name="Start chat").click()
        self.is_in_the_chat()
        if first:
            self.says(first)

    def is_in_the_chat(self) -> None:
        """It is on the screen, and has the focus: what is typed before that goes elsewhere."""
        expect(self.log).to_be_visible()
        expect(self.frame.locator(":is(textarea, .scroll):focus")).to_have_count(1)

    def says(self, text: str) -> None:
        self.message.fill(text)
        self.frame.get_by_role("button", name="Send").click()
        expect(self.log.get_by_text(text, exact=True)).to_have_count(1)

    def sees(self, text: str) -> None:
        expect(self.log.get_by_text(text, exact=True)).to_have_count(1)

    def hears(self, part: str, times: int = 1) -> None:
        """Waits until so many frames with this part have come over any socket of her page."""
        until(self.page, lambda: sum(part in each for each in self.heard) >= times, f"{times} x {part}")

    def ends_chat(self) -> None:
        self.frame.get_by_role("button", name="End chat").first.click()
        self.frame.get_by_role("alertdialog").get_by_role("button", name="End chat").click()


class Desk:
    """An operator at the console."""

    def __init__(self, page: Page, url: str, email: str) -> None:
        self.page = page
        self.url = url
        self.email = email

    def logs_in(self) -> None:
        self.page.goto(self.url + "/console/")
        self.page.get_by_role("textbox", name="Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.status).to_be_visible()

    def comes_in(self, kept: dict[str, list[Any]]) -> None:
        """By the log-in of an earlier test while it holds, else by the form. `kept`: cookies by e-mail."""
        context = self.page.context
        context.add_cookies(kept.get(self.email, []))
        self.page.goto(self.url + "/console/")
        if "/login/" in self.page.url:
            self.logs_in()
            kept[self.email] = context.cookies(self.url)
        expect(self.status).to_be_visible()

    @property
    def status(self) -> Locator:
        """The status switch, whatever it says."""
        return self.page.locator("button.status")

    def is_connected(self) -> None:
        """Back after whatever was done to the line, and with no word left of it: what is pressed while it is
        away is refused."""
        expect(self.page.get_by_text("What you write is kept here")).to_have_count(0, timeout=BACK_MS)

    def is_online(self) -> None:
        """Goes online where that is not so already."""
        self._turns("Online", from_="Away")

    def is_away(self) -> None:
        self._turns("Away", from_="Online")

    def _turns(self, to: str, *, from_: str) -> None:
        self.is_connected()
        expect(self.status).to_have_text(re.compile(f"^({to}|{from_})$"))
        if self.status.inner_text() == from_:
            self.page.get_by_role("button", name=from_, exact=True).click()
        expect(self.page.get_by_role("button", name=to, exact=True)).to_be_visible()

    def region(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def row(self, region: str, name: str) -> Locator:
        """The list item of the chat with `name` in "Waiting", "My chats" or "Missed"."""
        items = self.region(region).get_by_role("listitem")
        return items.filter(has=self.page.locator("bdi").get_by_text(name, exact=True))

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="Conversation")

    @property
    def message(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    def accepts(self, name: str) -> None:
        self.is_connected()
        self.row("Waiting", name).get_by_role("button", name="Accept").click()
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(self.message).to_be_focused()

    def opens(self, name: str, region: str = "My chats") -> None:
        self.row(region, name).locator("bdi").click()
        expect(self.log).to_be_visible()

    def says(self, text: str) -> None:
        self.message.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.log.get_by_text(text, exact=True)).to_have_count(1)

    def notes(self, text: str) -> None:
        self.page.get_by_role("button", name="Note", exact=True).click()
        self.says(text)
        self.page.get_by_role("button", name="Reply", exact=True).click()

    def sees(self, text: str) -> None:
        expect(self.log.get_by_text(text, exact=True)).to_have_count(1)

    def ends(self) -> None:
        self.is_connected()
        self.page.get_by_role("button", name="End chat").click()
        self.page.get_by_role("dialog").get_by_role("button", name="End chat").click()

    def is_told(self, text: str) -> None:
        expect(self.page.get_by_role("status").filter(has_text=text).first).to_be_visible()

    def has_trouble(self) -> Locator:
        return self.page.get_by_role("status").filter(has_text="No connection")
