"""A sound for an answer that nobody sees come, emoji, the transcript by e-mail, links that tell nothing."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.e2e.browser import chromium, keeping_nothing
from tests.e2e.exchange import Staff
from tests.e2e.people import Desk, Visitor, until
from tests.e2e.shop import Shop, at_the_shop, shop, starts
from tests.servers import Server

Visitors = Callable[..., Visitor]
Look = Callable[[Page], list[str]]

# Every note that any frame of the page plays, as a loudspeaker would hear it.
LISTENING = """(() => {
  globalThis.notes = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) {
    if (this.context.state === "running") globalThis.notes += 1;
    return start.apply(this, when);
  };
})()"""
NOTES = 2  # of one sound
OTHERS_MS = 400  # after which a tab that nobody looks at would sound
LONG_MS = 1500  # for a second tab to sound as well, if it would
REST_MS = 2100  # between two sounds


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


def sounds(*visitors: Visitor) -> int:
    """How often one of these tabs has sounded."""
    found = 0
    for each in visitors:
        found += int(each.frame.locator("body").evaluate("() => globalThis.notes"))
    return found // NOTES


def sounded(times: int, *visitors: Visitor) -> None:
    """Waits for it, and as long again as it takes until another tab would have sounded as well."""
    until(visitors[0].page, lambda: sounds(*visitors) >= times, "a sound")
    visitors[0].page.wait_for_timeout(LONG_MS)
    assert sounds(*visitors) == times


def another_tab(vera: Visitor) -> Visitor:
    """The same chat, in which she has pressed something."""
    other = Visitor(vera.page.context.new_page(), vera.url)
    other.visits("/demo/injuries/")
    other.opens_chat()
    other.message.click()
    expect(sound_of(other)).to_be_visible()
    return other


def sound_of(vera: Visitor) -> Locator:
    """The button that mutes."""
    return vera.frame.get_by_role("button", name="Sound")


def puts_away(vera: Visitor) -> None:
    vera.frame.get_by_role("button", name="Minimise chat").click()
    expect(vera.frame.locator("body")).to_be_hidden()


@pytest.fixture
def listening(vera: Visitor) -> Visitor:
    vera.page.context.add_init_script(LISTENING)
    return vera


def test_of_two_tabs_one_sounds_and_none_while_vera_looks_at_one(olga: Staff, listening: Visitor) -> None:
    """R-126: nothing either for what she has said herself."""
    vera = listening
    vera.starts_chat("Vera Hears", "Is anybody there?")
    olga.accepts("Vera Hears")
    other = another_tab(vera)
    olga.says("seen in both")
    other.sees("seen in both")
    vera.page.wait_for_timeout(OTHERS_MS)
    puts_away(other)
    olga.says("seen in one")
    vera.sees("seen in one")
    vera.page.wait_for_timeout(LONG_MS)
    assert sounds(vera, other) == 0
    puts_away(vera)
    olga.says("seen in none")
    sounded(1, vera, other)
    vera.page.wait_for_timeout(REST_MS - LONG_MS)
    olga.says("nor this")
    sounded(2, vera, other)


def test_a_tab_that_is_not_looked_at_sounds_with_its_panel_open(olga: Staff, listening: Visitor) -> None:
    """R-126."""
    vera = listening
    vera.starts_chat("Vera Elsewhere", "Hello")
    olga.accepts("Vera Elsewhere")
    expect(sound_of(vera)).to_be_visible()
    for frame in vera.page.frames:
        frame.evaluate("""() => {
            Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
    olga.says("An answer")
    vera.sees("An answer")
    sounded(1, vera)


def test_whoever_has_muted_it_is_not_disturbed_in_any_tab_nor_after_a_reload(
    olga: Staff, listening: Visitor
) -> None:
    """R-126: the wish is kept."""
    vera = listening
    vera.starts_chat("Vera Quiet", "Hello")
    olga.accepts("Vera Quiet")
    other = another_tab(vera)
    expect(sound_of(vera)).to_have_attribute("aria-pressed", "true")
    sound_of(vera).click()
    expect(sound_of(vera)).to_have_attribute("aria-pressed", "false")
    expect(sound_of(other)).to_have_attribute("aria-pressed", "false")
    puts_away(vera)
    puts_away(other)
    olga.says("unheard")
    vera.page.wait_for_timeout(LONG_MS)
    assert sounds(vera, other) == 0
    vera.page.reload()
    vera.opens_chat()
    expect(sound_of(vera)).to_have_attribute("aria-pressed", "false")
    sound_of(vera).click()
    puts_away(vera)
    olga.says("heard")
    sounded(1, vera, other)


def test_where_the_browser_keeps_nothing_it_sounds_and_can_be_muted_all_the_same(
    olga: Staff, browser: Browser, server: Server
) -> None:
    """R-125, R-126: storage, locks and channels between tabs are all refused there."""
    with keeping_nothing(browser) as context:
        context.add_init_script(LISTENING)
        vera = Visitor(context.new_page(), server.url)
        errors: list[str] = []
        vera.page.on("pageerror", lambda error: errors.append(str(error)))
        vera.starts_chat("Vera Forgets", "Hello")
        olga.accepts("Vera Forgets")
        expect(sound_of(vera)).to_have_attribute("aria-pressed", "true")
        puts_away(vera)
        olga.says("heard")
        sounded(1, vera)
        vera.opens_chat()
        sound_of(vera).click()
        puts_away(vera)
        vera.page.wait_for_timeout(REST_MS - LONG_MS)
        olga.says("unheard")
        vera.page.wait_for_timeout(LONG_MS)
        assert sounds(vera) == 1
        assert errors == []


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("abroad")) as running:
        yield running


