"""What tests of the journal and of the archive share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Department, Operator, Site
from chats import archive
from chats.models import RetentionLimit
from tests.chats.ended import CANARY, Ended, talk
from tests.chats.journal_hands import Door
from visitors.sessions import VisitorPrincipal


@pytest.fixture(params=["append", "submit"])
def door(request: pytest.FixtureRequest) -> Door:
    return "append" if request.param == "append" else "submit"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of this test, and a key beside it that is made at first need."""
    settings.ARCHIVE_STORE = (tmp_path / "store").as_uri()
    settings.ARCHIVE_IDENTITY_FILE = tmp_path / "identity"
    monkeypatch.setattr(archive, "_resting_until", 0.0)
    return tmp_path / "store"


@pytest.fixture
def limit(site: Site) -> RetentionLimit:
    """Chats of acme's site are kept for a month."""
    return RetentionLimit.objects.create(account=site.account, site=site, days=30)


@pytest.fixture
def old(folder: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Ended:
    """Vera's chat with olga of 40 days ago."""
    return talk(vera, intake, principal_of(olga), CANARY, "on Monday", "We can help", hours=40 * 24)
