"""People who are connected when their server comes back from yesterday's backup (V-3, V-12)."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.chat_log import Chat
from bench.console import Console
from bench.visitor import Visitor
from tests.realtime import kit
from tests.servers import ROOT, Server
from tests.talkers import ENV, log_in

pytestmark = pytest.mark.once


def manage(server: Server, *arguments: str) -> str:
    """A command beside the server, in its own data folder."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments], cwd=ROOT, env=server.environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def restored(server: Server) -> str:
    """The broken database is put aside, and the newest backup takes its place."""
    for file in server.data_dir.glob("db.sqlite3*"):
        file.rename(server.data_dir / f"broken-{file.name}")
    return manage(server, "restore", "--newest")


async def until(condition: Callable[[], object]) -> None:
    await kit.until(condition, 60)


def texts(chat: Chat | None) -> list[str]:
    """What is on a screen, in order."""
    assert chat is not None
    rows = (chat.rows[seq] for seq in sorted(chat.rows))
    return [row["text"] for row in rows if row["type"] == "message_posted"]


def test_both_sides_heal_to_what_the_restored_server_says_and_nothing_is_doubled(tmp_path: Path) -> None:
    """V-3, V-12: what was said after the backup is shown as delivered to nobody, though it was acknowledged;
    what the visitor still had to send arrives once."""

    async def run(server: Server) -> None:
        cookie, key = await asyncio.to_thread(log_in, server, "olga@demo.test")
        olga, vera = Console(server.url, cookie), Visitor(server.url, key)
        async with contextlib.AsyncExitStack() as stack:
            for client in (olga, vera):
                await client.open()
                stack.push_async_callback(client.close)
            await olga.set_availability(online=True)
            await until(lambda: bool(vera.site.get("online")))
            hers = await vera.start_chat(name="Vera", text="one")
            his = await olga.accept_chat(hers.uid)
            await olga.say(his, "two")
            await until(lambda: texts(vera.chat) == texts(olga.chats.get(hers.uid)) == ["one", "two"])
            before = vera.epoch
            await asyncio.to_thread(manage, server, "backup")
            await vera.say(hers, "lost, though acknowledged")
            await olga.say(his, "lost as well")
            await until(lambda: len(texts(vera.chat)) == len(texts(olga.chats[hers.uid])) == 4)

            await asyncio.to_thread(server.stop)
            waiting = vera.say(hers, "in the outbox")
            assert "Ready to be served" in await asyncio.to_thread(restored, server)
            await asyncio.to_thread(server.start)

            async with asyncio.timeout(90):
                ack = await waiting
            expected = ["one", "two", "in the outbox"]
            await until(lambda: hers.uid in olga.chats and texts(olga.chats[hers.uid]) == expected)
            await until(lambda: texts(vera.chat) == expected)
            assert vera.epoch == olga.epoch != before
            assert vera.chat is not None
            stored = await vera.transcript(hers.uid)
            assert [row["text"] for row in stored if row["type"] == "message_posted"] == expected
            assert [row["seq"] for row in stored] == list(range(1, len(stored) + 1))
            assert ack["seq"] == vera.chat.seq == olga.chats[hers.uid].seq == len(stored)
            # and they go on
            await olga.say(olga.chats[hers.uid], "welcome back")
            await until(lambda: texts(vera.chat) == [*expected, "welcome back"])

    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=ENV) as server:
        asyncio.run(run(server))
