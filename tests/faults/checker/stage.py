"""Where it is played: a real server on SQLite, or two processes with PostgreSQL and Redis, and both firms."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.faults.checker.check import Fault, check, differences
from tests.faults.checker.clients import Recorded, look_afresh, read_whole
from tests.faults.checker.generator import Crowd, Pace
from tests.faults.checker.history import History, Screen, Transcript
from tests.faults.checker.shortest import told
from tests.faults.checker.wire import Wire
from tests.private_services import PrivateServices
from tests.servers import ROOT, Server

POSITION_SECONDS = 2.0
HEAL_SECONDS = 25.0  # V-3: after that every client is what a fresh snapshot says
ANSWER_SECONDS = 30.0
AFTERWARDS_SECONDS = 0.8
ENOUGH_MESSAGES = 30
PLANTED = str(ROOT / "tests" / "faults" / "planted.py")

Nemesis = Callable[["Stage", Crowd], Awaitable[None]]


class Stage:
    """The server that runs, the services below it, and what a client needs to know of the firms."""

    def __init__(
        self, folder: Path, *, services: PrivateServices | None = None, addresses: tuple[str, str] = ("", ""),
        processes: int = 1, env: dict[str, str] | None = None, wires: Sequence[Wire] = (),
    ) -> None:  # fmt: skip
        self.folder = folder
        self.services = services
        self.orders = folder / "orders.json"
        self.order()
        settings = {"TEST_PLANTED": str(self.orders), "CHATLEAD_POSITION_SECONDS": str(POSITION_SECONDS)}
        given: dict[str, Any] = {"database_url": addresses[0], "redis_url": addresses[1]}
        given |= {"env": settings | (env or {}), "python": [PLANTED]}
        self.wires = list(wires)
        self.servers: list[Server] = []
        for wire in wires:
            given["env"] = {
                **given["env"],
                "ALLOWED_HOSTS": wire.there,
                "SECRET_KEY": "one for all of them" * 3,
            }
            there: dict[str, Any] = {"host": wire.there, "listen": wire.listener, "within": wire.within}
            self.servers.append(Server(data_dir=folder / wire.there, **given, **there))
        if not wires:
            self.servers.append(Server(data_dir=folder, processes=processes, **given))
        self.server = self.servers[0]
        self.urls = [server.url for server in self.servers]
        # a page of this machine, as the firms' sites allow it
        self.page_origin = "http://127.0.0.1:8000" if wires else ""
        self.cast: dict[str, Any] = {}

    @property
    def is_embedded(self) -> bool:
        """One process on SQLite."""
        return self.services is None

    def order(self, **orders: Any) -> None:
        """What tests/faults/planted.py does from now on: nothing, unless it is named here."""
        fresh = self.orders.with_suffix(".new")
        fresh.write_text(json.dumps(orders))
        os.replace(fresh, self.orders)

    def make_firms(self) -> None:
        """Migrate and make both firms, beside the server."""
        command = [sys.executable, "-m", "tests.faults.checker.cast"]
        made = subprocess.run(command, cwd=ROOT, env=self.server.environment, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        self.cast = json.loads(made.stdout.splitlines()[-1])


@contextlib.contextmanager
def embedded(
    folder: Path, *, before: Callable[[Stage], None] = lambda stage: None, **more: Any
) -> Iterator[Stage]:
    """One process on SQLite; `before` is called before it starts, with the firms made."""
    stage = Stage(folder, **more)
    stage.make_firms()
    before(stage)
    with stage.server:
        yield stage


@contextlib.contextmanager
def served(folder: Path, **more: Any) -> Iterator[Stage]:
    """Two processes on a PostgreSQL of our own, with fsync and synchronous commit, and a Redis."""
    services = PrivateServices(durable=True)
    with services as addresses:
        urls = (addresses.database_url, addresses.redis_url)
        stage = Stage(folder, services=services, addresses=urls, processes=2, **more)
        stage.make_firms()
        with stage.server:
            yield stage


@contextlib.contextmanager
def wired(folder: Path) -> Iterator[Stage]:
    """Two processes, each in a network namespace behind a wire of its own: their clients, their PostgreSQL
    and their Redis are all at the other end of it."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(number, seed=number)) for number in range(2)]
        services = PrivateServices(durable=True, host=wires[0].here)
        addresses = stack.enter_context(services)
        urls = (addresses.database_url, addresses.redis_url)
        stage = Stage(folder, services=services, addresses=urls, wires=wires)
        stage.make_firms()
        for server in stage.servers:
            stack.enter_context(server)
        yield stage


