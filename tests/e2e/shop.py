"""https://www.shop.test, whose pages hold the snippet of https://chat.example: two domains over TLS."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import BrowserContext

from tests.e2e.front import Front
from tests.e2e.hosts import STRICT, Host, HostPage
from tests.e2e.people import PASSWORD, Visitor
from tests.servers import Server

CHAT, SHOP = "https://chat.example", "https://www.shop.test"
# for the pages of a browser whose clock is wrong by SKEW milliseconds
WRONG_CLOCK = """(() => {
  const Real = Date, now = () => Real.now() + SKEW;
  globalThis.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(now()); }
    static now() { return now(); }
  };
})()"""
# for an element: whatever it says from now on, however short, is in `window.noted`
NOTES = """element => {
  window.noted = [];
  const note = () => element.textContent && window.noted.push(element.textContent);
  new MutationObserver(note).observe(element, {subtree: true, childList: true, characterData: true});
  note();
}"""
SETTINGS = {
    "CHATLEAD_DEMO_PASSWORD": PASSWORD,
    "CHATLEAD_TRUSTED_PROXIES": "127.0.0.1/32",
    "ALLOWED_HOSTS": "chat.example,127.0.0.1",
}


class Shop(NamedTuple):
    """The server behind its proxy, the line between it and all, and the shop with the key of its site."""

    server: Server
    front: Front
    host: Host
    key: str

    def query(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        return _query(self.server.data_dir, statement, *values)

    def texts_of(self, name: str) -> list[str]:
        """What a visitor wrote, in the order of the log, over all her chats."""
        found = self.query(
            "SELECT m.text FROM chats_message m JOIN chats_chat c ON c.id = m.chat_id"
            " JOIN visitors_visitor v ON v.id = c.visitor_id"
            " WHERE v.name = ? AND m.kind = 'text' AND m.author = 'visitor' ORDER BY c.id, m.seq",
            name,
        )
        return [text for (text,) in found]

    def chats_of(self, name: str) -> int:
        found = self.query(
            "SELECT count(*) FROM chats_chat c JOIN visitors_visitor v ON v.id = c.visitor_id"
            " WHERE v.name = ?",
            name,
        )
        return int(found[0][0])


@contextlib.contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """`/` is a plain page; `/live` says that it has allowed sockets; `/strict` is under a policy that forbids
    all it can."""
    with Server(data_dir=folder, options=["--migrate", "--demo"], env=SETTINGS) as server:
        _query(
            folder,
            "UPDATE accounts_site SET allowed_domains = ? WHERE name = 'Harbor & Lane'",
            json.dumps(["www.shop.test", "127.0.0.1"]),
        )
        ((key,),) = _query(folder, "SELECT key FROM accounts_site WHERE name = 'Harbor & Lane'")
        snippet = f'<script async src="{CHAT}/widget/v1/loader.js" data-site="{key}" nonce="n"></script>'
        html = (
            "<!doctype html><html><head><title>Shop</title>"
            '<meta name="viewport" content="width=device-width">'
            f'<link rel="icon" href="data:,">{snippet}</head>'
            '<body><h1>Shop</h1><input aria-label="Search"></body></html>'
        )
        with Host() as host, Front({"chat.example": server.port, "www.shop.test": host.port}) as front:
            host.pages["/"] = HostPage(html)
            host.pages["/live"] = HostPage(html.replace(' nonce="n"', ' nonce="n" data-live'))
            host.pages["/strict"] = HostPage(html, {"Content-Security-Policy": STRICT.format(url=CHAT)})
            yield Shop(server, front, host, key)
        server.kill()  # nobody looks at how it ends


def at_the_shop(context: BrowserContext, path: str = "/") -> Visitor:
    visitor = Visitor(context.new_page(), SHOP)
    visitor.visits(path)
    return visitor


def starts(visitor: Visitor, name: str, email: str = "") -> None:
    """From the page to a chat that waits."""
    visitor.opens_chat()
    visitor.frame.get_by_role("textbox", name="Name").fill(name)
    if email:
        visitor.frame.get_by_role("textbox", name="Email").fill(email)
    visitor.frame.get_by_role("button", name="Start chat").click()
    visitor.is_in_the_chat()


def kept(visitor: Visitor) -> str:
    """What her tab keeps of the chat, as JSON."""
    return str(visitor.frame.locator("body").evaluate("() => JSON.stringify({...sessionStorage})"))


def _query(folder: Path, statement: str, *values: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "db.sqlite3", timeout=20)) as database, database:
        return database.execute(statement, values).fetchall()
