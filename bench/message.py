"""`message`: what a durable message costs, from the socket to the ack and two deliveries.

32 chats of three sockets: the visitor's tab that sends, the visitor's other tab, the operator. Three servers
stand side by side and are measured in turn, three times: the real product (hello, rights, limits, marks),
the floor (bench/floors/message.py) and stock Channels with the ORM (bench/floors/stock/). The server has one
core, the load, PostgreSQL and Redis the other. CPU time is that of the server process, from /proc.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import psycopg

from bench import http
from bench.console import Console
from bench.load import ChatLoad, Load, Result, Socket
from bench.machine import cores, median, wait_until_idle
from bench.visitor import Visitor
from tests.servers import ROOT, PrivateServices, Server, free_port

CHATS = 32
ROUNDS = 3
STACKS = ("sqlite", "postgres")
SERVER_CORE, LOAD_CORE = 0, 1
# as `manage.py serve` runs it: bench and product differ in the application only
UVICORN = [
    "--ws", "websockets-sansio", "--loop", "uvloop", "--http", "httptools",
    "--ws-per-message-deflate", "false", "--ws-ping-interval", "45",
    "--no-access-log", "--log-level", "warning",
]  # fmt: skip


class Stack(NamedTuple):
    """Where a server keeps things: `database` makes the address of a fresh database with the given name."""

    name: str
    folder: Path
    services_url: str
    redis_url: str

    def database(self, name: str) -> str:
        if not self.services_url:
            return f"sqlite:///{self.folder / name}.sqlite3"
        with psycopg.connect(self.services_url, autocommit=True) as db:
            db.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return urllib.parse.urlunsplit(urllib.parse.urlsplit(self.services_url)._replace(path=f"/{name}"))


@contextlib.contextmanager
def stack(name: str) -> Iterator[Stack]:
    """`sqlite` (one process, no Redis) or `postgres` (durable, with Redis), in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="chatlead-bench-") as folder, cores(LOAD_CORE):
        if name == "sqlite":
            yield Stack(name, Path(folder), "", "")
        else:
            with PrivateServices(durable=True) as services:
                yield Stack(name, Path(folder), services.database_url, services.redis_url)


class Target(Protocol):
    """A server to be measured. `chats` gives fresh sockets for one round."""

    @property
    def pid(self) -> int: ...

    def chats(self, count: int = CHATS) -> list[ChatLoad]: ...


class Plain:
    """A floor: uvicorn with an application that wants neither hello nor log-in. What it complains of goes to
    `log`: channels_redis logs a time-out for every socket that was silent while another was measured."""

    def __init__(self, app: str, database_url: str, redis_url: str, log: Path) -> None:
        self._port = free_port()
        env = os.environ | {
            "CHATLEAD_FLOOR": database_url,
            "DJANGO_SETTINGS_MODULE": "bench.floors.stock.settings",
            "PYTHONPATH": str(ROOT),
        }
        if redis_url:
            env["CHATLEAD_FLOOR_REDIS"] = redis_url
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(self._port), *UVICORN]
        with cores(SERVER_CORE), log.open("ab") as complaints:
            self._process = subprocess.Popen(command, env=env, cwd=ROOT, stderr=complaints)
        end = time.monotonic() + 20
        while True:
            try:
                http.request(f"http://127.0.0.1:{self._port}/")
                return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    self.close()
                    raise
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def chats(self, count: int = CHATS) -> list[ChatLoad]:
        def socket(number: int) -> Socket:
            return Socket(f"ws://127.0.0.1:{self._port}/ws/{number}")

        return [
            ChatLoad(str(number), socket(number), [socket(number), socket(number)])
            for number in range(1, count + 1)
        ]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)


class Conversation(NamedTuple):
    """What opens the three sockets of a chat again."""

    uid: str
    session: str
    cookie: str


