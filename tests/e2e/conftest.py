"""The real server as a process, a real Chromium, and the people who use them."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e import reach
from tests.e2e.browser import chromium
from tests.e2e.exchange import Caller, Exchange, Staff
from tests.e2e.hosts import Host
from tests.e2e.people import PASSWORD, PATIENCE_MS, Desk, Visitor
from tests.e2e.tidy import Tidy
from tests.servers import Server

DESKTOP = {"width": 1440, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo on SQLite, served as `dev.py run` serves it."""
    data = tmp_path_factory.mktemp("data")
    with Server(
        data_dir=data, options=["--migrate", "--demo"], env={"CHATLEAD_DEMO_PASSWORD": PASSWORD}
    ) as running:
        yield running
        running.kill()  # nobody looks at how it ends, and its worker would take seconds to


@pytest.fixture(scope="session")
def key(server: Server) -> str:
    """The demo site's, as its own page shows it."""
    with urllib.request.urlopen(server.url + "/demo/") as answer:
        found = re.search(r'data-site="([^"]+)"', answer.read().decode())
    assert found
    return found[1]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A website of somebody else's, without pages yet."""
    with Host() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A page in a context of its own: another person. An error that no script caught fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def visitor(new_page: Callable[..., Page], server: Server) -> Callable[..., Visitor]:
    """A new visitor with a browser of her own."""
    return lambda **options: Visitor(new_page(**options), server.url)


@pytest.fixture
def vera(visitor: Callable[..., Visitor]) -> Visitor:
    return visitor()


@pytest.fixture(scope="session")
def tidy(server: Server) -> Tidy:
    return Tidy(server)


@pytest.fixture(scope="session")
def log_ins() -> dict[str, list[Any]]:
    """Who has logged in already: the form takes its time, and has tests of its own."""
    return {}


@pytest.fixture
def desk(
    new_page: Callable[..., Page], server: Server, tidy: Tidy, log_ins: dict[str, list[Any]]
) -> Callable[..., Desk]:
    """Somebody of the demo firm, logged in at the console. No chat of an earlier test is open."""
    tidy.end_all_chats()

    def log_in(who: str, prepare: Callable[[Page], None] = lambda page: None, **options: Any) -> Desk:
        """`prepare` is what is done with the page before it is loaded."""
        page = new_page(**options)
        prepare(page)
        operator = Desk(page, server.url, f"{who}@demo.test")
        operator.comes_in(log_ins)
        return operator

    return log_in


@pytest.fixture
def console(desk: Callable[..., Desk]) -> Desk:
    """Olga's, online."""
    operator = desk("olga")
    operator.is_online()
    return operator


@pytest.fixture
def olga(console: Desk) -> Desk:
    """At her console, online. Tests of what a visitor sees have her without a screen (`answering`)."""
    return console


# --- people without a browser -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cookies() -> dict[str, str]:
    """Of those who have logged in without a browser, by e-mail."""
    return {}


@pytest.fixture
def exchange(server: Server, key: str, tidy: Tidy, cookies: dict[str, str]) -> Iterator[Exchange]:
    """No chat of an earlier test is open."""
    tidy.end_all_chats()
    with Exchange(server.url, key, cookies) as running:
        yield running


@pytest.fixture
def caller(exchange: Exchange) -> Callable[[], Caller]:
    """A new visitor of whom only the console is to know."""
    return exchange.caller


@pytest.fixture
def staff(exchange: Exchange) -> Callable[[str], Staff]:
    """Somebody of the demo firm of whom only visitors are to know."""
    return exchange.staff


@pytest.fixture
def answering(staff: Callable[[str], Staff]) -> Staff:
    """Olga, online, without a screen."""
    operator = staff("olga")
    operator.is_online()
    return operator


@pytest.fixture
def violations() -> Callable[[Page], list[str]]:
    """What axe finds wrong with a page as it is now, and with the chat in it, movements ended."""
    return reach.violations
