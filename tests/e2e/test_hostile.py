"""The widget with all that a site can want of it, greeting and faces, on pages that do their worst: one
launcher, nothing in the console, no name left behind but one, nothing moved (issue 4 B, R-003, D-6, P-3,
ASVS 3.5.5).
"""

from __future__ import annotations

import html
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.browser import complaints
from tests.e2e.exchange import Staff
from tests.e2e.hosts import Host, HostPage
from tests.e2e.people import Desk, until
from tests.e2e.wishes import Settings
from tests.images import a_png
from tests.servers import Server

Pages = Callable[..., Page]
GREETING = "Были в аварии? 事故に遭いましたか?"  # whatever the page's encoding
# what is on the window before any script of ours, and what moves
WATCH = """
window.before = Object.getOwnPropertyNames(window);
window.shifted = 0;
new PerformanceObserver(list => { for (const each of list.getEntries()) window.shifted += each.value; })
    .observe({type: "layout-shift", buffered: true});
addEventListener("pageshow", e => { window.returned = e.persisted; });
"""
# as old libraries and careless scripts do it
PATCHED = """
Object.prototype.extend = function () { return this; };
Array.prototype.toJSON = function () { return "[" + this.join() + "]"; };
Array.prototype.contains = function (one) { return this.indexOf(one) >= 0; };
Array.from = function (list) { return list && list.toArray ? list.toArray() : [].slice.call(list); };
String.prototype.trim = function () { return this.replace(/^ +| +$/g, ""); };
Function.prototype.bind = function (self) {
    const f = this;
    return function () { return f.apply(self, arguments); };
};
Element.prototype.remove = function () { if (this.parentNode) this.parentNode.removeChild(this); };
Event.prototype.stop = function () { this.preventDefault(); this.stopPropagation(); };
const push = history.pushState;
history.pushState = function () { return push.apply(this, arguments); };
"""
HOSTILE_STYLES = """
:not(html, body), ::before, ::after { color: red !important; background: lime !important;
  font: 40px fantasy !important; position: static !important; transform: rotate(7deg) !important;
  border: 9px solid !important;
  margin: 50px !important; width: 33px !important; opacity: 0.1 !important; animation: none !important;
  pointer-events: none !important; }
chatlead-widget { display: none !important; visibility: hidden !important; z-index: -1 !important; }
iframe, div, section, button { display: none !important; }
h1 { pointer-events: auto !important; }
"""
NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {get() { throw new DOMException("no", "SecurityError"); }});
Object.defineProperty(document, "cookie", {get: () => "", set: () => {}});
"""


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


class Printed(NamedTuple):
    """What our front page tells people to put on theirs."""

    policy: str
    key: str


@pytest.fixture(scope="module")
def printed(server: Server, key: str) -> Printed:
    with urllib.request.urlopen(server.url + "/") as answer:
        shown = re.search(r'<pre[^>]* id="policy"[^>]*>([^<]+)</pre>', answer.read().decode())
    assert shown
    return Printed(html.unescape(shown[1]), key)


@pytest.fixture
def dressed(server: Server) -> Iterator[Settings]:
    """The demo firm with a greeting, a picture of its own and one of olga."""
    wants = Settings(server)
    with wants.put_back():
        wants(greeting=GREETING, greeting_after=1)
        wants.faces(a_png(96), a_png(96, b"\x30\x30\xc0"))
        yield wants


def snippet(server: Server, key: str, more: str = "") -> str:
    return f'<script async src="{server.url}/widget/v1/loader.js" data-site="{key}" {more}></script>'


def document(head: str, body: str = "<h1>Shop</h1>") -> str:
    icon = '<link rel="icon" href="data:,">'
    return f"<!doctype html><html><head><title>Shop</title>{icon}{head}</head><body>{body}</body></html>"


def is_unharmed(page: Page, heard: list[str]) -> None:
    """And so are we: one launcher that can be seen and pressed."""
    assert heard == []
    assert page.locator("chatlead-widget").count() == 1
    box = page.get_by_role("button", name="Chat with us", exact=True).bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (56, 56)
    names: list[str] = page.evaluate("Object.getOwnPropertyNames(window).filter(n => !before.includes(n))")
    assert {name for name in names if not name.isdigit()} - {"before", "shifted", "returned"} == {"ChatLead"}
    assert page.evaluate("window.shifted") == 0


def greets_and_opens(page: Page) -> FrameLocator:
    """What is greeted by is the way in, and the firm's face is there."""
    page.get_by_role("button", name=GREETING, exact=True).click()
    frame = page.frame_locator("iframe[title='Chat']")
    face = frame.locator(".head .avatar img")
    assert face.evaluate("e => e.decode().then(() => e.naturalWidth)") == 96
    return frame


