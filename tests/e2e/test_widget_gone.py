"""A site that is closed while people are on it: they are told so, keep their words, nobody asks for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.people import BACK_MS, Desk, Visitor, time_passes
from tests.e2e.shop import CHAT, SHOP, Shop, at_the_shop, starts
from tests.e2e.test_widget_line import abroad as abroad
from tests.e2e.test_widget_line import console as console
from tests.e2e.test_widget_line import olga as olga
from tests.e2e.test_widget_line import phone as phone
from tests.e2e.test_widget_line import trouble
from tests.e2e.test_widget_line import world as world

Phones = Callable[..., BrowserContext]
GONE = "The chat is not available here any more."
DESKTOP = {"viewport": {"width": 1280, "height": 720}, "has_touch": False, "is_mobile": False}


def disable(shop: Shop) -> None:
    shop.query("UPDATE accounts_site SET is_enabled = 0 WHERE name = 'Harbor & Lane'")


def take_domain_away(shop: Shop) -> None:
    domains = json.dumps(["www.another.test"])
    shop.query("UPDATE accounts_site SET allowed_domains = ? WHERE name = 'Harbor & Lane'", domains)


@pytest.fixture
def open_again(abroad: Shop) -> Iterator[Callable[[], None]]:
    """The site as it was, also after the test."""
    statement = "UPDATE accounts_site SET is_enabled = 1, allowed_domains = ? WHERE name = 'Harbor & Lane'"

    def put_back() -> None:
        abroad.query(statement, json.dumps(["www.shop.test", "127.0.0.1"]))

    yield put_back
    put_back()


def launcher_of(page: Page) -> int:
    return page.get_by_role("button", name="Chat with us", exact=True).count()


@pytest.mark.parametrize("close", [disable, take_domain_away])
def test_in_the_middle_of_a_chat_it_is_said_and_what_was_not_sent_can_be_copied(
    olga: Desk, phone: Phones, abroad: Shop, open_again: Callable[[], None], close: Callable[[Shop], None]
) -> None:
    """R-007: no "No connection" that never ends; once the site is there again one press brings the chat."""
    context = phone()
    context.clock.install()
    vera = at_the_shop(context)
    starts(vera, f"Vera {close.__name__}")
    olga.accepts(f"Vera {close.__name__}")
    olga.says("Tell me more")
    vera.sees("Tell me more")
    vera.message.fill("half a thought")
    close(abroad)
    abroad.front.cut()
    expect(vera.frame.get_by_role("alert").get_by_text(GONE)).to_be_visible(timeout=BACK_MS)
    vera.sees("Tell me more")
    kept = vera.frame.get_by_role("textbox", name="Not sent yet")
    expect(kept).to_have_value("half a thought")
    expect(kept).not_to_be_editable()
    expect(trouble(vera)).to_be_empty()
    expect(vera.frame.get_by_role("button", name="End chat")).to_be_hidden()
    asked: list[str] = []
    vera.page.on("request", lambda request: asked.append(request.url))
    time_passes(vera.page, 60)
    assert [each for each in asked if each.startswith(CHAT)] == []
    open_again()
    vera.frame.get_by_role("button", name="Try again").click()
    expect(vera.message).to_have_value("half a thought")
    vera.message.press("Enter")
    olga.sees("half a thought")


def test_what_was_said_without_a_line_is_called_not_sent_and_not_promised(
    olga: Desk, phone: Phones, abroad: Shop, open_again: Callable[[], None]
) -> None:
    """R-035: its words are there to be copied."""
    vera = at_the_shop(phone())
    starts(vera, "Vera Promised")
    vera.page.context.set_offline(True)
    expect(trouble(vera)).to_contain_text("No connection")
    vera.message.fill("in a tunnel")
    vera.message.press("Enter")
    expect(vera.frame.get_by_text("Will be sent")).to_be_visible()
    disable(abroad)
    vera.page.context.set_offline(False)
    expect(vera.frame.get_by_text(GONE)).to_be_visible(timeout=BACK_MS)
    vera.sees("in a tunnel")
    expect(vera.frame.get_by_text("Will be sent")).to_have_count(0)
    expect(vera.frame.get_by_text("Not sent", exact=True)).to_be_visible()


def test_a_launcher_that_nobody_used_goes_by_itself(
    phone: Phones, abroad: Shop, open_again: Callable[[], None]
) -> None:
    """docs/protocol.md: 4404 is heard by the page's own socket."""
    vera = at_the_shop(phone(**DESKTOP), "/live")
    launcher = vera.page.get_by_role("button", name="Chat with us", exact=True)
    expect(launcher).to_be_visible()
    vera.hears("page_welcome")
    disable(abroad)
    abroad.front.cut()
    expect(launcher).to_be_hidden(timeout=BACK_MS)
    vera.page.evaluate("() => ChatLead.push(['open'], ['show'])")
    expect(launcher).to_be_hidden()


@pytest.mark.parametrize("close", [disable, take_domain_away])
def test_a_page_that_is_loaded_afterwards_draws_nothing_and_asks_once(
    phone: Phones, abroad: Shop, open_again: Callable[[], None], close: Callable[[Shop], None]
) -> None:
    """R-002, R-003."""
    close(abroad)
    context = phone(**DESKTOP)
    context.clock.install()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(lambda answer: "/widget/v1/site/" in answer.url):
        page.goto(SHOP + "/live")
    time_passes(page, 60)
    assert launcher_of(page) == 0
    assert [each.removeprefix(CHAT).split("/")[3] for each in asked if each.startswith(CHAT)] == [
        "loader.js",
        "site",
    ]


def test_while_the_server_is_away_the_launcher_stays_and_afterwards_it_tells_the_truth(
    olga: Desk, phone: Phones, abroad: Shop
) -> None:
    """R-034: kill -9, and who is online when it is back."""
    vera: Visitor = at_the_shop(phone(**DESKTOP), "/live")
    launcher = vera.page.get_by_role("button", name="Chat with us", exact=True)
    expect(launcher).to_have_accessible_description("Somebody is online")
    vera.hears("page_welcome")
    abroad.server.kill()
    vera.page.wait_for_timeout(1_000)
    expect(launcher).to_be_visible()
    abroad.server.start()
    olga.is_away()
    expect(launcher).to_have_accessible_description(
        "Nobody is here right now. You can leave a message.", timeout=BACK_MS
    )
    olga.is_online()
    expect(launcher).to_have_accessible_description("Somebody is online", timeout=BACK_MS)
