"""docker-compose.yml's services by their own commands, nginx in front, people in browsers."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.front import Front
from tests.e2e.hosts import Host, HostPage
from tests.e2e.people import BACK_MS, PASSWORD, PATIENCE_MS, Desk, Visitor
from tests.e2e.shop import SHOP, starts
from tests.e2e.stack import Stack, nginx
from tests.servers import ROOT

pytestmark = pytest.mark.skipif(nginx() is None, reason="nginx is missing: apt-get install nginx-light")
HOST = "chat.example"
ELSEWHERE = "127.7.8.9"  # an address of this machine that is no proxy's
WORD = "Zanzibar"
RUNNING = (ROOT / "docs" / "running.md").read_text()


def documented(start: str) -> str:
    """The code of docs/running.md that is fed to a shell after `start`."""
    return RUNNING[RUNNING.index(start) :].split("<<'END'\n")[1].split("\nEND\n")[0]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(HOST) as running:
        yield running


@pytest.fixture(scope="module")
def site_key(stack: Stack) -> str:
    """The first account, made as docs/running.md says."""
    code = documented("4. Make the first account")
    for old, new in (
        ("a long password of your own", PASSWORD),
        ("www.example.com", "www.shop.test"),
        ("olga@example.com", "olga@demo.test"),
    ):
        assert old in code
        code = code.replace(old, new)
    told = stack.run("migrate", ["python", "manage.py", "shell"], text=code + "\n")
    return re.findall(r"data-site: (\S+)", told)[0]


@pytest.fixture(scope="module")
def world(stack: Stack, site_key: str) -> Iterator[Browser]:
    """A browser for which our names lead to nginx and to the customer's website."""
    snippet = f'<script async src="{stack.url}/widget/v1/loader.js" data-site="{site_key}"></script>'
    html = f'<!doctype html><title>Shop</title><link rel="icon" href="data:,">{snippet}<h1>Shop</h1>'
    with Host() as host, Front({"www.shop.test": host.port}) as front:
        host.pages["/"] = HostPage(html)
        rules = f"MAP {HOST}:443 127.0.0.1:{stack.port}, MAP www.shop.test:443 127.0.0.1:{front.port}"
        with chromium(f"--host-resolver-rules={rules}", "--ignore-certificate-errors") as started:
            yield started


