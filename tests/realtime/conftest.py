"""The world of the scenes, and the browsers' own reducers to hold it against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import Operator
from tests.realtime.reducers import Reducers
from tests.realtime.scenes import World


@pytest.fixture(scope="module")
def reducers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reducers]:
    found = Reducers(tmp_path_factory.mktemp("reducers"))
    yield found
    found.close()


@pytest.fixture
def world(everybody: SimpleNamespace, principal_of: Callable[[Operator], Any]) -> World:
    return World(everybody, principal_of)
