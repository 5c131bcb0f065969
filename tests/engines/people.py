"""vera and olga in browsers that are no Chromium, by what they do. All is found by its role and name.

A step waits for what it needs, for as long as a busy machine may take, and says what was not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engines.engines import Running
from tests.engines.webdriver import ELEMENT, Refused

PASSWORD = "four-words-for-the-demo"
PATIENCE = 40.0
FIND = (Path(__file__).parent / "find.js").read_text()
# What comes and goes while a page draws itself: looked for again, and not the end of a test.
PASSING = {
    "stale element reference", "no such element", "no such frame", "element not interactable",
    "element click intercepted", "javascript error", "detached shadow root",
}  # fmt: skip


class NotThere(Exception):
    """Not yet, perhaps."""


def until(is_so: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Waits for something true and gives it back. Raises AssertionError with `what`."""
    end = time.monotonic() + seconds
    last = ""
    while True:
        try:
            if found := is_so():
                return found
        except NotThere as error:
            last = f" ({error})"
        except Refused as error:
            if error.code not in PASSING:
                raise
            last = f" ({error})"
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}{last}"
        time.sleep(0.05)


class View:
    """One document of one tab: a page, or the chat in it, by the title that its frame has (`chat`)."""

    def __init__(self, running: Running, tab: str, *, chat: str = "") -> None:
        self.running, self.session, self.tab, self.title = running, running.session, tab, chat

    def enter(self) -> None:
        """The commands that follow are for this document."""
        self.session.switches(self.tab)
        if self.title:
            self.session.into(self._found("iframe", self.title, None)[0])

    def run(self, script: str, *arguments: Any) -> Any:
        self.enter()
        return self.session.run(script, *arguments)

    def all(self, role: str, name: str | None = None, within: str | None = None) -> list[str]:
        """What there is at this moment."""
        self.enter()
        try:
            return self._found(role, name, within)
        except NotThere:
            return []

    def one(self, role: str, name: str | None = None, within: str | None = None) -> str:
        """The only one there is, when it has come."""
        return str(until(lambda: self._only(role, name, within), f"one {role} {name or ''}"))

    def presses(self, role: str, name: str, within: str | None = None) -> None:
        def press() -> bool:
            self.session.clicks(self._only(role, name, within))
            return True

        until(press, f"press the {role} {name}")

    def fills(self, name: str, text: str) -> None:
        """A field, which is empty."""

        def fill() -> bool:
            field = self._only("textbox", name, None)
            if self.session.run("return arguments[0].value", {ELEMENT: field}) != text:
                self.session.clears(field)
                self.session.types(field, text)
            return self.value(name) == text

        until(fill, f"{text!r} in {name}")

    def value(self, name: str) -> str:
        field = self._only("textbox", name, None)
        return str(self.session.run("return arguments[0].value", {ELEMENT: field}))

    def says_once(self, text: str, within: str | None = None) -> None:
        """These words, once."""
        until(lambda: len(self.all("text", text, within)) == 1, f"{text!r}, once")

    def tells(self, part: str) -> None:
        """Somewhere in what is shown."""
        until(lambda: part in self.run("return document.body.innerText"), f"{part!r} on the screen")

    def has_no(self, role: str, name: str | None = None) -> None:
        until(lambda: not self.all(role, name), f"no {role} {name or ''}")

    def keys(self, *keys: str) -> None:
        """Pressed together, for what has the focus."""
        self.enter()
        self.session.presses(*keys)

    def _only(self, role: str, name: str | None, within: str | None) -> str:
        self.enter()
        found = self._found(role, name, within)
        if len(found) != 1:
            raise NotThere(f"{len(found)} of {role} {name or ''}")
        return found[0]

    def _found(self, role: str, name: str | None, within: str | None) -> list[str]:
        found = self.session.run(FIND, role, name, within and {ELEMENT: within})
        if not found and role == "iframe":
            raise NotThere("no chat in the page")
        return [each[ELEMENT] for each in found]


class Visitor:
    """vera, or another, in one tab."""

    def __init__(self, running: Running, tab: str = "") -> None:
        self.running = running
        self.tab = tab or running.session.tab
        self.page = View(running, self.tab)
        self.chat = View(running, self.tab, chat="Chat")

    def visits(self, url: str) -> None:
        self.running.session.switches(self.tab)
        self.running.session.goes(url)

    def reloads(self) -> None:
        self.running.session.switches(self.tab)
        self.running.session.reloads()

    def in_a_new_tab(self) -> Visitor:
        self.running.session.switches(self.tab)
        return Visitor(self.running, self.running.session.new_tab())

    def opens_chat(self) -> None:
        self.page.presses("button", "Chat with us")

    def starts(self, name: str) -> None:
        """From the form to a chat that waits."""
        self.chat.fills("Name", name)
        self.chat.presses("button", "Start chat")
        self.chat.one("log", "Conversation")

    def writes(self, text: str) -> None:
        """Not knowing whether it arrives."""
        self.chat.fills("Message", text)
        self.chat.presses("button", "Send")
        self.sees(text)

    def sees(self, text: str) -> None:
        """Once, in the conversation."""
        until(lambda: self._times(text) == 1, f"{text!r} once in vera's conversation")

    def _times(self, text: str) -> int:
        logs = self.chat.all("log", "Conversation")
        return len(self.chat.all("text", text, logs[0])) if logs else 0

    def ends_chat(self) -> None:
        self.chat.presses("button", "End chat")
        self.chat.presses("button", "End chat", self.chat.one("alertdialog"))


class Desk:
    """An operator at the console."""

    def __init__(self, running: Running, url: str, email: str) -> None:
        self.running, self.url, self.email = running, url, email
        self.page = View(running, running.session.tab)

    def logs_in(self) -> None:
        self.running.session.goes(self.url + "/console/")
        self.page.fills("Email", self.email)
        self.page.fills("Password", PASSWORD)
        self.page.presses("button", "Log in")

    def is_online(self) -> None:
        until(lambda: self.page.all("button", "Online") or self._presses_away(), "she is online")

    def _presses_away(self) -> bool:
        for each in self.page.all("button", "Away"):
            self.running.session.clicks(each)
        return False

    def accepts(self, name: str) -> None:
        def accept() -> bool:
            region = self.page.one("region", "Waiting")
            rows = [row for row in self.page.all("listitem", None, region) if name in self._text(row)]
            if len(rows) != 1:
                raise NotThere(f"{len(rows)} rows of {name}")
            self.running.session.clicks(self.page.one("button", "Accept", rows[0]))
            return True

        until(accept, f"{name} waits")
        self.page.one("heading", name)

    def says(self, text: str) -> None:
        self.page.fills("Message", text)
        self.page.presses("button", "Send")
        self.sees(text)

    def sees(self, text: str) -> None:
        """Once, in the conversation that is open."""
        until(lambda: self._times(text) == 1, f"{text!r} once in olga's conversation")

    def ends(self) -> None:
        self.page.presses("button", "End chat")
        self.page.presses("button", "End chat", self.page.one("dialog"))
        self.page.tells("This chat has ended")

    def _times(self, text: str) -> int:
        logs = self.page.all("log", "Conversation")
        return len(self.page.all("text", text, logs[0])) if logs else 0

    def _text(self, element: str) -> str:
        return str(self.running.session.run("return arguments[0].innerText", {ELEMENT: element}))
