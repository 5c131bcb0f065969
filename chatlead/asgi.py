"""The ASGI application: HTTP is Django's, sockets are ours, and the process begins and ends here."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatlead.settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()  # makes the apps ready; what follows imports them

from asgiref.sync import ThreadSensitiveContext
from channels.routing import ProtocolTypeRouter
from django.conf import settings

from chatlead import access, health, routing
from chatlead.addresses import client_ip, truncated
from chatlead.errors import Unavailable
from chatlead.realtime import hub as hubs
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.turns import Turns
from chatlead.standby import standby
from chats import journal, marks

HTTP_THREADS = 4
LATER_MS = 5000  # while a backup is being restored
LAST_SECONDS = 5.0  # for what was taken and is not written when the process ends
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


# Requests share a few threads, each with its connection; stock Django makes a thread for each request, and
# on SQLite a connection that lives on until the garbage collector comes by.
threads = cycle([ThreadPoolExecutor(1, thread_name_prefix="http") for _ in range(HTTP_THREADS)])
turns = Turns(2 * HTTP_THREADS)  # so that a thread that is ready has something to do


async def http(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """A probe, a poll, or a page. All but probes get an id and a line in the log."""
    hub = hubs.current()
    if hub is not None and hub.is_leaving:
        send = parting(send)
    path = scope["path"]
    if path in health.PROBES:
        await health.answer(scope, send)
    elif standby.is_shut and not path.startswith(settings.STATIC_URL):
        await refuse(send, 503, Unavailable.code, "A backup is being restored. Please try again later.")
    elif path in routing.POLLS:
        scope[access.ROUTE] = path
        await access.request(routing.POLLS[path], scope, receive, send)
    else:
        await access.request(page, scope, receive, send)


async def page(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """A plain request, on one of the threads in turn; 413 for a body above BODY_MAX_BYTES: whatever comes,
    Django writes to the disk before it looks at who sent it to which address.

    From the moment when the body is there until the answer begins it needs a turn, so that neither who sends
    slowly nor who reads slowly holds one; 503 for whom there is none."""
    most: int = settings.BODY_MAX_BYTES
    taken = 0
    has_turn: bool | None = None  # not asked for yet
    turn = AsyncExitStack()

    async def bounded() -> dict[str, Any]:
        nonlocal taken, has_turn
        message = await receive()
        taken += len(message.get("body", b""))
        if has_turn is None and taken <= most and not message.get("more_body"):
            has_turn = await turn.enter_async_context(turns.of(network_of(scope)))
        # as if the client had hung up: Django then ends without an answer, before a view is called
        return message if taken <= most and has_turn is not False else {"type": "http.disconnect"}

    async def begun(message: dict[str, Any]) -> None:
        await turn.aclose()
        await send(message)

    if any(name == b"content-length" and _above(value, most) for name, value in scope["headers"]):
        taken = most + 1
    else:
        async with turn, ThreadSensitiveContext(executor=next(threads)):
            await django(scope, bounded, cast("Any", begun))
    if taken > most:
        await refuse(send, 413, "too_large", "The request is too large.")
    elif has_turn is False:
        await refuse(send, 503, Unavailable.code, Unavailable.message)


async def refuse(send: Send, status: int, code: str, message: str) -> None:
    """An error in front of Django; the rest of the request is not read."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(b"connection", b"close"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def network_of(scope: dict[str, Any]) -> str:
    """The /24 or /48 of the client, "" where it has no address."""
    hops = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return truncated(client_ip((scope.get("client") or ("",))[0], hops)) or ""


def parting(send: Send) -> Send:
    """The same, but the connection ends with the answer: the next request is for another process."""

    async def last(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
            message = message | {"headers": [*kept, (b"connection", b"close")]}
        await send(message)

    return last


def _above(length: bytes, most: int) -> bool:
    return not length.isdigit() or len(length) > 18 or int(length) > most


async def nowhere(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """A socket at an address that is none of ours."""
    await receive()
    await send({"type": "websocket.accept"})
    code = CloseCode.NOT_FOUND
    await send({"type": "websocket.close", "code": int(code), "reason": code.name.lower()})


async def later(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Any socket while a restore is not finished."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": int(CloseCode.BUSY), "reason": f"busy {LATER_MS}"})


def websocket(scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
    """By address. A plain function, so that no frame of it stays in memory for each idle socket."""
    application = later if standby.is_shut else routing.ADDRESSES.get(scope["path"], nowhere)
    answer: Awaitable[None] = application(scope, receive, send)
    return answer


async def in_time(work: Callable[[], None]) -> None:
    """Do this in a thread that the process does not wait for: a database that hangs keeps nobody here."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def carry_out() -> None:
        work()
        with contextlib.suppress(RuntimeError):  # the loop did not wait so long
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=carry_out, name="last-work", daemon=True).start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            await done.wait()


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Start: the hub; the database must say that it may be served; then all that is there for good is taken
    out of the garbage collector's sight, since each of its rounds stops all sockets. End: what was taken is
    written, journal and marks."""
    await receive()
    hub = await hubs.here()
    await standby.begin()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await in_time(journal.stop)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_SECONDS):
            await marks.settle(hub)
    await hub.stop()
    standby.end()
    await send({"type": "lifespan.shutdown.complete"})


application = ProtocolTypeRouter({"http": http, "websocket": websocket, "lifespan": lifespan})
