"""R-109: whatever people send, none of it stands in what the server writes down."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django import Settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from chatlead.access import browser_of
from chatlead.celery import app as tasks
from chatlead.logs import Discreet
from chatlead.realtime import commands
from tests.identifiers import new_ref
from tests.security.test_bad_input import frame_for
from tests.servers import ROOT, Server

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
        max_queue=None,  # so much is answered that who does not read it would not hear the close either
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


def poll(server: Server, key: str, cookie: str) -> None:
    """Polls of both kinds, with the word in each of their fields."""
    with httpx.Client(base_url=server.url, headers={"Origin": server.url, "User-Agent": WORD}) as client:
        asked = client.post("/widget/v1/ticket", content=json.dumps({"site": key})).json()["ticket"]
        vera = {"type": "hello", "protocol": 1, "role": "chat", "site": key, "ticket": asked}
        vera |= {"embedder": server.url, "page_url": f"{server.url}/{WORD}", "browser": WORD * 3}
        for path, said in (("visitor", vera), ("operator", {"type": "hello", "protocol": 1})):
            whole = {
                "hello": said,
                "want": "welcome",
                "commands": [frame_for(each) for each in commands.VISITOR],
            }
            client.cookies.set("cl_login", cookie)
            assert client.post(f"/poll/v1/{path}", json=whole).status_code in (200, 400)
            for field in whole:
                client.post(f"/poll/v1/{path}?{WORD}", json=whole | {field: WORD})
            client.post(f"/poll/v1/{path}", content=WORD, headers={"Content-Type": "application/json"})


@contextlib.contextmanager
def worker(server: Server, folder: Path) -> Iterator[Path]:
    """A worker beside the server, as docker-compose.yml starts it; where it writes."""
    command = [sys.executable, "-m", "celery", "-A", "chatlead", "worker", "--loglevel", "INFO"]
    written = folder / "worker.log"
    with written.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--concurrency", "1"], cwd=ROOT, env=server.environment, stdout=out, stderr=out
        )
    try:
        yield written
    finally:
        process.terminate()
        assert process.wait(30) == 0


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    assert condition()


def say_it_all(server: Server) -> None:
    """The word in every field of everything, as a visitor, an operator and a stranger."""
    headers = {
        "User-Agent": WORD,
        "Referer": f"http://{WORD}/",
        "X-Request-ID": WORD,
        "X-Forwarded-For": WORD,
    }
    with httpx.Client(base_url=server.url, headers=headers) as client:
        browse(server, client)
        client.request(WORD.upper(), "/")
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
    poll(server, key, cookie)


def with_the_word(log: str) -> list[str]:
    """Lines that hold it; the demo's own line about its log-ins does not count."""
    lines = [line for line in log.splitlines() if WORD.lower() in line.lower()]
    return [line for line in lines if line.split() != ["password", *PASSWORD.split()]]


ENV = {"CHATLEAD_DEMO_PASSWORD": PASSWORD, "CHATLEAD_LOG_LEVEL": "INFO"}


@pytest.mark.once
def test_no_word_of_anybody_stands_in_the_log(tmp_path: Path) -> None:
    """R-109: sent in every field of every form, address, header and frame, and no mail server is set."""
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=ENV) as server:
        say_it_all(server)
        mails = tmp_path / "mail"
        wait_for(lambda: any(mails.glob("*")))
        server.stop()
        log = server.log()
    assert with_the_word(log) == []
    assert "ERROR django.security.DisallowedHost a request named a host" in log
    assert WORD in next(mails.glob("*")).read_text()


