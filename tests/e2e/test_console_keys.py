"""The console by keyboard: the palette, the keys, drafts, prepared replies, corrections (ui.md)."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.crowd import Crowd
from tests.e2e.exchange import Caller
from tests.e2e.people import Desk, Visitor
from tests.servers import Server

Visitors = Callable[..., Visitor]
Callers = Callable[[], Caller]
Desks = Callable[..., Desk]
Look = Callable[[Page], list[str]]


# What has the focus when the next thing happens: a key that is pressed then must fall where it belongs.
PRESSES_AND_LOOKS = """async button => {
    button.click();
    await new Promise(done => {
        const line = new MessageChannel();
        line.port1.onmessage = done;
        line.port2.postMessage(0);
    });
    return document.activeElement.labels?.[0]?.textContent;
}"""


def palette(olga: Desk) -> Locator:
    return olga.page.get_by_role("dialog", name="Find and do")


def asks_for(olga: Desk, words: str) -> None:
    """Opens the palette, types and takes the first."""
    olga.page.keyboard.press("Control+k")
    olga.page.keyboard.type(words)
    field = palette(olga).get_by_role("combobox")
    expect(field).to_have_value(words)
    olga.page.keyboard.press("Enter")
    expect(palette(olga)).to_have_count(0)


def prepares(olga: Desk, shortcut: str, text: str) -> None:
    """A new prepared reply, in the panel, which stays open."""
    panel = olga.page.get_by_role("dialog", name="Prepared replies")
    panel.get_by_role("button", name="New reply").click()
    panel.get_by_role("textbox", name="Shortcut").fill(shortcut)
    panel.get_by_role("textbox", name="Text").fill(text)
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_text(f"/{shortcut} is saved.")).to_be_visible()


def has_prepared(olga: Desk, **replies: str) -> None:
    """These and no others."""
    asks_for(olga, "edit your prepared")
    panel = olga.page.get_by_role("dialog", name="Prepared replies")
    deletes = panel.get_by_role("button", name=re.compile("^Delete ."))
    while count := deletes.count():
        deletes.first.click()
        expect(deletes).to_have_count(count - 1)
    for shortcut, text in replies.items():
        prepares(olga, shortcut, text)
    olga.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_the_palette_does_what_is_typed_and_gives_the_focus_back(olga: Desk, caller: Callers) -> None:
    """Issue 4 D: go to a chat, accept the next, transfer, end, be away, all without a mouse."""
    tools: list[str] = []
    olga.page.on("request", lambda each: tools.append(each.url) if "/tools." in each.url else None)
    caller().starts_chat("Ana P", "hello")
    expect(olga.row("Waiting", "Ana P")).to_be_visible()
    assert tools == []  # it is fetched when it is asked for
    asks_for(olga, "accept next")
    expect(olga.page.get_by_role("heading", name="Ana P")).to_be_visible()
    expect(olga.message).to_be_focused()
    caller().starts_chat("Ben P")
    expect(olga.row("Waiting", "Ben P")).to_be_visible()
    olga.page.keyboard.type("half a thou")
    asks_for(olga, "accept")  # asked for by name, it is shown
    expect(olga.page.get_by_role("heading", name="Ben P")).to_be_visible()
    assert len(tools) == 1
    asks_for(olga, "an p")
    expect(olga.page.get_by_role("heading", name="Ana P")).to_be_visible()
    expect(olga.message).to_have_value("half a thou")
    expect(olga.message).to_be_focused()

    olga.page.keyboard.press("Control+k")
    field = palette(olga).get_by_role("combobox")
    expect(field).to_be_focused()
    olga.page.keyboard.type("xyzzy")
    expect(palette(olga).get_by_text("Nothing is called like that.")).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "false")
    olga.page.keyboard.press("Escape")
    expect(palette(olga)).to_have_count(0)
    expect(olga.message).to_be_focused()
    olga.page.keyboard.type("ght")
    expect(olga.message).to_have_value("half a thought")

    asks_for(olga, "transfer bill")
    olga.is_told("went on to Billing")
    asks_for(olga, "ben p")
    asks_for(olga, "end chat")
    dialog = olga.page.get_by_role("dialog", name="End the chat with Ben P?")
    olga.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(olga.message).to_be_focused()
    asks_for(olga, "end chat")
    dialog.get_by_role("button", name="End chat").press("Enter")
    expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
    asks_for(olga, "away")
    expect(olga.page.get_by_role("button", name="Away", exact=True)).to_be_visible()


def test_the_palette_is_a_combobox_whose_choice_moves_with_the_arrows(olga: Desk, violations: Look) -> None:
    """ARIA APG, combobox with a list; the mouse works as well."""
    olga.page.keyboard.press("Control+k")
    field, options = palette(olga).get_by_role("combobox"), palette(olga).get_by_role("option")
    expect(field).to_be_focused()
    assert violations(olga.page) == []

    def chosen() -> int:
        marked = [each.get_attribute("aria-selected") for each in options.all()]
        assert marked.count("true") == 1
        number = marked.index("true")
        assert field.get_attribute("aria-activedescendant") == options.nth(number).get_attribute("id")
        return number

    last = options.count() - 1
    steps = [chosen()]
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown"):
        olga.page.keyboard.press(key)
        steps.append(chosen())
    assert steps == [0, 1, 2, 1, 0, last, 0]
    olga.page.keyboard.press("Control+k")
    expect(palette(olga)).to_have_count(0)
    olga.page.get_by_role("button", name="your menu").click()
    olga.page.get_by_role("menuitem", name="Find and do").click()
    palette(olga).get_by_role("option", name="Show the list of keys").click()
    expect(olga.page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert violations(olga.page) == []


def test_what_is_typed_before_the_palette_has_come_is_for_the_palette(desk: Desks, caller: Callers) -> None:
    """A slow line: the words must not stand in a message to the visitor."""
    olga = desk("olga", service_workers="block")  # else it has the file already
    olga.is_online()
    caller().starts_chat("Vera Y")
    olga.accepts("Vera Y")

    def slowly(route: Route) -> None:
        olga.page.wait_for_timeout(700)
        route.continue_()

    olga.page.route("**/tools.js*", slowly)
    olga.page.keyboard.press("Control+k")
    olga.page.keyboard.type("keyx")
    olga.page.keyboard.press("Backspace")
    expect(palette(olga).get_by_role("combobox")).to_have_value("key")
    expect(olga.message).to_have_value("")


def test_a_palette_that_cannot_be_had_says_so_and_is_tried_again(desk: Desks) -> None:
    olga = desk("olga", service_workers="block")
    olga.page.context.set_offline(True)
    olga.page.keyboard.press("Control+k")
    olga.is_told("could not be loaded")
    olga.page.context.set_offline(False)
    expect(olga.has_trouble()).to_have_count(0)
    olga.page.keyboard.press("Control+k")
    expect(palette(olga)).to_be_visible()


def test_a_question_mark_lists_the_keys_but_not_while_somebody_writes(olga: Desk, caller: Callers) -> None:
    """Issue 4 D: none fires while typing, in a composition, or with a key of the browser."""
    keys = olga.page.get_by_role("dialog", name="Keys")
    olga.page.keyboard.press("?")
    expect(keys).to_contain_text("Edit your last message")
    olga.page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    caller().starts_chat("Vera J")
    olga.accepts("Vera J")
    olga.page.keyboard.type("really?")
    expect(olga.message).to_have_value("really?")
    expect(keys).to_have_count(0)
    composed = """() => ["k", "?", "Escape", "Enter"].map(key => {
        const how = { key, ctrlKey: key === "k", bubbles: true, cancelable: true, isComposing: true };
        return document.activeElement.dispatchEvent(new KeyboardEvent("keydown", how));
    })"""
    assert olga.page.evaluate(composed) == [True] * 4  # nobody has taken them
    expect(olga.message).to_have_value("really?")
    expect(olga.message).to_be_focused()
    expect(palette(olga)).to_have_count(0)


def test_drafts_stay_with_their_chats_over_a_switch_and_a_reload(olga: Desk, caller: Callers) -> None:
    """R-123: in the tab, per chat, notes apart from replies."""
    for name in ("Ana D", "Ben D"):
        caller().starts_chat(name)
        olga.accepts(name)
    olga.message.fill("for Ben")
    asks_for(olga, "ana d")
    olga.message.fill("for Ana")
    olga.page.get_by_role("button", name="Note", exact=True).click()
    olga.message.fill("about Ana")
    olga.page.reload()
    olga.opens("Ben D")
    expect(olga.message).to_have_value("for Ben")
    olga.opens("Ana D")
    expect(olga.message).to_have_value("about Ana")
    olga.page.get_by_role("button", name="Reply", exact=True).click()
    expect(olga.message).to_have_value("for Ana")


def test_a_prepared_reply_is_made_changed_deleted_and_brought_back_by_keyboard(
    olga: Desk, desk: Desks, violations: Look
) -> None:
    """R-091: one's own; a colleague has none of it."""
    has_prepared(olga)
    asks_for(olga, "edit your prepared")
    panel = olga.page.get_by_role("dialog", name="Prepared replies")
    press = olga.page.keyboard.press
    panel.get_by_role("button", name="New reply").focus()
    press("Enter")
    expect(panel.get_by_role("textbox", name="Shortcut")).to_be_focused()
    olga.page.keyboard.type("two words")
    press("Enter")
    expect(panel.get_by_text("One word, without spaces")).to_be_visible()
    expect(panel.get_by_text("Write what it should say.")).to_be_visible()
    assert violations(olga.page) == []
    expect(panel.get_by_role("textbox", name="Shortcut")).to_be_focused()
    press("Control+a")
    olga.page.keyboard.type("Fee")
    press("Tab")
    olga.page.keyboard.type("It is free.")
    press("Escape")  # what is not saved is asked about
    expect(panel.get_by_text("What you changed is not saved.")).to_be_visible()
    panel.get_by_role("button", name="Keep editing").press("Enter")
    panel.get_by_role("button", name="Save").press("Enter")
    expect(panel.get_by_text("/fee is saved.")).to_be_visible()
    expect(panel.get_by_role("button", name="New reply")).to_be_focused()
    panel.get_by_role("button", name="Edit /fee").press("Enter")
    panel.get_by_role("textbox", name="Text").fill("The first talk is free.")
    panel.get_by_role("button", name="Save").press("Enter")
    expect(panel.get_by_role("listitem")).to_have_text(re.compile("/fee.*The first talk is free."))
    assert violations(olga.page) == []
    prepares(olga, "hours", "From nine to five.")
    assert panel.get_by_role("button", name="Edit /hours").evaluate(PRESSES_AND_LOOKS) == "Shortcut"
    panel.get_by_role("textbox", name="Shortcut").fill("FEE")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("Another of your replies has this shortcut.")).to_be_visible()
    panel.get_by_role("button", name="Cancel").click()
    panel.get_by_role("button", name="Delete /fee").press("Enter")
    expect(panel.get_by_role("listitem")).to_have_count(1)
    panel.get_by_role("button", name="Undo").press("Enter")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    nina = desk("nina")
    asks_for(nina, "edit your prepared")
    expect(nina.page.get_by_text("You have none yet.")).to_be_visible()


