"""The short cuts of our connection are what the protocol says, for every size and at any speed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chatlead.realtime import socket as kernel
from tests.realtime.kit import CHAT, REF, House, closing, hear, message, serving, visitor


@pytest.mark.parametrize("length", [0, 1, 40, 125, 126, 200, 3_900])
@pytest.mark.parametrize("letter", ["a", "€", "👩"])
async def test_a_text_of_any_length_arrives_whole(letter: str, length: int) -> None:
    """RFC 6455, 5.2: the three ways of saying how long a frame is."""
    text = letter * max(1, length)
    async with serving(House()) as address, visitor(address) as vera, visitor(address) as olga:
        await vera.send(json.dumps(message(1, text), ensure_ascii=False))
        assert (await hear(vera))["type"] == "ack"
        assert (await hear(olga))["text"] == text


async def test_a_frame_above_64_kib_reaches_the_browser() -> None:
    """A snapshot may be long; only what comes in is bounded."""
    house = House()
    long = "x" * 200_000

    def tell(socket: kernel.Socket, command: Any) -> None:
        socket.deliver(json.dumps({"text": long}))

    house.on_message = tell
    async with serving(house) as address, visitor(address) as vera:
        await vera.send(json.dumps(message(1)))
        assert (await hear(vera))["text"] == long


async def test_frames_that_come_faster_than_they_are_handled_keep_their_order() -> None:
    """More than may wait in the queue, small ones and long ones, some in several pieces."""
    house = House()
    handled: list[str] = []

    async def slowly(socket: kernel.Socket, command: Any) -> None:
        await asyncio.sleep(0.001)
        handled.append(command.text)

    house.on_message = slowly
    texts = [f"{number} " + "y" * (3_900 if number % 7 == 3 else 10) for number in range(60)]
    async with serving(house) as address, visitor(address) as vera:
        for number, text in enumerate(texts):
            frame = json.dumps(message(1, text))
            await vera.send([frame[:20], frame[20:50], frame[50:]] if number % 11 == 5 else frame)
        await vera.send(json.dumps({"type": "ping"}))
        assert (await hear(vera))["type"] == "pong"
    assert handled == texts


async def test_a_text_that_is_no_text_ends_the_connection() -> None:
    """RFC 6455, 8.1: invalid UTF-8 is answered by 1007."""
    async with serving(House()) as address, visitor(address) as vera:
        frame = json.dumps(message(1)).encode().replace(b"hello", b"\xff\xfe")
        assert CHAT.encode() in frame and REF.format(1).encode() in frame
        await vera.send(frame, text=True)
        assert (await closing(vera))[0] == 1007
