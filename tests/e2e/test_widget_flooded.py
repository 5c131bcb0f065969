"""A site that strangers flood, as an honest visitor meets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD, Visitor
from tests.servers import Server

LONG_TASKS = """() => {
  window.longTasks = [];
  new PerformanceObserver((seen) => window.longTasks.push(...seen.getEntries().map((e) => e.duration)))
    .observe({type: "longtask"});
}"""


def test_her_browser_works_for_a_moment_and_she_does_not_notice(
    tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    """D-2: under our own policy, with four times the work that is delivered, so that it can be seen; the
    page does not stand still for it."""
    env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD, "CHATLEAD_LEFT_PER_SITE": "0", "CHATLEAD_WORK_BITS": "18"}
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=env) as server:
        vera = Visitor(new_page(), server.url)
        vera.visits()
        vera.opens_chat()
        for name, value in (("Name", "Vera"), ("Email", "vera@example.test"), ("Message", "Please call me")):
            vera.frame.get_by_role("textbox", name=name).fill(value)
        [frame] = [each for each in vera.page.frames if "/widget/v1/frame" in each.url]
        frame.evaluate(LONG_TASKS)
        began = time.monotonic()
        vera.frame.get_by_role("button", name="Leave message").click()
        expect(vera.frame.get_by_text("Thank you, Vera")).to_be_visible(timeout=30_000)
        seconds = time.monotonic() - began
        longest = max(frame.evaluate("window.longTasks"), default=0) / 1000
        print("work:", round(seconds, 2), "s, longest task", round(longest, 3))
        assert longest < max(0.2, seconds / 3)  # on a machine that does other work as well
