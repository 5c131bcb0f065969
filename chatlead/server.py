"""uvicorn as we run it: it drains, it lets go of readers who do not read, and it ends with 0."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Literal

import uvicorn
from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from chatlead.realtime import hub as hubs
from chatlead.realtime.codes import CloseCode

ABORT_SECONDS = 10.0
PING_SECONDS = 45.0  # NATs forget a silent line after 60 s
SPREAD_SECONDS = 0.02  # a few sockets need not wait for the whole of DRAIN_SECONDS


class SocketProtocol(WebSocketsSansIOProtocol):
    """A connection whose end is waited for, but not for ever: a peer that never reads what is left in the
    buffers would keep them for as long as it likes."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.disconnected:
            self.loop.call_later(ABORT_SECONDS, self.abort)

    def abort(self) -> None:
        if not self.disconnected and self.transport is not None:
            self.transport.abort()


class Server(uvicorn.Server):
    """`ready` is called once, when connections are accepted. Each socket is told to come back (1012) in
    its turn, over `DRAIN_SECONDS`, after the listener is closed; a second Ctrl-C ends at once."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:  # 1. no new ones
            server.close()
        for listener in sockets or []:
            listener.close()
        await self.drain()  # 2. spread
        await super().shutdown(sockets)  # 3. whatever is left

    async def drain(self) -> None:
        """Close all sockets with 1012, evenly over the time there is."""
        hub = hubs.current()
        everybody: list[Any] = [*hub.strangers, *hub.members] if hub is not None else []
        if not everybody:
            return
        span = min(settings.DRAIN_SECONDS, SPREAD_SECONDS * len(everybody))
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number, member in enumerate(everybody):
            member.close(CloseCode.RESTART)
            ahead = started + span * number / len(everybody) - loop.time()
            if ahead > 0.005 and not self.force_exit:
                await asyncio.sleep(ahead)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM ask for the end; unlike stock, they are not raised again when all is done."""
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def config(
    application: Any = "chatlead.asgi:application", lifespan: Literal["on", "off"] = "on"
) -> uvicorn.Config:
    """How every process of ours is run. Proxy headers are left alone: chatlead/addresses.py reads them."""
    return uvicorn.Config(
        application,
        loop="auto",
        http="httptools",
        ws=SocketProtocol,
        lifespan=lifespan,
        interface="asgi3",
        log_config=None,
        log_level="warning",  # below, it logs the addresses of people
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=settings.FRAME_MAX_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=30.0,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
