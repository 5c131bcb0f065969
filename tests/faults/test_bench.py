"""The benches themselves, with tiny numbers: they measure the real server to the end. Nothing is timed."""

from __future__ import annotations

import os
from typing import Any

import pytest

from bench import __main__ as entry
from bench import connect, growth, idle, latency

LINES = {
    "connect": lambda: connect.run(["sqlite"], size=20, sample=6, rounds=1),
    "latency": lambda: latency.run(["sqlite"], size=20, chats=3, seconds=0.5, rounds=1),
    "idle": lambda: idle.run(["sqlite"], size=20, seconds=0.6, frames=4),
    "growth": lambda: growth.run(["sqlite"], size=600, few=40, seconds=0.5, rounds=1, sample=4),
}
FURTHER = {
    "connect": {"seconds", "page_ratio"},
    "latency": {"p99_ratio", "idle_ratio"},
    "idle": {"cpu_percent"},
    "growth": {"latency_ratio", "messages"},
}


LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS") or 0)
SHORT = ["connect"]  # the others take half a minute each


@pytest.mark.parametrize("name", LINES if LONG else SHORT)
def test_a_bench_prints_what_the_contract_names(name: str) -> None:
    """R-035: a figure counts only with its floor from the same run."""
    (line,) = LINES[name]()
    assert line["bench"] == f"{name}:sqlite"
    assert {"unit", "value", "floor", "ratio"} | FURTHER[name] <= line.keys()
    if name != "idle":  # so few sockets find memory that others have left
        assert line["value"] > 0 and line["floor"] > 0
    sizes: dict[str, tuple[str, Any]] = {
        "connect": ("back", 20),
        "latency": ("idle_sockets", 20),
        "idle": ("sockets", 20),
        "growth": ("messages", 601),
    }
    field, expected = sizes[name]
    assert line[field] == expected


def test_an_unknown_bench_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the pen runs nothing."""
    assert entry.main(["latency:mysql"]) == 2
    assert entry.main(["start=5"]) == 2
    assert entry.main(["console:postgres"]) == 2
    assert "latency:mysql" in capsys.readouterr().err
