"""vera on a phone with a bad line, and with little patience: nothing lost, nothing doubled, no dead end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.people import BACK_MS, PATIENCE_MS, Desk, Visitor, until
from tests.e2e.shop import NOTES, WRONG_CLOCK, Shop, at_the_shop, kept, shop, starts

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DAY_MS = 86_400_000
UNSENT = re.compile("Sending|Will be sent")


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("line")) as running:
        yield running


@pytest.fixture(scope="module")
def world(abroad: Shop) -> Iterator[Browser]:
    with chromium(*abroad.front.flags) as started:
        yield started


@pytest.fixture(scope="module")
def console(world: Browser, abroad: Shop) -> Iterator[Desk]:
    """olga's, on a good line past the proxy."""
    context = world.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    operator = Desk(context.new_page(), abroad.server.url, "olga@demo.test")
    operator.logs_in()
    yield operator
    context.close()


@pytest.fixture
def olga(console: Desk) -> Desk:
    console.is_connected()  # the server of the test before was killed, perhaps
    console.is_online()
    return console


@pytest.fixture
def phone(world: Browser, abroad: Shop) -> Iterator[Callable[..., BrowserContext]]:
    """A visitor's. An error that no script caught fails the test, and so does a dialog of the browser."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def refuse(dialog: Dialog) -> None:
        errors.append(dialog.message)
        dialog.accept()

    def hear(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", refuse)

    def make(**options: Any) -> BrowserContext:
        context = world.new_context(**{**PHONE, **options})
        context.set_default_timeout(PATIENCE_MS)
        context.on("page", hear)
        contexts.append(context)
        return context

    yield make
    abroad.front.delay = 0
    abroad.front.release()
    abroad.server.start()
    for context in contexts:
        context.close()
    assert errors == []


def button(vera: Visitor, name: str) -> Locator:
    return vera.frame.get_by_role("button", name=name, exact=True)


def trouble(vera: Visitor) -> Locator:
    return vera.frame.get_by_role("status")


def box(vera: Visitor, name: str) -> Locator:
    return vera.frame.get_by_role("textbox", name=name, exact=True)


def writes(vera: Visitor, text: str) -> None:
    vera.message.fill(text)
    vera.message.press("Enter")


def test_a_line_that_takes_two_seconds_for_every_answer_is_slow_and_not_dead(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-007, R-121: the chat comes back, stays, and what is written arrives once."""
    vera = at_the_shop(phone())
    starts(vera, "Vera Slow")
    abroad.front.delay = 1.0
    vera.page.reload()
    vera.opens_chat()
    expect(vera.message).to_be_visible(timeout=3 * PATIENCE_MS)
    trouble(vera).evaluate(NOTES)
    before = len(vera.heard)
    writes(vera, "over a slow line")
    expect(vera.frame.get_by_text(re.compile("· Sent"))).to_be_visible()
    # a quiet chat asks whether somebody is there
    until(vera.page, lambda: sum('"pong"' in each for each in vera.heard[before:]) >= 2, "two answers", 60)
    assert trouble(vera).evaluate("() => window.noted") == []
    assert abroad.texts_of("Vera Slow") == ["over a slow line"]


