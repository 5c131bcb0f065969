"""Topics: who hears what. A topic is the shadow of a right, joined only after `access_*`.

Staff and visitors never share a topic, so an event meant for one side cannot reach the other by a
forgotten condition: `publish` compares the audience of the event with that of the topic. Topics are kept,
because every message names some, and a socket keeps the names of its own.
"""

from __future__ import annotations

from enum import Flag, auto
from functools import lru_cache
from typing import NamedTuple


class Audience(Flag):
    """Who may see an event, or who listens to a topic."""

    VISITOR = auto()
    STAFF = auto()
    BOTH = VISITOR | STAFF


class Topic(NamedTuple):
    """`name` is also the name of the Redis channel (behind the prefix)."""

    name: str
    audience: Audience


@lru_cache(16384)
def operators_of(department_id: int) -> Topic:
    """Every connected operator who is a member of the department: waiting chats, missed chats."""
    return Topic(f"d{department_id}", Audience.STAFF)


@lru_cache(16384)
def operator(operator_id: int) -> Topic:
    """All consoles of one operator: the chats that are theirs."""
    return Topic(f"o{operator_id}", Audience.STAFF)


@lru_cache(16384)
def team(account_id: int) -> Topic:
    """Every connected operator of the account: who is online."""
    return Topic(f"a{account_id}", Audience.STAFF)


@lru_cache(16384)
def session(session_key: str) -> Topic:
    """All chat frames of one visitor session. `session_key` is the stored hash, never the token."""
    return Topic(f"v{session_key[:32]}", Audience.VISITOR)


@lru_cache(16384)
def site(site_id: int) -> Topic:
    """Every page and frame open on a site: is somebody online."""
    return Topic(f"s{site_id}", Audience.VISITOR)
