"""A Chromium of our own (tests/chromium.py), joined by Playwright over its debugging port.

Playwright's default flags switch partitioned storage off, so a frame's storage would always throw there and
every test would see only the fall-back. Imports no pytest, so that other programs can use it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    WebError,
    sync_playwright,
)

from tests.chromium import NAMES, started

# The last that pages of any browser complained of, oldest first: for a test that fails.
said_by_pages: deque[str] = deque(maxlen=60)

_driver: Playwright | None = None
_user_count = 0


@contextlib.contextmanager
def driver() -> Iterator[Playwright]:
    """Playwright's driver, one for all browsers of this process: it refuses to be started twice."""
    global _driver, _user_count
    if _driver is None:
        _driver = sync_playwright().start()
    _user_count += 1
    try:
        yield _driver
    finally:
        _user_count -= 1
        if _user_count == 0:
            _driver.stop()
            _driver = None


@contextlib.contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A browser for the length of the block. Raises FileNotFoundError naming the package to install."""
    with started(*flags) as address, driver() as playwright:
        browser = playwright.chromium.connect_over_cdp(f"http://{address.partition('/')[0]}")
        browser.on("context", _overhear)
        try:
            yield browser
        finally:
            browser.close()


def _overhear(context: BrowserContext) -> None:
    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said_by_pages.append(f"{_moment()} {message.type}: {message.text}")

    def catch(thrown: WebError) -> None:
        said_by_pages.append(f"{_moment()} not caught: {thrown.error}")

    context.on("console", hear)
    context.on("weberror", catch)


def _moment() -> str:
    return time.strftime("%H:%M:%S")


def complaints(page: Page) -> list[str]:
    """What the browser's console complains of in this page from now on; it grows as the page goes on."""
    heard: list[str] = []
    page.on("console", lambda m: heard.append(m.text) if m.type in ("error", "warning") else None)
    return heard


@contextlib.contextmanager
def keeping_nothing(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own that refuses all cookies and all storage, started as Playwright starts it."""
    program = next(found for name in NAMES if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as profile:
        preferences = Path(profile) / "Default" / "Preferences"
        preferences.parent.mkdir()
        refuses = {"profile": {"default_content_setting_values": {"cookies": 2}}}
        preferences.write_text(json.dumps(refuses))
        context = browser.browser_type.launch_persistent_context(
            profile, executable_path=program, args=["--no-sandbox"], viewport={"width": 1440, "height": 900}
        )
        _overhear(context)
        try:
            yield context
        finally:
            context.close()
