"""What the apps give the kernel to make a socket address of: who may come in, and what the commands do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http.cookie import parse_cookie

from chatlead.addresses import client_ip, is_trusted, truncated
from chatlead.errors import ChatLeadError
from chatlead.realtime import pool
from chatlead.realtime.commands import Command, Ping
from chatlead.realtime.crowd import Standing, place_of
from chatlead.realtime.frames import CommandDecoder
from chatlead.realtime.known import Known, name_of
from chatlead.realtime.replies import Pong, Reply
from chatlead.realtime.topics import Topic

if TYPE_CHECKING:
    from chatlead.realtime.caller import Caller

USER_AGENT_MAX = 400

C = TypeVar("C", bound=Command)
Fast = Callable[["Caller", C], Awaitable[None] | None]
Slow = Callable[[Any, C], Reply | None]
Handler = tuple[bool, Callable[..., Any]]  # (is it fast, the function)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the HTTP request that opened a socket said. `ip` is the right one behind proxies (R-096);
    `origin` is None where there was none, or more than one; `host` is as the client named it."""

    origin: str | None
    host: str
    secure: bool
    cookies: dict[str, str]
    ip: str
    user_agent: str

    @property
    def network(self) -> str:
        """The /24 or /48 of the address; "" where there is none."""
        return truncated(self.ip) or ""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Handshake:
        """Read from an ASGI scope."""
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1"))

        def only(name: bytes) -> str | None:
            values = headers.get(name, [])
            return values[0] if len(values) == 1 else None

        peer = (scope.get("client") or ("",))[0]
        secure = scope.get("scheme") in ("wss", "https")
        if settings.SECURE_PROXY_SSL_HEADER and is_trusted(peer):
            secure = only(b"x-forwarded-proto") == "https"
        return cls(
            origin=only(b"origin"),
            host=only(b"host") or "",
            secure=secure,
            cookies=parse_cookie("; ".join(headers.get(b"cookie", []))),
            ip=client_ip(peer, headers.get(b"x-forwarded-for", [])),
            user_agent=(only(b"user-agent") or "")[:USER_AGENT_MAX],
        )


class Commands:
    """An app's part of an endpoint: what each of its commands does.

    A `fast` handler runs on the loop and must not block: `f(caller, command)`; an awaitable that it
    returns is awaited before the caller's next frame is read. A `slow` one runs in the pool of database
    threads: `f(principal, command)`; its reply gets the command's id, None is answered by `done`.
    Both may raise a ChatLeadError, which becomes `failed`.
    """

    def __init__(self) -> None:
        self.handlers: dict[type[Command], Handler] = {}

    def fast(self, command_type: type[C]) -> Callable[[Fast[C]], Fast[C]]:
        def register(function: Fast[C]) -> Fast[C]:
            self._add(command_type, (True, function))
            return function

        return register

    def slow(self, command_type: type[C]) -> Callable[[Slow[C]], Slow[C]]:
        def register(function: Slow[C]) -> Slow[C]:
            self._add(command_type, (False, function))
            return function

        return register

    def _add(self, command_type: type[Command], handler: Handler) -> None:
        if command_type in self.handlers:
            raise ImproperlyConfigured(f"{command_type.__name__} has two handlers")
        self.handlers[command_type] = handler


