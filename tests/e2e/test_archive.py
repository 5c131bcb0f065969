"""From a visitor who comes back to what was said long ago, which lies in the archive by now."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.people import Desk, Visitor
from tests.servers import ROOT, Server

MOVE = (
    "from chats import actions; from chats.models import Chat; "
    "ended = Chat.objects.filter(closed_at__isnull=False); "
    "print(sum(actions.archive_chat(pk) for pk in ended.values_list('pk', flat=True)))"
)


def archive_all(server: Server) -> int:
    """As the nightly task does it with what is old enough; returns how many chats were moved."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0", "-c", MOVE]
    done = subprocess.run(
        command, cwd=ROOT, env=server.environment, capture_output=True, text=True, check=True, timeout=100
    )
    return int(done.stdout.split()[-1])


def test_olga_reads_what_an_earlier_chat_said_and_the_owner_sees_it_is_kept(
    olga: Desk,
    vera: Visitor,
    desk: Callable[..., Desk],
    server: Server,
    violations: Callable[[Page], list[str]],
) -> None:
    """R-118, R-036: from the visitor beside a chat to the list, to the archived conversation; and the owner
    sets a limit and has the seals checked. The worker of the server does that. R-071: then olga learns that
    the visitor is under 18, and the chat goes from the screen."""
    vera.starts_chat("Vera Winter", "I slipped on a wet floor")
    olga.accepts("Vera Winter")
    olga.says("Where did that happen?")
    olga.ends()
    expect(vera.frame.get_by_role("button", name="Start a new chat")).to_be_visible()
    assert archive_all(server) >= 1

    vera.frame.get_by_role("button", name="Start a new chat").click()
    vera.frame.get_by_role("button", name="Start chat").click()
    vera.is_in_the_chat()
    olga.accepts("Vera Winter")
    earlier = olga.page.get_by_role("region", name="Earlier chats")
    expect(earlier.get_by_role("listitem")).to_have_count(1)
    expect(earlier.get_by_role("listitem")).to_contain_text("Archive")
    assert violations(olga.page) == []
    with olga.page.expect_popup() as opened:
        earlier.get_by_role("link").press("Enter")
    page = opened.value
    expect(page.get_by_text("I slipped on a wet floor")).to_be_visible()
    expect(page.get_by_text("Where did that happen?")).to_be_visible()
    assert violations(page) == []

    owner = desk("owner").page
    owner.goto(server.url + "/account/privacy/keeping/")
    owner.get_by_role("spinbutton").first.fill("30")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_text("Saved.")).to_be_visible()
    owner.get_by_role("button", name="Verify now").click()
    expect(owner.get_by_text("The seals are being checked.")).to_be_visible()
    checked = owner.get_by_text(re.compile(r"^All \d+ fit$"))
    while not checked.is_visible():
        owner.wait_for_timeout(500)
        owner.reload()
    assert violations(owner) == []

    olga.page.get_by_role("button", name="More").click()
    olga.page.get_by_role("menuitem", name="Visitor is under 18").click()
    expect(olga.page.get_by_role("dialog")).to_contain_text("erased for good")
    assert violations(olga.page) == []
    olga.page.get_by_role("button", name="End and erase").click()
    expect(olga.page.get_by_role("log", name="Conversation")).to_have_count(0)
    expect(olga.page.get_by_role("dialog")).to_have_count(0)
