"""How many connections this process can have, and how many of them strangers may take."""

from __future__ import annotations

from functools import cache

from django.conf import settings

SPARE_FILES = 256  # of those that a process may open, for all that is no connection
NEWCOMERS = 0.75  # of all connections; the rest is for operators, open chats and plain requests


def most_connections() -> int:
    """How many this process may have (CHATLEAD_CONNECTIONS, else what the system allows)."""
    most: int = settings.CONNECTIONS
    return most or _files_left()


def most_newcomers() -> int:
    """How many of them may be sockets and held polls of visitors who are in no chat."""
    return max(1, int(most_connections() * NEWCOMERS))


@cache
def _files_left() -> int:
    try:
        import resource
    except ImportError:  # not on this system
        return 2**31
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft - SPARE_FILES) if soft > 0 else 2**31
