"""Redis goes away in the middle of chats over two processes: they go on by the database (V-15)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench import http
from bench.chat_log import Chat
from bench.client import Client
from bench.console import Console
from bench.visitor import Visitor
from tests.private_services import PrivateServices
from tests.servers import Server

pytestmark = pytest.mark.faults

PASSWORD = "four-words-for-the-demo"
TURNS = 4
SLOWLY = 8.0  # one look into the database each two seconds, and the way there


class Talk:
    """A visitor, the console that has accepted, and the chat as each of them has it."""

    def __init__(self, visitor: Visitor, own: Chat, console: Console, theirs: Chat) -> None:
        self.visitor, self.own, self.console, self.theirs = visitor, own, console, theirs

    async def go_on(self, turns: int, seconds: float) -> float:
        """So many questions and answers, each seen by the other before the next; the longest wait of one."""
        longest = 0.0
        pairs: list[tuple[Client, Chat, Chat]] = [
            (self.visitor, self.own, self.theirs), (self.console, self.theirs, self.own)
        ]  # fmt: skip
        for number in range(turns):
            for who, said_in, seen_in in pairs:
                began = time.monotonic()
                ack = await asyncio.wait_for(who.say(said_in, f"{who.side} {number}"), seconds)
                await asyncio.wait_for(seen_in.reach(ack["seq"]), seconds)
                longest = max(longest, time.monotonic() - began)
        return longest


@asynccontextmanager
async def talks(server: Server) -> AsyncIterator[list[Talk]]:
    """Every way to sit on both sides: with a socket and without."""
    site_key = await asyncio.to_thread(http.site_key, server.url)
    cookie = await asyncio.to_thread(http.log_in, server.url, "olga@demo.test", PASSWORD)
    consoles = [Console(server.url, cookie, polls=polls) for polls in (False, True)]
    visitors = [Visitor(server.url, site_key, polls=polls) for polls in (False, True) for _ in consoles]
    try:
        for each in (*consoles, *visitors):
            await asyncio.wait_for(each.open(), 20)
        await consoles[0].set_availability(online=True)
        made = []
        for number, visitor in enumerate(visitors):
            own = await visitor.start_chat(name=f"Vera {number}", department="Intake")
            console = consoles[number % 2]
            made.append(Talk(visitor, own, console, await console.accept_chat(own.uid)))
        yield made
    finally:
        for each in (*visitors, *consoles):
            await each.close()


async def comes_back(talk: Talk) -> None:
    """She opens the page anew, each time the other way: her ticket is good, her chat is there."""
    polls = talk.visitor.link.at is None
    again = Visitor(talk.visitor.server, talk.visitor.site_key, session=talk.visitor.session, polls=polls)
    try:
        await asyncio.wait_for(again.open(), SLOWLY)
        assert again.chat is not None
        assert again.chat.uid == talk.own.uid
        assert again.chat.texts() == talk.own.texts()
    finally:
        await again.close()


async def test_chats_go_on_while_redis_is_away_and_all_is_equal_afterwards(tmp_path: Path) -> None:
    """V-15: with sockets and by polls, slower, and nothing is lost or doubled."""
    services = PrivateServices()
    with (
        services as addresses,
        Server(
            data_dir=tmp_path,
            database_url=addresses.database_url,
            redis_url=addresses.redis_url,
            processes=2,
            options=["--migrate", "--demo"],
            env={"CHATLEAD_DEMO_PASSWORD": PASSWORD},
        ) as server,
    ):
        async with talks(server) as all_of_them:
            await asyncio.gather(*(talk.go_on(2, SLOWLY) for talk in all_of_them))
            await asyncio.to_thread(services.stop_redis)
            await asyncio.gather(*(talk.go_on(TURNS, SLOWLY) for talk in all_of_them))
            for talk in all_of_them:
                await comes_back(talk)
            await asyncio.to_thread(services.start_redis)
            await asyncio.sleep(4)
            quickest = await asyncio.gather(*(talk.go_on(2, SLOWLY) for talk in all_of_them))
            assert max(quickest) < 1.5  # hints arrive again
            for talk in all_of_them:
                stored = [row for row in await talk.visitor.transcript(talk.own.uid) if "text" in row]
                texts = [(row["author"], row["text"]) for row in stored]
                assert len(texts) == 2 * (2 + TURNS + 2)
                assert talk.own.texts() == talk.theirs.texts() == texts
            assert "Traceback" not in server.log()
