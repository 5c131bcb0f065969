"""A Chromium of our own, started with the browser's own defaults and joined over its debugging port.

Playwright's default flags switch partitioned storage off, so a frame's storage would always throw there and
every test would see only the fall-back. Imports no pytest, so that other programs can use it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# What would be started for a page that may never come, or for an address bar that nobody sees: a process of
# its own in every window, dearer than a page of ours.
UNSEEN = (
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
)
FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
    "--disable-gpu",
    f"--disable-features={','.join(UNSEEN)}",
)


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
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise FileNotFoundError("no Chromium here: apt-get install chromium")
    profile = Path(tempfile.mkdtemp(prefix="chatlead-browser-"))
    root = ["--no-sandbox"] if os.getuid() == 0 else []  # the sandbox refuses to run as root
    process = subprocess.Popen(
        [program, *FLAGS, *root, *flags, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{_port(profile, process)}"
        with driver() as playwright:
            browser = playwright.chromium.connect_over_cdp(address)
            try:
                yield browser
            finally:
                browser.close()
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


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
        try:
            yield context
        finally:
            context.close()


def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that the browser took; it writes it down when it is ready."""
    note = profile / "DevToolsActivePort"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the browser ended with {process.returncode}")
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(note.read_text().splitlines()[0])
        time.sleep(0.02)
    raise TimeoutError("the browser did not come up in 30 s")
