"""That no visitor is missed: sound, title, notifications, and the time to take a reply back (issue 4 D)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.e2e.exchange import Caller
from tests.e2e.people import BACK_MS, MOMENT_MS, Desk, Visitor, until

Visitors = Callable[..., Visitor]
Callers = Callable[[], Caller]
Desks = Callable[..., Desk]
Look = Callable[[Page], list[str]]

# What a person would hear and see outside of the page: each call of the bell, each notification.
WITNESS = """() => {
    window.heard = [];
    window.notices = [];
    window.speakers = [];
    window.AudioContext = class extends AudioContext {
        constructor(...given) {
            super(...given);
            window.speakers.push(this);
        }
    };
    const make = AudioContext.prototype.createOscillator;
    let last = 0;
    AudioContext.prototype.createOscillator = function () {
        if (performance.now() - last > 50) window.heard.push(last = performance.now());
        return make.call(this);
    };
    const Native = window.Notification;
    window.Notification = class extends Native {
        constructor(title, options) {
            super(title, options);
            window.notices.push(this);
        }
    };
}"""
AGAIN_MS = 6_000
HELD_MS = 11_000


@pytest.fixture
def olga(desk: Desks) -> Desk:
    """Online, in a browser that allows notifications and tells what it would sound and show."""

    def prepare(page: Page) -> None:
        page.add_init_script(f"({WITNESS})()")
        page.clock.install()

    operator = desk("olga", prepare, permissions=["notifications"])
    operator.is_online()
    is_heard(operator.page)
    return operator


def is_heard(page: Page) -> None:
    """Presses something, and waits until the browser lets the page sound."""
    page.keyboard.press("x")  # a modifier alone is no gesture
    page.wait_for_function("() => window.speakers.some(each => each.state === 'running')")


def later(page: Page, ms: int) -> None:
    """So much later for what the page's own scripts wait for, at once for us."""
    page.clock.fast_forward(ms)
    page.wait_for_timeout(MOMENT_MS)


def rings(page: Page) -> int:
    return int(page.evaluate("() => window.heard.length"))


def notices(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        "() => window.notices.map(({title, body, tag}) => ({title, body, tag}))"
    )
    return found


def rang_by(page: Page, ms: int) -> bool:
    """Whether it has sounded when so much time has passed."""
    later(page, ms)
    return rings(page) > 0


def rang(page: Page, times: int) -> None:
    page.wait_for_function("n => window.heard.length >= n", arg=times)


def leaves_the_window(desk: Desk) -> None:
    """To another program. Playwright lets every page believe that it is in front."""
    desk.page.evaluate("() => { document.hasFocus = () => false; dispatchEvent(new Event('blur')) }")
    later(desk.page, 3_000)  # so long it counts as in front


def chooses(desk: Desk, label: str, value: str) -> None:
    """In the settings."""
    desk.page.get_by_role("button", name="your menu").click()
    desk.page.get_by_role("menuitem", name="Settings").click()
    settings = desk.page.get_by_role("dialog", name="Settings")
    settings.get_by_label(label).select_option(value)
    settings.get_by_role("button", name="Done").click()


def test_the_sound_repeats_until_olga_has_looked(olga: Desk, caller: Callers) -> None:
    """peers 2.3: a ding that comes once is missed; who has looked is not nagged, nor after a reload."""
    before = rings(olga.page)
    caller().starts_chat("Vera", "Hello")
    rang(olga.page, before + 1)
    for times in (2, 3):
        olga.page.clock.fast_forward(AGAIN_MS)
        rang(olga.page, before + times)
    olga.opens("Vera", "Waiting")
    olga.page.wait_for_timeout(MOMENT_MS)
    quiet = rings(olga.page)
    for _ in range(2):
        later(olga.page, AGAIN_MS)
    assert rings(olga.page) == quiet
    olga.page.reload()
    is_heard(olga.page)
    expect(olga.row("Waiting", "Vera")).to_be_visible()
    for _ in range(2):
        later(olga.page, AGAIN_MS)
    assert rings(olga.page) == 0


def test_the_sound_ends_when_a_colleague_answers_and_none_comes_while_olga_is_away(
    olga: Desk, desk: Desks, caller: Callers
) -> None:
    nina = desk("nina")
    nina.is_online()
    caller().starts_chat("Ana")
    rang(olga.page, 1)
    nina.accepts("Ana")
    expect(olga.row("Waiting", "Ana")).to_have_count(0)
    quiet = rings(olga.page)
    olga.is_away()
    caller().starts_chat("Ben")
    expect(nina.row("Waiting", "Ben")).to_be_visible()
    for _ in range(2):
        later(olga.page, AGAIN_MS)
    assert rings(olga.page) == quiet
    nina.is_away()


