"""Browsers let in here lately with a right of their own: an operator's log-in, or a visitor's open chat.

What strangers of the same address use up is no concern of theirs (R-096, D-2): they are counted by the secret
that their requests show, not by their place. It is no right; that is looked up each time. Only this process
knows of it, and only hashes; elsewhere, and after a restart, they are counted with their place until they
have been let in once.
"""

from __future__ import annotations

from hashlib import blake2b
from time import monotonic

MOST = 20_000  # who comes next makes the one forgotten who was let in first
FORGOTTEN_SECONDS = 12 * 3600.0


class Known:
    """All of one address of sockets. On the loop only."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def note(self, name: str) -> None:
        """From now on known, by the name that `name_of` gives to a secret; "" is nobody's."""
        if name:
            self._since.pop(name, None)
            self._since[name] = monotonic()
            if len(self._since) > MOST:
                del self._since[next(iter(self._since))]

    def knows(self, name: str) -> bool:
        """Whether it was noted, and not too long ago."""
        return monotonic() - self._since.get(name, -FORGOTTEN_SECONDS) < FORGOTTEN_SECONDS


def name_of(secret: str) -> str:
    """What is remembered of a secret; "" of none."""
    return f"known {blake2b(secret.encode(), digest_size=16).hexdigest()}" if secret else ""
