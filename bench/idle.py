"""`idle`: what 10,000 visitors cost who only look: memory each, and CPU time of them all.

They are loaders on the firm's pages, welcomed, in one process, with ten consoles connected and two chats
open, so that positions, leases and checks of rights are carried out meanwhile; pings are uvicorn's, every
45 s, and the CPU time is that of two rounds of them. The floor are as many sockets of bare ASGI, which has
its pings too. Another server has 2,000 frames instead: they are told every 15 to 25 s who is online.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.connect import console_members, floor_members, frame_members, page_members
from bench.crowd import Crowd, Members
from bench.machine import cpu_seconds, rss_mb, wait_until_idle
from bench.message import LOAD_CORE, STACKS, Plain, Product, Stack, Target, stack

SIZE = 10_000
FRAMES = 2_000
WATCHED_SECONDS = 90.0
CHATS = 2
CONSOLES = 10
WARM_UP = 100  # sockets that come and go first: what is made once is no memory of a socket


def fill(target: Target, crowd: Crowd, size: int) -> float:
    """Connect so many; KiB of resident memory that each has added."""
    before = rss_mb(target.pid)
    came = crowd.order(f"open {size}")
    if came["open"] < size:
        raise RuntimeError(f"only {came['open']} of {size} were let in")
    wait_until_idle(target.pid, 10)
    return (rss_mb(target.pid) - before) * 1e6 / 1024 / size


def warm_up(target: Target, members: Members, count: int) -> None:
    with Crowd(members, LOAD_CORE) as crowd:
        crowd.order(f"open {count}")
    wait_until_idle(target.pid, 10)


def figures(where: Stack, size: int, seconds: float, frames: int) -> dict[str, Any]:
    """All of one stack."""
    with contextlib.ExitStack() as running:
        product = Product(where.folder, where.database("product"), where.redis_url, chats=CHATS)
        running.callback(product.close)
        floor = Plain("bench.floors.socket:app", "", "", where.folder / "floor.log")
        running.callback(floor.close)
        pids = {"product": product.pid, "floor": floor.pid}
        consoles = running.enter_context(Crowd(console_members(product), LOAD_CORE))
        consoles.order(f"open {CONSOLES}")
        warm_up(product, page_members(product), min(WARM_UP, size))
        warm_up(floor, floor_members(floor), min(WARM_UP, size))
        empty = _used(pids, seconds / 3)
        crowd = running.enter_context(Crowd(page_members(product), LOAD_CORE))
        bare = running.enter_context(Crowd(floor_members(floor), LOAD_CORE))
        value, least = fill(product, crowd, size), fill(floor, bare, size)
        used = _used(pids, seconds)
        stayed = crowd.order("count")["open"]
        found = {
            "unit": "kib",
            "value": round(value, 1),
            "floor": round(least, 1),
            "ratio": round(value / least, 2) if least > 0 else 0.0,
            "cpu_percent": round(used["product"], 2),
            "floor_cpu_percent": round(used["floor"], 2),
            "empty_cpu_percent": round(empty["product"], 2),
            "sockets": stayed,
            "rss_mb": rss_mb(product.pid),
        }
    if frames:
        found |= _frames(where, frames, seconds / 2)
    return found


def _frames(where: Stack, count: int, seconds: float) -> dict[str, Any]:
    """The same of opened widgets; their tickets last a minute, so they come in small groups."""
    with contextlib.ExitStack() as crowds:
        product = Product(where.folder / "frames", where.database("frames"), where.redis_url, chats=1)
        crowds.callback(product.close)
        warm_up(product, frame_members(product, min(WARM_UP, count), in_chats=False), min(WARM_UP, count))
        before = rss_mb(product.pid)
        for _ in range(0, count, 1000):
            members = frame_members(product, min(1000, count), in_chats=False)
            crowds.enter_context(Crowd(members, LOAD_CORE)).order(f"open {min(1000, count)}")
        wait_until_idle(product.pid, 10)
        kib = (rss_mb(product.pid) - before) * 1e6 / 1024 / count
        used = _used({"product": product.pid}, seconds)
    return {
        "frames": count,
        "frame_kib": round(kib, 1),
        "frames_cpu_percent": round(used["product"], 2),
    }


def _used(pids: dict[str, int], seconds: float) -> dict[str, float]:
    """Percent of a core that each process needs."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    started = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - started
    return {name: (cpu_seconds(pid) - before[name]) / passed * 100 for name, pid in pids.items()}


def run(
    stacks: Sequence[str] = STACKS, size: int = SIZE, seconds: float = WATCHED_SECONDS, frames: int = FRAMES
) -> Iterator[dict[str, Any]]:
    """One line for each stack, with `size` visitors watched for so many seconds."""
    for name in stacks:
        with stack(name) as where:
            yield {"bench": f"idle:{name}", **figures(where, size, seconds, frames)}
