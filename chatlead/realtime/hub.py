"""This process's sockets by topic, and what is done for all of them at once.

Everything here runs on the loop, except `current`, `every` and `Hub.hand_over`, which any thread may call.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from chatlead.realtime.admission import Admission
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.crowd import Crowd
from chatlead.realtime.faults import report
from chatlead.realtime.redis_link import RedisLink
from chatlead.realtime.topics import Topic
from chatlead.realtime.turns import Turns

logger = logging.getLogger(__name__)

ORIGIN_BYTES = 12
NUMBER_BYTES = 8
HEADER_BYTES = ORIGIN_BYTES + NUMBER_BYTES


class Member(Protocol):
    """Somebody who listens: a socket."""

    def deliver(self, text: str) -> None:
        """Take a frame. Called on the loop; never blocks, never raises, never leaves the hub by itself."""


class Stranger(Protocol):
    """A socket that has not been admitted yet."""

    def close(self, code: CloseCode) -> object:
        """Send the browser away."""


Job = Callable[["Hub"], Awaitable[None]]


@dataclass(slots=True)
class Work:
    """Something done for all sockets again and again."""

    seconds: float
    jitter: float
    job: Job
    at_return: bool
    due: float = 0.0
    running: asyncio.Task[None] | None = None


_registered: list[Work] = []
_current: Hub | None = None


def every(seconds: float, job: Job, *, jitter: float = 0.0, at_return: bool = False) -> None:
    """Have every hub that starts from now on call `job(hub)` each `seconds` plus a random part of `jitter`.

    `at_return`: also at once when the link to Redis returns. A job never overlaps itself; one that raises
    is logged and called again. Registered at import, by chatlead/routing.py.
    """
    _registered.append(Work(seconds, jitter, job, at_return))


def current() -> Hub | None:
    """This process's hub; None in a worker, in a command, and after the loop has ended."""
    hub = _current
    return None if hub is None or hub.loop.is_closed() else hub


async def here() -> Hub:
    """The hub of the running loop, started if need be."""
    global _current
    hub = current()
    if hub is None or hub.loop is not asyncio.get_running_loop():
        hub = _current = Hub(settings.REDIS_URL, settings.REDIS_PREFIX)
        await hub.start()
    elif not hub.is_ready.is_set():
        await hub.is_ready.wait()
    return hub


def header(origin: bytes, number: int) -> bytes:
    """What stands before the text in a Redis message: who sent it, and which of his deliveries it is."""
    return b"%s%08x" % (origin, number & 0xFFFFFFFF)


