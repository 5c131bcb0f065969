"""`connect`: what it costs to let somebody in (accept, authenticate, snapshot), and how soon all are back.

Measured are a visitor's frame (a ticket, a session with an open chat, the snapshot with site and chat), a
page (the loader: its Origin, who is online) and a console (log-in, team, chats), each some hundred times, 32
at once, three rounds in turn. The floor is bare ASGI that accepts. The tickets are fetched before.

Then 10,000 pages are connected and cut at once while 32 chats go on; they come back with the browser's
backoff.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from bench.crowd import Crowd, Members
from bench.load import Load, Result
from bench.machine import cores, cpu_seconds, median, ratio, wait_until_idle
from bench.message import LOAD_CORE, STACKS, Plain, Product, Stack, Target, stack
from tests.servers import ROOT

SIZE = 10_000  # sockets that are cut
SAMPLE = 600  # sockets of one round
ROUNDS = 3
CHATS = 32
AT_ONCE = 32
RUNNING_RATE = 20.0  # messages a second of the chats that go on


def page_members(product: Product, at_once: int = AT_ONCE) -> Members:
    """Loaders on the demo's website."""
    hello = {"type": "hello", "protocol": 1, "role": "page", "site": product.site_key}
    hello |= {"page_url": f"{product.server.url}/demo/"}
    return Members(
        _socket_url(product, "visitor"), {"Origin": product.server.url}, [json.dumps(hello)], at_once=at_once
    )


def frame_members(product: Product, count: int, *, in_chats: bool = True) -> Members:
    """Frames, each with a ticket of its own: to be used within a minute. Their visitors are in a chat, or
    have just opened the widget."""
    url, hellos = product.server.url, []
    link = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    for number in range(count):
        body = f'{{"site":"{product.site_key}"}}'
        link.request("POST", "/widget/v1/ticket", body, {"Content-Type": "text/plain", "Origin": url})
        ticket = json.loads(link.getresponse().read())["ticket"]
        talk = product.conversations[number % len(product.conversations)]
        hello = {"type": "hello", "protocol": 1, "role": "chat", "site": product.site_key, "embedder": url}
        session = {"session": talk.session} if in_chats else {}
        hellos.append(json.dumps(hello | {"ticket": ticket} | session))
    link.close()
    return Members(_socket_url(product, "visitor"), {"Origin": url}, hellos, at_once=AT_ONCE)


def console_members(product: Product) -> Members:
    """The consoles of the operators who are in the chats, in turn."""
    cookies = [talk.cookie for talk in product.conversations]
    headers, hello = {"Origin": product.server.url}, '{"type":"hello","protocol":1}'
    return Members(_socket_url(product, "operator"), headers, [hello], cookies, AT_ONCE)


def floor_members(floor: Plain, at_once: int = AT_ONCE) -> Members:
    """Sockets that are accepted, and that is all."""
    return Members(f"ws{floor.url[4:]}/ws/1", at_once=at_once)


def _socket_url(product: Product, side: str) -> str:
    return f"ws{product.server.url[4:]}/ws/v1/{side}"


def cost(target: Target, members: Members, count: int) -> float:
    """CPU µs of the server for each of so many sockets that come in."""
    with Crowd(members, LOAD_CORE) as crowd:
        wait_until_idle(target.pid, 5)
        before = cpu_seconds(target.pid)
        came = crowd.order(f"open {count}")
        used = cpu_seconds(target.pid) - before
        if came["open"] < count:
            raise RuntimeError(f"only {came['open']} of {count} were let in")
        crowd.order("close")
    wait_until_idle(target.pid, 5)
    return used / count * 1e6


def storm(product: Product, size: int, rate: float) -> dict[str, Any]:
    """Connect that many pages, cut them all at once, wait until all are back; and what the chats feel."""
    with Crowd(page_members(product, at_once=256), LOAD_CORE) as crowd:
        came = crowd.order(f"open {size}")
        if came["open"] < size:
            raise RuntimeError(f"only {came['open']} of {size} were let in")
        wait_until_idle(product.pid, 10)
        talk = _Talk(Load(product.chats(CHATS), product.pid, warm=0.5, seconds=20.0, rate=rate))
        crowd.send("cut")
        back = crowd.answer()
        felt = talk.result()
    return {
        "seconds": back["seconds"],
        "back": back["open"],
        "back_p50_s": back["p50_s"],
        "attempts": back["attempts"],
        "sent_away": back["sent_away"],
        "running_p50_ms": felt.ack_p50_ms,
        "running_p95_ms": felt.ack_p95_ms,
        "opened_s": came["seconds"],
    }


class _Talk:
    """A load that runs beside something else; it has begun when this is made."""

    def __init__(self, load: Load) -> None:
        with cores(LOAD_CORE):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        self._output = b""
        self._thread = threading.Thread(target=self._talk, args=(msgspec.json.encode(load),))
        self._thread.start()

    def _talk(self, spec: bytes) -> None:
        self._output = self._process.communicate(spec)[0]

    def result(self) -> Result:
        self._thread.join(240)
        return msgspec.json.decode(self._output, type=Result)


def figures(where: Stack, size: int, sample: int, rounds: int) -> dict[str, Any]:
    """All of one stack."""
    with contextlib.ExitStack() as servers:
        product = Product(where.folder, where.database("product"), where.redis_url, chats=CHATS)
        servers.callback(product.close)
        floor = Plain("bench.floors.socket:app", "", "", where.folder / "floor.log")
        servers.callback(floor.close)
        costs: dict[str, list[float]] = {kind: [] for kind in ("floor", "page", "frame", "console")}
        for turn in range(rounds + 1):
            count = sample if turn else max(1, sample // 5)  # the first turn warms up
            for kind, target, members in (
                ("floor", floor, floor_members(floor)),
                ("page", product, page_members(product)),
                ("frame", product, frame_members(product, count)),
                ("console", product, console_members(product)),
            ):
                each = cost(target, members, count)
                if turn:
                    costs[kind].append(each)
        found = {kind: round(median(values)) for kind, values in costs.items()}
        return {
            "unit": "cpu_us",
            "value": found["frame"],
            "floor": found["floor"],
            "ratio": ratio(found["frame"], found["floor"]),
            "page_us": found["page"],
            "page_ratio": ratio(found["page"], found["floor"]),
            "console_us": found["console"],
            "console_ratio": ratio(found["console"], found["floor"]),
            "sockets": size,
            **storm(product, size, RUNNING_RATE),
        }


def run(
    stacks: Sequence[str] = STACKS, size: int = SIZE, sample: int = SAMPLE, rounds: int = ROUNDS
) -> Iterator[dict[str, Any]]:
    """One line for each stack; `size` sockets are cut, `sample` measured in each round."""
    for name in stacks:
        with stack(name) as where:
            yield {"bench": f"connect:{name}", **figures(where, size, sample, rounds)}