@pytest.mark.postgres
def test_no_word_of_anybody_stands_in_the_log_of_several_processes(tmp_path: Path) -> None:
    """R-109: on PostgreSQL and Redis, as JSON, with a worker that is given the word as a task and as its
    argument, and that cannot send the mail."""
    services = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    mail = {"EMAIL_URL": f"smtp://{WORD}:{WORD}@127.0.0.1:1", "CHATLEAD_LOG_FORMAT": "json"}
    with (
        Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=ENV | mail | services) as server,
        worker(server, tmp_path) as written,
    ):
        say_it_all(server)
        with tasks.connection_for_write(os.environ["REDIS_URL"]) as broker:
            tasks.send_task("accounts.tasks.deliver", args=[WORD], connection=broker)
            tasks.send_task(f"accounts.tasks.{WORD}", args=[WORD], connection=broker)
        wait_for(lambda: "a task failed" in written.read_text())
        wait_for(lambda: "unregistered task" in written.read_text())
        wait_for(lambda: "(mail" in written.read_text() or "outbox item" in written.read_text())
        server.stop()
        log = server.log()
    assert with_the_word(log + written.read_text()) == []
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"at", "level", "logger", "message"} <= set.intersection(*({*line} for line in lines))
    ended = [line for line in lines if line["logger"] == "chatlead.access"]
    assert {"request", "socket"} == {line["message"] for line in ended}
    assert all(line["id"] and line["ip"] == "127.0.0.0" for line in ended)
    assert {line["browser"] for line in ended} <= {"other", "Python", ""}
    routes = {line["route"] for line in ended}
    assert {
        "/",
        "/demo/<slug:page>/",
        "/console/login/",
        "/widget/v1/ticket",
        "visitor",
        "operator",
    } <= routes
    assert {"/poll/v1/visitor", "/poll/v1/operator", ""} <= routes
    failures = [json.loads(line) for line in written.read_text().splitlines() if '"a task failed"' in line]
    assert [line["id"] for line in failures if line["places"] and line["error"] == "ValueError"]


@pytest.mark.once
def test_what_python_prints_itself_holds_no_word(tmp_path: Path) -> None:
    """R-109: a thread that dies, an exception that nobody can raise, and one that nobody has asked for."""
    program = f"""
import asyncio, threading
import chatlead.asgi, chatlead.logs
chatlead.logs.catch_the_rest()
def fail():
    raise ValueError("{WORD}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Silent:
    def __del__(self):
        fail()
Silent()
async def forget():
    raise ValueError("{WORD}")
async def main():
    task = asyncio.create_task(forget())
    await asyncio.sleep(0.01)
    del task
asyncio.run(main())
fail()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | {"CHATLEAD_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert WORD not in done.stdout + done.stderr
    for said in (
        "a thread ended",
        "an exception was ignored",
        "Task exception was never",
        "the process ends",
    ):
        assert said in done.stderr
    assert done.stderr.count("ValueError") == 4


@pytest.mark.django_db(transaction=True)
async def test_a_request_has_one_id_everywhere(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Ours, or the one that a trusted proxy has given; nobody else's (R-096)."""
    from chatlead.asgi import application

    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    given = "0123456789abcdef" * 2
    caplog.set_level(logging.INFO, "chatlead.access")
    for peer, sent, is_taken in (
        ("10.0.0.1", given, True),
        ("203.0.113.9", given, False),
        ("10.0.0.1", WORD * 3, False),
        ("10.0.0.1", given + "\x00", False),
    ):
        transport = httpx.ASGITransport(app=application, client=(peer, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get("/nowhere/", headers={"X-Request-ID": sent})
        [told] = answer.headers.get_list("x-request-id")
        assert (told == given) is is_taken
        assert re.fullmatch("[0-9a-f]{16,64}", told)


@pytest.mark.once
@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Windows"),
        ("Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36", "Chrome 156 on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge 156 on Windows"),
        ("Mozilla/5.0 (iPhone; CPU OS 18) Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18 on iPhone"),
        ("curl/8.5.0", "curl 8"),
        (f"{WORD}/1.0 (+https://{WORD}.test/bot)", "bot"),
        (f"{WORD} Chrome/{WORD}", "other"),
        ("", "other"),
    ],
)
def test_of_a_browser_only_its_kind_is_written(agent: str, told: str) -> None:
    """R-109: what helps to find a fault, in words of ours."""
    assert browser_of(agent) == told


@pytest.mark.once
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
    handler.setFormatter(Discreet())
    found = logging.Logger("asyncio")
    found.addHandler(handler)
    yield found, tmp_path / "log"
    handler.close()


@pytest.mark.once
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


@pytest.mark.once
def test_nobody_forges_a_line(logger: tuple[logging.Logger, Path]) -> None:
    """ASVS 16.4.1: control characters are spelled out."""
    log, file = logger
    log.warning("Forbidden: /a\r\x1b[2J\u2028\u202e\nERROR accounts all is lost")
    log.warning("Forbidden: %s", "/a\r\nERROR accounts all is lost")
    lines = [line.split(" ", 2)[2] for line in file.read_text().splitlines()]
    assert lines == [r"WARNING asyncio Forbidden: /a\r\x1b[2J\u2028\u202e", "WARNING asyncio Forbidden: %s"]
