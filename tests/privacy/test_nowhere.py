"""Whoever was erased is nowhere: in no table, no file, no key of Redis, and in none after yesterday's backup
was restored (R-175, R-176, B2-6). The neighbour is where they were."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.privacy.planting import CANARIES, KEPT
from tests.vault.copies import Installation

HERE = "from tests.privacy.planting import *; "
REDIS_DATABASE = 15  # of the run's Redis: its own are the first ones


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "firm")
    made.env["CHATLEAD_SMS_HASH_KEY"] = "of this test"
    if redis := os.environ.get("REDIS_URL"):
        made.env["REDIS_URL"] = f"{redis.rpartition('/')[0]}/{REDIS_DATABASE}"
        made.env["CHATLEAD_REDIS_PREFIX"] = made.at.parent.name
        made.env["CHATLEAD_BROKER_URL"] = made.env["REDIS_URL"]
    yield made
    made.drop()


def asked(firm: Installation, program: str) -> Any:
    """What the program says; and nothing that it logs on its way names anybody (R-098)."""
    done = firm.run("shell", "-v", "0", "-c", HERE + program)
    assert done.returncode == 0, done.stdout + done.stderr
    logged = done.stderr + "".join(done.stdout.splitlines(keepends=True)[:-1])
    assert not any(canary in logged for known in CANARIES.values() for canary in known), logged
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_nothing_of_vera_is_anywhere_nor_after_a_restore(firm: Installation, tmp_path: Path) -> None:
    """R-175, R-176, B2-6: a canary in every personal column of the registry, in the archive, in the copy that
    was made; after the erasure in none, and in none after the backup of the day before."""
    firm.manage("migrate", "-v", "0")
    asked(firm, "say(plant())")
    before = {name: asked(firm, f"say(planted({name!r}))") for name in CANARIES}
    assert before["vera"] == before["nick"]
    assert before["vera"]["missing"] == [], "a personal column in which no test plants a canary"
    assert set(before["vera"]["kept"]) == KEPT
    assert "the archive" in before["vera"]["there"]
    firm.manage("backup")

    certificate = asked(firm, "say(erase('vera'))")
    assert not any(each["left"] for each in certificate["kinds"])
    assert sum(each["found"] for each in certificate["kinds"]) > 10
    assert asked(firm, "say(left('vera'))") == []
    mailed = {"chats.TranscriptRequest.email", "chats.TranscriptRequest.zone"}  # meanwhile, by the worker
    now = asked(firm, "say(planted('nick'))")
    assert {*now["there"]} == {*before["nick"]["there"]} - mailed and {*now["missing"]} == mailed

    new = Installation(tmp_path / "new", like=firm)
    new.env |= {name: value for name, value in firm.env.items() if "REDIS" in name or "BROKER" in name}
    new.env |= {
        "CHATLEAD_SMS_HASH_KEY": firm.env["CHATLEAD_SMS_HASH_KEY"],
        "CHATLEAD_ARCHIVE_STORE": f"file://{firm.at}/archive",
        "CHATLEAD_ARCHIVE_IDENTITY_FILE": f"{firm.at}/archive_identity",
    }
    try:
        said = new.manage("restore", "--newest")
        assert "people 1" in said and CANARIES["vera"][0] not in said
        assert asked(new, "say(left('vera'))") == []
        assert asked(new, "say(planted('nick'))") == before["nick"]
    finally:
        new.drop()
