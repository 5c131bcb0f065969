"""The bounded pool of threads in which sockets use the database, alone or together."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from chatlead.errors import ChatLeadError

P = ParamSpec("P")
T = TypeVar("T")

TOGETHER = 64
PAUSE_SECONDS = 0.004
PAUSES = 4  # at most between two turns, while more and more come
CROWDED_SECONDS = 0.1  # after a turn with several in it the next who comes is hardly alone


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, thread_name_prefix="database")


@cache
def _door() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.ADMISSION_THREADS, thread_name_prefix="door")


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in the pool and wait for it; the context goes along, the connection is given back.

    Cancelling the wait does not stop the call: it commits and publishes, and a command that is sent
    again by its `ref` finds that out.
    """
    return await _run_on(_executor(), function, *args, **kwargs)


async def run_at_door(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for those who want to come in, on threads of their own: a crowd of them keeps nobody waiting
    who is in (V-9)."""
    return await _run_on(_door(), function, *args, **kwargs)


async def _run_on(
    executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    context = contextvars.copy_context()

    def call() -> T:
        try:
            return context.run(function, *args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(executor, call)


Many = Callable[[Sequence[Any]], Sequence[Any]]
Call = tuple[Any, asyncio.Future[Any]]  # an argument, and who waits for what comes of it


class Together:
    """Calls of many, made in one thread and in few turns, so that what they have in common is read once.

    `await together(function, argument)`: `function` gets the arguments of all who wait for it, up to TOGETHER
    in all, and returns a result for each, in order; a ChatLeadError in the place of a result is raised for
    its caller. Whoever comes alone is served at once; during a turn, and PAUSE_SECONDS longer or some times
    that while others keep coming, callers wait for the next one. So nobody gets what was read before they
    called. Where `function` raises something itself, each of its callers is served alone, so that one cannot
    fail the others; but not where the database is away. On one loop at a time.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Many, Any, asyncio.Future[Any]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._crowded_until = 0.0

    async def __call__(self, function: Many, argument: Any) -> Any:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # what waited for another one waits for nothing any more
            self._loop, self._waiting, self._running, self._crowded_until = loop, deque(), None, 0.0
        turn: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((function, argument, turn))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return await turn

    async def _run(self) -> None:
        waiting, time = self._waiting, asyncio.get_running_loop().time
        try:
            if time() < self._crowded_until:
                await self._pause()
            while waiting:
                groups: dict[Many, list[Call]] = {}
                if len(waiting) > 1:
                    self._crowded_until = time() + CROWDED_SECONDS
                for _ in range(min(TOGETHER, len(waiting))):
                    function, argument, turn = waiting.popleft()
                    if not turn.done():  # else nobody waits any more
                        groups.setdefault(function, []).append((argument, turn))
                if groups:
                    await _serve(groups)
                await self._pause()
        finally:
            self._running = None

    async def _pause(self) -> None:
        """Let a crowd gather: what a turn costs is nearly the same for one and for all of them."""
        for _ in range(PAUSES):
            before = len(self._waiting)
            if before >= TOGETHER:
                return
            await asyncio.sleep(PAUSE_SECONDS)
            if len(self._waiting) == before:
                return


async def _serve(groups: dict[Many, list[Call]]) -> None:
    try:
        answers = await run_at_door(_answers, groups)
    except BaseException:  # nobody is left waiting for ever
        for calls in groups.values():
            for _, turn in calls:
                turn.cancel()
        raise
    for turn, result in answers:
        if turn.done():
            continue
        if isinstance(result, Exception):
            turn.set_exception(result)
        else:
            turn.set_result(result)


def _answers(groups: dict[Many, list[Call]]) -> list[tuple[asyncio.Future[Any], Any]]:
    return [answer for function, calls in groups.items() for answer in _tried(function, calls)]


def _tried(function: Many, group: list[Call]) -> Iterator[tuple[asyncio.Future[Any], Any]]:
    """The results beside those who wait for them; an exception is a result here."""
    try:
        results = function([argument for argument, _ in group])
    except Exception as error:
        if len(group) > 1 and not isinstance(error, OperationalError | InterfaceError):
            for each in group:
                yield from _tried(function, [each])
        else:
            yield from ((turn, error) for _, turn in group)
    else:
        yield from ((turn, result) for (_, turn), result in zip(group, results, strict=True))


def alone(results: Sequence[T | ChatLeadError]) -> T:
    """The result of a call for one; raises the ChatLeadError in its place."""
    (result,) = results
    if isinstance(result, ChatLeadError):
        raise result
    return result