def test_on_a_website_of_somebody_elses_the_next_page_sounds_too(abroad: Shop) -> None:
    """R-126: she has pressed nothing in the chat there, only something on the page."""
    with chromium(*abroad.front.flags) as world:
        olga = Desk(world.new_page(), abroad.server.url, "olga@demo.test")
        olga.logs_in()
        olga.is_online()
        context = world.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(LISTENING)
        vera, other = at_the_shop(context), at_the_shop(context)
        starts(vera, "Vera Abroad")
        olga.accepts("Vera Abroad")
        puts_away(vera)
        other.opens_chat()
        other.message.click()
        puts_away(other)
        olga.says("heard once")
        sounded(1, vera, other)
        other.page.close()
        vera.visits("/live")
        vera.page.get_by_role("textbox", name="Search").click()
        vera.page.wait_for_timeout(REST_MS)  # a look into the frame would count as a press in it
        olga.says("heard on the next page")
        vera.page.wait_for_timeout(LONG_MS)
        sounded(1, vera)


# --- emoji ---------------------------------------------------------------------------------------------


def test_emoji_are_chosen_by_the_keyboard_and_land_at_the_caret(
    olga: Staff, vera: Visitor, violations: Look
) -> None:
    """WAI-ARIA grid: arrows, Home, End, Escape. Nothing is fetched for it before it is wanted."""
    asked: list[str] = []
    vera.page.on("request", lambda request: asked.append(request.url))
    vera.starts_chat("Vera Smiles")
    assert not any("extras" in each for each in asked)
    vera.message.fill("Thank you.")
    vera.page.keyboard.press("ArrowLeft")  # in front of the full stop
    vera.page.keyboard.press("Tab")
    opener = vera.frame.get_by_role("button", name="Emoji")
    expect(opener).to_be_focused()
    vera.page.keyboard.press("Enter")
    grid = vera.frame.get_by_role("grid", name="Emoji")
    expect(grid.get_by_role("button", name="😀")).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    assert len([each for each in asked if "extras" in each]) == 1
    assert violations(vera.page) == []

    def key(name: str, leads_to: str) -> None:
        vera.page.keyboard.press(name)
        expect(grid.get_by_role("button", name=leads_to, exact=True)).to_be_focused()

    key("ArrowLeft", "😀")
    key("ArrowRight", "😃")
    key("ArrowDown", "😊")
    key("End", "😜")
    key("Home", "😉")
    key("Control+End", "👀")
    key("ArrowDown", "👀")
    key("Control+Home", "😀")
    vera.page.keyboard.press("Escape")
    expect(grid).to_be_hidden()
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(vera.message).to_be_visible()  # the panel stays open
    vera.page.keyboard.press("Enter")
    key("ArrowRight", "😃")
    vera.page.keyboard.press("Enter")
    expect(grid).to_be_hidden()
    expect(vera.message).to_be_focused()
    expect(vera.message).to_have_value("Thank you😃.")
    vera.page.keyboard.press("Enter")
    vera.sees("Thank you😃.")


