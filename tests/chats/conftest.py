"""What tests of the journal share."""

from __future__ import annotations

import pytest

from tests.chats.journal_hands import Door


@pytest.fixture(params=["append", "submit"])
def door(request: pytest.FixtureRequest) -> Door:
    return "append" if request.param == "append" else "submit"