class Hub:
    """Members by topic. Made and used on one loop; `start` before use, `stop` at the end."""

    def __init__(self, redis_url: str = "", prefix: str = "chatlead") -> None:
        self.loop = asyncio.get_running_loop()
        self.members: set[Member] = set()
        self.strangers: dict[Stranger, float] = {}  # and until when they may be silent
        self.crowd = Crowd()
        self.admission = Admission()
        self.turns = Turns(max(1, settings.DATABASE_THREADS - 1))
        self.is_ready = asyncio.Event()
        self.is_leaving = False  # the process was asked to end
        self.link: RedisLink | None = None
        if redis_url:
            self.link = RedisLink(redis_url, prefix, self._from_afar, self._returned)
        self._origin = secrets.token_hex(ORIGIN_BYTES // 2).encode()
        self._number = 0
        self._listeners: dict[str, set[Member]] = {}
        self._topics: dict[Member, tuple[str, ...]] = {}
        self._seen: dict[bytes, tuple[bytes, set[Member]]] = {}
        self._work: list[Work] = [Work(w.seconds, w.jitter, w.job, w.at_return) for w in _registered]
        self._woken = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect to Redis where there is one (without waiting for ever) and begin the regular work."""
        if self.link is not None:
            await self.link.start()
        self._worker = self.loop.create_task(self._regularly())
        self.is_ready.set()

    async def stop(self) -> None:
        """Stop the work, hang up, and be nobody's hub any more."""
        global _current
        tasks = [work.running for work in self._work if work.running is not None]
        tasks += [self._worker] if self._worker is not None else []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self.link is not None:
            await self.link.stop()
        if _current is self:
            _current = None

    # --- who hears what -----------------------------------------------------------------------------

    def join(self, member: Member, topics: Iterable[Topic]) -> None:
        """Let `member` hear `topics` too; twice is as good as once. `settled` waits until it is true."""
        self.members.add(member)
        old = self._topics.get(member, ())
        new = tuple(topic.name for topic in topics if topic.name not in old)
        self._topics[member] = old + new
        self._listen(member, new)

    def leave(self, member: Member) -> None:
        """Let `member` hear nothing any more; nothing happens where it heard nothing."""
        self.members.discard(member)
        self._ignore(member, self._topics.pop(member, ()))

    def retopic(self, member: Member, topics: Iterable[Topic]) -> None:
        """Let `member` hear exactly `topics`. Nothing happens for one that has left."""
        old = self._topics.get(member)
        if old is None:
            return
        new = tuple(dict.fromkeys(topic.name for topic in topics))
        self._topics[member] = new
        self._listen(member, (name for name in new if name not in old))
        self._ignore(member, (name for name in old if name not in new))

    async def settled(self) -> None:
        """Wait until everything that was joined is really heard, other processes included."""
        if self.link is not None:
            await self.link.settled()

    def _listen(self, member: Member, names: Iterable[str]) -> None:
        for name in names:
            listeners = self._listeners.get(name)
            if listeners is None:
                self._listeners[name] = {member}
                if self.link is not None:
                    self.link.subscribe(name)
            else:
                listeners.add(member)

    def _ignore(self, member: Member, names: Iterable[str]) -> None:
        for name in names:
            listeners = self._listeners.get(name)
            if listeners is None:
                continue
            listeners.discard(member)
            if not listeners:
                del self._listeners[name]
                if self.link is not None:
                    self.link.unsubscribe(name)

    # --- delivery -----------------------------------------------------------------------------------

    def deliver(self, topics: Sequence[Topic], text: str, skip: Member | None = None) -> None:
        """Send `text` to everybody who hears one of `topics`, once each, but not to `skip`."""
        for member in self._who(topics):
            if member is not skip:
                member.deliver(text)
        link = self.link
        if link is not None and link.is_up:
            self._number += 1
            payload = header(self._origin, self._number) + text.encode()
            for topic in topics:
                link.publish(topic.name, payload)

    def hand_over(self, topics: Sequence[Topic], text: str, skip: Member | None = None) -> None:
        """`deliver` from any thread, in the order of that thread's calls. Nothing once the loop has ended."""
        try:
            self.loop.call_soon_threadsafe(self.deliver, topics, text, skip)
        except RuntimeError:  # the loop is closed: nobody is left who could hear it
            return

    def _who(self, topics: Sequence[Topic]) -> Iterable[Member]:
        """Who hears one of the topics; a copy, since delivery may change the sets."""
        found: set[Member] = set()
        for topic in topics:
            listeners = self._listeners.get(topic.name)
            if listeners is not None:
                found |= listeners
        return found

    def _from_afar(self, channel: str, payload: bytes) -> None:
        """A message of Redis. One delivery to several topics comes as several messages: each member once."""
        origin = payload[:ORIGIN_BYTES]
        if origin == self._origin:
            return
        number, text = payload[ORIGIN_BYTES:HEADER_BYTES], payload[HEADER_BYTES:].decode()
        members = set(self._listeners.get(channel, ()))
        before = self._seen.get(origin)
        if before is not None and before[0] == number:
            members -= before[1]
            before[1].update(members)
        else:
            if len(self._seen) > 64:  # processes that are long gone
                self._seen.clear()
            self._seen[origin] = (number, set(members))
        for member in members:
            member.deliver(text)

    # --- regular work -------------------------------------------------------------------------------

    def every(self, seconds: float, job: Job, *, jitter: float = 0.0, at_return: bool = False) -> None:
        """As the function `every`, for this hub only, from now on."""
        work = Work(seconds, jitter, job, at_return)
        work.due = self._next(work)
        self._work.append(work)
        self._woken.set()

    def _next(self, work: Work) -> float:
        return self.loop.time() + work.seconds + random.uniform(0, work.jitter)  # noqa: S311

    def _returned(self) -> None:
        for work in self._work:
            if work.at_return:
                work.due = 0.0
        self._woken.set()

    async def _regularly(self) -> None:
        for work in self._work:
            work.due = self._next(work)
        while True:
            self._woken.clear()
            now = self.loop.time()
            for work in self._work:
                if work.due <= now and (work.running is None or work.running.done()):
                    work.due = self._next(work)
                    work.running = self.loop.create_task(self._do(work))
                elif work.due <= now:
                    work.due = now + min(work.seconds, 0.5)  # still busy: look again soon
            wait = min((work.due for work in self._work), default=now + 60) - self.loop.time()
            try:
                async with asyncio.timeout(max(0.0, wait)):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _do(self, work: Work) -> None:
        try:
            await work.job(self)
        except Exception as error:
            report(logger, f"{getattr(work.job, '__qualname__', work.job)} failed", error)