class Product:
    """The real server with its demo, some operators and an accepted chat for each of them."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, chats: int = CHATS) -> None:
        self.server = Server(
            data_dir=folder, database_url=database_url, redis_url=redis_url, options=["--migrate", "--demo"]
        )
        with cores(SERVER_CORE):
            self.server.start()
        self.site_key = http.site_key(self.server.url)
        self.conversations = asyncio.run(self._start_chats(chats))

    @property
    def pid(self) -> int:
        return self.server.pids()[0]

    async def _start_chats(self, count: int) -> list[Conversation]:
        cookies = crew(self.server, count)
        found = []
        for number, cookie in enumerate(cookies):
            visitor, console = Visitor(self.server.url, self.site_key), Console(self.server.url, cookie)
            await console.open()
            await console.set_availability(online=True)
            await visitor.open()
            chat = await visitor.start_chat(name=f"Visitor {number}", text="Hello", department="Intake")
            await console.accept_chat(chat.uid)
            found.append(Conversation(chat.uid, visitor.session, cookie))
            await visitor.close()
            await console.close()
        return found

    def chats(self, count: int = CHATS) -> list[ChatLoad]:
        url = self.server.url

        def tab(talk: Conversation) -> Socket:
            ticket = http.json(f"{url}/widget/v1/ticket", body=f'{{"site":"{self.site_key}"}}', origin=url)
            hello = {"type": "hello", "protocol": 1, "role": "chat", "site": self.site_key, "embedder": url}
            hello |= {"ticket": ticket["ticket"], "session": talk.session}
            return Socket(f"ws{url[4:]}/ws/v1/visitor", {"Origin": url}, json.dumps(hello))

        def console(talk: Conversation) -> Socket:
            headers = {"Origin": url, "Cookie": talk.cookie}
            return Socket(f"ws{url[4:]}/ws/v1/operator", headers, '{"type":"hello","protocol":1}')

        return [
            ChatLoad(talk.uid, tab(talk), [tab(talk), console(talk)]) for talk in self.conversations[:count]
        ]

    def close(self) -> None:
        self.server.close()


def crew(server: Server, count: int) -> list[str]:
    """`Cookie` headers of so many fresh operators of the demo's Intake, logged in without a password."""
    command = [sys.executable, "-m", "bench.crew", str(count)]
    done = subprocess.run(
        command, env=server.environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    cookies: list[str] = json.loads(done.stdout)
    return cookies


def measure(target: Target, *, chats: int = CHATS, seconds: float = 4.0, rate: float = 0.0) -> Result:
    """One round, from a process of its own on the other core."""
    load = Load(target.chats(chats), target.pid, seconds=seconds, rate=rate)
    with cores(LOAD_CORE):
        done = subprocess.run(
            [sys.executable, "-m", "bench.load"], input=msgspec.json.encode(load), cwd=ROOT, check=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
    result = msgspec.json.decode(done.stdout, type=Result)
    if not result.messages:
        raise RuntimeError("no message was acknowledged")
    return result


def run(stacks: Sequence[str] = STACKS) -> Iterator[dict[str, Any]]:
    """One line for each stack."""
    for name in stacks:
        with stack(name) as where, contextlib.ExitStack() as servers:
            targets: dict[str, Target] = {}
            for kind in ("product", "floor", "stock"):
                database_url = where.database(kind)
                if kind == "product":
                    target: Any = Product(where.folder, database_url, where.redis_url)
                else:
                    app = "bench.floors.message:app" if kind == "floor" else "bench.floors.stock.asgi:app"
                    target = Plain(app, database_url, where.redis_url, where.folder / f"{kind}.log")
                servers.callback(target.close)
                targets[kind] = target
            for target in targets.values():
                wait_until_idle(target.pid)
            rounds = [{kind: measure(target) for kind, target in targets.items()} for _ in range(ROUNDS)]
        value, floor, stock = (
            median(results[kind].cpu_us for results in rounds) for kind in ("product", "floor", "stock")
        )
        product = [results["product"] for results in rounds]
        yield {
            "bench": f"message:{name}",
            "unit": "cpu_us",
            "value": value,
            "floor": floor,
            "ratio": round(value / floor, 2),
            "stock": stock,
            "stock_ratio": round(value / stock, 3),
            "messages_per_s": round(median(each.messages / each.seconds for each in product)),
            "p50_ms": median(each.ack_p50_ms for each in product),
            "p99_ms": median(each.ack_p99_ms for each in product),
            "delivered_p50_ms": median(each.delivered_p50_ms for each in product),
            "floor_messages_per_s": round(
                median(results["floor"].messages / results["floor"].seconds for results in rounds)
            ),
            "deliveries_per_message": round(product[0].deliveries / product[0].messages, 2),
        }
