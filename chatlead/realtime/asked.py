"""The body of a poll, read within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from chatlead import errors
from chatlead.realtime.frames import top_names

if TYPE_CHECKING:
    from chatlead.realtime.endpoint import Endpoint

COMMANDS = 64  # of one poll
NOTHING = msgspec.Raw(b"null")


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a poll. `want` is the snapshot, or what is new since `at`, or only answers to `commands`.

    `at` is what the caller has; without it only what happens from now on is told. `wait` is in milliseconds.
    """

    hello: msgspec.Raw
    want: Literal["welcome", "news", "answers"]
    at: msgspec.Raw = NOTHING
    commands: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=COMMANDS)] = []
    wait: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    pass_: Annotated[str, msgspec.Meta(max_length=1000)] = msgspec.field(default="", name="pass")


def is_ping(raw: msgspec.Raw) -> bool:
    """Whether it is the plain question whether anybody is there."""
    return bytes(raw).replace(b" ", b"") == b'{"type":"ping"}'


def understood(body: bytes, endpoint: Endpoint) -> tuple[Request, Any]:
    """The request and the `hello` in it. Raises ChatLeadError or ValueError for anything else."""
    request = msgspec.json.decode(body, type=Request)
    names = top_names(body.decode())
    if len(names) != len(set(names)):
        raise errors.BadFrame("A key stands twice in one object.")
    hello = endpoint.decoder.decode(bytes(request.hello).decode())
    if type(hello) is not endpoint.hello:
        raise errors.BadFrame
    return request, hello
