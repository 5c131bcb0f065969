"""What programs that watch over a server are told: alive, ready, figures."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Operator, Site
from chatlead import health
from chatlead.asgi import application
from chatlead.realtime import hub as hubs
from tests.identifiers import new_ref
from tests.sockets import console_of, frame_of

pytestmark = pytest.mark.django_db(transaction=True)
FAR_AWAY = "203.0.113.9"


async def get(path: str, *, peer: str = FAR_AWAY, **headers: str) -> httpx.Response:
    """What a program is told that calls us by a name that we do not know."""
    transport = httpx.ASGITransport(app=application, client=(peer, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8000") as client:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return await client.get(path, headers=sent)


@pytest.fixture
async def hub() -> AsyncIterator[hubs.Hub]:
    started = await hubs.here()
    yield started
    await started.stop()


async def failing() -> Any:
    answer = await get("/readyz")
    assert answer.status_code == 503
    told = answer.json()
    assert told.pop("status") == "unready"
    return told["failing"]


async def test_a_process_that_answers_is_alive_and_ready(hub: hubs.Hub) -> None:
    """contract.md: under whatever name it is asked, since a prober knows only an address."""
    assert (await get("/healthz")).json() == {"status": "ok"}
    assert (await get("/readyz")).json() == {"status": "ready"}


async def test_readiness_names_redis_where_it_does_not_answer(settings: Settings) -> None:
    """contract.md: 503 and the name, while the process itself is alive."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    hub = await hubs.here()
    try:
        assert await failing() == ["redis"]
        assert (await get("/healthz")).status_code == 200
    finally:
        await hub.stop()


async def test_whoever_asks_on_and_on_fills_no_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R-109: it is kept up to a size, and everybody may ask."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(health, "_warned_at", {})
    hub = await hubs.here()
    try:
        for _ in range(5):
            assert await failing() == ["redis"]
        told = [each.message for each in caplog.records if each.name == health.__name__]
        assert told == ["not ready: redis"]
    finally:
        await hub.stop()


@pytest.mark.parametrize("port", ["1"])
async def test_readiness_names_the_database_where_it_does_not_answer(
    hub: hubs.Hub, settings: Settings, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    """contract.md: and says nothing of who it is and what it said."""
    nowhere = {"NAME": "/nowhere/db.sqlite3", "HOST": "127.0.0.1", "PORT": port}
    monkeypatch.setitem(connection.settings_dict, "NAME", nowhere["NAME"])
    if connection.vendor == "postgresql":
        monkeypatch.setitem(connection.settings_dict, "PORT", port)
    for key in nowhere:
        monkeypatch.setitem(settings.DATABASES["default"], key, nowhere[key])
    assert await failing() == ["database"]
    assert (await get("/healthz")).status_code == 200


async def test_readiness_wants_every_migration(hub: hubs.Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is newer than its database gets no traffic, and is ready as soon as it is migrated."""
    from asgiref.sync import sync_to_async
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.recorder import MigrationRecorder

    monkeypatch.setattr(health, "_is_migrated", False)
    recorder = MigrationRecorder(connection)
    [newest] = (await sync_to_async(MigrationExecutor)(connection)).loader.graph.leaf_nodes("chats")
    await sync_to_async(recorder.record_unapplied)(*newest)
    try:
        assert await failing() == ["migrations"]
    finally:
        await sync_to_async(recorder.record_applied)(*newest)
    assert (await get("/readyz")).status_code == 200


async def test_who_leaves_is_not_ready_at_once(hub: hubs.Hub) -> None:
    """V-10: readiness is the first thing that goes."""
    hub.is_leaving = True
    assert await failing() == ["leaving"]
    assert (await get("/healthz")).status_code == 200


@pytest.mark.parametrize("path", sorted(health.PROBES))
async def test_nothing_can_be_sent_there(hub: hubs.Hub, path: str) -> None:
    """P-23: what is only looked at is only looked at."""
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post(path, content=b"x" * 100)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert (await client.head("/healthz")).content == b""


async def test_to_a_stranger_there_are_no_figures(hub: hubs.Hub, settings: Settings) -> None:
    """Neither by default, nor with a wrong token, nor by saying that one comes from inside."""
    for networks, token in (([], ""), (["10.0.0.0/8"], "four words for figures")):
        settings.METRICS_NETWORKS, settings.METRICS_TOKEN = networks, token
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer four"}):
            spoofed = headers | {"X_Forwarded_For": "10.0.0.1"}
            answer = await get("/metrics", **spoofed)
            assert answer.status_code == 404
            assert "chatlead_" not in answer.text


async def test_those_who_may_read_the_figures_do(hub: hubs.Hub, settings: Settings) -> None:
    """By network, through a trusted proxy too, or by token."""
    settings.METRICS_NETWORKS, settings.METRICS_TOKEN = ["10.0.0.0/8"], "four words for figures"
    settings.TRUSTED_PROXIES = ["127.0.0.1/32"]
    assert (await get("/metrics", peer="10.1.2.3")).status_code == 200
    assert (await get("/metrics", peer="127.0.0.1", X_Forwarded_For="10.1.2.3")).status_code == 200
    assert (await get("/metrics", Authorization="Bearer four words for figures")).status_code == 200
    assert (await get("/metrics", peer="127.0.0.1", X_Forwarded_For=FAR_AWAY)).status_code == 404


def value(text: str, name: str) -> float:
    """A figure by its name and labels."""
    [found] = re.findall(rf"^{re.escape(name)} (.+)$", text, re.MULTILINE)
    return float(found)


async def test_the_figures_tell_what_happens_and_to_nobody_whom(
    site: Site, olga: Operator, settings: Settings
) -> None:
    """Issue 3 D: commit, delivery, batches, sockets by kind, refusals by code, the outbox."""
    settings.METRICS_NETWORKS = ["0.0.0.0/0"]
    before = (await get("/metrics")).text
    async with console_of(olga) as console, frame_of(site) as vera:
        notice = vera.welcome["site"]["notice"]["sha256"]
        said = {"email": "vera@post.test", "text": "Call me", "name": "Vera", "notice": notice}
        assert (await vera.ask(type="leave_message", ref=new_ref(), **said))["type"] == "done"
        await console.ask(type="set_availability", online=True)
        chat = (await vera.ask(type="start_chat", ref=new_ref(), fields={}, notice=notice))["chat"]["uid"]
        for number in range(3):
            acked = await vera.ask(type="send_message", chat=chat, ref=new_ref(), text=f"word {number}")
            assert acked["type"] == "ack"
        assert (await vera.ask(type="end_chat", chat="C" * 22))["code"] == "not_found"
        after = (await get("/metrics")).text
    assert value(after, 'chatlead_sockets{kind="chat"}') == 1
    assert value(after, 'chatlead_sockets{kind="operator"}') == 1
    for name in ("chatlead_commit_seconds_count", "chatlead_delivery_seconds_count"):
        assert 1 <= value(after, name) - value(before, name) <= 3
    assert value(after, "chatlead_batch_rows_sum") - value(before, "chatlead_batch_rows_sum") == 3
    assert value(after, "chatlead_outbox_items") == 1
    assert 0 <= value(after, "chatlead_outbox_age_seconds") < 60
    assert value(after, "chatlead_journal_queue") == 0
    assert value(after, "chatlead_leaving") == 0
    labels = {*re.findall(r'(\w+)="', after)}
    assert labels <= {"le", "kind", "code", "place"}
    assert json.dumps(chat).strip('"') not in after
