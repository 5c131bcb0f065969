"""The world of the scenes, the browsers' own reducers to hold it against, and vera with her cookie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import Operator, Site
from tests.conftest import visitor_on
from tests.realtime.reducers import Reducers
from tests.realtime.scenes import World
from visitors.sessions import VisitorPrincipal, new_token, session_key_of


@pytest.fixture(scope="module")
def reducers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reducers]:
    found = Reducers(tmp_path_factory.mktemp("reducers"))
    yield found
    found.close()


@pytest.fixture
def world(everybody: SimpleNamespace, principal_of: Callable[[Operator], Any]) -> World:
    return World(everybody, principal_of)


@pytest.fixture
def token() -> str:
    return new_token()


@pytest.fixture
def vera(site: Site, token: str) -> VisitorPrincipal:
    """Vera, whose cookie we know."""
    return visitor_on(site, session_key=session_key_of(site.key, token))
