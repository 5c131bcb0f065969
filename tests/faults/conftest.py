"""Which tests of faults are part of the whole suite, that has 20 minutes for everything."""

from __future__ import annotations

import os

import pytest

QUICK = (
    "test_checker.py",
    "test_nemeses.py",
    "test_replay.py",
    "test_restart.py",
    "test_without_redis.py",
)


def pytest_ignore_collect(collection_path: os.PathLike[str]) -> bool | None:
    """`dev.py test faults` runs all of them, `dev.py test` the quick ones (CHATLEAD_FAULTS_QUICK)."""
    name = os.path.basename(collection_path)
    if os.environ.get("CHATLEAD_FAULTS_QUICK") and name.startswith("test_") and name not in QUICK:
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the nemeses the whole suite runs those that one process on SQLite suffers."""
    if not os.environ.get("CHATLEAD_FAULTS_QUICK"):
        return
    wanted = "test_one_process_on_sqlite"
    slow = [item for item in items if item.path.name == "test_nemeses.py" and wanted not in item.name]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]
