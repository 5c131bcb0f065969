"""The chat as a third party: https://chat.example in https://www.shop.test, two domains over TLS."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.chromium import NAMES
from tests.e2e.browser import chromium
from tests.e2e.front import Front
from tests.e2e.people import PATIENCE_MS, Desk, Visitor
from tests.e2e.shop import CHAT, SHOP, Shop, at_the_shop, shop, starts

CANARIES = ("Canary Cartwright", "canary@private.test", "canary in the coal mine", "canary answers back")
EVERYTHING_KEPT = """async () => {
  const kept = [document.cookie, JSON.stringify(history.state), window.name];
  for (const open of [() => localStorage, () => sessionStorage]) {
    try { kept.push(JSON.stringify({...open()})); } catch (e) { kept.push(String(e)); }
  }
  for (const { name } of await indexedDB.databases()) kept.push(`database ${name}`);
  for (const name of await caches.keys()) kept.push(`cache ${name}`);
  kept.push(...(await navigator.serviceWorker.getRegistrations()).map(r => r.scope));
  return kept.join("|");
}"""


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("abroad")) as running:
        yield running


@pytest.fixture(scope="module")
def front(abroad: Shop) -> Front:
    return abroad.front


@pytest.fixture(scope="module")
def world(front: Front) -> Iterator[Browser]:
    """A Chromium as it is installed, which keeps third parties apart."""
    with chromium(*front.flags) as started:
        yield started


@pytest.fixture
def customer(world: Browser) -> Iterator[Callable[[], BrowserContext]]:
    """A browser of her own. Whatever its pages complain of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)

    def make() -> BrowserContext:
        context = world.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE_MS)
        context.on("page", hear)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def olga(world: Browser) -> Iterator[Desk]:
    """At her console over TLS, online."""
    context = world.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    operator = Desk(context.new_page(), CHAT, "olga@demo.test")
    operator.logs_in()
    operator.is_online()
    yield operator
    context.close()


