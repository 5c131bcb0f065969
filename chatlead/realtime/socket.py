"""One socket: frame -> command -> handler -> reply. Knows no domain.

A Channels consumer, so scope and routing are Channels' own; the receive loop is ours, because the stock
one pays a thread hop a frame. Everything here runs on the loop.

The life of a socket:
1. accept; a refusal before that looks like a network fault to a browser
2. `hello` within some seconds, else 4008; another frame, 4400
3. wait for its turn; `admit` in the pool: the principal, or a close code
4. hear the principal's topics; what comes is held back
5. `welcome` in the pool; it is sent, then what was held, then the frames flow
6. one way or another a close is sent, and the hub is left
"""

from __future__ import annotations

import asyncio
import logging
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import msgspec
from channels.consumer import AsyncConsumer
from django.conf import settings

from chatlead import errors
from chatlead.access import socket_ended
from chatlead.logs import next_number, request_id
from chatlead.realtime import hub as hubs
from chatlead.realtime import pool, replies
from chatlead.realtime.caller import FAULT_SECONDS, FAULTS, Caller
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.crowd import Person
from chatlead.realtime.endpoint import Commands, Endpoint, Handshake
from chatlead.realtime.faults import report
from chatlead.realtime.frames import size_of, too_big
from chatlead.realtime.refusals import refusal
from chatlead.realtime.seats import Seats

__all__ = ["Commands", "Endpoint", "Handshake", "Socket"]

logger = logging.getLogger(__name__)
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