def page_of(world: Browser, width: int) -> Page:
    context = world.new_context(viewport={"width": width, "height": 900}, ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def ask(
    stack: Stack,
    path: str,
    *,
    source: str = "127.0.0.1",
    body: bytes | None = None,
    is_plain: bool = False,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request through the proxy, from an address of this machine."""
    context = ssl._create_unverified_context()  # noqa: S323 our own, made a moment ago
    link: HTTPConnection = HTTPSConnection(
        "127.0.0.1", stack.port, context=context, source_address=(source, 0), timeout=20
    )
    if is_plain:
        link = HTTPConnection("127.0.0.1", stack.plain_port, timeout=20)
    try:
        link.request("POST" if body is not None else "GET", path, body, {"Host": HOST} | (headers or {}))
        answer = link.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        link.close()


def figure(stack: Stack, name: str, figure: str) -> float:
    """What one web process tells Prometheus, past the proxy."""
    token = stack.environment_of(name)["CHATLEAD_METRICS_TOKEN"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.ports[name]}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        [found] = re.findall(rf"^{re.escape(figure)} (.+)$", answer.read().decode(), re.MULTILINE)
    return float(found)


def test_everything_is_healthy_by_its_own_check(stack: Stack) -> None:
    """Issue 3 E: what `docker compose ps` would show."""
    for name in ("web1", "web2", "proxy", "worker"):
        stack.wait(name)


def test_what_is_for_us_alone_is_not_shown_outside(stack: Stack) -> None:
    """Figures, what is broken, and anything in the clear: pages are sent to https, programs refused
    (R-113). Alive is no secret."""
    assert [ask(stack, path)[0] for path in ("/metrics", "/readyz", "/healthz")] == [404, 404, 200]
    token = stack.environment_of("web1")["CHATLEAD_METRICS_TOKEN"]
    assert ask(stack, "/metrics", headers={"Authorization": f"Bearer {token}"})[0] == 404
    for path in ("/poll/v1/visitor", "/widget/v1/ticket", "/ws/v1/visitor"):
        assert ask(stack, path, is_plain=True)[0] == 403
    status, headers, _ = ask(stack, "/console/", is_plain=True)
    assert (status, headers["location"]) == (301, f"{stack.url}/console/")
    status, headers, _ = ask(stack, "/console/login/")
    assert status == 200
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert "server" not in headers or "/" not in headers["server"]


def test_bodies_of_a_poll_and_of_a_form_pass_and_no_larger_ones(stack: Stack) -> None:
    """D-3: the application's own bound, in its own words."""
    kind = {"Content-Type": "application/json"}
    status, _, body = ask(stack, "/poll/v1/visitor", body=b" " * 260_000, headers=kind)
    assert (status, json.loads(body)["close"]) == (400, 4400)
    status, _, body = ask(stack, "/console/login/", body=b"x" * 1_100_000)
    assert (status, json.loads(body)["error"]["code"]) == (413, "too_large")


def test_one_host_does_not_hold_all_the_requests_there_are(stack: Stack) -> None:
    """D-5: bodies that do not come; the address has so many under way, and a neighbour does not notice."""
    head = f"POST /console/login/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 900\r\n\r\nx".encode()
    context = ssl._create_unverified_context()  # noqa: S323 our own, made a moment ago
    with contextlib.ExitStack() as held:
        for _ in range(300):
            plain = socket.create_connection(("127.0.0.1", stack.port), 20, (ELSEWHERE, 0))
            held.enter_context(context.wrap_socket(held.enter_context(plain))).sendall(head)
        until = time.monotonic() + 60
        while ask(stack, "/console/login/", source=ELSEWHERE)[0] != 429:
            assert time.monotonic() < until
        assert ask(stack, "/console/login/")[0] == 200
        kind = {"Content-Type": "application/json"}
        assert ask(stack, "/poll/v1/visitor", source=ELSEWHERE, body=b"{}", headers=kind)[0] == 400


def test_one_web_process_is_killed_and_the_talk_goes_on(stack: Stack, world: Browser) -> None:
    """V-1, V-10: first one is ended by SIGTERM and comes back, then the other is killed; nothing is lost."""
    olga = Desk(page_of(world, 1440), stack.url, "olga@demo.test")
    olga.logs_in()
    olga.is_online()
    vera = Visitor(page_of(world, 1280), SHOP)
    vera.visits("/")
    starts(vera, "Vera Proxied")
    olga.accepts("Vera Proxied")
    said = []
    for number, harm in enumerate((None, "stop web1", "start web1", "kill web2", None)):
        if harm:
            deed, name = harm.split()
            result = getattr(stack, deed)(name)
            assert deed != "stop" or result == 0
        if harm == "start web1":
            stack.wait("web1")
        for who, other, text in ((vera, olga, f"vera {number}"), (olga, vera, f"olga {number}")):
            who.says(text)
            expect(other.log.get_by_text(text, exact=True)).to_have_count(1, timeout=BACK_MS)
            said.append(text)
    expect(olga.has_trouble()).to_have_count(0, timeout=BACK_MS)
    vera.page.reload()
    for text in said:
        expect(vera.log.get_by_text(text, exact=True)).to_have_count(1)
    assert figure(stack, "web1", 'chatlead_sockets{kind="chat"}') >= 1
    stack.start("web2")
    stack.wait("web2")


def test_nobody_chooses_the_address_that_is_kept(stack: Stack, site_key: str) -> None:
    """R-096: whatever headers a client sends, her consent holds the network that she came from."""
    origin = "https://www.shop.test"
    spoofed = dict.fromkeys(
        ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"), "198.51.100.7"
    )
    ticket = ask(
        stack, "/widget/v1/ticket", source=ELSEWHERE, body=json.dumps({"site": site_key}).encode(),
        headers={"Origin": origin} | spoofed,
    )  # fmt: skip
    assert ticket[0] == 200, ticket
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site_key, "embedder": origin}
    hello |= {"ticket": json.loads(ticket[2])["ticket"], "page_url": f"{origin}/"}
    asked: dict[str, Any] = {"hello": hello, "want": "welcome"}
    headers = {"Origin": stack.url, "Content-Type": "application/json", **spoofed}
    poll = "/poll/v1/visitor"
    status, _, body = ask(stack, poll, source=ELSEWHERE, body=json.dumps(asked).encode(), headers=headers)
    assert status == 200, body
    answer = json.loads(body)
    [welcome] = answer["frames"]
    left = {"type": "leave_message", "id": 1, "ref": "0190c0de-0000-7000-8000-000000000001", "text": WORD}
    left |= {"name": WORD, "email": f"{WORD}@post.test", "notice": welcome["site"]["notice"]["sha256"]}
    asked = {"hello": hello | {"session": welcome.get("session", "")}, "want": "answers", "commands": [left]}
    asked |= {"pass": answer.get("pass", "")}
    status, _, body = ask(stack, poll, source=ELSEWHERE, body=json.dumps(asked).encode(), headers=headers)
    assert [frame["type"] for frame in json.loads(body)["frames"]] == ["done"], body
    code = "from accounts.models import Consent; print('kept', Consent.objects.latest('id').ip)"
    assert "kept 127.7.8.0" in stack.run("migrate", ["python", "manage.py", "shell", "-c", code])


def test_a_poll_is_held_as_long_as_it_wants_to_be(stack: Stack, site_key: str) -> None:
    """R-006: the proxy cuts nothing that waits for 25 s; here 3 s, and its patience is 90 s."""
    origin = "https://www.shop.test"
    asked = json.dumps({"site": site_key}).encode()
    ticket = json.loads(ask(stack, "/widget/v1/ticket", body=asked, headers={"Origin": origin})[2])["ticket"]
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site_key, "ticket": ticket}
    hello |= {"embedder": origin, "page_url": f"{origin}/"}
    whole = {"hello": hello, "want": "news", "wait": 3000}
    body = json.dumps(whole).encode()
    named = {"Origin": stack.url, "Content-Type": "application/json"}
    started = time.monotonic()
    status, headers, _ = ask(stack, "/poll/v1/visitor", body=body, headers=named)
    assert status == 200
    assert 2.5 < time.monotonic() - started < 10
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert "proxy_read_timeout 90s" in (ROOT / "deploy" / "nginx.conf").read_text()


