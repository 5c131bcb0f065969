"""Dialogues without a single socket, over lines that are cut again and again (R-006, V-1, V-3)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bench.replay import Replay
from tests.faults.test_replay import PASSWORD, made_up
from tests.servers import Server

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("stack", "share"),
    [("sqlite", 1.0), ("postgres", 0.5)],
    ids=["everybody polls, SQLite", "half of them poll, PostgreSQL"],
)
async def test_polled_dialogues_lose_nothing_and_double_nothing(
    tmp_path: Path, stack: str, share: float
) -> None:
    """A lost answer is asked for again under the same ref; what was missed is read from the database."""
    where: dict[str, Any] = {}
    if stack == "postgres":
        redis = os.environ["REDIS_URL"]
        where = {"database_url": os.environ["DATABASE_URL"], "redis_url": redis, "processes": 2}
    env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD}
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=env, **where) as server:
        replay = Replay([server.url], password=PASSWORD, chats=6, cut=3.0, polls=share, patience=40.0)
        report = await replay.run(made_up(number) for number in range(12))
        assert replay.tally.faults == []
        assert replay.tally.kept_promise
        assert (report["dialogues"], report["cuts"] > 0) == (12, True)
        assert "Traceback" not in server.log()