def test_one_of_two_tabs_sounds_and_the_other_takes_over(olga: Desk, caller: Callers) -> None:
    """peers 2.8."""
    second = olga.page.context.new_page()
    second.add_init_script(f"({WITNESS})()")
    second.goto(olga.url + "/console/")
    expect(second.locator("button.status")).to_be_visible()
    is_heard(second)
    caller().starts_chat("Vera")
    rang(olga.page, 1)
    assert rings(second) == 0
    olga.page.close()
    until(second, lambda: rang_by(second, AGAIN_MS), "the other tab sounds")


def test_muted_is_muted_in_every_tab_and_remembered(olga: Desk, caller: Callers) -> None:
    olga.page.get_by_role("button", name="your menu").click()
    olga.page.get_by_role("menuitem", name="Settings").click()
    settings = olga.page.get_by_role("dialog", name="Settings")
    settings.get_by_role("switch", name="Sound when somebody waits or writes").click()
    expect(settings.get_by_role("slider", name="Volume")).to_be_disabled()
    settings.get_by_role("button", name="Done").click()
    olga.page.reload()
    is_heard(olga.page)
    caller().starts_chat("Vera")
    expect(olga.row("Waiting", "Vera")).to_be_visible()
    later(olga.page, AGAIN_MS)
    assert rings(olga.page) == 0


def test_title_and_icon_count_what_waits(olga: Desk, caller: Callers) -> None:
    """peers 2.3."""
    icon = olga.page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile(r"app\.svg$"))
    caller().starts_chat("Vera")
    expect(olga.page).to_have_title("(1) ChatLead")
    expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    expect(icon).to_have_attribute("href", re.compile("%3E1%3C"))
    olga.accepts("Vera")
    expect(olga.page).to_have_title("ChatLead")
    expect(icon).to_have_attribute("href", re.compile(r"app\.svg$"))


def test_a_notification_tells_nothing_unless_olga_wants_it_to(olga: Desk, caller: Callers) -> None:
    """R-077: a screen may be seen by others."""
    leaves_the_window(olga)
    ana = caller()
    ana.starts_chat("Ana", "I was in a crash")
    olga.page.wait_for_function("() => window.notices.length === 1")
    assert [(each["title"], "crash" in each["body"]) for each in notices(olga.page)] == [
        ("A visitor is waiting", False)
    ]
    olga.page.evaluate("() => window.notices[0].dispatchEvent(new Event('click'))")
    expect(olga.log).to_be_visible()
    olga.sees("I was in a crash")

    olga.page.get_by_role("button", name="your menu").click()
    olga.page.get_by_role("menuitem", name="Settings").click()
    olga.page.get_by_role("switch", name="Show names and first words in notifications").click()
    olga.page.get_by_role("button", name="Done").click()
    caller().starts_chat("Ben")
    olga.page.wait_for_function("() => window.notices.length === 2")
    assert notices(olga.page)[1]["title"] == "Ben is waiting"
    olga.row("Waiting", "Ana").get_by_role("button", name="Accept").click()
    expect(olga.message).to_be_focused()
    ana.says("It was on Main Street")
    olga.page.wait_for_function("() => window.notices.length === 3")
    assert [notices(olga.page)[2][part] for part in ("title", "body")] == [
        "Ana wrote",
        "It was on Main Street",
    ]


def test_whoever_is_at_the_console_gets_no_notification(olga: Desk, caller: Callers) -> None:
    caller().starts_chat("Vera")
    rang(olga.page, 1)
    assert notices(olga.page) == []


def test_a_silent_browser_is_named_and_one_button_mends_it(
    desk: Desks, log_ins: dict[str, list[Any]], violations: Look
) -> None:
    """peers 2.3: autoplay."""
    sam = desk("sam", permissions=["notifications"])
    sam.page.reload()  # who has just logged in by the form has pressed something
    hint = sam.page.get_by_text("Your browser keeps this page silent")
    expect(hint).to_be_visible()
    assert violations(sam.page) == []
    sam.page.get_by_role("button", name="Turn sound on").click()
    expect(hint).to_have_count(0)


def permits(desk: Desk, setting: str) -> None:
    """What a person chooses in the browser's site settings: "granted", "denied" or "prompt"."""
    line = desk.page.context.new_cdp_session(desk.page)
    context = line.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    notifications = {"name": "notifications"}
    line.send(
        "Browser.setPermission",
        {"permission": notifications, "setting": setting, "browserContextId": context, "origin": desk.url},
    )


def test_notifications_that_are_not_allowed_are_named_with_the_way_out(desk: Desks) -> None:
    """It goes away when they are allowed, without a reload, and stays away when it was put away."""
    sam = desk("sam")
    sam.page.keyboard.press("Shift")
    expect(sam.page.get_by_role("button", name="Allow notifications")).to_be_visible()
    permits(sam, "denied")
    denied = sam.page.get_by_text("Open the site settings beside the address bar, allow notifications")
    expect(denied).to_be_visible()
    expect(sam.page.get_by_role("button", name="Allow notifications")).to_have_count(0)
    permits(sam, "granted")
    expect(denied).to_have_count(0)
    permits(sam, "denied")
    expect(denied).to_be_visible()
    sam.page.get_by_role("button", name="Not now").click()
    expect(denied).to_have_count(0)
    sam.page.reload()
    expect(sam.status).to_be_visible()
    sam.page.keyboard.press("Shift")
    sam.page.wait_for_timeout(1_200)
    expect(denied).to_have_count(0)


