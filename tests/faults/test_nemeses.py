"""People talk while things break; what they saw is judged by tests/faults/checker/check.py (V-5, R-121).

`dev.py test faults` runs each nemesis for some seconds, `--long N` divides N seconds over all of them. Every
run is made by a seed; CHATLEAD_FAULTS_SEED repeats one.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.checker import nemeses
from tests.faults.checker.stage import (
    ENOUGH_MESSAGES,
    HEAL_SECONDS,
    Nemesis,
    Stage,
    embedded,
    play,
    served,
    verdict,
    wired,
)
from tests.faults.checker.wire import missing

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS") or 0)
QUICK = bool(os.environ.get("CHATLEAD_FAULTS_QUICK"))
# the whole suite says the same of the same code; who looks for faults takes other seeds
SEED = int(os.environ.get("CHATLEAD_FAULTS_SEED") or (7 if QUICK else 0))
# a short run plays what both stacks share on one of them
SHARED = nemeses.ANYWHERE if LONG else (nemeses.freeze, nemeses.lose_hints)
RUNS = len(nemeses.ANYWHERE) + len(SHARED) + len(nemeses.WITH_SERVICES) + len(nemeses.BY_WIRE)
SECONDS = 1.5
ROUND_SECONDS = 20.0  # a long run is many histories: one would take ever longer to judge


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with embedded(tmp_path_factory.mktemp("sqlite")) as stage:
        yield stage


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with served(tmp_path_factory.mktemp("postgres")) as stage:
        yield stage


@pytest.fixture(scope="module")
def by_wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if reason := missing():
        pytest.skip(reason)
    with wired(tmp_path_factory.mktemp("wire")) as stage:
        yield stage


def rounds() -> Iterator[tuple[int, float, float]]:
    """(seed, seconds, share of pollers) of each history: a short one, or as many as fill this nemesis' share
    of a long run. Half the histories are of sockets alone, in the others half the people poll."""
    share = LONG / RUNS
    first = SEED or int.from_bytes(os.urandom(3))
    for number in range(max(1, round(share / ROUND_SECONDS))):
        seed = first + number
        yield seed, min(max(share, SECONDS), ROUND_SECONDS), 0.5 if seed % 2 else 0.0


def suffer(stage: Stage, nemesis: Nemesis) -> None:
    for seed, seconds, polls in rounds():
        history = asyncio.run(play(stage, nemesis, seed=seed, seconds=seconds, polls=polls))
        found = verdict(history, seed)
        assert not found, f"{nemesis.__name__}, seed {seed}\n{found}"
        answers = Counter((act.what, act.outcome, act.code) for act in history.acts)
        assert history.messages() >= ENOUGH_MESSAGES, f"seed {seed}: too little was said, {answers}"
        seconds, wrong = history.still_wrong
        assert seconds <= HEAL_SECONDS, f"{nemesis.__name__}, seed {seed}: healed only then, {wrong}"


@pytest.mark.parametrize("nemesis", nemeses.ANYWHERE, ids=lambda nemesis: nemesis.__name__)
def test_one_process_on_sqlite_keeps_its_promises(on_sqlite: Stage, nemesis: Nemesis) -> None:
    """V-5, R-121, R-035: nothing lost, nothing twice, one order, nothing of strangers, and all heals."""
    suffer(on_sqlite, nemesis)


@pytest.mark.parametrize("nemesis", (*SHARED, *nemeses.WITH_SERVICES), ids=lambda nemesis: nemesis.__name__)
def test_two_processes_on_postgresql_keep_their_promises(on_postgres: Stage, nemesis: Nemesis) -> None:
    """V-5, V-6, V-15, R-121, R-035: the same with services that restart, forget, vanish and are killed."""
    suffer(on_postgres, nemesis)


@pytest.mark.parametrize("nemesis", nemeses.BY_WIRE, ids=lambda nemesis: nemesis.__name__)
def test_processes_on_a_bad_network_keep_their_promises(by_wire: Stage, nemesis: Nemesis) -> None:
    """V-5, R-121: packets late, lost and cut in one direction, between clients, servers and services."""
    suffer(by_wire, nemesis)
