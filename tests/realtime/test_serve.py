"""`manage.py serve` from the outside, and the TypeScript file that `export_protocol` keeps."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from chatlead.management.commands import export_protocol
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.commands import OPERATOR, VISITOR
from chatlead.realtime.events import EVENTS
from chatlead.realtime.replies import REPLIES
from tests.realtime.kit import closing, dial
from tests.servers import ROOT, Server

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_and_tells_its_sockets(data: Path, how: signal.Signals) -> None:
    """Contract: ends cleanly on Ctrl-C and SIGTERM; no traceback, exit code 0."""
    with Server(data_dir=data, options=["--migrate", "--workers-off"]) as server:
        async with dial(f"ws{server.url[4:]}/ws/v1/visitor") as ws:
            (process,) = [one for one in server.processes if one is not None]
            process.send_signal(how)
            assert await closing(ws, 10) == (CloseCode.RESTART, "restart")
        assert process.wait(10) == 0
        assert "Traceback" not in server.log()


async def test_the_worker_inside_ends_with_it(data: Path) -> None:
    with Server(data_dir=data, options=["--migrate"]) as server:
        assert server.stop() == [0]
        assert "Traceback" not in server.log()


async def test_an_address_that_is_none_of_ours_is_told_so(data: Path) -> None:
    with Server(data_dir=data, options=["--migrate", "--workers-off"]) as server:
        for path in ("/ws/v1/admin", "/ws/v1/visitor/", "/"):
            async with dial(f"ws{server.url[4:]}{path}") as ws:
                assert await closing(ws) == (CloseCode.NOT_FOUND, "not_found")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "manage.py", "serve", "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == f"CommandError: 127.0.0.1:{port} cannot be served: Address already in use\n"


def test_a_stale_typescript_file_is_noticed_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export_protocol, "TARGET", tmp_path / "protocol.ts")
    for content in (None, "export const PROTOCOL = 0;\n"):
        if content is not None:
            (tmp_path / "protocol.ts").write_text(content)
        with pytest.raises(SystemExit) as end:
            call_command("export_protocol", "--check")
        assert end.value.code == 1
        assert "stale" in capsys.readouterr().err
    call_command("export_protocol")
    call_command("export_protocol", "--check")


def test_typescript_knows_every_class_and_code_of_the_wire() -> None:
    text = export_protocol.render()
    for cls in (*EVENTS, *REPLIES, *VISITOR, *OPERATOR):
        assert f"export interface {cls.__name__} {{\n  type: {json.dumps(cls.__struct_config__.tag)};" in text
        for field in cls.__struct_fields__:
            assert f"  {field}" in text
    for code in CloseCode:
        assert f"  {code.name}: {int(code)}," in text
    assert '  | "chat_already_taken"' in text
