"""A demo behind TLS, a shop on another domain, and the people in each engine that is installed here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.shop import CHAT, Shop, shop
from tests.engines.engines import ENGINES, Engine, Running, Wish
from tests.engines.people import Desk, Visitor
from tests.engines.tunnel import Tunnel
from tests.machine import absent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/engines/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("engines")) as running:
        yield running


@pytest.fixture(scope="session")
def tunnel(abroad: Shop) -> Iterator[Tunnel]:
    with Tunnel(dict.fromkeys(abroad.front.routes, abroad.front.port)) as running:
        yield running


@pytest.fixture(scope="module", params=[*ENGINES.values()], ids=[*ENGINES])
def engine(request: pytest.FixtureRequest) -> type[Engine]:
    found: type[Engine] = request.param
    if missing := absent(found.needs):
        pytest.skip(f"not installed: {' '.join(missing)}")
    return found


@pytest.fixture(scope="module")
def olga(engine: type[Engine], tunnel: Tunnel) -> Iterator[Desk]:
    """At her console, in the same engine, online."""
    with engine.started(Wish(tunnel.address)) as running:
        operator = Desk(running, CHAT, "olga@demo.test")
        operator.logs_in()
        operator.is_online()
        yield operator


@pytest.fixture
def new_visitor(engine: type[Engine], tunnel: Tunnel) -> Iterator[Callable[..., Visitor]]:
    """Somebody with a browser of her own (see Wish). What its pages complain of fails the test, unless the
    line is cut in it (`may_complain`)."""
    with contextlib.ExitStack() as stack:
        came: list[Running] = []

        def make(*, may_complain: bool = False, language: str = "en-US", dark: bool = False) -> Visitor:
            running = stack.enter_context(engine.started(Wish(tunnel.address, language, dark)))
            if not may_complain:
                came.append(running)
            return Visitor(running)

        yield make
        assert [each.complaints() for each in came] == [[] for _ in came]


@pytest.fixture
def vera(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor()
