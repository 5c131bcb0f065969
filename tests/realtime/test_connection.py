"""The short cuts of our connection are what the protocol says, for every size and at any speed."""

from __future__ import annotations

import asyncio
import json
from random import Random  # noqa: TID251 - repeatable pieces
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from chatlead.realtime.caller import Caller
from chatlead.wire.sockets import whole_messages
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

    def tell(socket: Caller, command: Any) -> None:
        socket.deliver(json.dumps({"text": long}))

    house.on_message = tell
    async with serving(house) as address, visitor(address) as vera:
        await vera.send(json.dumps(message(1)))
        assert (await hear(vera))["text"] == long


async def test_frames_that_come_faster_than_they_are_handled_keep_their_order() -> None:
    """More than may wait in the queue, small ones and long ones, some in several pieces."""
    house = House()
    handled: list[str] = []

    async def slowly(socket: Caller, command: Any) -> None:
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


@pytest.mark.parametrize("seed", range(8))
async def test_frames_in_whatever_pieces_they_come_keep_their_order(seed: int) -> None:
    """RFC 6455, 5.4: TCP cuts where it likes; messages in fragments, pings and pongs come in between."""
    chance = Random(seed)
    house = House()
    pieces: list[bytes] = []
    texts: list[str] = []
    for number in range(40):
        text = f"{number} " + "z" * chance.choice([0, 5, 60, 130, 3_900])
        frame = json.dumps(message(1, text)).encode()
        texts.append(text)
        kind = chance.randrange(6)
        if kind == 0:
            cut = chance.randrange(len(frame))
            parts = [Frame(Opcode.TEXT, frame[:cut], fin=False), Frame(Opcode.CONT, frame[cut:])]
            if chance.random() < 0.5:
                parts.insert(1, Frame(Opcode.PING, b"in between"))
        elif kind == 1:
            parts = [Frame(Opcode.PONG, b"unasked"), Frame(Opcode.TEXT, frame)]
        else:
            parts = [Frame(Opcode.TEXT, frame)]
        pieces.append(b"".join(part.serialize(mask=True) for part in parts))
    if seed % 2:  # else one write for each message
        stream, pieces = b"".join(pieces), []
        while stream:
            size = chance.choice([1, 2, 3, 7, 80, 1_000, 5_000])
            pieces.append(stream[:size])
            stream = stream[size:]
    async with serving(house) as address, visitor(address) as vera:
        for piece in pieces:
            vera.transport.write(piece)
            await asyncio.sleep(0)
        for _ in texts:
            assert (await hear(vera))["type"] == "ack"
    assert [command.text for command in house.handled] == texts


@pytest.mark.parametrize(
    ("frames", "are_whole"),
    [
        ([Frame(Opcode.TEXT, b"a")], True),
        ([Frame(Opcode.TEXT, b"a" * 200), Frame(Opcode.PING, b""), Frame(Opcode.CLOSE, b"")], True),
        ([Frame(Opcode.TEXT, b"a", fin=False)], False),
        ([Frame(Opcode.CONT, b"a")], False),
        ([Frame(Opcode.TEXT, b"a" * 70_000)], False),
    ],
)
def test_whole_messages_are_told_from_pieces(frames: list[Frame], are_whole: bool) -> None:
    data = b"".join(frame.serialize(mask=True) for frame in frames)
    assert whole_messages(data) is are_whole
    assert not any(whole_messages(data[:size]) for size in range(1, len(data)) if len(frames) == 1)
    assert not whole_messages(b"".join(frame.serialize(mask=False) for frame in frames))


async def test_a_text_that_is_no_text_ends_the_connection() -> None:
    """RFC 6455, 8.1: invalid UTF-8 is answered by 1007."""
    async with serving(House()) as address, visitor(address) as vera:
        frame = json.dumps(message(1)).encode().replace(b"hello", b"\xff\xfe")
        assert CHAT.encode() in frame and REF.format(1).encode() in frame
        await vera.send(frame, text=True)
        assert (await closing(vera))[0] == 1007