def test_no_word_stands_in_any_log_of_the_stack(stack: Stack) -> None:
    """R-109: the proxy's included, also when it finds nobody to ask."""
    for path in (f"/{WORD}?{WORD}", f"/widget/v1/site/{WORD}", f"/console/login/?next={WORD}"):
        ask(
            stack,
            path,
            headers={"User-Agent": WORD, "Cookie": f"cl={WORD}", "Referer": f"https://{WORD}.test/"},
        )
    log = stack.log()
    assert '"logger": "chatlead.access"' in log
    assert '"ip": "127.7.8.0"' in log
    assert [line for line in log.splitlines() if WORD.lower() in line.lower()] == []


def test_what_running_says_of_backups_works(stack: Stack) -> None:
    """R-116, docs/running.md: the first steps of an administrator. That a restored database has another
    epoch, tests/vault/test_restore.py says."""
    assert "manage.py backup --new-key" in RUNNING and "manage.py restore --list" in RUNNING
    keys = stack.run("migrate", ["python", "manage.py", "backup", "--new-key"])
    assert re.search(r"^AGE-SECRET-KEY-1", keys, re.MULTILINE)
    assert "age1" in keys
    assert "AGE-SECRET-KEY" not in stack.run("worker", ["python", "manage.py", "restore", "--list"])


def test_everybody_ends_with_0_when_asked(stack: Stack) -> None:
    """Issue 3 D: within the grace that the compose file gives."""
    assert [stack.stop(name) for name in ("proxy", "web1", "web2", "worker", "beat")] == [0, 0, 0, 0, 0]