def started_again(
    world: Browser, front: Front, profile: Path, preferences: dict[str, object] | None = None
) -> BrowserContext:
    """A browser with a profile of its own and with Playwright's flags, which refuse the frame its storage."""
    program = next(found for name in NAMES if (found := shutil.which(name)))
    file = profile / "Default" / "Preferences"
    if preferences is not None:
        file.parent.mkdir()
        file.write_text(json.dumps(preferences))
    context = world.browser_type.launch_persistent_context(
        profile, executable_path=program, args=["--no-sandbox", *front.flags], ignore_https_errors=True
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def session_cookie(context: BrowserContext) -> dict[str, object]:
    (found,) = [dict(each) for each in context.cookies() if each["name"] == "__Host-cl_s"]
    return found


@pytest.mark.parametrize("path", ["/", "/strict"])
def test_a_reload_and_a_new_tab_are_the_same_chat_though_third_parties_are_blocked(
    olga: Desk, customer: Callable[[], BrowserContext], path: str
) -> None:
    """B2-19, R-121, trials A and C: by a partitioned cookie, on a plain page and on a strict one."""
    context = customer()
    vera = at_the_shop(context, path)
    starts(vera, f"Vera {path}")
    vera.says("before the reload")
    olga.accepts(f"Vera {path}")
    olga.says("an answer")
    vera.message.fill("half a thought")
    took: list[float] = []
    while not took or (min(took) >= 2 and len(took) < 5):  # the machine may be busy, we are not
        began = time.monotonic()
        vera.page.reload()
        vera.sees("before the reload")
        vera.sees("an answer")
        took.append(time.monotonic() - began)
    assert min(took) < 2, took
    expect(vera.message).to_have_value("half a thought")
    tab = at_the_shop(context, path)
    tab.opens_chat()
    tab.sees("an answer")
    tab.says("from the new tab")
    vera.sees("from the new tab")
    olga.sees("from the new tab")
    tab.ends_chat()
    expect(vera.frame.get_by_text("You ended the chat")).to_be_visible()


def test_the_session_is_a_partitioned_cookie_of_the_host_prefix_that_ends_with_the_browser(
    olga: Desk, customer: Callable[[], BrowserContext], front: Front
) -> None:
    """R-120: no expiry in the header, nothing for scripts."""
    context = customer()
    vera = at_the_shop(context)
    with vera.page.expect_response(lambda answer: "/widget/v1/frame" in answer.url) as frame:
        starts(vera, "Vera Cookie")
    header = frame.value.header_value("set-cookie") or ""
    name, *attributes = [part.strip() for part in header.split(";")]
    assert re.fullmatch(r"__Host-cl_s=[A-Za-z0-9_-]{43}", name)
    assert sorted(attributes) == ["HttpOnly", "Partitioned", "Path=/", "SameSite=None", "Secure"]
    cookie = session_cookie(context)
    assert (cookie["expires"], cookie["httpOnly"], cookie["secure"]) == (-1, True, True)
    assert cookie["sameSite"] == "None"
    assert "shop.test" in str(cookie.get("partitionKey", ""))
    assert "cl_s" not in vera.frame.locator("body").evaluate("() => document.cookie")
    vera.ends_chat()


def test_when_the_browser_was_closed_the_session_is_gone_and_the_lasting_id_alone_opens_nothing(
    olga: Desk, world: Browser, front: Front, customer: Callable[[], BrowserContext], tmp_path: Path
) -> None:
    """R-120, R-122, R-124: the same profile started again has the id, a new session, and no old word."""
    context = started_again(world, front, tmp_path)
    vera = at_the_shop(context)
    starts(vera, "Vera Lasting")
    vera.says("for my lawyer only")
    expect(vera.frame.get_by_text("Sent")).to_be_visible()
    (lasting,) = [each for each in context.cookies() if each["name"].startswith("chatlead_")]
    session = session_cookie(context)["value"]
    assert lasting["domain"] == "www.shop.test"
    assert re.fullmatch("[0-9a-f]{32}", lasting["value"])
    assert 0 < lasting["expires"] - time.time() < 396 * 86_400
    context.close()
    context = started_again(world, front, tmp_path)
    try:
        assert [each["name"] for each in context.cookies()] == [lasting["name"]]
        nextone = at_the_shop(context)
        nextone.opens_chat()
        expect(nextone.frame.get_by_role("button", name="Start chat")).to_be_visible()
        assert not any("for my lawyer only" in each for each in nextone.heard)
        assert session_cookie(context)["value"] != session
        assert lasting["value"] in [each["value"] for each in context.cookies()]
    finally:
        context.close()
    another = customer()
    other = at_the_shop(another)
    other.opens_chat()
    expect(other.frame.get_by_role("button", name="Start chat")).to_be_visible()
    (unrelated,) = [each for each in another.cookies() if each["name"].startswith("chatlead_")]
    assert unrelated["value"] != lasting["value"]


def test_after_a_chat_no_word_of_it_is_left_in_any_storage_of_the_browser(
    olga: Desk, customer: Callable[[], BrowserContext]
) -> None:
    """R-123: names, addresses and texts of both sides, sought in every storage of every frame, before and
    after the end of the chat; the lasting cookie holds the id and nothing else."""
    context = customer()
    vera = at_the_shop(context)
    starts(vera, CANARIES[0], CANARIES[1])
    vera.says(CANARIES[2])
    olga.accepts(CANARIES[0])
    olga.says(CANARIES[3])
    vera.sees(CANARIES[3])
    expect(vera.frame.get_by_text("Read")).to_be_visible()

    def kept() -> str:
        found = [frame.evaluate(EVERYTHING_KEPT) for frame in vera.page.frames]
        return "|".join([*found, json.dumps([dict(each) for each in context.cookies()])])

    for moment in ("while it goes on", "after its end"):
        dump = kept()
        assert [canary for canary in CANARIES if canary in dump] == [], moment
        assert "database" not in dump
        assert "cache " not in dump
        if moment == "while it goes on":
            vera.message.fill(CANARIES[2])
            vera.message.fill("")
            vera.ends_chat()
            expect(vera.frame.get_by_text("You ended the chat")).to_be_visible()
    names = sorted(each["name"] for each in context.cookies() if "shop.test" in each["domain"])
    assert len(names) == 1


def test_the_shop_itself_never_holds_what_opens_the_chat(
    olga: Desk, customer: Callable[[], BrowserContext]
) -> None:
    """R-124, P-2: the shop's other scripts see neither the session nor a text, and cannot reach the frame."""
    context = customer()
    vera = at_the_shop(context)
    vera.page.evaluate(
        "() => { window.heard = []; addEventListener('message', e => heard.push(JSON.stringify(e.data))) }"
    )
    starts(vera, "Vera Inside")
    vera.says("said in the frame")
    held = vera.page.evaluate(EVERYTHING_KEPT) + "".join(vera.page.evaluate("() => heard"))
    assert str(session_cookie(context)["value"]) not in held
    assert "said in the frame" not in held
    frame = vera.page.locator("iframe[title='Chat']")
    reach = (
        "frame => { try { return frame.contentWindow.document.body.innerText } catch (e) { return e.name } }"
    )
    assert frame.evaluate(reach) == "SecurityError"
    vera.ends_chat()


BLOCKS_THIRD = {"profile": {"cookie_controls_mode": 1}}
BLOCKS_ALL = {"profile": {"default_content_setting_values": {"cookies": 2}}}


@pytest.mark.parametrize(
    ("preferences", "kept"), [(BLOCKS_THIRD, True), (BLOCKS_ALL, False)], ids=["storage", "everything"]
)
def test_where_the_frames_storage_throws_the_chat_works_and_says_when_it_will_not_be_kept(
    olga: Desk,
    world: Browser,
    front: Front,
    tmp_path: Path,
    preferences: dict[str, object],
    kept: bool,
) -> None:
    """R-125, trials A: Playwright's own flags switch partitioned storage off. The cookie still comes back
    where only storage is refused; where all is refused the chat lives as long as the page and says so."""
    errors: list[str] = []
    context = started_again(world, front, tmp_path, preferences)
    try:
        vera = Visitor(context.new_page(), SHOP)
        vera.page.on("pageerror", lambda error: errors.append(str(error)))
        vera.visits("/")
        starts(vera, f"Vera {kept}")
        vera.says("is this kept?")
        olga.accepts(f"Vera {kept}")
        olga.says("let us see")
        vera.sees("let us see")
        throws = "() => { try { sessionStorage.length; return '' } catch (e) { return e.name } }"
        assert vera.frame.locator("body").evaluate(throws) == "SecurityError"
        note = vera.frame.get_by_text("keeps no history")
        expect(note).to_have_count(0 if kept else 1)
        vera.page.reload()
        if kept:  # the panel was open, and opens again
            vera.sees("is this kept?")
            vera.sees("let us see")
        else:
            vera.opens_chat()
            expect(vera.frame.get_by_role("button", name="Start chat")).to_be_visible()
        assert errors == []
    finally:
        context.close()


def test_until_the_chat_is_opened_a_page_asks_once_besides_the_loader_keeps_nothing_and_does_not_move(
    olga: Desk, customer: Callable[[], BrowserContext]
) -> None:
    """performance.md (`widget`), B2-12: no cookie, no storage key, no frame, no shift of the layout."""
    context = customer()
    context.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(e => shift += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(SHOP)
    expect(page.get_by_role("button", name="Chat with us")).to_be_visible()
    page.wait_for_timeout(500)
    ours = [url.removeprefix(CHAT) for url in asked if url.startswith(CHAT)]
    assert ours[0] == "/widget/v1/loader.js"
    assert [url.rpartition("/")[0] for url in ours[1:]] == ["/widget/v1/site"]
    assert context.cookies() == []
    assert page.evaluate("() => [sessionStorage.length, localStorage.length, frames.length, shift]") == [
        0,
        0,
        0,
        0,
    ]
