"""Widget and console in Firefox and in WebKit: the chat of https://chat.example in https://www.shop.test."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.abroad import NAMES
from tests.e2e.hosts import STRICT, HostPage
from tests.e2e.shop import CHAT, SHOP, Shop
from tests.engines.people import Desk, View, Visitor, until
from tests.engines.webdriver import ELEMENT

Visitors = Callable[..., Visitor]


def in_the_chat(vera: Visitor, name: str, path: str = "/strict") -> None:
    vera.visits(SHOP + path)
    vera.opens_chat()
    vera.starts(name)


def test_vera_opens_the_chat_by_keyboard_is_answered_and_finds_it_again(olga: Desk, vera: Visitor) -> None:
    """R-003, R-121, B2-19: one launcher under a policy that forbids all it can, a third party kept apart as
    the engine keeps it; a reload and a second tab are the same chat; nobody's console complains."""
    name = f"Vera Keys {olga.running.version}"
    vera.visits(f"{SHOP}/strict")
    launcher = vera.page.one("button", "Chat with us")
    session = vera.running.session
    assert (session.role(launcher), session.label(launcher)) == ("button", "Chat with us")
    session.run("arguments[0].focus()", {ELEMENT: launcher})
    vera.page.keys("Enter")
    until(lambda: vera.chat.run("return document.hasFocus()"), "the chat has the focus")
    vera.starts(name)
    vera.writes("I was in a crash")
    olga.accepts(name)
    olga.sees("I was in a crash")
    olga.says("Are you hurt?")
    vera.sees("Are you hurt?")
    log = vera.chat.one("log", "Conversation")
    assert (session.role(log), session.label(log)) == ("log", "Conversation")
    vera.chat.fills("Message", "half a thought")
    vera.reloads()
    vera.sees("Are you hurt?")
    until(lambda: vera.chat.value("Message") == "half a thought", "what she was writing is there")
    assert vera.chat.run("return document.body.innerText.includes('keeps no history')") is False
    tab = vera.in_a_new_tab()
    tab.visits(f"{SHOP}/strict")
    tab.opens_chat()
    tab.sees("Are you hurt?")
    tab.chat.fills("Message", "")
    tab.writes("from the new tab")
    olga.sees("from the new tab")
    vera.sees("from the new tab")
    assert olga.running.complaints() == []


def test_what_vera_writes_while_the_server_is_away_is_sent_once(
    olga: Desk, new_visitor: Visitors, abroad: Shop
) -> None:
    """V-1: the outbox waits, a new server is found, nothing is lost or doubled."""
    vera = new_visitor(may_complain=True)
    name = f"Vera Away {olga.running.version}"
    in_the_chat(vera, name, "/")
    vera.writes("before")
    olga.accepts(name)
    abroad.server.kill()
    vera.writes("while it is away")
    vera.writes("and still")
    vera.chat.tells("No connection")
    abroad.server.start()
    olga.sees("and still")
    olga.says("now I read you")
    vera.sees("now I read you")
    assert abroad.texts_of(name) == ["before", "while it is away", "and still"]


def test_where_no_socket_gets_through_they_talk_all_the_same(
    olga: Desk, new_visitor: Visitors, abroad: Shop
) -> None:
    """R-006: by plain requests, found without being told; a reload keeps the chat."""
    name = f"Vera Walled {olga.running.version}"
    abroad.front.sockets = False
    try:
        vera = new_visitor(may_complain=True)
        in_the_chat(vera, name)
        vera.writes("by plain requests")
        olga.accepts(name)
        olga.says("as good as any")
        vera.sees("as good as any")
        vera.reloads()
        vera.sees("as good as any")
        vera.ends_chat()
        olga.page.tells("This chat has ended")
    finally:
        abroad.front.sockets = True


def test_after_the_chat_vera_answers_the_questions_of_the_firm(
    olga: Desk, vera: Visitor, abroad: Shop
) -> None:
    """R-040: the form comes by itself in the place of the conversation, and its answer is stored once."""
    name, words = f"Vera Asked {olga.running.version}", f"More tea, {olga.running.version}"
    in_the_chat(vera, name)
    olga.accepts(name)
    olga.ends()
    form = vera.chat.one("form", "How was your chat?")
    vera.chat.presses("radio", "5, Very good", form)
    vera.chat.fills("What could be better?", words)
    vera.chat.presses("button", "Send", form)
    vera.chat.tells("Thank you for your answers.")


def test_the_chat_in_the_middle_of_a_page_and_on_a_page_of_its_own(
    olga: Desk, vera: Visitor, abroad: Shop
) -> None:
    """Issue 4 A: under a strict policy, as large as its place; and by a link, without a website."""
    script = (
        f'<script async nonce="n" src="{CHAT}/widget/v1/loader.js" data-site="{abroad.key}"'
        ' data-inline="#chatlead"></script>'
    )
    style = '<style nonce="n">#chatlead { width: 420px; height: 600px }</style>'
    abroad.host.pages["/contact"] = HostPage(
        f'<!doctype html><title>Shop</title><link rel="icon" href="data:,">{style}{script}'
        '<div id="chatlead"></div>',
        {"Content-Security-Policy": STRICT.format(url=CHAT)},
    )
    name = f"Vera Inline {olga.running.version}"
    vera.visits(f"{SHOP}/contact")
    vera.chat.one("button", "Start chat")
    assert vera.page.all("button", "Chat with us") == []
    frame = vera.page.one("iframe", "Chat")
    box = "const {width, height} = arguments[0].getBoundingClientRect(); return [width, height]"
    assert vera.page.run(box, {ELEMENT: frame}) == [420, 600]
    vera.starts(name)
    olga.accepts(name)
    olga.says("in its place")
    vera.sees("in its place")
    vera.visits(f"{CHAT}/chat/{abroad.key}/")
    own = vera.page
    own.fills("Name", f"{name} too")
    own.presses("button", "Start chat")
    own.one("log", "Conversation")
    assert own.run("return document.documentElement.scrollWidth - innerWidth") <= 0
    olga.accepts(f"{name} too")
    olga.says("by a link")
    own.says_once("by a link", own.one("log", "Conversation"))
    vera.reloads()
    own.says_once("by a link", own.one("log", "Conversation"))


def test_in_the_dark_and_from_the_right(new_visitor: Visitors, olga: Desk) -> None:
    """R-007: the engine's own scheme and language are taken, and nothing of the chat is outside its frame."""
    names = NAMES["ar"]
    vera = new_visitor(dark=True, language="ar")
    vera.visits(f"{SHOP}/strict")
    vera.page.presses("button", names.launcher)
    chat = View(vera.running, vera.tab, chat=names.chat)
    chat.fills(names.name, f"Vera Dark {olga.running.version}")
    chat.presses("button", names.start)
    chat.one("log", names.conversation)
    ink, paper = chat.run(
        "const style = getComputedStyle(document.body);"
        "const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);"
        "return [light(style.color), light(style.backgroundColor)]"
    )
    assert paper < 200 < 500 < ink
    assert chat.run("return getComputedStyle(document.body).direction") == "rtl"
    assert chat.run("return document.documentElement.scrollWidth - innerWidth") <= 0
