"""uvicorn as we run it: it drains, it lets go of readers who do not read, and it ends with 0."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Literal

import uvicorn
from django.conf import settings
from uvicorn.config import STARTUP_FAILURE

from chatlead.realtime import hub as hubs
from chatlead.realtime.codes import CloseCode
from chatlead.wire.listener import Listener
from chatlead.wire.requests import RequestProtocol
from chatlead.wire.sockets import SocketProtocol

logger = logging.getLogger(__name__)

BUSY_SECONDS = 3.0  # a socket that waits for an answer is waited for, but not longer
BACKLOG = 16_384  # as far as the system allows; beyond it a newcomer is not heard and tries again in seconds
SPREAD_SECONDS = 0.02  # a few sockets need not wait for the whole of DRAIN_SECONDS


class Server(uvicorn.Server):
    """`ready` is called once, when connections are accepted.

    The end, after SIGTERM or Ctrl-C (V-10):
    1. `/readyz` says "leaving" at once; for `LEAVE_SECONDS` everything else goes on, until whoever sends
       traffic has noticed
    2. the listener is closed
    3. each socket is told to come back (1012), each held poll answered, one after the other in a random order
       over `DRAIN_SECONDS`; whoever waits for an answer has it first
    4. requests under way are answered, in five seconds at most
    5. what was taken is written (the lifespan's end), and the exit code is 0
    A second signal hurries: nobody is waited for any more.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As stock, for bound sockets, but newcomers come in a few at a time."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self.servers: list[Any] = [Listener(each, self._protocol, BACKLOG) for each in sockets or []]
        self.started = True
        self.ready()

    def _protocol(self) -> asyncio.Protocol:
        return RequestProtocol(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        hub = hubs.current()
        if hub is not None:
            hub.is_leaving = True
        await self._rest(settings.LEAVE_SECONDS)  # 1
        for server in self.servers:  # 2
            server.close()
        for listener in sockets or []:
            listener.close()
        await self.drain()  # 3
        await super().shutdown(sockets)  # 4 and 5

    async def drain(self) -> None:
        """Close all sockets with 1012, evenly over the time there is, those that wait for an answer last."""
        hub = hubs.current()
        everybody: list[Any] = [*hub.strangers, *hub.members] if hub is not None else []
        if not everybody:
            return
        secrets.SystemRandom().shuffle(everybody)
        logger.info("leaving: %s sockets and polls are sent away", len(everybody))
        span = min(settings.DRAIN_SECONDS, SPREAD_SECONDS * len(everybody))
        loop = asyncio.get_running_loop()
        started = loop.time()
        busy = []
        for number, member in enumerate(everybody):
            if member.is_busy and not self.force_exit:
                busy.append(member)
            else:
                member.close(CloseCode.RESTART)
            ahead = started + span * number / len(everybody) - loop.time()
            if ahead > 0.005:
                await self._rest(ahead)
        until = loop.time() + BUSY_SECONDS
        while busy and loop.time() < until and not self.force_exit:
            await asyncio.sleep(0.02)
            for member in [each for each in busy if not each.is_busy]:
                busy.remove(member)
                member.close(CloseCode.RESTART)
        for member in busy:
            member.close(CloseCode.RESTART)

    async def _rest(self, seconds: float) -> None:
        """Sleep, unless somebody is in a hurry."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0 and not self.force_exit:  # noqa: ASYNC110 set by a signal
            await asyncio.sleep(min(left, 0.1))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note that somebody wants the end; the second time, that he wants it now."""
        hub = hubs.current()
        if hub is not None:
            hub.is_leaving = True
        self.force_exit = self.should_exit
        self.should_exit = True

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
        http=RequestProtocol,
        ws=SocketProtocol,
        lifespan=lifespan,
        backlog=BACKLOG,
        interface="asgi3",
        log_config=None,
        log_level="warning",  # below, it logs the addresses of people
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=settings.FRAME_MAX_BYTES,
        ws_ping_interval=settings.PING_SECONDS,
        ws_ping_timeout=settings.PONG_SECONDS,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