def test_emoji_are_chosen_by_the_pointer_and_a_press_elsewhere_puts_them_away(
    olga: Staff, visitor: Visitors
) -> None:
    """On a phone too: what is chosen replaces what was marked, and is kept as a draft is."""
    vera = visitor(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    vera.starts_chat("Vera Taps")
    opener = vera.frame.get_by_role("button", name="Emoji")
    grid = vera.frame.get_by_role("grid", name="Emoji")
    opener.tap()
    box, screen = grid.bounding_box(), vera.page.viewport_size
    assert box is not None and screen is not None
    assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= screen["width"]
    opener.tap()
    expect(grid).to_be_hidden()
    opener.tap()
    vera.log.tap()
    expect(grid).to_be_hidden()
    vera.message.fill("old")
    vera.message.select_text()
    opener.tap()
    grid.get_by_role("button", name="👍", exact=True).tap()
    expect(vera.message).to_have_value("👍")
    vera.page.reload()
    vera.opens_chat()
    expect(vera.message).to_have_value("👍")


# --- the transcript --------------------------------------------------------------------------------------


def mails_to(server: Server, address: str) -> list[EmailMessage]:
    """What the server has sent to this address: without a mail server it writes files."""
    found: list[EmailMessage] = []
    for file in sorted((server.data_dir / "mail").glob("*.log")):
        for each in file.read_bytes().split(b"-" * 79 + b"\n"):
            mail = email.message_from_bytes(each, policy=policy.default)
            if mail["To"] == address:
                found.append(mail)
    return found


def test_vera_has_the_transcript_mailed_when_the_chat_is_over(
    olga: Staff, vera: Visitor, server: Server, violations: Look
) -> None:
    """R-036, R-031: what is wrong is said at the field, by the browser and by the server."""
    vera.starts_chat("Vera Copies", "I fell <b>down</b>")
    olga.accepts("Vera Copies")
    olga.says("Who helped you?")
    vera.sees("Who helped you?")
    expect(vera.frame.get_by_role("button", name="Send me the transcript by email")).to_have_count(0)
    vera.ends_chat()
    button = vera.frame.get_by_role("button", name="Send me the transcript by email")
    button.click()
    field = vera.frame.get_by_role("textbox", name="Email")
    expect(field).to_be_focused()
    expect(vera.frame.get_by_text("runs this chat on behalf of")).to_be_visible()
    assert violations(vera.page) == []
    send = vera.frame.get_by_role("button", name="Send transcript")
    alert = vera.frame.locator(".transcript [role=alert]")
    send.click()
    expect(alert).to_have_text("Please fill in your email address.")
    expect(field).to_be_focused()
    field.fill("vera at home")
    send.click()
    expect(alert).to_have_text("This does not look like an email address.")
    assert violations(vera.page) == []
    vera.page.keyboard.press("Escape")
    expect(button).to_be_focused()
    button.click()
    field.fill("vera.copies@post.test")
    vera.page.keyboard.press("Enter")
    expect(vera.frame.get_by_role("status").filter(has_text="vera.copies@post.test")).to_be_visible()
    expect(button).to_be_focused()
    [mail] = arrived(vera.page, server, "vera.copies@post.test", 1)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.index("I fell <b>down</b>") < text.index("Who helped you?")
    button.click()  # and once more, to somebody else
    field.fill("friend.of.vera@post.test")
    send.click()
    arrived(vera.page, server, "friend.of.vera@post.test", 1)
    assert len(mails_to(server, "vera.copies@post.test")) == 1


def arrived(page: Page, server: Server, address: str, count: int) -> list[EmailMessage]:
    """Waits until so many mails are there."""
    until(page, lambda: len(mails_to(server, address)) >= count, f"a mail to {address}")
    return mails_to(server, address)


def test_a_chat_that_nobody_answered_has_no_transcript(olga: Staff, vera: Visitor) -> None:
    """D-8."""
    vera.starts_chat("Vera Alone", "Hello?")
    vera.ends_chat()
    expect(vera.frame.get_by_role("button", name="Start a new chat")).to_be_visible()
    expect(vera.frame.get_by_role("button", name="Send me the transcript by email")).to_have_count(0)


# --- links, and the line ------------------------------------------------------------------------------------


def test_a_link_is_fetched_by_nobody_but_who_follows_it_and_tells_nothing_of_the_chat(
    console: Desk, vera: Visitor
) -> None:
    """R-160, D-7: no picture and no preview by itself; and it says that it leads elsewhere."""
    asked: list[Request] = []
    for context in (vera.page.context, console.page.context):
        context.on("request", lambda request: asked.append(request) if ".links.test" in request.url else None)
        context.route("**/*.links.test/**", lambda route: route.fulfill(body="<title>Elsewhere</title>"))
    vera.starts_chat("Vera Follows", "https://a.links.test/cat.png and <img src='http://b.links.test/x.png'>")
    console.accepts("Vera Follows")
    console.says("see http://c.links.test/advice?about=falls")
    link = vera.log.get_by_role("link", name="http://c.links.test/advice?about=falls")
    expect(link).to_have_attribute("title", "Another website, in a new tab")
    vera.page.wait_for_timeout(300)
    assert asked == []
    with vera.page.context.expect_page() as opened:
        link.click()
    elsewhere = opened.value
    elsewhere.wait_for_load_state()
    assert elsewhere.evaluate("() => [window.opener, document.referrer]") == [None, ""]
    [request] = asked
    assert "referer" not in request.all_headers()


def test_vera_writes_while_she_waits_and_knows_her_place(olga: Staff, visitor: Visitors) -> None:
    """R-034: what she has written is there when somebody comes."""
    first, second = visitor(), visitor()
    first.starts_chat("First in line")
    second.starts_chat("Second in line")
    expect(second.frame.get_by_text("You are 2nd in line")).to_be_visible()
    expect(second.message).to_be_focused()
    second.says("I was in a crash")
    first.ends_chat()
    expect(second.frame.get_by_text("You are next in line")).to_be_visible()
    olga.accepts("Second in line")
    olga.sees("I was in a crash")
    expect(second.frame.get_by_text("in line")).to_be_hidden()
