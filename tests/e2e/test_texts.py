"""From the empty page of text messages to an answer that reaches a phone, and to its STOP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD, Desk, until
from tests.fake_twilio import ACCOUNT, FakeTwilio, fake_twilio
from tests.servers import Server

VERA = "+18135550100"
NAME = "Phone ending in 0100"


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeTwilio]:
    with fake_twilio() as fake:
        yield fake


@pytest.fixture(scope="module")
def texting(tmp_path_factory: pytest.TempPathFactory, provider: FakeTwilio) -> Iterator[Server]:
    """The demo, which hands texts over to the provider of this test."""
    env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD, "CHATLEAD_TWILIO_URL": provider.url}
    data = tmp_path_factory.mktemp("texting")
    with Server(data_dir=data, options=["--migrate", "--demo"], env=env) as running:
        yield running
        running.kill()


def look(page: Page, name: str, violations: Callable[[Page], list[str]]) -> None:
    """Nothing stands in anybody's way; a picture where somebody wants one."""
    assert violations(page) == [], name
    folder = os.environ.get("TEXTS_SHOTS", "")
    for scheme in ("light", "dark") if folder else ():
        page.emulate_media(color_scheme=scheme)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder) / f"{name}-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_firm_sets_texts_up_and_a_phone_gets_its_answer_and_its_stop(
    texting: Server,
    provider: FakeTwilio,
    new_page: Callable[..., Page],
    violations: Callable[[Page], list[str]],
) -> None:
    """R-180, R-193 to R-196: by the pages and the console alone, with a provider that signs."""
    page = new_page()
    page.goto(f"{texting.url}/console/login/?next=/account/sms/")
    page.get_by_role("textbox", name="Email").fill("owner@demo.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Chat with people who text you")).to_be_visible()
    look(page, "empty", violations)
    page.get_by_role("link", name="Set up a programme").click()
    page.get_by_label("Name").fill("Harbor & Lane texts")
    page.get_by_label("Help contact").fill("call 800-555-0100")
    page.get_by_label("Terms and privacy policy").fill("https://harbor.test/terms")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="New sender")).to_be_visible()
    page.get_by_role("textbox", name="Number").fill("813-555-0199")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field-error")).to_have_count(1)
    look(page, "sender-refused", violations)
    page.get_by_label("Account SID").fill(ACCOUNT)
    page.get_by_label("Auth token").fill(provider.token)
    page.get_by_label("It is registered with the carriers").check()
    page.get_by_role("button", name="Save").click()
    address = page.get_by_text("/webhooks/twilio/").inner_text()
    look(page, "sender", violations)

    olga = Desk(new_page(), texting.url, "olga@demo.test")
    olga.logs_in()
    olga.is_online()
    path = address.removeprefix(texting.url)
    assert provider.texts(texting.url, path, VERA, "stop by the office at 5?") == 200
    olga.accepts(NAME)
    olga.sees("stop by the office at 5?")
    olga.says("Yes, please come at five.")
    until(page, lambda: provider.bodies() == ["Yes, please come at five."], "the answer reaches the phone")
    assert provider.texts(texting.url, path, VERA, "Stop 🛑") == 200
    olga.sees("This person wants no more text messages: none reaches them any more.")
    olga.says("Are you there?")
    told = olga.log.get_by_text("Not delivered by text message: “Are you there?”")
    expect(told).to_contain_text("STOP")
    look(olga.page, "console", violations)
    assert len([each for each in provider.bodies() if "no more text messages" in each]) == 1

    page.get_by_role("link", name="Text messages").click()
    look(page, "overview", violations)
    page.get_by_role("link", name="Messages", exact=True).click()
    expect(page.get_by_text("Not sent")).to_be_visible()
    look(page, "messages", violations)
    page.get_by_role("link", name=VERA).first.click()
    expect(page.get_by_role("cell", name="Blocked", exact=True)).to_be_visible()
    look(page, "number", violations)
    page.get_by_role("link", name="Blocked numbers").click()
    expect(page.get_by_role("row", name=VERA)).to_contain_text("STOP")
    look(page, "blocked", violations)
    page.get_by_role("link", name="Set-up").click()
    page.get_by_role("link", name="/sms/").click()
    page.get_by_label("Mobile phone").fill("813-555-0177")
    look(page, "agree", violations)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("A text message will confirm it")
    until(page, lambda: "you agreed to our text messages" in provider.bodies()[-1], "it is confirmed")
    page.goto(f"{texting.url}/account/sms/consents/")
    expect(page.get_by_text("All 2 entries are as they were written")).to_be_visible()
    look(page, "consents", violations)
    page.goto(f"{texting.url}/account/sms/")
    page.get_by_role("button", name="Turn text messages off").click()
    dialog = page.get_by_role("dialog")
    look(page, "off", violations)
    dialog.get_by_role("button", name="Turn them off").click()
    expect(page.get_by_role("button", name="Turn text messages on")).to_be_visible()
