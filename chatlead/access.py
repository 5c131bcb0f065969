"""A line for every request, poll and socket that has ended: which, how, how long, and who in the coarsest way
(R-109, R-098): the network, the kind of browser, and the route with the names of its arguments, never their
values, since these may be a token or somebody's name.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any

from django.conf import settings

from chatlead.addresses import client_ip, is_trusted, truncated
from chatlead.logs import current_id, request_id

logger = logging.getLogger(__name__)

ROUTE = "chatlead.route"  # in the scope: what a middleware or an address has found out
# What a proxy may call a request: numbers in hexadecimal, with or without the dashes of a UUID
GIVEN_ID = re.compile(rb"[0-9a-f]{16,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# The first that is found, since all of them name some of the others too.
BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d{1,4})")),
    ("Opera", re.compile(r"(?:OPR|Opera)/(\d{1,4})")),
    ("Samsung", re.compile(r"SamsungBrowser/(\d{1,4})")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d{1,4})")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d{1,4})")),
    ("Safari", re.compile(r"Version/(\d{1,4}).* Safari/")),
    ("bot", re.compile(r"bot|crawl|spider", re.IGNORECASE)),
    ("curl", re.compile(r"^curl/(\d{1,4})")),
    ("Python", re.compile(r"^[Pp]ython")),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
KNOWN_BYTES = 600  # of what a browser says of itself; whoever says more is not remembered
SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "CrOS", "Macintosh", "Linux")

Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


def browser_of(user_agent: str) -> str:
    """Kind, version and system, as `Firefox 140 on Windows`, in words of ours; "other" where it is none."""
    name = "other"
    for each, pattern in BROWSERS:
        if found := pattern.search(user_agent):
            name = f"{each} {int(found[1])}" if found.groups() and found[1] else each
            break
    system = next((each for each in SYSTEMS if each in user_agent), "")
    return f"{name} on {system}" if system else name


def headers_of(scope: Scope, wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]


def id_of(scope: Scope) -> str:
    """The id that a trusted proxy gave, else a new one."""
    given = headers_of(scope, b"x-request-id")
    peer = (scope.get("client") or ("",))[0]
    if len(given) == 1 and GIVEN_ID.fullmatch(given[0]) and is_trusted(peer):
        return given[0].decode()
    return secrets.token_hex(8)


def who(scope: Scope) -> Mapping[str, str]:
    """Network and browser."""
    peer = (scope.get("client") or ("",))[0]
    agents = headers_of(scope, b"user-agent")
    hops = tuple(headers_of(scope, b"x-forwarded-for"))
    agent = agents[0] if agents else b""
    known = _known if sum(map(len, hops)) + len(agent) <= KNOWN_BYTES else _known.__wrapped__
    return known(peer, hops, agent, tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=2048)
def _known(peer: str, hops: tuple[bytes, ...], agent: bytes, proxies: tuple[str, ...]) -> Mapping[str, str]:
    """The same from its parts, once for all that a browser opens. Depends on who the proxies are."""
    forwarded = [hop.decode("latin-1") for hop in hops]
    return {
        "ip": truncated(client_ip(peer, forwarded)) or "",
        "browser": browser_of(agent.decode("latin-1")) if agent else "",
    }


async def request(application: Application, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Let `application` answer, under an id that the answer and all lines of the log name; then log it."""
    request_id.set(id_of(scope))
    started = perf_counter()
    status = 0

    async def watching(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"x-request-id"]
            message = message | {"headers": [*headers, (b"x-request-id", current_id().encode())]}
        await send(message)

    try:
        await application(scope, receive, watching)
    finally:
        if logger.isEnabledFor(logging.INFO):
            facts: dict[str, Any] = {
                "method": scope["method"] if scope["method"] in METHODS else "?",
                "route": scope.get(ROUTE, ""),
                "status": status,
                "ms": round((perf_counter() - started) * 1000, 1),
            }
            logger.info("request", extra={"facts": {**facts, **who(scope)}})


def socket_ended(scope: Scope, *, kind: str, code: int, seconds: float) -> None:
    """Log a socket: `kind` is the endpoint's name, `code` the close code, whoever sent it."""
    if logger.isEnabledFor(logging.INFO):
        facts: dict[str, Any] = {"route": kind, "code": code, "seconds": round(seconds, 1)}
        logger.info("socket", extra={"facts": {**facts, **who(scope)}})
