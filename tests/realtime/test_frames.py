"""Frames that are no commands: each is told what is wrong with it, and the socket lives (D-3, P-17, P-23)."""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chatlead.realtime.codes import CloseCode
from tests.realtime.kit import CHAT, HELLO, REF, House, ask, closing, hear, message, serving, visitor

UNREADABLE = {
    "nothing": "",
    "no JSON": "hello",
    "half a frame": '{"type":"ping"',
    "two frames": '{"type":"ping"}{"type":"ping"}',
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "an empty object": "{}",
    "an unknown type": '{"type":"become_admin"}',
    "a command of the operators": json.dumps({"type": "accept_chat", "chat": CHAT}),
    "a type that is no text": '{"type":["ping"]}',
    "NaN": '{"type":"ping","id":NaN}',
    "Infinity": '{"type":"ping","id":Infinity}',
    "lists, 10,000 deep": '{"type":"ping","id":' + "[" * 10_000 + "]" * 10_000 + "}",
    "objects, 10,000 deep": '{"x":' * 10_000 + "1" + "}" * 10_000,
    "a key twice": '{"type":"ping","id":1,"id":2}',
    "a key twice, once in disguise": '{"type":"ping","id":1,"\\u0069d":2}',
    "a key twice in a map": '{"type":"start_chat","ref":"R","fields":{"a":"1","a":"2"}}'.replace(
        "R", REF.format(1)
    ),
    "half a character": json.dumps(message()).replace("hello", "\\ud800"),
    "a raw line feed in a text": json.dumps(message()).replace("hello", "a\nb"),
    "binary": b'{"type":"ping"}',
}


@pytest.mark.parametrize("frame", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_frame_that_is_no_command_is_told_so_and_the_socket_lives(frame: str | bytes) -> None:
    """D-3, C of the main job: clear error with a machine code, the socket survives its own mistake."""
    house = House()
    async with serving(house) as address, visitor(address) as vera:
        answer = await ask(vera, frame)
        assert answer["type"] == "failed"
        assert answer["code"] in ("bad_frame", "bad_field")
        assert (answer["code"] == "bad_field") == ("field" in answer)
        assert (await ask(vera, message(7)))["type"] == "ack"
    assert len(house.handled) == 1


async def test_ten_megabytes_are_refused_and_only_for_the_one_who_sent_them() -> None:
    """D-3: a frame above 64 KiB closes with 1009."""
    async with serving(House()) as address, visitor(address) as eve, visitor(address) as vera:
        with contextlib.suppress(ConnectionClosed):  # she may be cut off while she sends
            await eve.send(json.dumps(message(text="x" * 10_000_000)))
        assert (await closing(eve))[0] == CloseCode.TOO_BIG
        assert (await ask(vera, {"type": "ping", "id": 1}))["type"] == "pong"


async def test_a_frame_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    """D-3: compression is not spoken, though it is offered; a frame marked as compressed ends its sender."""
    bomb = zlib.compress(b"x" * 50_000_000, 9)[2:-4]
    head = bytes([0xC1, 0x80 | 126]) + len(bomb).to_bytes(2, "big") + bytes(4)
    async with serving(House()) as address, visitor(address) as vera:
        async with connect(address, compression="deflate", proxy=None) as eve:
            assert eve.protocol.extensions == []
            await eve.send(json.dumps(HELLO))
            assert (await hear(eve))["type"] == "page_welcome"
            eve.transport.write(head + bomb)  # text, final, RSV1; masked with zeros
            assert (await closing(eve))[0] == 1002
        assert (await ask(vera, {"type": "ping", "id": 1}))["type"] == "pong"


@pytest.mark.parametrize("text", ["x" * 65_537, "ü" * 40_000])
async def test_the_limit_is_one_of_bytes(text: str) -> None:
    async with serving(House()) as address, visitor(address) as vera:
        await vera.send(text)
        assert (await closing(vera))[0] == CloseCode.TOO_BIG


async def test_a_frame_just_below_the_limit_is_read() -> None:
    async with serving(House()) as address, visitor(address) as vera:
        frame = json.dumps({"type": "ping", "id": 3})
        assert (await ask(vera, frame + " " * (65_536 - len(frame))))["id"] == 3


WRONG: dict[str, Any] = {
    "a list": ["a"],
    "an object": {"a": "b"},
    "a number": 7,
    "null": None,
    "true": True,
    "empty": "",
    "a line break": "A" * 22 + "\r\n",
    "a NUL": "A\0" + "A" * 20,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("field", ["chat", "ref"])
async def test_a_wrong_value_names_its_field(field: str, wrong: Any) -> None:
    """P-23, D-3: every value of the wrong kind is `bad_field`, with id, ref and chat as far as readable."""
    house = House()
    async with serving(house) as address, visitor(address) as vera:
        frame = message(5) | {field: wrong}
        answer = await ask(vera, frame)
        assert (answer["code"], answer["field"], answer["id"]) == ("bad_field", field, 5)
        other = {"chat": "ref", "ref": "chat"}[field]
        assert answer[other] == frame[other]
    assert house.handled == []


@pytest.mark.parametrize("wrong", [["a"], {"a": 1}, 7, None, True, "", "x" * 4001, "a\0b"])
async def test_a_wrong_text_is_refused(wrong: Any) -> None:
    """P-23: and a NUL, which no database keeps."""
    house = House()
    async with serving(house) as address, visitor(address) as vera:
        answer = await ask(vera, message(5) | {"text": wrong})
        assert (answer["code"], answer["field"]) == ("bad_field", "text")
        assert (answer["ref"], answer["chat"]) == (REF.format(5), CHAT)
    assert house.handled == []


@pytest.mark.parametrize("text", ["x" * 4000, "a\r\nb", '"text" "text"', "\\u0000", "👩‍👩‍👧", "\u202etxet"])
async def test_a_strange_but_honest_text_arrives_as_it_is(text: str) -> None:
    house = House()
    async with serving(house) as address, visitor(address) as vera, visitor(address) as olga:
        assert (await ask(vera, message(text=text)))["type"] == "ack"
        assert (await hear(olga))["text"] == text


async def test_a_missing_and_an_unknown_field_are_named() -> None:
    """P-17: nobody can name a sender, a tenant or a time."""
    async with serving(House()) as address, visitor(address) as vera:
        frame = message()
        del frame["text"]
        answer = await ask(vera, frame)
        assert (answer["code"], answer["field"]) == ("missing_field", "text")
        for field in ("author", "operator", "account", "at", "seq"):
            answer = await ask(vera, message() | {field: 1})
            assert (answer["code"], answer["field"]) == ("unknown_field", field)