def test_a_slash_finds_a_prepared_reply_which_is_put_in_and_not_sent(
    olga: Desk, vera: Visitor, violations: Look
) -> None:
    """Issue 4 D: with the names filled in; two slashes write one."""
    has_prepared(
        olga, hello="Hello {visitor_name}, I am {operator_name}. {{7*7}}", hours="From nine to five."
    )
    vera.starts_chat("Vera {site}")
    olga.accepts("Vera {site}")
    listed = olga.page.get_by_role("listbox", name="Prepared replies")
    olga.page.keyboard.type("/")
    expect(listed.get_by_role("option")).to_have_text(
        [re.compile("^/hello"), re.compile("^/hours"), re.compile("^Edit your prepared replies")]
    )
    assert violations(olga.page) == []
    olga.page.keyboard.press("ArrowDown")
    expect(olga.message).to_have_attribute("aria-activedescendant", "prepared-replies-1")
    olga.page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    expect(olga.message).to_have_value("/")
    olga.message.fill("")
    olga.page.keyboard.type("/hel")
    expect(listed.get_by_role("option")).to_have_count(1)
    olga.page.keyboard.press("Enter")
    text = "Hello Vera {site}, I am Olga. {{7*7}}"
    expect(olga.message).to_have_value(text)
    expect(olga.log.get_by_text("I am Olga")).to_have_count(0)
    olga.page.keyboard.type(" We are open: /fi")
    listed.get_by_role("option").first.click()  # found by a word that it says
    expect(olga.message).to_have_value(f"{text} We are open: From nine to five.")
    expect(olga.message).to_be_focused()
    olga.page.keyboard.press("Enter")
    vera.sees(f"{text} We are open: From nine to five.")
    olga.page.keyboard.type("//hello 1/2 /nothing")
    expect(listed).to_have_count(0)
    olga.page.keyboard.press("Enter")
    vera.sees("/hello 1/2 /nothing")
    asks_for(olga, "insert hours")
    expect(olga.message).to_have_value("From nine to five.")
    olga.message.fill("")


