"""`widget`: what our widget costs somebody else's page, in a real Chromium against the real server.

The page with and without it is loaded in turn, cold, with a processor slowed four times. `bench/cold.py` says
what is taken; docs/performance.md how.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import http
from bench.cold import LOADS, Subject, line, visits
from bench.devtools import Browser, Page
from tests.chromium import started
from tests.servers import Server

VISITS = 7
AFTER = 0.5  # seconds without anything new once we know that all of ours is there


def subject(server: str) -> Subject:
    """The demo's site at this address, with the snippet as the README has it."""
    source = f"{server}/widget/v1/loader.js"
    return Subject(
        "ours",
        f'<script async src="{source}" data-site="{http.site_key(server)}"></script>',
        "ChatLead.push(['open'])",
        shown=lambda page: _launcher(page) and _welcomed(page) >= 1,
        opened=lambda page: _welcomed(page) >= 2,
    )


@contextmanager
def ours() -> Iterator[Subject]:
    """On a server of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="chatlead-bench-") as folder,
        Server(data_dir=Path(folder), options=["--migrate", "--demo"]) as server,
    ):
        yield subject(server.url)
        server.kill()  # nobody looks at how it ends


def _welcomed(page: Page) -> int:
    """How many sockets have heard something: the loader's own, then the frame's."""
    return sum(each.frames > 0 for each in page.requests if each.kind == "WebSocket")


def _launcher(page: Page) -> bool:
    return bool(page.does("benchSeen.launcher"))


def run(count: int = VISITS, loads: int = LOADS) -> Iterator[dict[str, Any]]:
    with ours() as own, started() as address, Browser(address) as browser:
        taken = visits(browser, [own], count=count, quiet=AFTER, loads=loads)
        yield line("widget", own.name, taken)
