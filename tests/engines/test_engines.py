"""Widget and console in an engine that is no Chromium: the chat of https://chat.example in https://www.shop.test."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.shop import SHOP, Shop
from tests.engines.people import Desk, Visitor, until
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
    [session_cookie] = [each for each in vera.running.jar() if each["name"] == "__Host-cl_s"]
    assert session_cookie["isPartitioned"] and session_cookie["isSession"] and session_cookie["isHttpOnly"]
    assert olga.running.complaints() == []


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