def test_olga_rewords_her_last_message_and_deletes_it_before_veras_eyes(olga: Desk, vera: Visitor) -> None:
    """R-035: both sides see that it was edited, and that it was deleted; a row of its own keeps its place."""
    vera.starts_chat("Vera Z", "hello")
    olga.accepts("Vera Z")
    olga.page.keyboard.press("ArrowUp")
    expect(olga.message).to_have_value("")  # there is none yet
    olga.says("the first")
    olga.says("It costs 10 dolars")
    olga.page.keyboard.press("ArrowUp")
    expect(olga.message).to_have_value("It costs 10 dolars")
    expect(olga.page.get_by_text("You are editing your last message.").last).to_be_visible()
    olga.page.keyboard.press("Escape")
    expect(olga.message).to_have_value("")
    olga.page.keyboard.press("ArrowUp")
    for _ in range(3):
        olga.page.keyboard.press("Backspace")
    olga.page.keyboard.type("lars")
    olga.page.keyboard.press("Enter")
    expect(olga.message).to_have_value("")
    for log in (olga.log, vera.log):
        expect(log.get_by_text("It costs 10 dollars", exact=True)).to_have_count(1)
        expect(log.get_by_text("dolars")).to_have_count(0)
        expect(
            log.locator(".said-foot, .meta").filter(has_text="edited").or_(log.get_by_text("· edited")).first
        ).to_be_visible()
    vera.page.reload()
    vera.sees("It costs 10 dollars")

    olga.message.fill("a draft that stays")
    last = olga.page.get_by_role("group", name="Your last message")
    last.get_by_role("button", name="Delete").click()
    dialog = olga.page.get_by_role("dialog", name="Delete this message?")
    dialog.get_by_role("button", name="Keep it").click()
    last.get_by_role("button", name="Delete").press("Enter")
    dialog.get_by_role("button", name="Delete message").press("Enter")
    for log in (olga.log, vera.log):
        expect(log.get_by_text("Message deleted")).to_be_visible()
        expect(log.get_by_text("dollars")).to_have_count(0)
    expect(olga.message).to_have_value("a draft that stays")
    olga.message.fill("")
    olga.message.press("ArrowUp")
    expect(olga.message).to_have_value("the first")
    olga.message.fill("")
    olga.page.keyboard.press("Enter")  # nothing is left of it: that is a deletion, and asked about
    dialog.get_by_role("button", name="Delete message").press("Enter")
    expect(vera.log.get_by_text("Message deleted")).to_have_count(2)
    olga.page.keyboard.press("ArrowUp")
    expect(olga.message).to_have_value("")


