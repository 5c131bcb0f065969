"""The server dies in the middle of its work and comes back (V-1, trials D)."""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.servers import Server

pytestmark = pytest.mark.faults


def status(server: Server, path: str) -> int:
    """Status of a fresh request; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(server.url + path, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def test_a_killed_server_comes_back_at_its_address_with_its_data(tmp_path: Path) -> None:
    """V-1: kill -9, then the same address, the same key, the same demo password."""
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"]) as server:
        assert status(server, "/healthz") == 200
        kept = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in ("", ".txt")}
        assert kept
        server.kill()
        assert status(server, "/healthz") == 0
        server.start()
        assert status(server, "/readyz") == 200
        assert {name: (tmp_path / name).read_bytes() for name in kept} == kept


def test_a_server_that_is_asked_to_end_ends_cleanly(tmp_path: Path) -> None:
    """contract.md: ends cleanly on SIGTERM (with 0), says nothing of an error."""
    with Server(data_dir=tmp_path, options=["--migrate"]) as server:
        (code,) = server.stop()
        assert code == 0
        assert "Traceback" not in server.log()
        with pytest.raises(ConnectionRefusedError), contextlib.closing(socket.socket()) as link:
            link.connect(("127.0.0.1", server.port))


def test_the_other_web_process_answers_while_one_is_dead(tmp_path: Path) -> None:
    """V-1: two web processes on PostgreSQL and Redis, one killed -9: nobody is refused."""
    with Server(
        data_dir=tmp_path,
        database_url=os.environ["DATABASE_URL"],
        redis_url=os.environ["REDIS_URL"],
        processes=2,
        options=["--migrate"],
    ) as server:
        assert len(server.pids()) == 2
        server.kill(0)
        assert [status(server, "/readyz") for _ in range(20)] == [200] * 20
        server.start(0)
        assert len(server.pids()) == 2
        assert [status(server, "/readyz") for _ in range(20)] == [200] * 20
        assert server.stop() == [0, 0]
