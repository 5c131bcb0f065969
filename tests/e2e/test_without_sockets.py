"""Widget and console where no socket gets through: the same conversations, by plain requests (R-006)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import chromium
from tests.e2e.front import Front
from tests.e2e.people import PASSWORD, PATIENCE_MS, Desk, Visitor
from tests.e2e.shop import CHAT, at_the_shop, shop, starts
from tests.servers import PrivateServices, Server

NO_SOCKETS = "delete window.WebSocket"
PROBE_MS = 15_000  # until it is looked whether a socket gets through (frontend/src/wire/connection.ts)
BLOCKED = "window.WebSocket = class { constructor() { throw new DOMException('blocked', 'SecurityError') } }"


class House:
    """The demo over two processes, behind a proxy that lets no socket through."""

    def __init__(self, server: Server, front: Front) -> None:
        self.server, self.front = server, front
        self.url = f"http://127.0.0.1:{front.port}"
        self.log_ins: dict[str, list[Any]] = {}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with (
        PrivateServices() as services,
        Server(
            data_dir=tmp_path_factory.mktemp("walled"),
            database_url=services.database_url,
            redis_url=services.redis_url,
            processes=2,
            options=["--migrate", "--demo"],
            env={"CHATLEAD_DEMO_PASSWORD": PASSWORD},
        ) as server,
        Front({"127.0.0.1": server.port}, tls=False, sockets=False) as front,
    ):
        yield House(server, front)


@pytest.fixture
def behind_it(house: House, new_page: Callable[..., Page]) -> Desk:
    """Olga, online."""
    olga = Desk(new_page(), house.url, "olga@demo.test")
    olga.comes_in(house.log_ins)
    olga.is_online()
    return olga


def test_a_whole_conversation_over_two_processes_without_one_socket(
    house: House, behind_it: Desk, new_page: Callable[..., Page]
) -> None:
    """R-006: started, accepted, talked, reloaded on both sides, noted, ended."""
    olga = behind_it
    vera = Visitor(new_page(), house.url)
    vera.starts_chat("Vera Walled", "I was in a crash")
    olga.accepts("Vera Walled")
    olga.sees("I was in a crash")
    olga.says("Are you hurt?")
    vera.sees("Are you hurt?")
    olga.notes("sounds serious")
    for number in range(5):
        vera.says(f"from vera {number}")
        olga.sees(f"from vera {number}")
        olga.says(f"from olga {number}")
        vera.sees(f"from olga {number}")
    vera.page.reload()
    vera.sees("from olga 4")
    vera.says("I am back")
    olga.sees("I am back")
    olga.page.reload()
    olga.opens("Vera Walled")
    olga.sees("sounds serious")
    olga.says("So am I")
    vera.sees("So am I")
    expect(vera.log.get_by_text("sounds serious")).to_have_count(0)
    vera.ends_chat()
    expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
    assert vera.heard == []


def test_vera_writes_while_the_line_is_cut_again_and_again_and_nothing_is_lost_or_doubled(
    house: House, behind_it: Desk, new_page: Callable[..., Page]
) -> None:
    """V-1: a lost answer is not known, so it is sent again, under the same ref."""
    olga = behind_it
    vera = Visitor(new_page(), house.url)
    vera.starts_chat("Vera Cut")
    olga.accepts("Vera Cut")
    for number in range(6):
        vera.message.fill(f"message {number}")
        vera.frame.get_by_role("button", name="Send").click()
        house.front.cut()
        vera.page.wait_for_timeout(150)
    for number in range(6):
        olga.sees(f"message {number}")
    texts = olga.log.get_by_text(re.compile(r"^message \d$")).all_inner_texts()
    assert texts == [f"message {number}" for number in range(6)]


@pytest.mark.parametrize("path", ["/strict"])
def test_abroad_the_chat_is_kept_over_a_reload_and_goes_back_to_a_socket_when_one_gets_through(
    tmp_path: Path, path: str
) -> None:
    """R-006, trials A: a third party's cookie comes back with plain requests as well, under a strict policy
    of the host page too. The chat goes on while the way is changed."""
    with shop(tmp_path) as running, chromium(*running.front.flags) as world:
        running.front.sockets = False
        context = world.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE_MS)
        context.clock.install()
        olga = Desk(world.new_context().new_page(), CHAT, "olga@demo.test")
        olga.logs_in()
        olga.is_online()
        vera = at_the_shop(context, path)
        starts(vera, "Vera Abroad")
        vera.says("before the reload")
        olga.accepts("Vera Abroad")
        olga.says("an answer")
        vera.sees("an answer")
        vera.page.reload()
        vera.sees("an answer")
        vera.says("after the reload")
        olga.sees("after the reload")
        assert not any("visitor_welcome" in each for each in vera.heard)
        running.front.sockets = True
        for frame in vera.page.frames:
            frame.evaluate("() => void dispatchEvent(new Event('online'))")
        context.clock.fast_forward(PROBE_MS)
        vera.hears("visitor_welcome")
        olga.says("by another way")
        vera.sees("by another way")
        vera.hears("by another way")


@pytest.mark.parametrize("script", [NO_SOCKETS, BLOCKED], ids=["no WebSocket", "WebSocket blocked"])
def test_a_browser_without_sockets_gets_on_and_olga_is_told_what_is_missing(
    new_page: Callable[..., Page], server: Server, script: str
) -> None:
    """R-006: named, with what to do; no silent failure, and no work is stopped."""
    pages = [new_page(), new_page()]
    for page in pages:
        page.add_init_script(script)
    olga, vera = Desk(pages[0], server.url, "olga@demo.test"), Visitor(pages[1], server.url)
    olga.logs_in()
    olga.is_told("WebSocket missing")
    olga.is_online()
    vera.starts_chat("Vera Bare", "Hello?")
    olga.accepts("Vera Bare")
    olga.says("Good morning")
    vera.sees("Good morning")
    olga.page.get_by_role("button", name="Understood").click()
    expect(olga.page.get_by_text("WebSocket missing")).to_have_count(0)
    vera.ends_chat()


def test_olga_is_told_of_every_other_thing_that_her_browser_lacks(
    new_page: Callable[..., Page], server: Server
) -> None:
    """R-006."""
    page = new_page()
    page.add_init_script(
        "delete window.Notification; Storage.prototype.setItem = () => { throw new Error() }"
    )
    olga = Desk(page, server.url, "olga@demo.test")
    olga.logs_in()
    for name in ("Storage", "Notifications"):
        olga.is_told(f"{name} missing")
    expect(page.get_by_text("WebSocket missing")).to_have_count(0)


def test_a_browser_that_has_everything_is_told_nothing(olga: Desk) -> None:
    expect(olga.page.get_by_role("button", name="Understood")).to_have_count(0)


def test_without_javascript_the_console_says_what_it_needs(
    new_page: Callable[..., Page], server: Server, olga: Desk
) -> None:
    """R-006: a readable page."""
    page = new_page(java_script_enabled=False)
    page.context.add_cookies(
        [{"name": c["name"], "value": c["value"], "url": server.url} for c in olga.page.context.cookies()]
    )
    page.goto(server.url + "/console/")
    expect(page.get_by_role("heading", name="The console needs JavaScript")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Please allow JavaScript")
