"""What a failing test tells of the servers that ran around it (tests/witness.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.once

# A server of the whole file, one that ended before the test in question, and one that the test starts itself.
FAILING = """
import pytest
from tests.servers import Server

@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lasting")
    with Server(data_dir=folder, options=["--migrate", "--workers-off"]) as server:
        yield server
        server.kill()

def test_that_passes(lasting, tmp_path):
    with Server(data_dir=tmp_path / "over", options=["--migrate", "--workers-off"]) as server:
        server.kill()

def test_that_fails(lasting, tmp_path):
    with Server(data_dir=tmp_path / "own", options=["--migrate", "--workers-off"]) as server:
        server.kill()
    assert False, "as it should"

def test_that_passes_too():
    pass
"""


def test_of_every_server_that_ran_during_it_the_end_of_the_log_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "test_inner.py"
    file.write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, f"--rootdir={tmp_path}"]
    plugins = ["-p", "tests.witness", "-p", "no:django", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *plugins, f"--basetemp={tmp_path / 'files'}", str(file)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "lasting0/server-0.log" in done.stdout
    own = done.stdout.index("the end of own/server-0.log")
    assert "ChatLead is ready" in done.stdout[own:]
    assert "over/server-0.log" not in done.stdout
