"""V-9: of a crowd that comes at once, those who are inside already wait for a few at a time."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatlead.wire.door import entrance
from chatlead.wire.listener import A_TURN, Listener
from tests.realtime.kit import Turns, until

pytestmark = pytest.mark.once

CROWD = 200


class Exhausted(socket.socket):
    """The system's socket in a process that has no file descriptor left, for the first `failures` calls."""

    failures = 2

    def accept(self) -> tuple[socket.socket, Any]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class House:
    """Whoever is let in is greeted; who is inside is counted."""

    def __init__(self) -> None:
        self.inside = 0

    def guest(self) -> asyncio.Protocol:
        return Guest(self)


class Guest(asyncio.Protocol):
    def __init__(self, house: House) -> None:
        self.house = house

    def connection_made(self, transport: Any) -> None:
        self.house.inside += 1
        transport.write(b"come in")

    def connection_lost(self, exc: Exception | None) -> None:
        self.house.inside -= 1


def bound(kind: type[socket.socket] = socket.socket) -> socket.socket:
    listening = kind()
    listening.bind(("127.0.0.1", 0))
    return listening


@asynccontextmanager
async def crowd(house: House, address: Any, count: int) -> AsyncIterator[list[socket.socket]]:
    """So many who have come, and who leave at the end."""
    everybody = [socket.create_connection(address, 5) for _ in range(count)]
    try:
        yield everybody
    finally:
        for each in everybody:
            each.close()
        await until(lambda: house.inside == 0)


async def greeted(everybody: list[socket.socket]) -> set[bytes]:
    loop = asyncio.get_running_loop()
    for each in everybody:
        each.setblocking(False)
    return set(await asyncio.gather(*[loop.sock_recv(each, 100) for each in everybody]))


async def test_a_crowd_comes_in_a_few_at_a_time_and_all_of_it() -> None:
    """V-9: nobody of those inside waits for two hundred newcomers."""
    house, turns, taken = House(), Turns(), Counter[int]()

    def make() -> asyncio.Protocol:
        taken[turns.number] += 1
        return house.guest()

    listening = bound()
    listening.listen(CROWD)
    async with crowd(house, listening.getsockname(), CROWD) as everybody:
        listener = Listener(listening, make, CROWD)
        try:
            assert await asyncio.wait_for(greeted(everybody), 10) == {b"come in"}
        finally:
            turns.end()
            listener.close()
    assert taken.total() == CROWD
    assert max(taken.values()) <= 2 * A_TURN


async def test_nobody_is_taken_while_the_door_is_full() -> None:
    """V-9: a connection that waits in the system's backlog costs nobody a turn."""
    house, listening = House(), bound()
    address = listening.getsockname()
    listening.listen(10)
    while not entrance.is_full():
        if not entrance.is_open():
            entrance.wait(lambda: True)
    seen: list[bool] = []

    def make() -> asyncio.Protocol:
        seen.append(entrance.is_full())
        return house.guest()

    async with crowd(house, address, 1) as everybody:
        listener = Listener(listening, make, 10)
        try:
            assert await asyncio.wait_for(greeted(everybody), 10) == {b"come in"}
        finally:
            listener.close()
    assert seen == [False]


async def test_who_comes_while_no_descriptor_is_left_waits_and_comes_in() -> None:
    """D-5: an `accept` that fails holds nobody up for longer than it must."""
    house, listening = House(), bound(Exhausted)
    address = listening.getsockname()
    listener = Listener(listening, house.guest, 10)
    try:
        async with crowd(house, address, 1) as everybody:
            assert await asyncio.wait_for(greeted(everybody), 10) == {b"come in"}
    finally:
        listener.close()


async def test_a_closed_door_takes_nobody() -> None:
    """V-10."""
    house, listening = House(), bound()
    address = listening.getsockname()
    listener = Listener(listening, house.guest, 10)
    async with crowd(house, address, 1) as everybody:
        await asyncio.wait_for(greeted(everybody), 10)
        listener.close()
        listener.close()
        await listener.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 5)
