"""Close codes of our sockets, numbered once and shared with the browser by `export_protocol`.

4400-4499: coming back with the same credentials is useless. Everything else: come back with backoff.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server closed. The name is the machine code."""

    RESTART = 1012  # the process leaves; come back after a random moment
    BUSY = 1013  # too many at once; the reason may say when to come back: "busy 12000", in milliseconds
    TOO_BIG = 1009  # a frame above the limit (64 KiB)
    BAD_HELLO = 4400  # the first frame was not a valid `hello`
    NOT_AUTHENTICATED = 4401  # the login or the session is gone
    FORBIDDEN = 4403  # Origin, ticket or membership refused
    NOT_FOUND = 4404  # no such site, or it is disabled
    PROTOCOL_NOT_SPOKEN = 4406  # reload the page to get a client that speaks ours
    MINOR = 4410  # somebody in this browser is under 18; show `?closed` of the page instead
    HELLO_TIMEOUT = 4008  # no `hello` within 10 s
    SLOW_READER = 4009  # the socket did not read fast enough; come back and resume
    FLOOD = 4029  # went on after `rate_limited`; come back after some seconds
    INTERNAL = 4500  # a fault of ours; come back and resume


def may_return(code: int) -> bool:
    """False where a client should stop and tell its user."""
    return not 4400 <= code <= 4499
