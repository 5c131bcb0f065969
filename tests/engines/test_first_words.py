"""The quick one: in each engine a chat begins. The whole suite asks for no more than this."""

from __future__ import annotations

from tests.e2e.exchange import Exchange
from tests.e2e.shop import SHOP, Shop
from tests.engines.people import Visitor, until


def test_vera_opens_the_chat_in_a_strict_page_and_what_she_writes_arrives(
    vera: Visitor, abroad: Shop
) -> None:
    """R-003, B2-19: nothing in her console, one launcher, and the server has her words."""
    name = f"Vera {vera.running.version}"
    with Exchange(abroad.server.url, abroad.key, {}) as exchange:
        exchange.staff("olga").is_online()
        vera.visits(f"{SHOP}/strict")
        vera.opens_chat()
        vera.starts(name)
        vera.writes("Hello?")
        until(lambda: abroad.texts_of(name) == ["Hello?"], "the server has it")
