"""A WebSocket's connection: what is usual takes a short way, and what nobody honest sends is cut off."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode as WireCode
from websockets.protocol import OPEN

from chatlead.wire.door import exit_

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without its wheel
    from websockets.utils import apply_mask

ABORT_SECONDS = 10.0
FRAGMENTS = 1024  # of one message; browsers send it in one piece
WAITING_FRAMES = 8  # of a socket whose frames come faster than they are dealt with …
SMALL_FRAME_BYTES = 4096  # … while they are no longer than this; a longer one pauses the reading at once
SLICE_BYTES = 4096  # are parsed, then it is looked whether that was enough
CROWDED_FRAMES = 512  # waiting for a socket that has not been heard; nobody honest has so many
PINGS = 100  # of a client in PING_SPAN_SECONDS; browsers send none, libraries one in 20 s
PING_SPAN_SECONDS = 10.0


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

    def connection_lost(self, exc: Exception | None) -> None:
        self.disconnected = True  # nothing is sent any more; what else there is to do has time
        if exit_.is_open():
            super().connection_lost(exc)
        else:
            exit_.wait(partial(self._was_lost, exc))

    def _was_lost(self, exc: Exception | None) -> bool:
        super().connection_lost(exc)
        return True

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
