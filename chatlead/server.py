"""uvicorn as we run it: it drains, it lets go of readers who do not read, and it ends with 0."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from functools import cache
from types import FrameType
from typing import Any, Literal

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode as WireCode
from websockets.protocol import OPEN

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without its wheel
    from websockets.utils import apply_mask

from chatlead.realtime import hub as hubs
from chatlead.realtime.codes import CloseCode

logger = logging.getLogger(__name__)

ABORT_SECONDS = 10.0
BUSY_SECONDS = 3.0  # a socket that waits for an answer is waited for, but not longer
HEAD_BYTES = 64 * 1024
PIPELINED = 16  # requests before the first is answered; browsers send none
SPARE_FILES = 256  # of those that a process may open, for all that is no connection
BACKLOG = 16_384  # as far as the system allows; beyond it a newcomer is not heard and tries again in seconds
FRAGMENTS = 1024  # of one message; browsers send it in one piece
WAITING_FRAMES = 8  # of a socket whose frames come faster than they are dealt with …
SMALL_FRAME_BYTES = 4096  # … while they are no longer than this; a longer one pauses the reading at once
SLICE_BYTES = 4096  # are parsed, then it is looked whether that was enough
CROWDED_FRAMES = 512  # waiting for a socket that has not been heard; nobody honest has so many
PINGS = 100  # of a client in PING_SPAN_SECONDS; browsers send none, libraries one in 20 s
PING_SPAN_SECONDS = 10.0
SPREAD_SECONDS = 0.02  # a few sockets need not wait for the whole of DRAIN_SECONDS


class RequestProtocol(HttpToolsProtocol):
    """uvicorn's connection for plain requests, with bounds that it has not: a head, a body and their sum
    end in time, or the connection does; so does one whose peer takes nothing of its answer. What a stranger
    sends without end is not kept in memory (D-3, D-5). Beyond the connections that a process can have, a new
    one is closed at once: an `accept` that fails would hold up everybody.
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._taken = 0  # bytes of the request under way
        self._in_head = True
        self._patience: asyncio.TimerHandle | None = None
        self._reader_patience: asyncio.TimerHandle | None = None
        if len(self.connections) > most_connections():
            transport.abort()
        else:
            self._wait(settings.HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._reader_took()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_took()
        self._reader_patience = self.loop.call_later(settings.READER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._reader_took()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # what is left in the buffers is waited for, but not for ever
        self._wait(ABORT_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._taken > HEAD_BYTES:
            self._refuse_head()
        elif self._taken > HEAD_BYTES + 2 * settings.BODY_MAX_BYTES:  # twice, for the marks between chunks
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._taken, self._in_head = 0, True
        self._wait(settings.HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.pipeline) >= PIPELINED:
            self.transport.abort()
            return
        self._wait(settings.BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._taken = 0
        self._stop_waiting()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _reader_took(self) -> None:
        if self._reader_patience is not None:
            self._reader_patience.cancel()
            self._reader_patience = None

    def _refuse_head(self) -> None:
        self._wait(ABORT_SECONDS)
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's connection, with three short cuts and an end.

    Stock parses with generators what nearly always comes, one small text in one piece; pauses reading after
    every frame until the application has taken it; and has each frame that leaves pass through a state
    machine, a list and a join. Together that is a fifth of what a message costs (docs/performance.md). So
    while the connection is open and what came so far were whole messages, a lone small text is taken as it
    is; some small ones may wait in the queue; and a text leaves as a header and its bytes. Everything else
    goes the stock way.

    A ping is answered only while its sender reads, and a message comes in a bounded number of pieces: neither
    may fill the memory. Nor do frames of a few bytes each, which cost some hundred once they are parsed: what
    came is parsed a slice at a time, and whoever crowds the queue or pings without end is cut off (D-1, D-3).

    The end of a connection is waited for, but not for ever: a peer that never reads what is left in the
    buffers would keep them for as long as it likes.
    """

    _is_aligned = False  # what came so far were whole messages, so that the next byte begins a frame
    _came_early = 0
    _pings = 0
    _pings_since = 0.0

    def data_received(self, data: bytes) -> None:
        if self._is_aligned:
            text = self._lone_text(data)
            if text is not None:
                self.queue.put_nowait({"type": "websocket.receive", "text": text})
                return
            self._is_aligned = whole_messages(data)
        elif not self.handshake_complete:
            self._came_early += 1
        if len(data) <= SLICE_BYTES:
            super().data_received(data)
            return
        for at in range(0, len(data), SLICE_BYTES):
            super().data_received(data[at : at + SLICE_BYTES])
            if self.transport.is_closing():
                return

    def _lone_text(self, data: bytes) -> str | None:
        """The text, where `data` is one small text frame and the application may have it at once."""
        size = len(data)
        if size < 8 or size > SMALL_FRAME_BYTES or data[0] != 0x81 or not data[1] & 0x80:
            return None
        length = data[1] & 0x7F
        mask = 2
        if length == 126:
            length, mask = int.from_bytes(data[2:4], "big"), 4
        if length == 127 or size != mask + 4 + length:
            return None
        if self.close_sent or self.conn.state is not OPEN or self.queue.qsize() >= WAITING_FRAMES:
            return None
        try:
            return apply_mask(data[mask + 4 :], data[mask : mask + 4]).decode()
        except UnicodeDecodeError:
            return None

    def send_receive_event_to_app(self) -> None:
        waiting = self.queue.qsize()
        if waiting >= CROWDED_FRAMES:
            self._cut_off()
            return
        small = waiting < WAITING_FRAMES and sum(map(len, self.frames)) <= SMALL_FRAME_BYTES
        if self.close_sent or self.curr_msg_data_type != "text":
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        try:
            text = data.decode()
        except UnicodeDecodeError:
            if self.conn.state is OPEN:  # 1007; stock logs whatever a stranger sends
                self.conn.fail(WireCode.INVALID_DATA)
            self.handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not small and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        text = message.get("text")
        if (
            text is None
            or self.close_sent
            or self.disconnected
            or not self.handshake_complete
            or not self.writable.is_set()
            or self.conn.state is not OPEN
            or self.conn.extensions
        ):
            await super().send(message)
            if message["type"] == "websocket.accept":
                # nothing but the request may have come, else the parser may be inside of a frame
                self._is_aligned = self._came_early == 1 and not self.conn.extensions
        else:
            self.transport.write(text_frame(text))

    def handle_ping(self) -> None:
        now = self.loop.time()
        if now - self._pings_since > PING_SPAN_SECONDS:
            self._pings_since, self._pings = now, 0
        self._pings += 1
        if self._pings > PINGS:
            self._cut_off()
        elif self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # the answer is dropped

    def handle_cont(self, event: Any) -> None:
        if len(self.frames) < FRAGMENTS:
            super().handle_cont(event)
        else:
            self.abort()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.disconnected:
            self.loop.call_later(ABORT_SECONDS, self.abort)

    def keepalive_timeout(self) -> None:
        """Nobody answers any more, so nobody may take what is left in the buffers either."""
        super().keepalive_timeout()
        self.loop.call_later(ABORT_SECONDS, self.abort)

    def abort(self) -> None:
        if not self.disconnected and self.transport is not None:
            self.transport.abort()

    def _cut_off(self) -> None:
        """Nothing more of this one: not what waits, not what was parsed already."""
        self.frames = []
        self.conn.data_to_send()
        while not self.queue.empty():
            self.queue.get_nowait()
        self.abort()


def most_connections() -> int:
    """How many connections this process may have (CHATLEAD_CONNECTIONS, else what the system allows)."""
    most: int = settings.CONNECTIONS
    return most or _files_left()


@cache
def _files_left() -> int:
    try:
        import resource
    except ImportError:  # not on this system
        return 2**31
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft - SPARE_FILES) if soft > 0 else 2**31


def whole_messages(data: bytes) -> bool:
    """Whether these bytes of a client are frames in full, and none of them a piece of a message. False for
    more than a few frames need: looking is not free either."""
    at, size = 0, len(data)
    if size > 65536:
        return False
    while at + 2 <= size:
        first, second = data[at], data[at + 1]
        if not first & 0x80 or not first & 0x0F or not second & 0x80:
            return False
        length, head = second & 0x7F, 6
        if length == 126:
            length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 8
        elif length == 127:
            return False
        at += head + length
    return at == size


def text_frame(text: str) -> bytes:
    """A text as a server sends it: in one piece, not masked (RFC 6455, 5.2)."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + data
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data


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
        await super().startup(sockets)
        if self.started:
            self.ready()

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
