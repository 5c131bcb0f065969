"""A small JSON request and its answer, straight on ASGI: no thread is held while a poll waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

LOGGED = (b"user-agent", b"x-forwarded-for")
LOGGED_BYTES = 1000
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def misplaced(scope: dict[str, Any]) -> tuple[int, dict[str, str], list[tuple[bytes, bytes]]] | None:
    """Why this is no poll at all: status, error, headers. A form of another website can send no JSON."""
    if scope["method"] != "POST":
        error = {"code": "method_not_allowed", "message": "A poll is a POST."}
        return 405, error, [(b"allow", b"POST")]
    kinds = [value for name, value in scope["headers"] if name.lower() == b"content-type"]
    if len(kinds) != 1 or kinds[0].split(b";")[0].strip().lower() != b"application/json":
        return 415, {"code": "bad_request", "message": "A poll is application/json."}, []
    return None


def forget_head(scope: dict[str, Any]) -> None:
    """Let go of what the request brought along, up to 64 KiB of it, but for what its line in the log is made
    of. In place: the server holds the same objects until the answer."""
    scope["query_string"] = scope["raw_path"] = b""
    headers = scope["headers"]
    headers[:] = [pair for pair in headers if pair[0] in LOGGED and len(pair[1]) <= LOGGED_BYTES]


async def whole(receive: Receive, most: int) -> bytes | None:
    """The body; one byte more than `most` of a larger one, None where the browser has hung up."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size > most or not message.get("more_body"):
            return b"".join(pieces)[: most + 1]


async def answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a JSON answer that nobody keeps and nobody guesses the kind of."""
    fixed = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    fixed += [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})
