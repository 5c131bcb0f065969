"""One socket, from hello to close, on the real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from chatlead import errors
from chatlead.realtime import hub as hubs
from chatlead.realtime import socket as kernel
from chatlead.realtime.codes import CloseCode
from tests.realtime.kit import (
    CHAT,
    HELLO,
    REF,
    House,
    ask,
    closing,
    dial,
    hear,
    made,
    message,
    posted,
    raising,
    room,
    serving,
    until,
    visitor,
)

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


async def test_a_second_hello_fails_and_the_socket_lives() -> None:
    async with serving(House()) as address, visitor(address) as vera:
        assert (await ask(vera, HELLO | {"id": 9})) == {
            "type": "failed",
            "id": 9,
            "code": "hello_repeated",
            "message": errors.HelloRepeated.message,
        }
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


NO_HELLO = [
    *(json.dumps(frame) for frame in ({"type": "ping"}, {"type": "hello"}, message())),
    json.dumps(HELLO | {"site": "x"}),
    json.dumps(HELLO | {"is_admin": True}),
    "hello",
    b"hello",
]


@pytest.mark.parametrize("frame", NO_HELLO)
async def test_whoever_does_not_say_hello_first_is_sent_away(frame: str | bytes) -> None:
    async with serving(House()) as address, dial(address) as ws:
        await ws.send(frame)
        assert await closing(ws) == (CloseCode.BAD_HELLO, "bad_hello")


async def test_whoever_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """D-5."""
    monkeypatch.setattr(kernel, "HELLO_SECONDS", 0.2)
    async with serving(House()) as address, visitor(address) as vera, dial(address) as silent:
        assert await closing(silent) == (CloseCode.HELLO_TIMEOUT, "hello_timeout")
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


REFUSED = {
    errors.NotAuthenticated: CloseCode.NOT_AUTHENTICATED,
    errors.Forbidden: CloseCode.FORBIDDEN,
    errors.OriginRefused: CloseCode.FORBIDDEN,
    errors.TicketRefused: CloseCode.FORBIDDEN,
    errors.NotFound: CloseCode.NOT_FOUND,
    errors.ProtocolNotSpoken: CloseCode.PROTOCOL_NOT_SPOKEN,
    errors.RateLimited: CloseCode.FLOOD,
    errors.Unavailable: CloseCode.INTERNAL,
    ZeroDivisionError: CloseCode.INTERNAL,
}


@pytest.mark.parametrize(("error", "code"), REFUSED.items())
async def test_a_refusal_reaches_the_browser_as_a_close_code(error: type[Exception], code: CloseCode) -> None:
    """Accepted, then closed: a refusal before that would look like a network fault (trials D)."""
    house = House()
    house.admit = raising(error())
    async with serving(house) as address, dial(address) as ws:
        await ws.send(json.dumps(HELLO))
        assert await closing(ws) == (code, code.name.lower())
    assert house.closed == []


async def test_what_happens_during_the_welcome_follows_it() -> None:
    """Subscribe, then read: an event between the two is neither lost nor early (V-4)."""
    house = House()

    def publish_meanwhile() -> None:
        hub = hubs.current()
        assert hub is not None
        hub.hand_over((room(),), json.dumps({"type": "meanwhile"}))
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), hub.loop).result(5)

    house.welcome = publish_meanwhile
    async with serving(house) as address, dial(address) as ws:
        await ws.send(json.dumps(HELLO | {"id": 4}))
        assert await hear(ws) == {"type": "page_welcome", "id": 4, "protocol": 1, "online": ["vera"]}
        assert await hear(ws) == {"type": "meanwhile"}


async def test_what_one_says_the_others_hear_and_the_sender_gets_the_ack() -> None:
    async with (
        serving(House()) as address,
        visitor(address) as vera,
        visitor(address) as her_phone,
        visitor(address) as olga,
    ):
        assert await ask(vera, message(3, "Guten Tag")) == {
            "type": "ack", "id": 3, "ref": REF.format(3), "chat": CHAT, "seq": 1, "at": 1,
        }  # fmt: skip
        for other in (her_phone, olga):
            assert (await hear(other))["text"] == "Guten Tag"
        assert (await ask(vera, {"type": "ping", "id": 1}))["type"] == "pong"  # nothing came in between


async def test_a_slow_command_is_answered_with_its_id_and_done_by_default() -> None:
    async with serving(House()) as address, visitor(address) as vera:
        answer = await ask(vera, {"type": "load_messages", "id": 12, "chat": CHAT})
        assert answer == {"type": "done", "id": 12}


async def test_frames_are_handled_in_their_order_though_one_takes_long() -> None:
    house = House()
    order: list[str] = []
    house.on_load = lambda command: order.append("load")

    async def long(socket: kernel.Socket, command: Any) -> None:
        await asyncio.sleep(0.05)
        order.append(command.text)

    house.on_message = long
    async with serving(house) as address, visitor(address) as vera:
        await vera.send(json.dumps(message(1, "first")))
        await vera.send(json.dumps({"type": "load_messages", "chat": CHAT}))
        await vera.send(json.dumps(message(2, "third")))
        await ask(vera, {"type": "ping"})
        await hear(vera)
    assert order == ["first", "load", "third"]


FAILING = [
    (errors.ChatClosed(), "chat_closed"),
    (errors.RateLimited(retry_after_ms=200), "rate_limited"),
    (errors.NotFound(), "not_found"),
    (ZeroDivisionError("the secret of vera"), "unavailable"),
]


@pytest.mark.parametrize(("error", "code"), FAILING)
@pytest.mark.parametrize("door", ["fast", "slow"])
async def test_a_handlers_error_is_told_and_the_socket_lives(
    error: Exception, code: str, door: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R-109: an unexpected one is logged with its place, never with anybody's text."""
    house = House()
    house.on_message = house.on_load = raising(error)
    frame = message(5, "a word in confidence")
    if door == "slow":
        frame = {"type": "load_messages", "id": 5, "chat": CHAT}
    async with serving(house) as address, visitor(address) as vera:
        with caplog.at_level(logging.DEBUG):
            answer = await ask(vera, frame)
        assert (answer["type"], answer["code"], answer["id"], answer["chat"]) == ("failed", code, 5, CHAT)
        assert answer.get("ref", "") == frame.get("ref", "")
        assert answer.get("retry_after_ms") == (200 if code == "rate_limited" else None)
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"
    assert "secret" not in caplog.text
    assert "in confidence" not in caplog.text
    assert ("ZeroDivisionError" in caplog.text) == (code == "unavailable")