FAREWELL_SECONDS = 10.0
TURN = 32  # frames of one socket, then it is the turn of the others


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was stepped once and now waits for `waiting`."""
    try:
        while True:
            try:
                value = yield waiting
            except BaseException as error:
                waiting = coroutine.throw(error)
            else:
                waiting = coroutine.send(value)
    except StopIteration:
        return


class Socket(Caller, AsyncConsumer):
    """A connected browser, and a member of the hub."""

    __slots__ = (
        "_at_work",
        "_closed",
        "_code",
        "_fault_count",
        "_faults_since",
        "_gone",
        "_parting",
        "_queue",
        "_queued",
        "_seats",
        "_send",
        "_sender",
        "_task",
        "endpoint",
        "hub",
        "memory",
        "principal",
    )

    hub: hubs.Hub

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.principal: Any = None
        self.memory: dict[Any, Any] = {}
        self._queue: deque[str] | None = deque()  # None: frames leave at once
        self._queued = 0  # bytes in it
        self._sender: asyncio.Task[None] | None = None
        self._parting: asyncio.Task[None] | None = None
        self._at_work = False  # in the middle of a command
        self._closed = False  # a close was sent, or is being sent
        self._gone = False  # the browser has hung up
        self._code = 1006  # how it ended
        self._fault_count = 0
        self._faults_since = 0.0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request_id.set(next_number())
        self._send = send
        self._task = asyncio.current_task()
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        hub = self.hub = await hubs.here()
        self._seats = Seats(hub.crowd)
        began = hub.loop.time()
        hub.strangers[self] = began + settings.HELLO_SECONDS
        handshake = Handshake.of(scope)
        try:
            if self._is_let_in(self.endpoint.place_of(handshake)) and await self._come_in(handshake, receive):
                await self._converse(receive)
        except asyncio.CancelledError:
            if not self._closed:  # else our own parting ended the wait
                raise
        except Exception as error:
            report(logger, f"{self.endpoint.name}: a socket failed", error)
        finally:
            hub.strangers.pop(self, None)
            hub.leave(self)
            self._seats.give_back()
            if (person := self.memory.get(Person)) is not None:
                hub.crowd.rest(person)
            self._end()
            if self._parting is not None:
                await asyncio.wait([self._parting])
            seconds = hub.loop.time() - began
            socket_ended(scope, kind=self.endpoint.name, code=self._code, seconds=seconds)

    def _is_let_in(self, place: str) -> bool:
        """Whether so many may come from this place. Else the socket is closed."""
        if (place and self.hub.crowd.knock(place)) or self._seats.is_full_at(place):
            return self.close(CloseCode.FLOOD)
        return True

    async def _is_one_too_many(self) -> bool:
        """Whether the principal has, or their site has, all that they may. Then the socket is closed."""
        endpoint, principal = self.endpoint, self.principal
        standing = endpoint.standing(principal)
        person = self.memory[Person] = self.hub.crowd.person(standing)
        full = CloseCode.FLOOD if person.wait("hello") else self._seats.is_full_for(standing)
        if full is CloseCode.BUSY and self._seats.is_kept(await pool.run_at_door(endpoint.stays, principal)):
            full = None
        if full:
            self.close(full, self.hub.admission.later() if full is CloseCode.BUSY else 0.0)
        return self._closed

    async def _come_in(self, handshake: Handshake, receive: Receive) -> bool:
        """Steps 2 to 5. False where the socket is closed instead."""
        hello = self._hello_in(await receive())
        if hello is None:
            return False
        self.hub.strangers[self] = float("inf")
        seconds = await self.hub.admission.enter(first=self.endpoint.is_first, network=handshake.network)
        if seconds:
            return self.close(CloseCode.BUSY, seconds)
        try:
            welcome = await self._welcome(handshake, hello)
        except errors.ChatLeadError as error:
            return self.close(refusal(error))
        except Exception as error:
            report(logger, f"{self.endpoint.name}: hello failed", error)
            return self.close(CloseCode.INTERNAL)
        finally:
            self.hub.admission.leave()
        if welcome is None or self._is_closed():
            return False
        held, self._queue, self._queued = self._queue, None, 0
        self.reply(welcome)
        for text in held or ():
            self.deliver(text)
        return not self._closed

    def _hello_in(self, message: dict[str, Any]) -> Any:
        """Step 2: the first frame. None where none came or it is no hello; the socket is closed then."""
        if message["type"] == "websocket.disconnect":
            self._gone, self._code = True, message.get("code", 1006)
            return None
        text = message.get("text") or ""
        if too_big(text):
            self.close(CloseCode.TOO_BIG)
            return None
        try:
            hello = self.endpoint.decoder.decode(text)
        except errors.ChatLeadError:
            hello = None
        if type(hello) is self.endpoint.hello:
            return hello
        self.close(CloseCode.BAD_HELLO)
        return None

    async def _welcome(self, handshake: Handshake, hello: Any) -> replies.Reply | None:
        """Steps 3 to 5, in our turn: admitted, then all ears, then the snapshot. None where it is closed."""
        endpoint, hub = self.endpoint, self.hub
        if self._is_closed():
            return None
        self.principal = await endpoint.admitted(handshake, hello)
        if self._is_closed() or await self._is_one_too_many():
            return None
        hub.join(self, endpoint.topics(self.principal))
        hub.strangers.pop(self, None)
        await hub.settled()
        welcome: replies.Reply = await endpoint.welcomed(self.principal)
        endpoint.let_in(handshake, self.principal, welcome, self.memory)
        return msgspec.structs.replace(welcome, id=hello.id) if hello.id else welcome

    def _is_closed(self) -> bool:
        """As it is now: somebody may have closed during an await."""
        return self._closed

    async def _converse(self, receive: Receive) -> None:
        """Step 6: every frame in turn, until somebody closes."""
        surely_small: int = settings.FRAME_MAX_BYTES // 4  # characters, of four bytes at most
        turn = 0
        while True:
            message = await receive()  # gives nobody else a turn while frames wait
            turn += 1
            if turn == TURN:
                turn = 0
                await asyncio.sleep(0)
            if message["type"] == "websocket.disconnect":
                self._gone, self._code = True, message.get("code", 1006)
                return
            if self._closed:
                return
            text = message.get("text")
            if text is None:
                self._refuse(errors.BadFrame("Frames are texts; this one is binary."), "")
            elif len(text) > surely_small and too_big(text):
                self.close(CloseCode.TOO_BIG)
            else:
                waiting = self.obey(text)
                if waiting is not None:
                    self._at_work = True
                    await waiting
                    self._at_work = False

    # --- for handlers ---------------------------------------------------------------------------------

    def deliver(self, text: str) -> None:
        """Send a frame, after those that wait already; nothing once the socket is closed.

        Beyond the bounds of the queue the reader is too slow: 4009, and it resumes.
        """
        if self._queue is None:
            self._step({"type": "websocket.send", "text": text})
        elif not self._closed:
            queue = self._queue
            self._queued += size_of(text)
            if queue and (
                len(queue) >= settings.SEND_QUEUE_FRAMES or self._queued > settings.SEND_QUEUE_BYTES
            ):
                self.close(CloseCode.SLOW_READER)
            else:
                queue.append(text)

    def close(self, code: CloseCode, seconds: float = 0.0) -> bool:
        """Close with `code`; what still waits is dropped. Closing twice changes nothing. Returns False.

        `seconds`: when to come back, as the reason tells in milliseconds.
        """
        if self._closed or self._gone:
            return False
        self._closed, self._code = True, int(code)
        self._queue, self._queued = deque(), 0  # nothing is delivered any more
        if self._sender is not None:
            self._sender.cancel()
        reason = f"{code.name.lower()} {int(seconds * 1000)}" if seconds else code.name.lower()
        message = {"type": "websocket.close", "code": int(code), "reason": reason}
        farewell = self._send(message)
        try:
            waiting = farewell.send(None)
        except StopIteration:
            return False
        except Exception:
            self._gone = True
            return False
        self._parting = self.hub.loop.create_task(self._part(farewell, waiting))
        return False

    @property
    def is_busy(self) -> bool:
        return self._at_work or self._sender is not None or self.endpoint.is_owed(self)

    # --- inside ---------------------------------------------------------------------------------------

    def count_fault(self) -> None:
        now = self.hub.loop.time()
        if now - self._faults_since > FAULT_SECONDS:
            self._faults_since, self._fault_count = now, 0
        self._fault_count += 1
        if self._fault_count >= FAULTS:
            self.close(CloseCode.FLOOD)

    def _step(self, message: dict[str, Any]) -> None:
        """Send without a task; one is made only when the transport cannot take more at the moment."""
        sending = self._send(message)
        try:
            waiting = sending.send(None)
        except StopIteration:
            return
        except Exception:  # the browser is gone; the receive loop hears of it
            self._gone = True
            self._queue = deque()
            self._closed = True
            return
        self._queue, self._queued = deque(), 0
        self._sender = self.hub.loop.create_task(self._drain(sending, waiting))

    async def _drain(self, sending: Coroutine[Any, Any, None], waiting: Any) -> None:
        queue = self._queue
        try:
            await _resume(sending, waiting)
            while queue:
                text = queue.popleft()
                self._queued -= size_of(text)
                await self._send({"type": "websocket.send", "text": text})
        except Exception:
            self._gone = self._closed = True
        if not self._closed:
            self._queue = self._sender = None

    async def _part(self, farewell: Coroutine[Any, Any, None], waiting: Any) -> None:
        """Wait some seconds until a reader who is behind can take the close; then end without it."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await _resume(farewell, waiting)
        except Exception:
            self._gone = True
        if self._gone and self._task is not None:
            self._task.cancel()

    def _end(self) -> None:
        """Step 6, whatever happened before."""
        self._task = None
        self.close(CloseCode.INTERNAL)
        if self._sender is not None:
            self._sender.cancel()
        if self.principal is not None:
            try:
                self.endpoint.closed(self)
            except Exception as error:
                report(logger, f"{self.endpoint.name}: closed failed", error)


async def _sweep(hub: hubs.Hub) -> None:
    now = hub.loop.time()
    for stranger in [one for one, until in hub.strangers.items() if until < now]:
        stranger.close(CloseCode.HELLO_TIMEOUT)


async def _forget(hub: hubs.Hub) -> None:
    hub.crowd.sweep()


hubs.every(1.0, _sweep)
hubs.every(10.0, _forget)
