"""dev.py says what its commands take, and refuses the rest before anything is installed or started."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import replay
from bench.asked import BENCHES
from tests.suite import PARTS

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
OWN_HELP = ("compare", "replay")  # programs of their own


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dev.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_help_names_every_command_and_each_command_has_help() -> None:
    """contract.md, Commands."""
    told = dev("--help")
    assert told.returncode == 0
    commands = re.findall(r"^    (\w+) ", told.stdout, re.MULTILINE)
    assert set(commands) >= {"run", "test", "bench", "replay", "shots", "assets", "compare"}
    for command in set(commands) - set(OWN_HELP):
        answer = dev(command, "--help")
        assert answer.returncode == 0
        assert f"usage: dev.py {command}" in answer.stdout
    assert all(f"  {name} " in dev("bench", "--help").stdout for name in BENCHES)
    assert ", ".join(PARTS) in dev("test", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "COMMAND"),
        ("nonsense", "nonsense"),
        ("run --port 0", "0"),
        ("run --port 99999", "99999"),
        ("run --port eight", "eight"),
        ("run --data README.md", "README.md is no folder"),
        ("test nonsense", "no such part: nonsense"),
        ("test faults --long soon", "soon"),
        ("bench nonsense", "no such bench: nonsense"),
        ("bench message:mysql", "message:mysql"),
        ("bench widget:sqlite", "widget:sqlite"),
        ("bench start=5", "start=5"),
        ("shots", "DIR"),
        ("shots README.md", "README.md is no folder"),
        ("assets now", "now"),
    ],
)
def test_a_slip_of_the_pen_is_named_and_runs_nothing(arguments: str, says: str) -> None:
    """Exit code 2, one sentence, no traceback."""
    answer = dev(*arguments.split())
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert says in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no demo to talk with"),  # nothing is wrong with it
        (b'{"id": "1", "turns": [["visitor", "hello"]]}\n{"x": 1}', "line 2 is no dialogue"),
        (b"words", "line 1 is no dialogue"),
        (b'{"id": "1", "turns": [["bot", "hello"]]}', "neither visitor nor operator"),
        (b"\x1f\x8b\x08", "Compressed file ended"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named_with_its_line(
    content: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is at port 1, so nothing is ever sent."""
    file = tmp_path / "dialogues.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        replay.main([str(file), "--server", "http://127.0.0.1:1"])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
