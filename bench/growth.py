"""`growth`: what `message` and `latency` become when 10,000,000 messages are stored, against 10,000.

Two servers stand side by side, each on a database that bench/fill.py has filled, and are measured in turn:
the CPU time of a message in the closed loop of `message`, and the wait for the ack at 200 a second. The
snapshots of a frame and of a console are measured too, since they read where all the rows are.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from bench.connect import console_members, cost, frame_members
from bench.load import Result
from bench.machine import cores, median, wait_until_idle
from bench.message import LOAD_CORE, STACKS, Product, Stack, measure, stack
from tests.servers import ROOT, Server

SIZE = 10_000_000
FEW = 10_000
CHATS = 32
RATE = 200.0
ROUNDS = 4
SECONDS = 4.0
SAMPLE = 200  # snapshots of a round


def filled(where: Stack, name: str, messages: int) -> tuple[Product, dict[str, Any]]:
    """A server on a database with so many messages, and what filling it took."""
    folder, database_url = where.folder / name, where.database(name)
    folder.mkdir()
    server = Server(data_dir=folder, database_url=database_url, redis_url=where.redis_url)
    with cores(LOAD_CORE):
        done = subprocess.run(
            [sys.executable, "-m", "bench.fill", str(messages)],
            env=server.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
    return Product(folder, database_url, where.redis_url, chats=CHATS), json.loads(done.stdout)


def figures(where: Stack, size: int, few: int, seconds: float, rounds: int, sample: int) -> dict[str, Any]:
    """All of one stack."""
    with contextlib.ExitStack() as servers:
        products = {}
        for name, count in (("many", size), ("few", few)):
            products[name], filling = filled(where, name, count)
            servers.callback(products[name].close)
            if name == "many":
                took = filling
        closed: dict[str, list[Result]] = {name: [] for name in products}
        paced: dict[str, list[Result]] = {name: [] for name in products}
        frames: dict[str, list[float]] = {name: [] for name in products}
        consoles: dict[str, list[float]] = {name: [] for name in products}
        for turn in range(rounds + 1):
            for name, product in products.items():
                wait_until_idle(product.pid, 5)
                each = measure(product, chats=CHATS, seconds=seconds if turn else 1.0)
                slow = measure(product, chats=CHATS, seconds=seconds if turn else 1.0, rate=RATE)
                frame = cost(product, frame_members(product, sample), sample)
                console = cost(product, console_members(product), sample)
                if turn:  # the first warms up
                    closed[name].append(each)
                    paced[name].append(slow)
                    frames[name].append(frame)
                    consoles[name].append(console)
    cpu = {name: median(each.cpu_us for each in results) for name, results in closed.items()}
    p50 = {name: median(each.ack_p50_ms for each in results) for name, results in paced.items()}
    frame_us = {name: median(values) for name, values in frames.items()}
    console_us = {name: median(values) for name, values in consoles.items()}
    return {
        "unit": "cpu_us",
        "value": cpu["many"],
        "floor": cpu["few"],
        "ratio": round(cpu["many"] / cpu["few"], 2),
        "latency_ms": p50["many"],
        "floor_latency_ms": p50["few"],
        "latency_ratio": round(p50["many"] / p50["few"], 2),
        "p99_ms": median(each.ack_p99_ms for each in paced["many"]),
        "floor_p99_ms": median(each.ack_p99_ms for each in paced["few"]),
        "frame_ratio": round(frame_us["many"] / frame_us["few"], 2),
        "console_ratio": round(console_us["many"] / console_us["few"], 2),
        "messages": took["messages"],
        "few": few,
        "gigabytes": round(took["bytes"] / 1e9, 2),
        "fill_s": took["seconds"],
    }


def run(
    stacks: Sequence[str] = STACKS, size: int = SIZE, few: int = FEW, seconds: float = SECONDS,
    rounds: int = ROUNDS, sample: int = SAMPLE,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """One line for each stack, with `size` stored messages against `few`."""
    for name in stacks:
        with stack(name) as where:
            yield {"bench": f"growth:{name}", **figures(where, size, few, seconds, rounds, sample)}