# --- undo ---------------------------------------------------------------------------------------------


@pytest.fixture
def hesitant(olga: Desk, vera: Visitor) -> Desk:
    """Olga, who gives herself ten seconds, in a chat with Vera."""
    chooses(olga, "Time to undo a reply", "10")
    vera.starts_chat("Vera", "Hello")
    olga.accepts("Vera")
    return olga


def test_a_reply_can_be_taken_back_within_its_seconds(
    hesitant: Desk, vera: Visitor, violations: Look
) -> None:
    hesitant.says("Dear Sir")
    expect(hesitant.log.get_by_text(re.compile(r"^Sends in \d+ seconds?$"))).to_be_visible()
    assert violations(hesitant.page) == []
    hesitant.page.get_by_role("button", name="Undo").click()
    expect(hesitant.message).to_have_value("Dear Sir")
    expect(hesitant.message).to_be_focused()
    expect(hesitant.log.get_by_text("Dear Sir")).to_have_count(0)
    later(hesitant.page, HELD_MS)
    expect(vera.log.get_by_text("Dear Sir")).to_have_count(0)
    hesitant.says("Dear Madam")
    expect(vera.log.get_by_text("Dear Madam")).to_have_count(0)
    later(hesitant.page, HELD_MS)
    vera.sees("Dear Madam")
    expect(hesitant.page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_reply_that_is_held_comes_back_by_the_key_that_edits_the_last_one(
    hesitant: Desk, vera: Visitor
) -> None:
    """ui.md: nothing has gone out yet, so there is nothing to correct before her eyes."""
    hesitant.says("Dear Sir")
    hesitant.message.press("ArrowUp")
    expect(hesitant.message).to_have_value("Dear Sir")
    expect(hesitant.page.get_by_text("You are editing your last message.")).to_have_count(0)
    hesitant.message.fill("Dear Madam")
    hesitant.message.press("Enter")
    expect(hesitant.log.get_by_text("Dear Madam", exact=True)).to_have_count(1)
    later(hesitant.page, HELD_MS)
    vera.sees("Dear Madam")
    expect(vera.log.get_by_text("edited")).to_have_count(0)


def test_replies_that_are_held_keep_their_order(hesitant: Desk, vera: Visitor) -> None:
    for word in ("one", "two", "three"):
        hesitant.says(word)
    later(hesitant.page, HELD_MS)
    vera.sees("three")
    said = [each for each in vera.log.locator(".bubble").all_inner_texts() if each in ("one", "two", "three")]
    assert said == ["one", "two", "three"]


def test_a_reload_sends_what_was_held(hesitant: Desk, vera: Visitor) -> None:
    hesitant.says("one")
    hesitant.says("two")
    hesitant.page.reload()
    vera.sees("two")
    hesitant.opens("Vera")
    for word in ("one", "two"):
        vera.sees(word)
        hesitant.sees(word)
    expect(hesitant.page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_tab_that_is_closed_sends_what_was_held(hesitant: Desk, vera: Visitor) -> None:
    hesitant.says("one")
    hesitant.says("two")
    hesitant.page.close(run_before_unload=True)
    vera.sees("one")
    vera.sees("two")


def test_the_end_of_a_chat_sends_first_what_was_held(hesitant: Desk, vera: Visitor) -> None:
    hesitant.says("Goodbye")
    hesitant.ends()
    vera.sees("Goodbye")
    expect(vera.frame.get_by_text("Olga ended the chat")).to_be_visible()
    expect(hesitant.log.get_by_text("Not sent")).to_have_count(0)


def test_without_a_network_a_held_reply_stays_and_is_seen_to_be_unsent(hesitant: Desk, vera: Visitor) -> None:
    """R-007: and whoever is about to close the tab over it is asked."""
    hesitant.page.context.set_offline(True)
    hesitant.says("Still here")
    later(hesitant.page, HELD_MS)
    expect(hesitant.log.get_by_text("Will be sent when the connection is back")).to_be_visible(
        timeout=BACK_MS
    )
    asked: list[str] = []

    def stays(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    hesitant.page.on("dialog", stays)
    hesitant.page.close(run_before_unload=True)
    until(vera.page, lambda: bool(asked), "the question")
    assert asked == ["beforeunload"]
    hesitant.page.context.set_offline(False)
    hesitant.page.evaluate("() => dispatchEvent(new Event('online'))")
    vera.sees("Still here")
