"""R-109: whatever people send, none of it stands in what the server writes down."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from chatlead.logs import Discreet
from chatlead.realtime import commands
from tests.identifiers import new_ref
from tests.security.test_bad_input import frame_for
from tests.servers import Server

WORD = "Zanzibar"  # in every field of everything
PASSWORD = f"{WORD} is her password"


@contextlib.contextmanager
def hello(
    server: Server, key: str, role: str, **cookies: str
) -> Iterator[tuple[ClientConnection, dict[str, Any]]]:
    """A browser's socket, and its welcome."""
    path = "operator" if role == "operator" else "visitor"
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in (cookies | {"x": WORD}).items())}
    said: dict[str, Any] = {"type": "hello", "protocol": 1}
    if role != "operator":
        asked = httpx.post(
            f"{server.url}/widget/v1/ticket",
            content=json.dumps({"site": key}),
            headers={"Origin": server.url},
        )
        said |= {"role": role, "site": key, "ticket": asked.json()["ticket"], "embedder": server.url}
        said |= {"browser": WORD * 3, "session": WORD, "page_url": f"{server.url}/{WORD}?{WORD}"}
    with connect(
        f"{server.url.replace('http', 'ws')}/ws/v1/{path}?q={WORD}",
        origin=Origin(server.url),
        additional_headers=headers,
        user_agent_header=WORD,
    ) as opened:
        opened.send(json.dumps(said))
        yield opened, json.loads(opened.recv(10))


def ask(opened: ClientConnection, **command: Any) -> dict[str, Any]:
    """The answer to a command."""
    opened.send(json.dumps(command | {"id": 7}, default=str))
    while True:
        frame: dict[str, Any] = json.loads(opened.recv(10))
        if frame.get("id") == 7:
            return frame


def browse(server: Server, client: httpx.Client) -> None:
    """Every kind of request that goes wrong, and some that go right."""
    for path in (
        "",
        "demo",
        "console",
        "widget/v1/site",
        "widget/v1",
        "static",
        "admin",
        "%0aERROR",
        "ws/v1",
    ):
        client.get(f"/{path}/{WORD}/?{WORD}={WORD}")
    client.get(f"/widget/v1/frame?site={WORD}&{WORD}")
    client.get("/", headers={"Host": f"{WORD}.test"})
    client.post("/widget/v1/ticket", content=WORD)
    client.post("/widget/v1/ticket", content=json.dumps({"site": WORD}))
    client.post(f"/console/login/{WORD}", data={WORD: WORD})
    httpx.post(f"{server.url}/console/login/?next={WORD}", data={"username": WORD, "password": WORD})


def log_in(client: httpx.Client, email: str, password: str) -> int:
    page = client.get("/console/login/").text
    token = re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page)[0]
    sent = {"username": email, "password": password, "csrfmiddlewaretoken": token}
    return client.post(f"/console/login/?next=/console/?{WORD}", data=sent).status_code


def talk(vera: ClientConnection, olga: ClientConnection, notice: str) -> None:
    """A message that is left, a chat, a note, and every command with the word in each of its texts."""
    told = {"email": f"{WORD}@post.test", "name": WORD, "text": WORD, "notice": notice}
    assert ask(vera, type="leave_message", ref=new_ref(), **told)["type"] == "done"
    assert ask(olga, type="set_availability", online=True)["type"] == "done"
    fields = {"name": WORD, "email": f"{WORD}@post.test"}
    chat = ask(vera, type="start_chat", ref=new_ref(), fields=fields, notice=notice, text=WORD)["chat"]["uid"]
    assert ask(olga, type="accept_chat", chat=chat)["type"] == "done"
    assert ask(olga, type="add_note", chat=chat, ref=new_ref(), text=WORD)["type"] == "ack"
    for opened, kinds in ((vera, commands.VISITOR), (olga, commands.OPERATOR)):
        opened.send(WORD)
        opened.send(WORD.encode() + b"\xff")
        for kind in kinds[1:]:
            good = frame_for(kind)
            for field in good:
                opened.send(json.dumps(good | {"chat": chat, field: WORD}))
                opened.send(json.dumps(good | {field: {WORD: WORD}}))


def test_no_word_of_anybody_stands_in_the_log(tmp_path: Path) -> None:
    """R-109: sent in every field of every form, address, header and frame, and no mail server is set."""
    env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD, "CHATLEAD_LOG_LEVEL": "INFO"}
    options = ["--migrate", "--demo"]
    with Server(data_dir=tmp_path, options=options, env=env) as server:
        headers = {"User-Agent": WORD, "Referer": f"http://{WORD}/"}
        with httpx.Client(base_url=server.url, headers=headers) as client:
            browse(server, client)
            assert log_in(client, f"{WORD}@post.test", WORD) == 200
            assert log_in(client, "olga@demo.test", PASSWORD) == 302
            key = re.findall(r'data-site="([^"]+)"', client.get("/demo/").text)[0]
            cookie = client.cookies["cl_login"]
        with hello(server, key, "chat") as (vera, welcome):
            with (
                hello(server, key, "operator", cl_login=cookie) as (olga, _),
                contextlib.suppress(ConnectionClosed),  # so many faults: 4029
            ):
                talk(vera, olga, welcome["site"]["notice"]["sha256"])
            with hello(server, key, "page") as (stranger, _):
                stranger.send(WORD)
        mails, until = tmp_path / "mail", time.monotonic() + 20
        while not any(mails.glob("*")) and time.monotonic() < until:
            time.sleep(0.1)
        log = server.log()
    written = [line for line in (log + server.log()).splitlines() if WORD.lower() in line.lower()]
    assert [line for line in written if line.split() != ["password", *PASSWORD.split()]] == []
    assert "ERROR django.security.DisallowedHost a request named a host" in log
    assert WORD in next(mails.glob("*")).read_text()


def test_what_a_copy_keeps_is_its_owners_alone(tmp_path: Path) -> None:
    """R-118: other users of the machine read neither the database nor mails nor keys."""
    with Server(data_dir=tmp_path / "data", options=["--migrate", "--demo"]):
        pass
    ours = [each for each in (tmp_path / "data").iterdir() if not each.name.startswith("server-")]
    assert {"db.sqlite3", "secret_key", "demo_password"} <= {each.name for each in ours}
    assert [each.name for each in ours if each.stat().st_mode & 0o077] == []


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[tuple[logging.Logger, Path]]:
    """A library's logger with our formatter, and where it writes."""
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(Discreet("%(levelname)s %(name)s %(message)s"))
    found = logging.Logger("asyncio")
    found.addHandler(handler)
    yield found, tmp_path / "log"
    handler.close()


def test_of_an_exception_only_class_and_place_are_written(logger: tuple[logging.Logger, Path]) -> None:
    """R-109: databases quote the row that they refuse."""
    log, file = logger
    try:
        try:
            raise KeyError(WORD)
        except KeyError as error:
            raise ValueError(f"row ({WORD})") from error
    except ValueError:
        log.exception("Task exception was never retrieved")
    written = file.read_text()
    assert WORD not in written
    assert "test_logs.py" in written
    assert written.strip().endswith("ValueError")


def test_nobody_forges_a_line(logger: tuple[logging.Logger, Path]) -> None:
    """ASVS 16.4.1: control characters are spelled out."""
    log, file = logger
    log.warning("Forbidden: %s", "/a\r\nERROR accounts all is lost\x1b[2J\u2028\u202e")
    [line] = file.read_text().splitlines()
    assert line == r"WARNING asyncio Forbidden: /a\r\nERROR accounts all is lost\x1b[2J\u2028\u202e"