def test_a_page_that_is_strict_ugly_patched_and_badly_encoded_is_greeted_like_any_other(
    olga: Staff, new_page: Pages, server: Server, host: Host, printed: Printed, dressed: Settings
) -> None:
    """With no source in its policy but those that our front page prints, and everything wrong at once."""
    ours = printed.policy.replace("script-src", "script-src 'nonce-n'")
    policy = (
        "default-src 'none'; style-src 'nonce-n'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"require-trusted-types-for 'script'; trusted-types 'none'; {' '.join(ours.split())}"
    )
    twice = snippet(server, printed.key, 'nonce="n" data-live') * 2
    head = f'<script nonce="n">{WATCH}{PATCHED}</script><style nonce="n">{HOSTILE_STYLES}</style>{twice}'
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html; charset=windows-1251"}
    host.pages["/worst"] = HostPage(document(head, "<h1>Shop</h1>" + twice), headers)
    page = new_page()
    heard = complaints(page)
    page.goto(host.address("/worst"))
    expect(page.get_by_role("button", name=GREETING, exact=True)).to_be_visible()
    is_unharmed(page, heard)
    frame = greets_and_opens(page)
    frame.get_by_role("textbox", name="Name").fill("Vera Worst")
    frame.get_by_role("button", name="Start chat").click()
    olga.accepts("Vera Worst")
    olga.says("Hello from my desk")
    beside = frame.locator(".said .avatar img")
    assert beside.evaluate("e => e.decode().then(() => e.naturalWidth)") == 96
    frame.get_by_role("textbox", name="Message").fill("Здравствуйте")
    frame.get_by_role("button", name="Send").click()
    olga.sees("Здравствуйте")
    is_unharmed(page, heard)


def is_waiting_as(name: str, page: Page, console: Desk) -> bool:
    """Whether she waits once she has typed her name; her keys may have come before the focus did."""
    page.keyboard.press("Control+A")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    try:
        expect(console.row("Waiting", name)).to_be_visible(timeout=5000)
    except AssertionError:
        return False
    return True


def test_pages_that_swap_their_body_or_are_left_and_come_back_to_keep_one_launcher(
    console: Desk, new_page: Pages, server: Server, host: Host, printed: Printed, dressed: Settings
) -> None:
    """As Turbo does it: the new body brings the snippet again. And the back button."""
    host.pages["/turbo"] = HostPage(
        document(f"<script>{WATCH}</script>", "<h1>One</h1>" + snippet(server, printed.key))
    )
    host.pages["/elsewhere"] = HostPage(document("", "<h1>Elsewhere</h1>"))
    page = new_page()
    heard = complaints(page)
    page.goto(host.address("/turbo"))
    expect(page.get_by_role("button", name=GREETING, exact=True)).to_be_visible()
    for title in ("Two", "Three"):
        page.evaluate(
            """title => {
                const body = document.body.cloneNode(true);
                body.querySelector("h1").textContent = title;
                for (const old of body.querySelectorAll("script")) {
                    const again = document.createElement("script");
                    for (const {name, value} of old.attributes) again.setAttribute(name, value);
                    old.replaceWith(again);
                }
                document.body.replaceWith(body);
                history.pushState({}, "", "/turbo?" + title);
            }""",
            title,
        )
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    frame = greets_and_opens(page)
    expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
    page.get_by_role("button", name="Chat with us", exact=True).click()
    is_unharmed(page, heard)
    page.goto(host.address("/elsewhere"))
    page.go_back(wait_until="commit")  # what comes from memory is not loaded
    expect(page.get_by_role("button", name="Chat with us", exact=True)).to_be_visible()
    is_unharmed(page, heard)
    page.get_by_role("button", name="Chat with us", exact=True).click()
    # a frame that came from memory cannot be looked into by the driver: vera goes on by keyboard
    expect(page.get_by_role("button", name="Chat with us", exact=True)).to_have_attribute(
        "aria-expanded", "true"
    )
    until(page, lambda: is_waiting_as("Vera Back", page, console), "vera waits")
    expect(page.get_by_role("button", name=GREETING, exact=True)).to_have_count(0)  # once is enough
    assert heard == []


def test_a_page_that_may_keep_nothing_is_not_greeted_at_every_step_and_has_its_chat(
    olga: Staff, new_page: Pages, server: Server, host: Host, printed: Printed, dressed: Settings
) -> None:
    """Storage and cookies refused: one that cannot remember having greeted would do so for ever."""
    host.pages["/none"] = HostPage(
        document(f"<script>{WATCH}{NO_STORAGE}</script>{snippet(server, printed.key)}")
    )
    page = new_page()
    heard = complaints(page)
    page.goto(host.address("/none"))
    launcher = page.get_by_role("button", name="Chat with us", exact=True)
    expect(launcher).to_be_visible()
    page.wait_for_timeout(1_500)  # the greeting would be there after one second
    expect(page.get_by_role("button", name=GREETING, exact=True)).to_have_count(0)
    launcher.click()
    frame = page.frame_locator("iframe[title='Chat']")
    frame.get_by_role("button", name="Start chat").click()
    expect(frame.get_by_role("log", name="Conversation")).to_be_visible()
    is_unharmed(page, heard)
