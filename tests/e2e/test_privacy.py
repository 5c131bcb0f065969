"""Vera has everything erased while she talks: form, code, queue, Erase; every screen forgets (R-151)."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.people import Desk, Visitor, until
from tests.servers import Server

Look = Callable[[Page], list[str]]
EMAIL = "vera.erased@post.test"


def code_in(server: Server) -> str:
    """The digits in the newest mail to her that has some, "" before it has come."""
    for path in sorted((server.data_dir / "mail").glob("*"), reverse=True):
        text = path.read_text()
        found = re.findall(r"^(\d{8})$", text, re.MULTILINE)
        if found and EMAIL in text:
            return found[-1]
    return ""


def test_vera_is_erased_before_everybodys_eyes(
    server: Server,
    key: str,
    olga: Desk,
    desk: Callable[..., Desk],
    visitor: Callable[..., Visitor],
    new_page: Callable[..., Page],
    violations: Look,
) -> None:
    """R-150, R-151, R-176: no account, a code, a certificate; console and widget drop it all at once."""
    vera = visitor()
    vera.visits()
    vera.opens_chat()
    vera.frame.get_by_role("textbox", name="Name").fill("Vera Erased")
    vera.frame.get_by_role("textbox", name="Email").fill(EMAIL)
    vera.frame.get_by_role("button", name="Start chat").click()
    vera.is_in_the_chat()
    vera.says("A van ran me over at the quay")
    olga.accepts("Vera Erased")
    olga.sees("A van ran me over at the quay")
    with vera.page.context.expect_page() as opened:
        vera.frame.get_by_role("link", name="Your data").click()
    expect(opened.value.get_by_text("You ask from your chat")).to_be_visible()
    assert "/privacy/requests/" in opened.value.url  # what proves it is not in the address any more
    opened.value.close()

    form = new_page()
    form.goto(f"{server.url}/privacy/requests/?site={key}")
    expect(form.get_by_text("Your request goes to Harbor & Lane.")).to_be_visible()
    assert violations(form) == []
    form.get_by_label("What do you want?").select_option(label="Erase everything")
    form.get_by_role("textbox", name="Email").fill(EMAIL)
    form.get_by_role("button", name="Send the code").click()
    expect(form.get_by_role("heading", name="Look into your mail")).to_be_visible()
    assert violations(form) == []
    until(form, lambda: bool(code_in(server)), "a code was mailed")
    form.get_by_role("textbox", name="Code").fill(code_in(server))
    form.get_by_role("button", name="Confirm").click()
    expect(form.get_by_text("Your request is confirmed.")).to_be_visible()

    owner = desk("owner")
    page = owner.page
    page.goto(f"{owner.url}/account/privacy/")
    row = page.get_by_role("row", name=EMAIL)
    expect(row).to_contain_text("29 days left")
    assert violations(page) == []
    row.get_by_role("link", name="Erase everything").click()
    expect(page.get_by_role("definition").filter(has_text="mailed to the address")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("textbox", name="Type erase to confirm").fill("erase")
    page.get_by_role("button", name="Erase").click()
    expect(vera.frame.get_by_role("button", name="Start chat")).to_be_visible()
    expect(vera.frame.get_by_text("A van ran me over at the quay")).to_have_count(0)
    expect(olga.page.get_by_text("A van ran me over at the quay")).to_have_count(0)
    expect(olga.page.get_by_text("Vera Erased")).to_have_count(0)

    def is_certified() -> bool:
        page.reload()
        return page.get_by_role("heading", name="Certificate of erasure").count() == 1

    until(page, is_certified, "the certificate is there")
    expect(page.get_by_role("row", name="Chats 1 0", exact=True)).to_be_visible()
    assert violations(page) == []
