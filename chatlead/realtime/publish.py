"""The one way to tell sockets something. Only actions and the journal call it (design §7.2)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from functools import cache
from itertools import count

import redis
from django.conf import settings
from django.db import transaction

from chatlead.realtime import hub as hubs
from chatlead.realtime.events import Event, encode
from chatlead.realtime.topics import Audience, Topic

logger = logging.getLogger(__name__)

_hearers: dict[type[Event], tuple[Audience, ...]] = {}  # by class of event, as asked for


class AudienceMismatch(Exception):
    """An event was to be sent to a topic where somebody listens who may not hear it. A fault in the code."""


def publish(event: Event, *topics: Topic, skip: hubs.Member | None = None) -> None:
    """Send `event` to everybody who hears one of `topics`, once each, but not to `skip`.

    Inside `atomic()` it is sent after the commit and never after a rollback; else at once. From any
    thread; in a process without sockets it goes through Redis. Raises AudienceMismatch, at the call.
    """
    text = checked(event, topics)
    hub = hubs.current()
    if hub is not None and _on_loop_of(hub):
        hub.deliver(topics, text, skip)
    elif transaction.get_connection().in_atomic_block:
        transaction.on_commit(lambda: _send(topics, text, skip), robust=True)
    else:
        _send(topics, text, skip)


def publish_committed(event: Event, topics: Sequence[Topic], skip: hubs.Member | None = None) -> None:
    """On the loop, for what is committed already. Raises AudienceMismatch; nothing without a hub."""
    text = checked(event, topics)
    hub = hubs.current()
    if hub is not None:
        hub.deliver(topics, text, skip)


def checked(event: Event, topics: Sequence[Topic]) -> str:
    """The encoded event. Raises AudienceMismatch unless all who hear `topics` may hear it."""
    hearers = _hearers.get(event.__class__)
    if hearers is None:
        hearers = tuple(audience for audience in Audience if audience in event.audience)
        _hearers[event.__class__] = hearers
    for topic in topics:
        if topic.audience not in hearers:
            raise AudienceMismatch(f"{type(event).__name__} must not go to {topic.name}")
    return encode(event).decode()


def _on_loop_of(hub: hubs.Hub) -> bool:
    try:
        return asyncio.get_running_loop() is hub.loop
    except RuntimeError:
        return False


def _send(topics: Sequence[Topic], text: str, skip: hubs.Member | None) -> None:
    hub = hubs.current()
    if hub is not None:
        hub.hand_over(topics, text, skip)
    elif settings.REDIS_URL:
        _send_from_outside(topics, text)


_origin = secrets.token_hex(hubs.ORIGIN_BYTES // 2).encode()
_numbers = count(1)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


def _send_from_outside(topics: Sequence[Topic], text: str) -> None:
    """From a worker or a command. A Redis that does not answer loses it; positions heal that (V-3)."""
    payload = hubs.header(_origin, next(_numbers)) + text.encode()
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=False) as pipe:
            for topic in topics:
                pipe.publish(f"{settings.REDIS_PREFIX}:{topic.name}", payload)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning(
            "Redis does not answer (%s); sockets learn of it by their positions", type(error).__name__
        )
