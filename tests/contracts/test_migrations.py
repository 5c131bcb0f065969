"""A database is made by the server itself, from nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers import OURS, ROOT, lay_out

pytestmark = pytest.mark.once


def schema(folder: Path) -> list[tuple[str, ...]]:
    """What the tables, indexes and triggers of the database in a data folder are made of."""
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        return sorted(
            database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql NOT NULL")
        )


def test_what_the_tests_start_from_is_what_migrations_make(tmp_path: Path) -> None:
    """contract.md: `migrate` makes all from nothing; the servers of the tests begin with a copy."""
    env = {key: value for key, value in os.environ.items() if key not in OURS}
    env |= {"CHATLEAD_DATA_DIR": str(tmp_path / "new"), "CHATLEAD_ENV_FILE": os.devnull}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=env, check=True, timeout=120)
    lay_out(tmp_path / "copy")
    made = schema(tmp_path / "new")
    assert len(made) > 100
    assert schema(tmp_path / "copy") == made
