"""A connection for plain requests that is not held without end, by one stranger or by many of one place."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from chatlead.addresses import is_trusted
from chatlead.answers import error_json
from chatlead.errors import Unavailable
from chatlead.realtime.capacity import most_connections
from chatlead.realtime.crowd import place_of
from chatlead.wire.dawdlers import dawdlers
from chatlead.wire.door import entrance

ABORT_SECONDS = 10.0
HEAD_BYTES = 64 * 1024
BUSY_MS = 5_000
PIPELINED = 16  # requests before the first is answered; browsers send none


def _busy() -> bytes:
    """The answer to a request that was not read."""
    answer = error_json(Unavailable(retry_after_ms=BUSY_MS))
    fields = {**answer.headers, "Content-Length": str(len(answer.content)), "Connection": "close"}
    head = "".join(f"{name.lower()}: {value}\r\n" for name, value in fields.items())
    return STATUS_LINE[answer.status_code] + head.encode("latin-1") + b"\r\n" + answer.content


class RequestProtocol(HttpToolsProtocol):
    """uvicorn's connection for plain requests, with bounds that it has not: a head, a body and their sum
    end in time, or the connection does; so does one whose peer takes nothing of its answer. What a stranger
    sends without end is not kept in memory (D-3, D-5). Of those who do not get on, or ask for nothing more,
    one address has so many (Dawdlers). Beyond the connections that a process can have, a new one is closed at
    once: an `accept` that fails would hold up everybody.

    Whoever is refused before all was said gets to read why: what else comes is dropped for a while, since to
    close on unread bytes is to reset the connection, and the answer with it (RFC 9112, 9.6).
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        # all come by a proxy's address, and it looks to that itself (deploy/nginx.conf)
        self._place = "" if is_trusted(peer) else place_of(peer)
        self._taken = 0  # bytes of the request under way
        self._in_head = True
        self._patience: asyncio.TimerHandle | None = None
        self._reader_patience: asyncio.TimerHandle | None = None
        self._knocked = False
        self._lingers = False
        if len(self.connections) > most_connections():
            transport.abort()
        else:
            self._wait(settings.HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._reader_took()
        self._gets_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_took()
        self._reader_patience = self.loop.call_later(settings.READER_SECONDS, self.transport.abort)
        self._dawdles()

    def resume_writing(self) -> None:
        self._reader_took()
        self._gets_on()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # what is left in the buffers is waited for, but not for ever
        self._wait(ABORT_SECONDS)

    def data_received(self, data: bytes) -> None:
        if not self._knocked:
            self._knocked = True
            if not entrance.is_open():
                self.transport.pause_reading()
                entrance.wait(partial(self.come_in, data, self.loop.time()))
                return
        self._taken += len(data)
        if not self._lingers:
            super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._taken > HEAD_BYTES and not self._lingers:
            self._refuse_head()
        elif self._taken > HEAD_BYTES + 2 * settings.BODY_MAX_BYTES:  # twice, for the marks between chunks
            self.transport.abort()

    def come_in(self, data: bytes, since: float) -> bool:
        """It is this connection's turn to be read, after it had to wait at the door since that moment of the
        loop. False where nothing was read: it is gone, or has waited for so long that it will be gone before
        it is served. To serve such would have those behind it wait as long, without end."""
        if self.transport.is_closing():
            return False
        if self.loop.time() - since > settings.ADMISSION_SECONDS:
            self.transport.write(_busy())
            self.transport.close()
            return False
        self.transport.resume_reading()
        self.data_received(data)
        return True

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
        if not self.parser.should_upgrade():  # a socket's is read from here
            self.url = b""  # the scope has it
            rest = Rest(self.transport, self, self.cycle)  # what a cycle uses of its transport
            self.cycle.transport = rest  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        self._taken = 0
        self._stop_waiting()
        self._gets_on()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._lingers:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None and not self.transport.is_closing():
            self._dawdles()  # until it asks for more

    def linger(self) -> None:
        """Nothing more is answered. What comes is dropped until the other side has read all and closes."""
        self._lingers = True
        self._wait(ABORT_SECONDS)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        self._gets_on()
        super().handle_websocket_upgrade()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, self.transport.abort)
        self._dawdles()

    def _dawdles(self) -> None:
        if self._place:
            dawdlers.begin(self._place, self)

    def _gets_on(self) -> None:
        if self._place:
            dawdlers.end(self._place, self)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _reader_took(self) -> None:
        if self._reader_patience is not None:
            self._reader_patience.cancel()
            self._reader_patience = None

    def _refuse_head(self) -> None:
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.linger()


class Rest:
    """The connection as the answer to one request sees it: it closes once all of that request has come."""

    __slots__ = ("_cycle", "_protocol", "_transport", "is_closing", "write")

    def __init__(self, transport: Any, protocol: RequestProtocol, cycle: RequestResponseCycle) -> None:
        self._transport, self._protocol, self._cycle = transport, protocol, cycle
        self.write, self.is_closing = transport.write, transport.is_closing

    def close(self) -> None:
        """Once the other side has been heard out, or was given its time."""
        if self._cycle.more_body and not self.is_closing():
            self._protocol.linger()
        else:
            self._transport.close()
