"""A small house on the real kernel and the real server: one room, where what one says the others hear."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chatlead.realtime import commands as c
from chatlead.realtime import hub as hubs
from chatlead.realtime import topics
from chatlead.realtime.caller import Caller
from chatlead.realtime.commands import Hello, SendMessage
from chatlead.realtime.endpoint import Commands, Endpoint, Handshake
from chatlead.realtime.events import MessagePosted
from chatlead.realtime.publish import publish_committed
from chatlead.realtime.replies import Ack, Messages, PageWelcome
from chatlead.realtime.socket import Socket
from chatlead.realtime.topics import Topic
from chatlead.server import Server, config

SITE = "S" * 22
CHAT = "C" * 22
REF = "0190c0de-0000-7000-8000-0000000000{:02x}"
HELLO = {"type": "hello", "protocol": 1, "role": "chat", "site": SITE}


def posted(text: str, seq: int = 1) -> MessagePosted:
    return MessagePosted(chat=CHAT, seq=seq, at=1, author="operator", text=text)


def room() -> Topic:
    return topics.session(SITE)


class House:
    """An endpoint whose site admits everybody, with handlers that can be told to misbehave."""

    def __init__(self) -> None:
        self.admit: Callable[[Handshake], Any] = lambda handshake: "vera"
        self.welcome: Callable[[], None] = lambda: None
        self.on_message: Callable[[Caller, SendMessage], Any] = self.tell
        self.on_load: Callable[[c.LoadMessages], Any] = lambda command: None
        self.closed: list[Caller] = []
        self.handled: list[Any] = []

    def tell(self, socket: Caller, command: SendMessage) -> None:
        self.handled.append(command)
        publish_committed(posted(command.text), (room(),), socket)
        socket.reply(Ack(id=command.id, ref=str(command.ref), chat=command.chat, seq=1, at=1))

    def endpoint(self) -> Endpoint:
        part = Commands()

        @part.fast(SendMessage)
        def send_message(socket: Caller, command: SendMessage) -> Any:
            return self.on_message(socket, command)

        @part.slow(c.LoadMessages)
        def load_messages(principal: Any, command: c.LoadMessages) -> Messages | None:
            answer: Messages | None = self.on_load(command)
            return answer

        for command_type in (c.StartChat, c.LeaveMessage, c.Mark, c.SetTyping, c.Resume):
            part.fast(command_type)(lambda socket, command: self.handled.append(command))

        def admit(handshake: Handshake, hello: Hello) -> Any:
            return self.admit(handshake)

        def welcome(principal: Any) -> PageWelcome:
            self.welcome()
            return PageWelcome(protocol=1, online=[str(principal)], color="#123456")

        served = (Hello, c.Ping, SendMessage, c.LoadMessages, c.StartChat, c.LeaveMessage)
        return Endpoint(
            name="room",
            hello=Hello,
            commands=(*served, c.Mark, c.SetTyping, c.Resume),
            admit=admit,
            topics=lambda principal: (room(),),
            welcome=welcome,
            parts=[part],
            closed=self.closed.append,
        )


def made(house: House, ready: Callable[[], None] = lambda: None) -> tuple[Server, socket.socket, str]:
    """A server that does not run yet, its listener and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(config(Socket.as_asgi(endpoint=house.endpoint()), "off"), ready)
    return server, listener, f"ws://127.0.0.1:{listener.getsockname()[1]}/"


@contextlib.asynccontextmanager
async def serving(house: House) -> AsyncIterator[str]:
    """The address of a server. Started and stopped by hand: its own loop looks only ten times a second."""
    server, listener, address = made(house)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listener])
    try:
        yield address
    finally:
        for one in server.servers:
            one.close()
        await server.drain()
        await until(lambda: not server.server_state.tasks and not server.server_state.connections, 15)
        if (hub := hubs.current()) is not None:
            await hub.stop()


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something has become true on the server's side of this process."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def dial(address: str, **options: Any) -> connect:
    """A browser's socket, before its hello."""
    return connect(address, compression=None, proxy=None, max_size=None, **options)


@contextlib.asynccontextmanager
async def visitor(address: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A socket that has been welcomed."""
    async with dial(address, **options) as ws:
        await ws.send(json.dumps(HELLO))
        assert (await hear(ws))["type"] == "page_welcome"
        yield ws


async def hear(ws: ClientConnection, seconds: float = 5) -> dict[str, Any]:
    """The next frame."""
    async with asyncio.timeout(seconds):
        frame: dict[str, Any] = json.loads(await ws.recv())
        return frame


async def ask(ws: ClientConnection, frame: Any) -> dict[str, Any]:
    """Send, and hear the answer. A text or bytes go as they are."""
    await ws.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
    return await hear(ws)


async def closing(ws: ClientConnection, seconds: float = 5) -> tuple[int | None, str | None]:
    """Code and reason of the close that comes, whatever frames come before it."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await ws.recv()
        return ws.close_code, ws.close_reason


def message(number: int = 1, text: str = "hello") -> dict[str, Any]:
    return {"type": "send_message", "id": number, "chat": CHAT, "ref": REF.format(number), "text": text}


def raising(error: Exception) -> Callable[..., Any]:
    def raises(*args: Any) -> Any:
        raise error

    return raises


__all__ = [
    "CHAT", "HELLO", "REF", "SITE", "House", "ask", "closing", "dial", "hear", "made", "message", "posted",
    "raising", "room", "serving", "until", "visitor",
]  # fmt: skip


class Turns:
    """The turns of the loop, counted while it goes on."""

    def __init__(self) -> None:
        self.number = 0
        self._next = asyncio.get_running_loop().call_soon(self._count)

    def _count(self) -> None:
        self.number += 1
        self._next = asyncio.get_running_loop().call_soon(self._count)

    def end(self) -> None:
        self._next.cancel()
