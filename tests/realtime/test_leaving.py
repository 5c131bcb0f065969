"""A process that is asked to end: whoever talks through it notices a pause, and loses nothing (V-10)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from chatlead.realtime.codes import CloseCode
from tests.realtime.kit import HELLO, House, closing, dial, hear, serving, until
from tests.servers import Server
from tests.talkers import ENV, RESTART_SECONDS, Talker, conversation, log_in


def busiest(server: Server) -> int:
    """Which process has most connections."""
    pids = [process.pid for process in server.processes if process is not None]
    counts = [
        sum(os.readlink(each).startswith("socket:") for each in Path(f"/proc/{pid}/fd").iterdir())
        for pid in pids
    ]
    return counts.index(max(counts))


@pytest.mark.postgres
async def test_while_one_of_two_processes_ends_everybody_goes_on_talking(tmp_path: Path) -> None:
    """V-10: no error, no ack lost, nothing doubled, nobody away for longer than some seconds."""
    env = ENV | {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    options = ["--migrate", "--demo"]
    with Server(data_dir=tmp_path, processes=2, options=options, env=env) as server:
        async with conversation(server, 6) as (olga, visitors, chats):
            leaving = busiest(server)
            process = server.processes[leaving]
            assert process is not None
            ended_at = 0.0
            for number in range(140):  # some eight seconds
                if number == 20:
                    process.send_signal(signal.SIGTERM)
                    ended_at = time.monotonic()
                for vera, chat in zip(visitors, chats, strict=True):
                    await vera.says(chat, f"vera {number}")
                await olga.says(chats[number % len(chats)], f"olga {number}")
                await asyncio.sleep(0.055)
                if ended_at and process.poll() is not None:
                    break
            code = await asyncio.to_thread(process.wait, 15)
            everybody = [olga, *visitors]
            await until(lambda: not any(each.unacked for each in everybody), 10)
            assert code == 0
            assert "Traceback" not in server.log()
            told = [code for each in everybody for code in each.codes]
            assert told and set(told) == {CloseCode.RESTART}
            assert [frame for each in everybody for frame in each.heard if frame["type"] == "failed"] == []
            assert max(each.longest_away for each in everybody) < RESTART_SECONDS + 2
            for vera, chat in zip(visitors, chats, strict=True):
                assert await is_complete(olga, vera, chat)


async def is_complete(olga: Talker, vera: Talker, chat: str) -> bool:
    """Whether what was acknowledged stands in the transcript once, at the place that the ack named."""
    log = (await vera.asks(type="resume", chat=chat, after=0, epoch=vera.welcome["epoch"]))["log"]
    messages = [(row["ref"], row["seq"]) for row in log if row["type"] == "message_posted"]
    assert [row["seq"] for row in log] == list(range(1, len(log) + 1))
    assert len(dict(messages)) == len(messages)
    assert {*vera.acked.items()} <= {*messages}
    return {*messages} <= {*vera.acked.items(), *olga.acked.items()}


@pytest.mark.once
async def test_whoever_leaves_says_so_before_it_goes_deaf(tmp_path: Path) -> None:
    """V-10: from SIGTERM on `/readyz` is 503, while for a moment everything else goes on."""
    env = ENV | {"CHATLEAD_LEAVE_SECONDS": "1.5"}
    with Server(data_dir=tmp_path, options=["--migrate", "--demo", "--workers-off"], env=env) as server:
        async with conversation(server, 1) as (olga, [vera], [chat]):
            [process] = [one for one in server.processes if one is not None]
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            async with httpx.AsyncClient(base_url=server.url) as client:
                answer = await client.get("/readyz")
                assert (answer.status_code, answer.json()["failing"]) == (503, ["leaving"])
                assert answer.headers["connection"] == "close"
                assert (await client.get("/healthz")).status_code == 200
            await vera.says(chat, "are you still there?")
            await until(lambda: not vera.unacked, 1)
            assert vera.codes == []
            assert await asyncio.to_thread(process.wait, 10) == 0
            assert vera.codes == olga.codes == [CloseCode.RESTART]


@pytest.mark.once
async def test_a_held_poll_is_answered_when_its_process_leaves(tmp_path: Path) -> None:
    """R-006, V-10: at once, with the close code of a socket; the next poll finds another process."""
    with Server(data_dir=tmp_path, options=["--migrate", "--demo", "--workers-off"], env=ENV) as server:
        cookie, _ = log_in(server, "olga@demo.test")
        headers = {"Cookie": cookie, "Origin": server.url}
        asked = {"hello": {"type": "hello", "protocol": 1}, "want": "news", "wait": 25_000}
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            held = asyncio.create_task(client.post("/poll/v1/operator", json=asked, headers=headers))
            await asyncio.sleep(1)
            assert not held.done()
            [process] = [one for one in server.processes if one is not None]
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                answer = await held
        assert (answer.status_code, answer.json()["close"]) == (503, CloseCode.RESTART)
        assert answer.headers.get_list("connection") == ["close"]
        assert await asyncio.to_thread(process.wait, 10) == 0


@pytest.mark.once
async def test_the_second_signal_hurries(tmp_path: Path) -> None:
    """Contract: Ctrl-C ends it; twice ends it now, and still with 0."""
    env = ENV | {"CHATLEAD_LEAVE_SECONDS": "60"}
    with Server(data_dir=tmp_path, options=["--migrate", "--workers-off"], env=env) as server:
        [process] = [one for one in server.processes if one is not None]
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.7)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert "Traceback" not in server.log()


async def test_who_waits_for_an_answer_has_it_before_the_close() -> None:
    """V-10: a command in hand is carried out and answered; then the socket is told to come back."""
    house = House()
    house.on_load = lambda command: time.sleep(0.5)
    async with contextlib.AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving(house))
        async with dial(address) as ws:
            await ws.send(json.dumps(HELLO))
            await hear(ws)
            await ws.send(json.dumps({"type": "load_messages", "id": 5, "chat": "C" * 22, "before": 1}))
            await asyncio.sleep(0.1)
            ending = asyncio.create_task(stack.aclose())
            assert (await hear(ws)) == {"type": "done", "id": 5}
            assert (await closing(ws))[0] == CloseCode.RESTART
            await ending


@pytest.mark.once
async def test_how_far_olga_has_read_is_kept_although_it_is_written_once_a_second(
    tmp_path: Path,
) -> None:
    """V-10: work in hand is committed, marks included."""
    with Server(data_dir=tmp_path, options=["--migrate", "--demo", "--workers-off"], env=ENV) as server:
        async with conversation(server, 1) as (olga, [vera], [chat]):
            for number in range(3):
                await vera.says(chat, f"word {number}")
            await until(lambda: not vera.unacked, 5)
            mark = {"type": "mark", "chat": chat}
            for seq in (3, 4, 5):
                await olga._ws.send(json.dumps(mark | {"delivered": seq, "read": seq}))
                await asyncio.sleep(0.1)
            assert await asyncio.to_thread(server.stop) == [0]
            await asyncio.to_thread(server.start)
            await until(lambda: vera.codes and vera.online.is_set(), 15)
        assert vera.welcome["chat"]["marks"]["operator_read"] == 5
