"""Somebody who gives commands and hears frames, whichever way these travel. Handlers know no more of it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from chatlead import errors
from chatlead.metrics import REFUSED
from chatlead.realtime import pool, replies
from chatlead.realtime.crowd import KINDS, Person
from chatlead.realtime.faults import report
from chatlead.realtime.frames import traces

if TYPE_CHECKING:
    from chatlead.realtime.codes import CloseCode
    from chatlead.realtime.commands import Command
    from chatlead.realtime.endpoint import Endpoint
    from chatlead.realtime.hub import Hub

logger = logging.getLogger(__name__)
T = TypeVar("T")

FAULTS = 50
FAULT_SECONDS = 10.0
FAULTY = (
    errors.BadFrame,
    errors.BadField,
    errors.HelloRepeated,
    errors.NotFound,
    errors.Forbidden,
    errors.RateLimited,
)


class Caller(ABC):
    """What a handler is given: a socket, or a poll.

    Handlers use `principal`, `reply`, `fail`, `deliver`, `close`, `run`, `hub` and `memory`, a dict that
    lives as long as the socket or the poll; what is kept in it under a class (a bucket, a count) is found
    again by the next poll of the same person.
    """

    __slots__ = ()

    endpoint: Endpoint
    hub: Hub
    principal: Any
    memory: dict[Any, Any]

    @abstractmethod
    def deliver(self, text: str) -> None:
        """Send a frame, after those that wait already; nothing once the caller is gone."""

    @abstractmethod
    def close(self, code: CloseCode) -> bool:
        """Send the browser away with `code`. Closing twice changes nothing. Returns False."""

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way to the browser, or will be soon, that a close would swallow."""
        return False

    @abstractmethod
    def count_fault(self) -> None:
        """One more frame was faulty. Too many in a short time close with 4029 (D-5)."""

    def reply(self, reply: replies.Reply) -> None:
        """Send an answer, or news of this caller alone, with the id that it has."""
        self.deliver(replies.encode(reply).decode())

    def fail(self, error: errors.ChatLeadError, command: Command) -> None:
        """Tell that `command` was not carried out. Too many faults in a short time close."""
        ref, chat = getattr(command, "ref", ""), getattr(command, "chat", "")
        self._failed(error, command.id, str(ref), chat)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call `function` in the pool of database threads and wait for it, those in their turn who need one.
        Raises Unavailable where too many wait."""
        return await self._in_turn(self.endpoint.network_of(self.principal), function, *args)

    async def _in_turn(self, network: str | None, function: Callable[..., T], *args: Any) -> T:
        if network is None:
            return await pool.run(function, *args)
        async with self.hub.turns.of(network) as has_turn:
            if not has_turn:
                raise errors.Unavailable
            return await pool.run(function, *args)

    def obey(self, text: str) -> Awaitable[None] | None:
        """Carry out the command in `text`. What is returned is to be awaited before the next one; whatever
        goes wrong is answered by `failed` and raises nothing."""
        try:
            command = self.endpoint.decoder.decode(text)
        except errors.ChatLeadError as error:
            self._refuse(error, text)
            return None
        return self._carry_out(command)

    def _carry_out(self, command: Command) -> Awaitable[None] | None:
        handler = self.endpoint.handlers.get(command.__class__)
        if handler is None:
            self.fail(errors.HelloRepeated(), command)
            return None
        seconds = self.person().wait(KINDS.get(command.__class__, "deed"))
        if seconds:
            self.fail(errors.RateLimited(retry_after_ms=int(seconds * 1000) + 1), command)
            return None
        if not handler[0]:
            return self._waited_for(self._slowly(handler[1], command), command)
        try:
            waiting = handler[1](self, command)
        except Exception as error:
            self._went_wrong(error, command)
            return None
        return None if waiting is None else self._waited_for(waiting, command)

    def person(self) -> Person:
        """Whose buckets are used."""
        found: Person | None = self.memory.get(Person)
        if found is None:
            standing = self.endpoint.standing(self.principal)
            found = self.memory[Person] = self.hub.crowd.person(standing)
        return found

    async def _waited_for(self, waiting: Awaitable[None], command: Command) -> None:
        try:
            await waiting
        except Exception as error:
            self._went_wrong(error, command)

    def _went_wrong(self, error: Exception, command: Command) -> None:
        if isinstance(error, errors.ChatLeadError):
            self.fail(error, command)
            return
        report(logger, f"{self.endpoint.name}: {type(command).__name__} failed", error)
        self.fail(errors.Unavailable(), command)

    async def _slowly(self, function: Callable[..., Any], command: Command) -> None:
        """A `slow` command and its answer."""
        reply = await self.run(function, self.principal, command)
        if reply is None:
            reply = replies.Done(id=command.id)
        elif command.id:
            reply = msgspec.structs.replace(reply, id=command.id)
        self.reply(reply)

    def _refuse(self, error: errors.ChatLeadError, text: str) -> None:
        """Answer a frame that could not be read."""
        found = traces(text)
        self._failed(error, found.id, found.ref, found.chat)

    def _failed(self, error: errors.ChatLeadError, number: int, ref: str, chat: str) -> None:
        self.reply(
            replies.Failed(
                id=number,
                code=error.code,
                message=error.message,
                field=error.field or "",
                ref=ref,
                chat=chat,
                retry_after_ms=error.retry_after_ms or 0,
                work=error.work if isinstance(error, errors.RateLimited) else "",
            )
        )
        REFUSED.labels(error.code).inc()
        if isinstance(error, FAULTY):
            self.count_fault()
