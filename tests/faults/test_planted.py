"""The checker finds what it is for: faults built in on purpose are caught, each by its rule (V-5).

The faults live in tests/faults/planted.py and in no product code; here they are switched on in a server that
is otherwise the real one.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import nemeses
from tests.faults.checker.check import check, healed
from tests.faults.checker.generator import Crowd, Pace
from tests.faults.checker.history import History
from tests.faults.checker.shortest import told
from tests.faults.checker.stage import HEAL_SECONDS, Nemesis, Stage, embedded, heal, play
from tests.servers import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

SEED = 20
SECONDS = 2.0
PAGE_ROWS = 100
BACK_SECONDS = 7.0  # until a coming is noted: a backoff and a sixth of a lease
TRIES = 3  # a fault that shows by chance gets some chances
PATIENCE = 3.5  # nothing heals here: it is not waited for as long as for the real one

UNCONSTRAINED = """
import django; django.setup()
from django.db import connection
from chats.models import Message
kept = [each for each in Message._meta.constraints if "ref" not in getattr(each, "fields", ())]
assert len(kept) < len(Message._meta.constraints)
Message._meta.constraints = kept
connection.disable_constraint_checking()
with connection.schema_editor() as editor:
    editor._remake_table(Message)
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with embedded(tmp_path_factory.mktemp("planted")) as stage:
        yield stage


def drop_constraint(stage: Stage) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNCONSTRAINED], cwd=ROOT, env=stage.server.environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    stage.order(bugs=["double_ref"])


def faults_of(stage: Stage, rule: str, nemesis: Nemesis | None, patience: float = PATIENCE) -> History:
    """Play until the checker finds a fault of this rule. Fails when it never does."""
    seen: set[str] = set()
    for number in range(TRIES):
        seed = SEED + number
        history = asyncio.run(play(stage, nemesis, seed=seed, seconds=SECONDS, heal_seconds=patience))
        found = check(history)
        fault = next((each for each in found if each.rule == rule), None)
        if fault is not None:
            story = told(history, fault, seed)
            assert f"seed {seed}" in story
            assert len(story.splitlines()) < 30, story
            return history
        seen |= {each.rule for each in found}
    pytest.fail(f"the planted fault was not found as {rule}; only {seen or 'nothing'}")


def test_without_a_planted_fault_there_is_none(stage: Stage) -> None:
    """V-5: what is caught below is the planted fault, and not the planting."""
    stage.order()
    history = asyncio.run(play(stage, nemeses.cut_lines, seed=SEED, seconds=SECONDS))
    assert check(history) == []


def test_a_chat_that_is_longer_than_a_welcome_is_no_fault(stage: Stage) -> None:
    """R-121: a welcome holds its last hundred rows, and who was there has all of them."""

    async def look() -> History:
        crowd = Crowd(stage.cast, stage.urls, seed=SEED, pace=Pace(visitors=1))
        try:
            await crowd.open()
            vera = crowd.visitors[0]
            chat = await vera.start_chat(name="acme/vera", text="acme/hello", department="intake")
            for number in range(PAGE_ROWS):
                await vera.say(chat, f"acme/{number}")
            await heal(crowd, HEAL_SECONDS)
            return crowd.history
        finally:
            await crowd.leave()

    stage.order()
    history = asyncio.run(look())
    assert list(healed(history)) == []
    assert any(len(chat["rows"]) > PAGE_ROWS for each in history.screens for chat in chats_on(each.fresh))


def chats_on(screen: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a visitor or of an operator."""
    return [*(screen.get("chat") or {}).values(), *screen.get("chats", {}).values()]


def test_an_ack_before_the_commit_is_caught(stage: Stage) -> None:
    """V-6: the process is killed while what it has acknowledged is only in its memory."""

    async def kill_often(stage: Stage, crowd: Crowd) -> None:
        for _ in range(3):
            await asyncio.sleep(0.4)
            await nemeses.kill_all(stage, crowd)

    stage.order(bugs=["ack_first"])
    faults_of(stage, "lost", kill_often)


def test_a_dropped_resume_is_caught(stage: Stage) -> None:
    """V-3: who has missed something asks for it, and is told that there was nothing."""

    async def lose_hints(stage: Stage, crowd: Crowd) -> None:
        stage.order(drop=0.5, bugs=["deaf_resume"])
        await asyncio.sleep(SECONDS)
        stage.order(bugs=["deaf_resume"])

    faults_of(stage, "unhealed", lose_hints)


def test_a_lost_event_of_the_waiting_list_is_caught(stage: Stage) -> None:
    """V-3: with no positions to heal it, an operator misses a visitor who waits."""
    stage.order(bugs=["lost_waiting"])
    history = faults_of(stage, "unhealed", None)
    assert any(fault.about[1] == "chats" for fault in check(history) if fault.rule == "unhealed")


@pytest.mark.parametrize("bug", ["", "lost_presence"])
def test_a_lost_coming_is_caught_and_heals_by_the_positions(stage: Stage, bug: str) -> None:
    """V-14, R-121: vera left, as olga knows, and that she is back nobody hears."""

    async def look() -> History:
        stage.order()  # whatever was planted before
        crowd = Crowd(stage.cast, stage.urls, seed=SEED, pace=Pace(visitors=1))
        try:
            await crowd.open()
            vera = crowd.visitors[0]
            chat = await vera.start_chat(name="acme/vera", department="intake")
            olga = crowd.consoles[0]
            seen = await asyncio.wait_for(olga.listed(chat.uid), PATIENCE)
            vera.link.send({"type": "leave_page"})
            async with asyncio.timeout(PATIENCE):
                while seen.presence != "left":  # noqa: ASYNC110 - the client's own
                    await asyncio.sleep(0.02)
            stage.order(bugs=["lost_presence"])
            vera.link.cut()
            await asyncio.sleep(BACK_SECONDS)
            assert seen.presence == "left"
            stage.order(bugs=[bug])
            await heal(crowd, PATIENCE if bug else HEAL_SECONDS)
            return crowd.history
        finally:
            await crowd.leave()

    found = list(healed(asyncio.run(look())))
    assert {fault.about[-1] for fault in found} == ({"visitor"} if bug else set())


def test_a_note_that_a_visitor_hears_is_caught(stage: Stage) -> None:
    """design §3."""
    stage.order(bugs=["note_leak"])
    faults_of(stage, "note", None, patience=0.0)


def test_an_event_of_another_tenant_is_caught(stage: Stage) -> None:
    """R-112."""
    stage.order(bugs=["foreign"])
    faults_of(stage, "foreign", None, patience=0.0)


def test_a_doubled_ref_is_caught(tmp_path: Path) -> None:
    """V-1: the same `ref` over two lines, in a server that does not look and a table that does not forbid."""
    with embedded(tmp_path, before=drop_constraint) as stage:
        faults_of(stage, "doubled", nemeses.cut_lines, patience=0.0)
