"""Between a restore and its end nobody is served (B2-6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connection
from django.utils import timezone

from accounts.models import Installation
from chatlead.asgi import application
from chatlead.celery import app
from chatlead.realtime import hub as hubs
from chatlead.standby import Standby, standby, unserved

pytestmark = pytest.mark.django_db(transaction=True)


async def get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.get(path)


@pytest.fixture
async def hub() -> AsyncIterator[hubs.Hub]:
    started = await hubs.here()
    yield started
    await started.stop()
    standby.end()


@sync_to_async
def flag(on: bool) -> None:
    Installation.objects.update(restoring_since=timezone.now() if on else None)


async def test_a_server_opens_when_the_restore_is_finished(installation: Installation, hub: hubs.Hub) -> None:
    """B2-6: pages, polls and sockets are refused with "come back", probes say why, built files go on."""
    await flag(True)
    await standby.begin()
    assert standby.is_shut
    for path in ("/", "/console/", "/widget/v1/loader.js", "/poll/operator", "/admin/"):
        assert (await get(path)).status_code == 503, path
    assert (await get("/healthz")).status_code == 200
    assert (await get("/static/dist/none.js")).status_code == 404
    ready = await get("/readyz")
    assert ready.status_code == 503 and ready.json()["failing"] == ["restoring"]
    for path in ("/ws/operator", "/ws/visitor"):
        socket = WebsocketCommunicator(application, path)
        assert (await socket.connect(timeout=10))[0]
        closed = await socket.receive_output(timeout=10)
        assert (closed["type"], closed["code"], closed["reason"]) == ("websocket.close", 1013, "busy 5000")
    await flag(False)
    async with asyncio.timeout(60):
        while (await get("/")).status_code == 503:
            await flag(False)
    assert (await get("/")).status_code == 200
    assert (await get("/readyz")).status_code == 200


async def test_a_server_that_runs_notices_at_the_next_probe(
    installation: Installation, hub: hubs.Hub
) -> None:
    """B2-6: whatever somebody did to the database by hand."""
    await standby.begin()
    assert not standby.is_shut and (await get("/readyz")).status_code == 200
    await flag(True)
    assert (await get("/readyz")).json()["failing"] == ["restoring"]
    assert (await get("/")).status_code == 503
    await flag(False)
    assert (await get("/readyz")).status_code == 200
    assert (await get("/")).status_code == 200


def test_no_task_works_before_the_restore_is_finished(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2-6: a mail that waits must not go to somebody who was erased."""
    monkeypatch.setattr("chatlead.standby.standby", Standby())
    Installation.objects.update(restoring_since=timezone.now())
    app.loader.import_default_modules()
    task = app.tasks["accounts.tasks.sweep_outbox"]
    assert task.apply().state == "IGNORED"
    Installation.objects.update(restoring_since=None)
    assert task.apply().state == "SUCCESS"


async def test_a_server_started_during_a_restore_opens_no_file_that_is_about_to_go(
    installation: Installation, hub: hubs.Hub
) -> None:
    """B2-6: what olga wrote in it would be lost without a word: it stays shut until the restore is over."""
    if connection.vendor != "sqlite":
        return  # PostgreSQL says itself who is connected
    app.loader.import_default_modules()
    sweep = sync_to_async(lambda: app.tasks["accounts.tasks.sweep_outbox"].apply().state)
    with unserved() as is_alone:
        assert is_alone
        await standby.begin()
        assert standby.is_shut
        assert (await get("/readyz")).json()["failing"] == ["restoring"]
        assert (await get("/")).status_code == 503 and (await get("/healthz")).status_code == 200
        assert await sweep() == "IGNORED"
    async with asyncio.timeout(60):
        while (await get("/")).status_code == 503:
            assert (await get("/healthz")).status_code == 200
    assert (await get("/readyz")).status_code == 200 and await sweep() == "SUCCESS"
    with unserved() as is_alone:
        assert not is_alone  # and now no restore begins
    standby.end()
    with unserved() as is_alone:
        assert is_alone
