"""`dev.py shots DIR`: walks through every screen of a demo of its own and takes pictures, light and dark,
desktop and phone: `<screen>-<light|dark>-<desktop|phone>.png`. What axe finds wrong with one of them is
printed, and ends it with 1. `python -m tests.e2e.shots DIR dark phone account` takes those of one scheme, one
device or one part of the walk alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.e2e import reach
from tests.e2e.browser import chromium
from tests.e2e.people import PASSWORD
from tests.e2e.scenes import Walk
from tests.e2e.widget_scenes import DEVICES
from tests.servers import Server

SETTLED_MS = 300  # longer than any movement on a screen


class Shots(Walk):
    """Puts a picture of each screen into `folder`; `faults` are what was found wrong."""

    def __init__(self, browser: Browser, server: Server, scheme: str, device: str, folder: Path) -> None:
        super().__init__(browser, server, scheme, device)
        self.folder = folder
        self.faults: list[str] = []

    def look(self, page: Page, screen: str, *, whole: bool = False) -> None:
        name = f"{screen}-{self.scheme}-{self.device}"
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=self.folder / f"{name}.png", full_page=whole)
        self.faults += [f"{name}: {each}" for each in reach.violations(page)]


def main(folder: Path, only: set[str]) -> int:
    """How many faults there are. `only`: schemes, devices and methods of `Walk`, all where none is named."""
    schemes = [each for each in ("light", "dark") if each in only] or ["light", "dark"]
    devices = [each for each in DEVICES if each in only] or list(DEVICES)
    parts = only - {*schemes, *devices} or {"all"}
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chatlead-shots-") as data:
        env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD}
        with (
            Server(data_dir=Path(data), options=["--migrate", "--demo"], env=env) as server,
            chromium(
                "--hide-scrollbars"
            ) as browser,  # they would be missing in pictures of whole pages, but not their place
        ):
            for scheme in schemes:
                for device in devices:
                    walk = Shots(browser, server, scheme, device, folder)
                    for part in sorted(parts):
                        getattr(walk, part)()
                    faults += walk.faults
                    print(f"{scheme}, {device}: done", flush=True)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    print(*faults or ["axe finds nothing wrong with any of them"], sep="\n")
    return len(faults)


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]), set(sys.argv[2:])) else 0)
