"""What the tests of files that outlive this machine share: stores of either kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import Installation
from chatlead.stores import Store, open_store
from tests.s3_server import S3Server


@pytest.fixture(params=["folder", "bucket"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, settings) -> str:
    """The address of an empty store, of each kind in turn."""
    if request.param == "folder":
        return f"file://{tmp_path}/kept"
    s3: S3Server = request.getfixturevalue("s3")
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = s3.keys
    return s3.url(tmp_path.name)


@pytest.fixture
def store(store_url: str) -> Store:
    return open_store(store_url)


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[bytes], Path]:
    def make(data: bytes) -> Path:
        path = tmp_path / "given"
        path.write_bytes(data)
        return path

    return make


@pytest.fixture
def vault(settings: Settings, tmp_path: Path, installation: Installation) -> Path:
    """Stores and keys of this test: a folder, and another one as if it were elsewhere."""
    settings.DATA_DIR = tmp_path / "data"
    settings.TOMBSTONES = f"file://{tmp_path}/tombstones"
    settings.ARCHIVE_STORE = f"file://{tmp_path}/archive"
    settings.ARCHIVE_IDENTITY_FILE = tmp_path / "archive_identity"
    settings.BACKUP_STORE = f"file://{tmp_path}/primary"
    settings.BACKUP_OFFSITE = f"file://{tmp_path}/offsite"
    return tmp_path