async def play(
    stage: Stage, nemesis: Nemesis | None, *, seed: int, seconds: float, heal_seconds: float = HEAL_SECONDS,
    **pace: Any,
) -> History:  # fmt: skip
    """People do things for `seconds`, and some time longer where the nemesis, which comes after a fifth of
    it, takes longer: they see it out. The history is complete when
    everybody has an answer, every screen has healed or `heal_seconds` are over, and all chats were read."""
    crowd = Crowd(stage.cast, stage.urls, seed=seed, pace=Pace(**pace), page_origin=stage.page_origin)
    loop = asyncio.get_running_loop()
    try:
        await asyncio.wait_for(crowd.open(), ANSWER_SECONDS)
        began = loop.time()
        living = loop.create_task(crowd.live())
        if nemesis is not None:
            await asyncio.sleep(seconds / 5)
            crowd.history.happened(f"{nemesis.__name__} begins")
            await nemesis(stage, crowd)
            crowd.history.happened(f"{nemesis.__name__} has ended")
        await asyncio.sleep(max(AFTERWARDS_SECONDS, began + seconds - loop.time()))
        await said_enough(crowd)
        crowd.enough()
        await living
        await crowd.settle(ANSWER_SECONDS)
        await heal(crowd, heal_seconds)
        await read_back(crowd, stage)
        crowd.history.is_over = True
    finally:
        await crowd.leave()
    return crowd.history


async def said_enough(crowd: Crowd) -> None:
    """On a slow machine people get more time, so that there is something to judge."""
    for _ in range(int(ANSWER_SECONDS / 0.1)):
        if crowd.history.messages() >= ENOUGH_MESSAGES:
            return
        await asyncio.sleep(0.1)


async def heal(crowd: Crowd, seconds: float) -> None:
    """Look at all screens again and again until all are right at once.

    What is wrong in a look that began when `seconds` were over has not healed; one that began before, and
    took its time on a slow machine, only says that it was not yet.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        passed = loop.time() - began
        found = await asyncio.gather(*(_compare(client) for client in crowd.clients))
        if all(screen.kept == screen.fresh for screen in found) or passed > seconds:
            crowd.history.screens = list(found)
            return
        crowd.history.still_wrong = (passed, differing(found))
        await asyncio.sleep(0.4)


def differing(screens: Sequence[Screen]) -> list[str]:
    """Whose screens are wrong, and where."""
    return [
        f"{screen.who}: {'.'.join(path)} is {kept!r:.80}, not {fresh!r:.80}"
        for screen in screens
        for path, kept, fresh in differences(screen.kept, screen.fresh)
    ]


async def _compare(client: Recorded) -> Screen:
    fresh = await look_afresh(client, ANSWER_SECONDS)
    kept = client.screen() if not client.has_stopped else {"stopped": True}
    return Screen(client.name, kept, fresh)


async def read_back(crowd: Crowd, stage: Stage) -> None:
    """Every chat that anybody has heard of or written to, by the firm's supervisor and by its visitor."""
    history = crowd.history
    owners = owners_of(history)
    for firm in stage.cast:
        supervisor = next(
            each for each in crowd.consoles if each.name == list(stage.cast[firm]["people"])[-1]
        )
        for uid, owner in owners.items():
            if history.people[owner].firm != firm:
                continue
            view = await asyncio.wait_for(read_whole(supervisor, uid), ANSWER_SECONDS)
            rows = await asyncio.wait_for(supervisor.transcript(uid), ANSWER_SECONDS)
            visitor = next(each for each in crowd.visitors if each.name == owner)
            own = await asyncio.wait_for(visitor.transcript(uid), ANSWER_SECONDS)
            history.transcripts[uid] = Transcript(
                uid, firm, owner, tuple(rows), tuple(view.get("notes", ())), tuple(own)
            )


def owners_of(history: History) -> dict[str, str]:
    """{chat: the visitor who has it}, by whoever was shown it as their own."""
    owners: dict[str, str] = {}
    for sight in history.sights:
        frame = sight.frame
        if history.people[sight.who].side == "visitor" and frame["type"] in (
            "started", "chat_started", "visitor_welcome", "reset",
        ):  # fmt: skip
            view = frame.get("own") or frame.get("chat")
            if isinstance(view, dict):
                owners.setdefault(view["uid"], sight.who)
    return owners


def verdict(history: History, seed: int) -> str:
    """ "" for a good history; else every kind of fault once, each with its shortest history."""
    by_rule: dict[str, Fault] = {}
    for fault in check(history):
        by_rule.setdefault(fault.rule, fault)
    return "\n\n".join(told(history, fault, seed) for fault in by_rule.values())
