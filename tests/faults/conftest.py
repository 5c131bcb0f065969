"""Which tests of faults are part of the whole suite, that has 20 minutes for everything."""

from __future__ import annotations

import os

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