async def test_fifty_faults_in_ten_seconds_are_enough() -> None:
    async with serving(House()) as address, visitor(address) as eve, visitor(address) as vera:
        for _ in range(50):
            await eve.send("nonsense")
        assert await closing(eve) == (CloseCode.FLOOD, "flood")
        assert (await ask(vera, {"type": "ping"}))["type"] == "pong"


async def test_failures_that_are_nobodys_fault_never_close() -> None:
    house = House()
    house.on_message = raising(errors.ChatClosed())
    async with serving(house) as address, visitor(address) as vera:
        for number in range(1, 100):
            assert (await ask(vera, message(number)))["code"] == "chat_closed"


async def test_a_socket_that_leaves_is_forgotten() -> None:
    house = House()
    async with serving(house) as address:
        async with visitor(address) as vera:
            hub = hubs.current()
            assert hub is not None
            assert len(hub.members) == 1
            await ask(vera, {"type": "ping"})
        await until(lambda: not hub.members)
        assert len(house.closed) == 1
        assert hub.strangers == {}
        assert hub._listeners == {}
        assert hub._topics == {}


async def test_a_server_that_goes_tells_everybody_to_come_back() -> None:
    """V-10: 1012, one after the other, those without a hello too; then the process may end."""
    ready = asyncio.Event()
    server, listener, address = made(House(), ready.set)
    running = asyncio.create_task(server.serve([listener]))
    await ready.wait()
    clients = [await dial(address) for _ in range(20)]
    for ws in clients[:15]:
        await ws.send(json.dumps(HELLO))
        await hear(ws)
    ends = [asyncio.create_task(closing(ws, 10)) for ws in clients]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.gather(*ends) == [(CloseCode.RESTART, "restart")] * 20
    await running
    with pytest.raises(OSError, match="Connect call failed"):
        await dial(address)
    hub = hubs.current()
    assert hub is not None
    assert not hub.members
    await hub.stop()


def rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_whoever_does_not_read_is_cut_off_and_costs_no_memory() -> None:
    """V-8: close 4009 beyond 256 frames or 1 MiB; memory flat; the others hear everything in order."""
    house = House()
    text = "x" * 3000
    async with serving(house) as address, visitor(address) as vera:
        hub = hubs.current()
        assert hub is not None
        before_her = set(hub.members)
        reader, writer = await asyncio.open_connection(*_host(address), limit=2**16)
        writer.write(_upgrade(address))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_masked(json.dumps(HELLO)))
        await writer.drain()
        await until(lambda: len(hub.members) == 2)
        slow: Any = next(one for one in hub.members if one not in before_her)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        before = rss()
        heard = 0
        for number in range(1, 20_000):
            hub.deliver((room(),), _encoded(posted(text, number)))
            if number % 50 == 0:
                for _ in range(50):
                    heard += 1
                    assert (await hear(vera))["seq"] == heard
                if slow._closed:
                    break
        assert slow._closed
        assert rss() - before < 8 * 1024 * 1024
        # and when it reads again, it finds out why
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        end = b""
        async with asyncio.timeout(15):
            while not end.endswith(b"slow_reader"):
                end = (end + await reader.read(65536))[-20:]
        assert end[-13:-11] == CloseCode.SLOW_READER.to_bytes(2, "big")
        writer.close()


def _encoded(event: Any) -> str:
    from chatlead.realtime.events import encode

    return encode(event).decode()


def _host(address: str) -> tuple[str, int]:
    host, port = address.removeprefix("ws://").rstrip("/").split(":")
    return host, int(port)


def _upgrade(address: str) -> bytes:
    lines = [
        "GET / HTTP/1.1",
        f"Host: {address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _masked(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data