def test_a_line_that_comes_and_goes_while_she_types_loses_and_doubles_nothing(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-007, R-035."""
    vera = at_the_shop(phone())
    starts(vera, "Vera Flaps")
    olga.accepts("Vera Flaps")
    written = []
    for n in range(8):
        vera.page.context.set_offline(True)
        vera.message.press_sequentially(f"number {n} ")
        if n % 2:
            vera.page.context.set_offline(False)
        vera.message.press_sequentially("of eight")
        vera.message.press("Enter")
        if n % 3 == 0:
            abroad.front.cut()
        vera.page.context.set_offline(False)
        written.append(f"number {n} of eight")
    expect(vera.frame.get_by_text(UNSENT)).to_have_count(0, timeout=BACK_MS)
    olga.sees(written[-1])
    assert abroad.texts_of("Vera Flaps") == written
    assert olga.log.get_by_text(re.compile("^number")).all_inner_texts() == written


def test_reloads_in_the_middle_of_sending_and_two_tabs_at_once_are_one_log(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-121, R-123: each message once, the same order everywhere, nothing left in the tab."""
    vera = at_the_shop(phone())
    starts(vera, "Vera Reloads")
    abroad.front.delay = 0.1
    for n in range(3):
        for each in "abc":
            writes(vera, f"{n}{each}")
        vera.message.fill("half")
        vera.page.reload()
        vera.opens_chat()
        expect(vera.message).to_have_value("half")
        vera.message.fill("")
    abroad.front.delay = 0
    wanted = [f"{n}{each}" for n in range(3) for each in "abc"]
    expect(vera.frame.get_by_text(UNSENT)).to_have_count(0)
    assert abroad.texts_of("Vera Reloads") == wanted
    other = at_the_shop(vera.page.context)
    other.opens_chat()
    expect(other.message).to_be_visible()
    for n in range(5):
        writes(vera, f"x{n}")
        writes(other, f"y{n}")
    for tab in (vera, other):
        expect(tab.log.get_by_text(re.compile(r"^(\d[abc]|[xy]\d)$"))).to_have_count(19)
        expect(tab.frame.get_by_text(UNSENT)).to_have_count(0)
    both = abroad.texts_of("Vera Reloads")
    assert sorted(both[9:]) == sorted(f"{tab}{n}" for tab in "xy" for n in range(5))
    for tab in (vera, other):
        assert tab.log.get_by_text(re.compile(r"^(\d[abc]|[xy]\d)$")).all_inner_texts() == both
        assert json.loads(kept(tab)) == {}


@pytest.mark.parametrize("state", ["waiting", "active"])
def test_a_server_that_is_killed_and_comes_back_has_the_chat_and_what_was_written_meanwhile(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop, state: str
) -> None:
    """R-035, R-121: kill -9."""
    vera = at_the_shop(phone())
    starts(vera, f"Vera {state}")
    if state == "active":
        olga.accepts(f"Vera {state}")
    writes(vera, "before")
    expect(vera.frame.get_by_text(re.compile("· (Sent|Delivered|Read)"))).to_be_visible()
    abroad.server.kill()
    expect(trouble(vera)).to_contain_text("What you write is kept")
    writes(vera, "meanwhile")
    vera.message.fill("half a thought")
    abroad.server.start()
    expect(trouble(vera)).to_be_empty(timeout=BACK_MS)
    expect(vera.frame.get_by_text(UNSENT)).to_have_count(0)
    expect(vera.message).to_have_value("half a thought")
    assert abroad.texts_of(f"Vera {state}") == ["before", "meanwhile"]
    if state == "active":
        olga.sees("meanwhile")
        olga.says("still here")
        vera.sees("still here")


def test_a_chat_that_is_slow_to_come_can_be_put_away_and_one_that_cannot_be_reached_be_asked_for_again(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """On a phone it fills the screen, so there must be a way back to the page."""
    vera = at_the_shop(phone())
    launcher = vera.page.get_by_role("button", name="Chat with us", exact=True)
    expect(launcher).to_be_visible()
    abroad.front.hold()
    launcher.tap()
    expect(vera.page.get_by_text("Connecting")).to_be_visible()
    launcher.tap()
    expect(vera.page.get_by_text("Connecting")).to_be_hidden()
    launcher.tap()
    abroad.front.release()
    expect(button(vera, "Start chat")).to_be_visible()
    expect(launcher).to_be_hidden()
    vera.page.reload()
    expect(launcher).to_be_visible()
    abroad.server.kill()
    launcher.tap()
    expect(vera.page.get_by_text("cannot be reached")).to_be_visible()
    abroad.server.start()
    vera.page.get_by_role("button", name="Try again").tap()
    expect(button(vera, "Start chat")).to_be_visible()


def test_what_came_too_late_for_a_chat_that_olga_ended_goes_along_into_the_next(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-123: kept in sight and in no storage; sent once, in the new chat. She was writing as it ended."""
    vera = at_the_shop(phone())
    starts(vera, "Vera Late")
    olga.accepts("Vera Late")
    vera.page.context.set_offline(True)
    expect(trouble(vera)).to_contain_text("No connection")
    writes(vera, "one more thing")
    vera.message.fill("and another")
    olga.ends()
    vera.page.context.set_offline(False)
    expect(vera.frame.get_by_text("The chat has ended, so this was not sent.")).to_be_visible()
    expect(vera.frame.locator(".scroll")).to_be_focused()  # the next key would press a button
    assert json.loads(kept(vera)) == {}
    button(vera, "Start a new chat").click()
    expect(vera.frame.get_by_text("What you have written is kept")).to_be_visible()
    box(vera, "Name").fill("Vera Late")
    button(vera, "Start chat").click()
    expect(vera.message).to_have_value("one more thing\nand another")
    vera.message.press("Enter")
    expect(vera.message).to_have_value("")
    expect(vera.frame.get_by_text(re.compile("· Sent"))).to_be_visible()
    assert abroad.texts_of("Vera Late") == ["one more thing\nand another"]


def test_when_olga_leaves_as_start_is_pressed_the_form_for_a_message_has_what_was_filled_in(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-034: and when she is back while the message is written, it is vera who chooses."""
    vera = at_the_shop(phone())
    vera.opens_chat()
    box(vera, "Name").fill("Vera Just")
    box(vera, "Email").fill("just@example.test")
    abroad.front.hold()
    olga.is_away()
    button(vera, "Start chat").click()
    abroad.front.release()
    expect(button(vera, "Leave message")).to_be_visible()
    expect(box(vera, "Name")).to_have_value("Vera Just")
    expect(box(vera, "Email")).to_have_value("just@example.test")
    box(vera, "Message").fill("Please call me")
    olga.is_online()
    button(vera, "Chat instead").click()
    expect(box(vera, "Name")).to_have_value("Vera Just")
    button(vera, "Start chat").click()
    expect(vera.message).to_have_value("Please call me")
    vera.message.press("Enter")
    vera.sees("Please call me")
    expect(vera.frame.get_by_text(re.compile("· Sent"))).to_be_visible()
    assert "just@example.test" not in kept(vera)


def test_a_message_whose_answer_was_lost_is_left_once_though_the_page_was_reloaded(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-034, V-7."""
    olga.is_away()
    vera = at_the_shop(phone())
    vera.opens_chat()
    box(vera, "Name").fill("Vera Once")
    box(vera, "Email").fill("once@example.test")
    box(vera, "Message").fill("only once")
    abroad.front.delay = 1.5
    button(vera, "Leave message").click()
    until(vera.page, lambda: abroad.chats_of("Vera Once") == 1, "it is there, and its answer under way")
    abroad.front.cut()
    expect(vera.frame.get_by_text("Thank you")).to_have_count(0)
    abroad.front.delay = 0
    vera.page.reload()
    vera.opens_chat()
    expect(box(vera, "Message")).to_have_value("only once")
    button(vera, "Leave message").dblclick()
    expect(vera.frame.get_by_text("Thank you, Vera Once")).to_be_visible()
    assert abroad.chats_of("Vera Once") == 1
    assert "once" not in kept(vera)


def test_two_quick_taps_do_once_what_one_does(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """Start, Send and End; the second tap on the last does not take the conversation away."""
    vera = at_the_shop(phone())
    vera.opens_chat()
    box(vera, "Name").fill("Vera Twice")
    button(vera, "Start chat").dblclick()
    expect(vera.message).to_be_visible()
    vera.message.fill("once")
    button(vera, "Send").dblclick()
    vera.sees("once")
    button(vera, "End chat").dblclick()
    vera.frame.get_by_role("alertdialog").get_by_role("button", name="End chat").dblclick()
    expect(vera.frame.get_by_text("You ended the chat")).to_be_visible()
    vera.sees("once")
    assert (abroad.chats_of("Vera Twice"), abroad.texts_of("Vera Twice")) == (1, ["once"])


def test_what_is_too_long_is_not_sent_and_says_so_and_what_is_odd_arrives(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    """R-030: 4,000 characters, right-to-left, emoji, and half a character."""
    vera = at_the_shop(phone())
    starts(vera, "Vera Long")
    vera.message.fill("é" * 4001)
    expect(vera.frame.get_by_text("1 character too many")).to_be_visible()
    vera.message.press("Enter")
    expect(button(vera, "Send")).to_be_disabled()
    odd = ["é" * 4000, "😀" * 4000, "שלום (abc) 123 مرحبا"]
    for text in odd:
        writes(vera, text)
    half = (
        "(area, text) => { area.value = text; area.dispatchEvent(new InputEvent('input', {bubbles: true})) }"
    )
    vera.frame.locator("textarea").evaluate(f"area => ({half})(area, 'half \\ud83d char')")
    vera.message.press("Enter")
    expect(vera.frame.get_by_text(UNSENT)).to_have_count(0)
    assert abroad.texts_of("Vera Long") == [*odd, "half \ufffd char"]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_wrong_by_a_day_neither_stops_nor_reorders_a_chat(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop, days: int
) -> None:
    context = phone()
    context.add_init_script(WRONG_CLOCK.replace("SKEW", str(days * DAY_MS)))
    vera = at_the_shop(context)
    starts(vera, f"Vera {days}")
    writes(vera, "first")
    vera.hears('"pong"')  # a quiet chat asks whether somebody is there, and hears the time
    vera.page.context.set_offline(True)
    writes(vera, "second")
    expect(vera.log.locator(".day")).to_have_text(["Today"])
    vera.page.context.set_offline(False)
    expect(vera.frame.get_by_text(UNSENT)).to_have_count(0)
    assert abroad.texts_of(f"Vera {days}") == ["first", "second"]


def test_from_the_launcher_to_the_end_and_back_by_the_keyboard_alone(
    olga: Desk, phone: Callable[..., BrowserContext], abroad: Shop
) -> None:
    context = phone(viewport={"width": 1280, "height": 720}, has_touch=False, is_mobile=False)
    vera = at_the_shop(context)
    page = vera.page
    launcher = page.get_by_role("button", name="Chat with us", exact=True)
    expect(launcher).to_be_visible()
    page.get_by_role("textbox", name="Search").focus()
    page.keyboard.press("Tab")
    expect(launcher).to_be_focused()
    page.keyboard.press("Enter")
    expect(box(vera, "Name")).to_be_focused()
    page.keyboard.type("Vera Keys")
    page.keyboard.press("Enter")
    expect(vera.message).to_be_focused()
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    vera.sees("typed")
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
        if button(vera, "End chat").evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    end = vera.frame.get_by_role("alertdialog").get_by_role("button", name="End chat")
    expect(end).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(vera, "Start a new chat")).to_be_focused()
    page.keyboard.press("Escape")
    expect(launcher).to_be_focused()
    expect(vera.page.locator("iframe[title='Chat']")).to_be_hidden()