def pong(caller: Caller, command: Ping) -> None:
    """The one command of the kernel itself."""
    caller.reply(Pong(id=command.id, at=time.time_ns() // 1_000_000))


def nothing(caller: Caller) -> None:
    """The `closed` of an endpoint that does not care."""


def no_standing(principal: Any) -> Standing:
    """The `standing` of an endpoint that knows nothing of its people: each socket for itself, and for
    what is said no bound."""
    return Standing(rates={"word": None})


def no_secret(handshake: Handshake) -> str:
    """The `secret_of` and `vouched` of an endpoint whose people show nothing."""
    return ""


def no_network(principal: Any) -> str | None:
    """The `network_of` of an endpoint whose people need no turn."""
    return None


def nobody_stays(principal: Any) -> tuple[Hashable, int] | None:
    """The `stays` of an endpoint where all have the same right to a seat."""
    return None


def nobody_is_known(principal: Any, welcome: Reply | None) -> bool:
    """The `is_known` of an endpoint where nobody has a right of their own."""
    return False


def never(caller: Caller) -> bool:
    """The `is_owed` of an endpoint whose handlers answer before they return."""
    return False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A socket address. Raises ImproperlyConfigured when a command has no handler, or two.

    `admit(handshake, hello)` [pool] returns the principal or raises a ChatLeadError, which becomes a
    close code. `topics(principal)` says what the principal may hear. `welcome(principal)` [pool] is the
    snapshot, read after the topics are heard. `closed(socket)` is called on the loop when an admitted
    socket has gone. `is_owed(caller)` says whether an answer is still to come that no handler is busy with.
    `standing(principal)` says how much they may take; `is_first`: in a crowd they have a line of their own.
    `network_of(principal)` is with whom they take turns at what the database is asked for, None for nobody.
    `stays(principal)` [pool] is a group of their own, and its seats, for whom their groups are full; None for
    a newcomer. `secret_of(handshake)` is what a request shows that its sender alone has, "" for nothing, and
    `is_known(principal, welcome)` whether they are `known` by it from now on (known.py). `vouched(handshake)`
    is who that is where a request proves by itself that they were here before, else "".

    `admit_all` and `welcome_all`, where there are any, do the same for many who come at once: lists of
    (handshake, hello), or of principals, for a list of results (pool.Together).
    """

    name: str
    hello: type[Command]
    commands: tuple[type[Command], ...]
    admit: Callable[[Handshake, Any], Any]
    topics: Callable[[Any], tuple[Topic, ...]]
    welcome: Callable[[Any], Reply]
    parts: Iterable[Commands]
    closed: Callable[[Caller], None] = nothing
    standing: Callable[[Any], Standing] = no_standing
    is_first: bool = False
    network_of: Callable[[Any], str | None] = no_network
    vouched: Callable[[Handshake], str] = no_secret
    secret_of: Callable[[Handshake], str] = no_secret
    is_known: Callable[[Any, Reply | None], bool] = nobody_is_known
    stays: Callable[[Any], tuple[Hashable, int] | None] = nobody_stays
    is_owed: Callable[[Caller], bool] = never
    admit_all: Callable[[Sequence[tuple[Handshake, Any]]], Sequence[Any]] | None = None
    welcome_all: Callable[[Sequence[Any]], Sequence[Reply | ChatLeadError]] | None = None
    known: Known = field(init=False, default_factory=Known)
    together: pool.Together = field(init=False, default_factory=pool.Together)
    handlers: dict[type[Command], Handler] = field(init=False)
    decoder: CommandDecoder = field(init=False)

    def __post_init__(self) -> None:
        handlers: dict[type[Command], Handler] = {Ping: (True, pong)}
        for part in self.parts:
            for command, handler in part.handlers.items():
                if command in handlers:
                    raise ImproperlyConfigured(f"{self.name}: {command.__name__} has two handlers")
                if command in self.commands:  # a part may serve several endpoints
                    handlers[command] = handler
        lacking = [c.__name__ for c in self.commands if c not in handlers and c is not self.hello]
        if lacking:
            raise ImproperlyConfigured(f"{self.name}: no handler for {', '.join(lacking)}")
        object.__setattr__(self, "handlers", handlers)
        object.__setattr__(self, "decoder", CommandDecoder(self.commands))

    def place_of(self, handshake: Handshake) -> str:
        """With whom somebody is counted who has not been let in yet, "" for nobody: those of the same address
        who want the same, so that guests in a firm's network shut out none of its operators. Who was let in
        before with a right of their own is counted alone. Nobody is counted on this machine itself."""
        place = place_of(handshake.ip)
        if not place:
            return ""
        name = self.name_of(handshake)
        if not self.known.knows(name):
            name = name_of(self.vouched(handshake))
        return f"{self.name} {name or place}"

    def name_of(self, handshake: Handshake) -> str:
        """By what a browser is `known`, "" where it shows nothing."""
        return name_of(self.secret_of(handshake))

    def let_in(
        self, handshake: Handshake, principal: Any, welcome: Reply | None, memory: dict[Any, Any]
    ) -> None:
        """Somebody was: they are `known` from now on, or as soon as they are in their right (`in_right`)."""
        name = self.name_of(handshake)
        if name and self.is_known(principal, welcome):
            self.known.note(name)
        elif name:
            memory[Known] = name

    def in_right(self, memory: dict[Any, Any]) -> None:
        """Whoever has this memory has shown that it is theirs to be here."""
        name = memory.pop(Known, None)
        if name is not None:
            self.known.note(name)

    async def admitted(self, handshake: Handshake, hello: Command) -> Any:
        """`admit` in the pool, with others who come at the same time where that is possible."""
        if self.admit_all is None:
            return await pool.run_at_door(self.admit, handshake, hello)
        return await self.together(self.admit_all, (handshake, hello))

    async def welcomed(self, principal: Any) -> Reply:
        """`welcome` in the pool, in the same way."""
        if self.welcome_all is None:
            return await pool.run_at_door(self.welcome, principal)
        welcome: Reply = await self.together(self.welcome_all, principal)
        return welcome