def test_with_thirty_chats_that_go_on_every_key_does_what_it_says(
    olga: Desk, server: Server, key: str
) -> None:
    """Issue 4 D: thirty open chats, two hundred messages a minute."""
    has_prepared(olga, **{f"reply{number}": f"Number {number}, {{visitor_name}}" for number in range(12)})
    with Crowd(server.url, key, olga.email, [f"Guest {number}" for number in range(30)]) as crowd:
        expect(olga.region("My chats").get_by_role("listitem")).to_have_count(30)
        olga.page.keyboard.press("Alt+1")
        for number in range(1, 10):
            olga.page.keyboard.press(f"Alt+{number}")
            olga.page.keyboard.type(f"half a thought for {number} /rep", delay=10)
            expect(olga.page.get_by_role("option")).to_have_count(12)
            olga.page.keyboard.press("Escape")
            asks_for(olga, f"guest {number + 10}")
            asks_for(olga, "insert reply3")
            expect(olga.message).to_have_value(f"Number 3, Guest {number + 10}")
            olga.page.keyboard.press("Enter")
            expect(olga.page.get_by_role("group", name="Your last message")).to_have_count(1)  # it is sent
            olga.page.keyboard.press("ArrowUp")
            expect(olga.message).to_have_value(f"Number 3, Guest {number + 10}")
            olga.page.keyboard.type(" again")
            olga.page.keyboard.press("Enter")
            expect(olga.log.get_by_text(f"Number 3, Guest {number + 10} again")).to_have_count(1)
        assert crowd.said > 10
