"""What is done to the machine while people talk. A nemesis is awaited, and leaves everything mended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from websockets.asyncio.client import ClientConnection

from tests.faults.checker.generator import Crowd
from tests.faults.checker.stage import Nemesis, Stage

AWAY_SECONDS = 1.5
STILL_SECONDS = 2.0
SLOW_SECONDS = 2.0
HOUR = 3600.0

# What a process is tied to is the thread that started it, so that thread must outlive every event loop.
_hands = ThreadPoolExecutor(1, thread_name_prefix="nemesis")


async def by_hand(work: Callable[..., object], *arguments: object) -> None:
    """Call it in the one thread that starts and ends processes."""
    await asyncio.get_running_loop().run_in_executor(_hands, work, *arguments)


# --- processes ------------------------------------------------------------------------------------


async def kill_one(stage: Stage, crowd: Crowd) -> None:
    """kill -9 of a web process while another one lives (or of the only one)."""
    await by_hand(stage.server.kill, 0)
    await asyncio.sleep(0.3)
    await by_hand(stage.server.start, 0)


async def kill_all(stage: Stage, crowd: Crowd) -> None:
    """kill -9 of every web process."""
    await by_hand(stage.server.kill)
    await asyncio.sleep(0.3)
    await by_hand(stage.server.start)


async def freeze(stage: Stage, crowd: Crowd) -> None:
    """SIGSTOP: a process that neither works nor dies, and wakes up with an old idea of the world."""
    pid = stage.server.pids()[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(STILL_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)


# --- services -------------------------------------------------------------------------------------


async def restart_redis(stage: Stage, crowd: Crowd) -> None:
    assert stage.services is not None
    await by_hand(stage.services.stop_redis)
    await by_hand(stage.services.start_redis)


async def flush_redis(stage: Stage, crowd: Crowd) -> None:
    """FLUSHALL, some times."""
    assert stage.services is not None
    for _ in range(5):
        await by_hand(stage.services.flush_redis)
        await asyncio.sleep(0.2)


async def no_redis(stage: Stage, crowd: Crowd) -> None:
    """Redis is gone for some time: the chat goes on by the database (V-15)."""
    assert stage.services is not None
    await by_hand(stage.services.kill_redis)
    await asyncio.sleep(AWAY_SECONDS)
    await by_hand(stage.services.start_redis)


async def restart_postgres(stage: Stage, crowd: Crowd) -> None:
    assert stage.services is not None
    await by_hand(stage.services.stop_postgres)
    await asyncio.sleep(0.3)
    await by_hand(stage.services.start_postgres)


async def kill_postgres(stage: Stage, crowd: Crowd) -> None:
    """kill -9 of the postmaster, twice: what was acknowledged is in the log of the database."""
    assert stage.services is not None
    for _ in range(2):
        await by_hand(stage.services.kill_postgres)
        await by_hand(stage.services.start_postgres)
        await asyncio.sleep(0.3)


# --- lines ----------------------------------------------------------------------------------------


async def cut_lines(stage: Stage, crowd: Crowd) -> None:
    """Every connection is cut, one after the other, again and again."""
    for _ in range(3):
        for client in crowd.clients:
            client.link.cut()
            await asyncio.sleep(0.03)


async def slow_readers(stage: Stage, crowd: Crowd) -> None:
    """Every third client reads nothing for some time."""
    sockets = [client.link._socket for client in crowd.clients[::3]]
    slow = [socket.transport for socket in sockets if isinstance(socket, ClientConnection)]
    for transport in slow:
        transport.pause_reading()
    await asyncio.sleep(SLOW_SECONDS)
    for transport in slow:
        if not transport.is_closing():
            transport.resume_reading()


async def lose_hints(stage: Stage, crowd: Crowd) -> None:
    """Of all that is published, 30 % reaches nobody (V-3)."""
    stage.order(drop=0.3, seed=crowd.seed)
    await asyncio.sleep(STILL_SECONDS)
    stage.order()


async def bad_wires(stage: Stage, crowd: Crowd) -> None:
    """Packets are 20 to 80 ms late and in any order, and 3 % are lost, between all processes."""
    for wire in stage.wires:
        wire.delay, wire.jitter, wire.loss = 0.02, 0.06, 0.03
    await asyncio.sleep(STILL_SECONDS)
    for wire in stage.wires:
        wire.mend()


async def one_way(stage: Stage, crowd: Crowd) -> None:
    """First nothing reaches a process, which itself is heard; then nothing of what it says gets out."""
    [wire, *_] = stage.wires
    wire.cut_in = True
    await asyncio.sleep(STILL_SECONDS)
    wire.cut_in, wire.cut_out = False, True
    await asyncio.sleep(STILL_SECONDS)
    wire.mend()


async def cut_off(stage: Stage, crowd: Crowd) -> None:
    """A process without any network: without clients, PostgreSQL and Redis."""
    [wire, *_] = stage.wires
    wire.cut_in = wire.cut_out = True
    await asyncio.sleep(STILL_SECONDS)
    wire.mend()


# --- time -----------------------------------------------------------------------------------------


async def jump_clock(stage: Stage, crowd: Crowd) -> None:
    """The time of day jumps an hour ahead, an hour back, and is right again. The monotonic clock does not."""
    for clock in (HOUR, -HOUR, 0.0):
        stage.order(clock=clock)
        await asyncio.sleep(AWAY_SECONDS / 2)


ANYWHERE: tuple[Nemesis, ...] = (
    kill_all,
    freeze,
    cut_lines,
    slow_readers,
    lose_hints,
    jump_clock,
)
BY_WIRE: tuple[Nemesis, ...] = (bad_wires, one_way, cut_off)
WITH_SERVICES: tuple[Nemesis, ...] = (
    kill_one,
    restart_redis,
    flush_redis,
    no_redis,
    restart_postgres,
    kill_postgres,
)
