"""The sockets' work by plain requests, for networks that let no socket through (R-006, docs/protocol.md).

A poll is stateless: it says who asks and what they have, so that any process can answer it. What is a row is
read from the database, so that nothing is lost between two polls; the hub only makes the waiting short.

The life of a poll:
1. the body, within bounds; the `hello` in it
2. `admit` in the pool, in its turn, or `readmit` with the pass of the answer before: the principal, or a
   close code
3. hear the principal's topics; what comes is kept
4. `welcome`, or `news`: what the principal should have and has not; in the pool
5. the commands, in their order, by the sockets' own handlers
6. wait for the answers to them, else for the first thing that is heard, else for the time that was asked for
7. leave the hub; answer
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings

from chatlead import errors
from chatlead.realtime import hub as hubs
from chatlead.realtime import pool, replies
from chatlead.realtime.asked import Request, is_ping, understood
from chatlead.realtime.caller import Caller
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.commands import Command
from chatlead.realtime.crowd import Person
from chatlead.realtime.endpoint import Endpoint, Handshake
from chatlead.realtime.faults import report
from chatlead.realtime.frames import too_big
from chatlead.realtime.plain import Receive, Send, answer, forget_head, misplaced, whole
from chatlead.realtime.refusals import refusal
from chatlead.realtime.regulars import Regular, Regulars
from chatlead.realtime.seats import Seats

logger = logging.getLogger(__name__)
Json = msgspec.Struct  # a frame: a reply or an event

BODY_FRAMES = 4  # a poll may be as large as so many frames
LINGER_SECONDS = 0.01  # what comes so soon after the first frame travels with it
ANSWER_SECONDS = 10.0  # for the answers to commands, at most; then nothing is known and they are sent again
TURN = 32  # commands of one poll, then it is the turn of the others
STATUS: dict[CloseCode, int] = {
    CloseCode.TOO_BIG: 413,
    CloseCode.BAD_HELLO: 400,
    CloseCode.NOT_AUTHENTICATED: 401,
    CloseCode.FORBIDDEN: 403,
    CloseCode.NOT_FOUND: 404,
    CloseCode.PROTOCOL_NOT_SPOKEN: 400,
    CloseCode.MINOR: 403,
    CloseCode.FLOOD: 429,
}  # all others: 503


@dataclass(frozen=True, slots=True)
class Polling:
    """What the apps give the kernel to make a poll address of a socket's endpoint.

    `at` is the class of what a caller says to have. `is_same(at, position)`: there is nothing new behind that
    position. `news(principal, at)` [pool] is all that has changed since, as frames; being called, it also
    notes that the principal is there. `person(principal)` names whose polls are counted together.
    `pass_of(principal, hello)` is what readmits without a new ticket, "" where none is needed;
    `readmit(handshake, hello, pass)` [pool] raises as `admit` does.
    """

    endpoint: Endpoint
    at: type[Any]
    is_same: Callable[[Any, replies.Position], bool]
    news: Callable[[Any, Any], Iterable[Json]]
    person: Callable[[Any], str]
    pass_of: Callable[[Any, Any], str] = lambda principal, hello: ""
    readmit: Callable[[Handshake, Any, str], Any] | None = None
    regulars: Regulars = field(default_factory=Regulars)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """The ASGI application at the address."""
        refused = misplaced(scope)
        if refused is not None:
            await answer(send, refused[0], b'{"error":%s}' % json.dumps(refused[1]).encode(), refused[2])
            return
        body = await whole(receive, BODY_FRAMES * settings.FRAME_MAX_BYTES)
        if body is None:
            return
        poll = Poll(self)
        gone = asyncio.ensure_future(receive())  # nothing comes any more but the end of the connection
        gone.add_done_callback(lambda _: poll.hang_up())
        work = poll.run_through(scope, body)
        del body
        try:
            await work
        except Exception as error:
            report(logger, f"{self.endpoint.name}: a poll failed", error)
            poll.close(CloseCode.INTERNAL)
        finally:
            poll.leave()
            gone.cancel()
        if not poll.is_gone:
            with contextlib.suppress(OSError):
                await poll.tell(send)


class Poll(Caller):
    """One request: a caller for as long as it takes, and a member of the hub unless it only wants answers."""

    __slots__ = (
        "_at", "_awaited", "_closed", "_frames", "_is_behind", "_is_inside", "_kept", "_pass", "_regular",
        "_retry", "_seats", "_woken", "endpoint", "hub", "is_gone", "memory", "polling", "principal",
    )  # fmt: skip

    def __init__(self, polling: Polling) -> None:
        self.polling = polling
        self.endpoint = polling.endpoint
        self.principal = None
        self.memory = {}
        self.is_gone = False  # the browser has hung up
        self._at: Any = None
        self._frames: list[str] = []
        self._kept = 0  # characters in them
        self._awaited: set[str] = set()  # the refs of commands whose answers are still to come
        self._is_inside = False  # it is our turn to be admitted
        self._is_behind = False  # a position says that something was not heard
        self._closed: CloseCode | None = None
        self._woken = asyncio.Event()
        self._pass = ""
        self._regular: Regular | None = None
        self._retry = 0.0  # seconds after which to come back, where the close says so

    # --- for handlers and the hub ---------------------------------------------------------------------

    def reply(self, reply: replies.Reply) -> None:
        if isinstance(reply, replies.Position) and self._at is not None:
            # no frame for the browser: the difference itself is read
            self._is_behind = self._is_behind or not self.polling.is_same(self._at, reply)
            if self._is_behind:
                self._woken.set()
            return
        if isinstance(reply, replies.Ack | replies.Failed):
            self._awaited.discard(reply.ref)
        super().reply(reply)

    def deliver(self, text: str) -> None:
        """Keep a frame for the answer. Beyond the bounds it is left out: what is a row is read next time."""
        if self._closed is not None or self.is_gone:
            return
        if len(self._frames) < settings.SEND_QUEUE_FRAMES and self._kept <= settings.SEND_QUEUE_BYTES:
            self._frames.append(text)
            self._kept += len(text)
        self._woken.set()

    def close(self, code: CloseCode) -> bool:
        if self._closed is None:
            self._closed = code
            self._woken.set()
        return False

    @property
    def is_busy(self) -> bool:
        return bool(self._awaited)

    def count_fault(self) -> None:
        if self._regular is not None and self._regular.count_fault(self.hub.loop.time()):
            self.close(CloseCode.FLOOD)

    # --- the steps ------------------------------------------------------------------------------------

    async def run_through(self, scope: dict[str, Any], body: bytes) -> None:
        """Steps 1 to 6. Whatever goes wrong becomes a close code."""
        asked = self._asked(body)
        if asked is None:
            return
        request, hello = asked
        del asked, body
        hub = self.hub = await hubs.here()
        self._seats = Seats(hub.crowd)  # counted while it is held, as a socket is
        if hub.is_leaving:
            self.close(CloseCode.RESTART)
            return
        if request.want == "answers" and all(map(is_ping, request.commands)):
            self._pong(len(request.commands))
            return
        handshake = Handshake.of(scope)
        forget_head(scope)
        try:
            if not await self._come_in(handshake, request, hello):
                return
            if request.want != "answers":
                hub.join(self, self.endpoint.topics(self.principal))
                await hub.settled()
                await self._read_up(request.want, hello.id)
        except errors.ChatLeadError as error:
            hub.crowd.refused(self.endpoint.place_of(handshake))
            self.close(refusal(error))
            return
        finally:
            self._let_the_next_in()
        await self._obey_all(request.commands)
        seconds = request.wait / 1000 if request.want == "news" else 0.0
        del request, hello, handshake  # a poll that is held keeps nothing of body or head
        await self._wait(seconds)

    def _asked(self, body: bytes) -> tuple[Request, Any] | None:
        """Step 1: what is asked for, and the `hello` in it. None where it makes no sense."""
        if len(body) > BODY_FRAMES * settings.FRAME_MAX_BYTES:
            self.close(CloseCode.TOO_BIG)
            return None
        try:
            request, hello = understood(body, self.endpoint)
            self._at = msgspec.json.decode(request.at, type=self.polling.at | None)
        except (errors.ChatLeadError, ValueError, RecursionError):
            self.close(CloseCode.BAD_HELLO)
            return None
        return request, hello

    def _pong(self, count: int) -> None:
        """The line is asked for, and nobody on it."""
        for _ in range(count):
            self.reply(replies.Pong(at=time.time_ns() // 1_000_000))

    async def _come_in(self, handshake: Handshake, request: Request, hello: Any) -> bool:
        """Step 2. False for somebody who floods, has too many already, or has to come back."""
        hub, place = self.hub, self.endpoint.place_of(handshake)
        if hub.crowd.is_refused_often(place):  # before anything is looked up
            return self.close(CloseCode.FLOOD)
        is_new = request.want == "welcome" or (self.polling.readmit is not None and not request.pass_)
        if is_new and place and hub.crowd.knock(place):
            return self.close(CloseCode.FLOOD)
        if is_new:
            self._retry = await hub.admission.enter(first=self.endpoint.is_first, network=handshake.network)
            if self._retry:
                return self.close(CloseCode.BUSY)
            self._is_inside = True
        if request.pass_ and self.polling.readmit is not None:
            readmit = self.polling.readmit
            self.principal = await self._in_turn(handshake.network, readmit, handshake, hello, request.pass_)
        else:
            run = pool.run_at_door if is_new else pool.run
            self.principal = await run(self.endpoint.admit, handshake, hello)
        self._pass = self.polling.pass_of(self.principal, hello)
        if not await self._is_welcome(place, is_new=is_new, is_held=request.want != "answers"):
            return False
        self.endpoint.let_in(handshake, self.principal, None, self.memory)
        return True

    async def _is_welcome(self, place: str, *, is_new: bool, is_held: bool) -> bool:
        """Be known, and counted with the sockets of the same person, place and site."""
        standing = self.endpoint.standing(self.principal)
        regular = self._regular = self.polling.regulars.known(self.polling.person(self.principal), self.hub)
        self.memory = dict(regular.memory)
        person = self.memory[Person] = self.hub.crowd.person(standing)
        if regular.is_flooding(self.hub.loop.time()) or person.wait("hello" if is_new else "poll"):
            self.hub.crowd.refused(place)
            return self.close(CloseCode.FLOOD)
        if is_held:
            full = CloseCode.FLOOD if self._seats.is_full_at(place) else self._seats.is_full_for(standing)
            if full is CloseCode.BUSY and self._seats.is_kept(
                await self.run(self.endpoint.stays, self.principal)
            ):
                full = None
            if full:
                self._retry = self.hub.admission.later() if full is CloseCode.BUSY else 0.0
                return self.close(full)
        return True

    def _let_the_next_in(self) -> None:
        if self._is_inside:
            self._is_inside = False
            self.hub.admission.leave()

    async def _read_up(self, want: str, number: int) -> None:
        """Step 4; what was heard meanwhile stands behind it."""
        if want == "welcome":
            welcome = await pool.run_at_door(self.endpoint.welcome, self.principal)
            if self.endpoint.is_known(self.principal, welcome):
                self.endpoint.in_right(self.memory)
            first: list[Json] = [msgspec.structs.replace(welcome, id=number) if number else welcome]
        elif self._at is not None:
            self._is_behind = False
            first = list(await self.run(self.polling.news, self.principal, self._at))
        else:
            return
        self._frames[:0] = [replies.encode(each).decode() for each in first]

    async def _obey_all(self, commands: list[msgspec.Raw]) -> None:
        for number, raw in enumerate(commands, start=1):
            if self._closed is not None:
                return
            if number % TURN == 0:
                await asyncio.sleep(0)
            text = bytes(raw).decode()
            if too_big(text):
                self.close(CloseCode.TOO_BIG)
                return
            try:
                command: Command = self.endpoint.decoder.decode(text)
            except errors.ChatLeadError as error:
                self._refuse(error, text)
                continue
            is_fast = self.endpoint.handlers.get(type(command), (False,))[0]
            if not is_fast:  # what was said before it is written before it
                await self._answered()
            elif ref := str(getattr(command, "ref", "")):
                self._awaited.add(ref)
            waiting = self._carry_out(command)
            if waiting is not None:
                await waiting

    async def _answered(self) -> None:
        """Wait for the answers to the commands so far."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while self._awaited and self._closed is None:
                    self._woken.clear()
                    await self._woken.wait()

    async def _wait(self, seconds: float) -> None:
        """Step 6."""
        hub = self.hub
        started = hub.loop.time()
        until = started + min(seconds, settings.POLL_SECONDS)
        while self._closed is None and not self.is_gone:
            if self._is_behind:
                await self._read_up("news", 0)
            if not self._awaited and (self._frames or until <= hub.loop.time()):
                if seconds and until > hub.loop.time():
                    await asyncio.sleep(LINGER_SECONDS)
                return
            left = (started + ANSWER_SECONDS if self._awaited else until) - hub.loop.time()
            if left <= 0:
                return
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._woken.wait()

    def hang_up(self) -> None:
        """The browser is gone; nothing more can be told."""
        self.is_gone = True
        self._woken.set()

    def leave(self) -> None:
        """Step 7: hear nothing any more."""
        if self._regular is None:
            return
        self.hub.leave(self)
        kept = {key: value for key, value in self.memory.items() if isinstance(key, type)}
        self._regular.memory |= kept
        self._seats.give_back()

    async def tell(self, send: Send) -> None:
        """The answer: `{frames, pass}`, with `close` where a socket would have been closed."""
        body = f'{{"frames":[{",".join(self._frames)}]'
        status, headers = 200, []
        if self._closed is not None:
            status = STATUS.get(self._closed, 503)
            body += f',"close":{int(self._closed)}'
            body += f',"reason":"busy {int(self._retry * 1000)}"' if self._retry else ""
            headers = [(b"connection", b"close")]  # this process may be about to leave
        elif self._pass:
            body += f',"pass":{json.dumps(self._pass)}'
        await answer(send, status, f"{body}}}".encode(), headers)
