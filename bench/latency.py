"""`latency`: how long a message waits for its ack when 200 come in a second, in 100 chats of three sockets.

The floor is a commit and an echo, both at this rate: the median of one durable message after the other on the
writer of the message floor, and that of bare ASGI which answers every frame. Then 10,000 pages are connected
to the same server and keep still, and the same is measured again; and once more when they have gone, so that
what the machine does meanwhile is not taken for theirs.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from bench.connect import page_members
from bench.crowd import Crowd
from bench.load import Result
from bench.machine import cores, median, wait_until_idle
from bench.message import LOAD_CORE, SERVER_CORE, STACKS, Plain, Product, Stack, Target, measure, stack
from tests.servers import ROOT

SIZE = 10_000  # idle sockets
CHATS = 100
RATE = 200.0
SECONDS = 6.0
ROUNDS = 3


def commit_ms(database_url: str, rate: float, seconds: float) -> float:
    """The median of a commit, on the server's core."""
    command = [sys.executable, "-m", "bench.floors.commit", database_url, str(rate), str(seconds)]
    with cores(SERVER_CORE):
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def figures(where: Stack, size: int, chats: int, seconds: float, rounds: int) -> dict[str, Any]:
    """All of one stack."""
    with contextlib.ExitStack() as servers:
        product = Product(where.folder, where.database("product"), where.redis_url, chats=chats)
        servers.callback(product.close)
        echo = Plain("bench.floors.socket:app", "", "", where.folder / "echo.log")
        servers.callback(echo.close)
        bare = Plain(
            "bench.floors.message:app", where.database("bare"), where.redis_url, where.folder / "log"
        )
        servers.callback(bare.close)

        def paced(target: Target) -> Result:
            wait_until_idle(target.pid, 5)
            return measure(target, chats=chats, seconds=seconds, rate=RATE)

        before, with_crowd, after, echoes, bares, commits = [], [], [], [], [], []
        paced(product)  # warms up
        for turn in range(rounds):
            before.append(paced(product))
            echoes.append(paced(echo).ack_p50_ms)
            bares.append(paced(bare).ack_p50_ms)
            commits.append(commit_ms(where.database(f"commit{turn}"), RATE, seconds / 2))
        with Crowd(page_members(product, at_once=256), LOAD_CORE) as crowd:
            came = crowd.order(f"open {size}")
            if came["open"] < size:
                raise RuntimeError(f"only {came['open']} of {size} were let in")
            wait_until_idle(product.pid, 10)
            with_crowd += [paced(product) for _ in range(rounds)]
            stayed = crowd.order("count")["open"]
            crowd.order("close")
        wait_until_idle(product.pid, 20)
        after += [paced(product) for _ in range(rounds)]
    floor = median(echoes) + median(commits)
    value = median(each.ack_p50_ms for each in before)
    without = median(each.ack_p50_ms for each in before + after)
    crowded = median(each.ack_p50_ms for each in with_crowd)
    return {
        "unit": "ms",
        "value": value,
        "floor": round(floor, 2),
        "ratio": round(value / floor, 2),
        "p99_ms": median(each.ack_p99_ms for each in before),
        "p99_ratio": round(median(each.ack_p99_ms for each in before) / floor, 2),
        "idle_ratio": round(crowded / without, 2),
        "idle_p50_ms": crowded,
        "idle_p99_ms": median(each.ack_p99_ms for each in with_crowd),
        "idle_sockets": stayed,
        "delivered_p50_ms": median(each.delivered_p50_ms for each in before),
        "echo_ms": median(echoes),
        "commit_ms": median(commits),
        "bare_ms": median(bares),
        "messages_per_s": round(median(each.messages / each.seconds for each in before)),
        "cpu_us": median(each.cpu_us for each in before),
        "chats": chats,
    }


def run(
    stacks: Sequence[str] = STACKS, size: int = SIZE, chats: int = CHATS, seconds: float = SECONDS,
    rounds: int = ROUNDS,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """One line for each stack, with `size` idle sockets."""
    for name in stacks:
        with stack(name) as where:
            yield {"bench": f"latency:{name}", **figures(where, size, chats, seconds, rounds)}
