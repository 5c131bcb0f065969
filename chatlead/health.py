"""Answers for programs that watch over us: `/healthz` alive, `/readyz` ready for traffic, `/metrics`.

Plain ASGI in front of Django, with a thread of its own, so that they answer when every other thread waits for
a database that hangs, and whatever name the prober calls us by.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from accounts import outbox
from chatlead import metrics
from chatlead.addresses import client_ip, is_within
from chatlead.backups import state as backups
from chatlead.metrics import Reading
from chatlead.realtime import hub as hubs
from chatlead.realtime.caller import Caller
from chatlead.realtime.poll import Poll
from chatlead.realtime.socket import Socket
from chatlead.standby import is_flagged, own_connection, standby
from chats import journal, keeping

logger = logging.getLogger(__name__)

SECONDS = 2.0  # a dependency that has not answered by then does not answer
QUIET_SECONDS = 10.0  # between two warnings in the same words
T = TypeVar("T")
Scope = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, str, bytes]

_thread = ThreadPoolExecutor(1, thread_name_prefix="health")
_looking: Future[list[str]] | None = None
_is_migrated = False
_warned_at: dict[str, float] = {}


# --- is it alive, is it ready -------------------------------------------------------------------------


async def alive(scope: Scope) -> Answer:
    """200 while the loop turns. Depends on nothing: a process is not ended because its database is."""
    return _said(200, {"status": "ok"})


async def ready(scope: Scope) -> Answer:
    """200 when there may be traffic; else 503, and `failing` names why: `database`, `migrations`,
    `restoring` until a restore is finished, `redis`, or `leaving` from SIGTERM on."""
    failing = await _failing()
    if not failing:
        return _said(200, {"status": "ready"})
    if failing != ["leaving"]:
        _warn(f"not ready: {', '.join(failing)}")
    return _said(503, {"status": "unready", "failing": failing})


def _warn(words: str) -> None:
    """Say so, but not each time: a stranger who asks on and on would push all else out of the log."""
    now = monotonic()
    if now - _warned_at.get(words, -QUIET_SECONDS) >= QUIET_SECONDS:
        _warned_at[words] = now
        logger.warning(words)


async def _failing() -> list[str]:
    hub = hubs.current()
    if hub is not None and hub.is_leaving:
        return ["leaving"]
    global _looking
    if _looking is None or _looking.done():  # everybody who asks meanwhile hears of the same look
        _looking = _thread.submit(_look)
    look = asyncio.wrap_future(_looking)
    done, _ = await asyncio.wait([asyncio.shield(look)], timeout=SECONDS)
    failing = look.result() if done else ["database"]
    if hub is not None and hub.link is not None and not hub.link.is_up:
        failing = [*failing, "redis"]
    return failing


def _look() -> list[str]:
    global _is_migrated
    if not standby.has_share():
        return ["restoring"]
    try:
        with own_connection():
            if not _is_migrated:
                from django.db.migrations.executor import MigrationExecutor  # once, and not at the start

                executor = MigrationExecutor(connection)
                _is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
            else:
                standby.is_shut = is_flagged()
    except Exception as error:  # whatever it is, the answer is the same
        _warn(f"the database does not answer ({type(error).__name__})")
        return ["database"]
    if not _is_migrated:
        return ["migrations"]
    return ["restoring"] if standby.is_shut else []


# --- figures ------------------------------------------------------------------------------------------


async def figures(scope: Scope) -> Answer:
    """What this process counts, for those in CHATLEAD_METRICS_NETWORKS or with the token; to everybody else
    there is no such page."""
    if not _may_read_figures(scope):
        return _said(404, {"error": {"code": "not_found", "message": "There is nothing here."}})
    text = await asyncio.wrap_future(_thread.submit(metrics.exposition))
    return 200, metrics.CONTENT_TYPE, text


def _may_read_figures(scope: Scope) -> bool:
    headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
    token: str = settings.METRICS_TOKEN
    if token:
        given = [value for name, value in headers if name == b"authorization"]
        if any(hmac.compare_digest(each.encode(), f"Bearer {token}".encode()) for each in given):
            return True
    peer = (scope.get("client") or ("",))[0]
    hops = [value for name, value in headers if name == b"x-forwarded-for"]
    return is_within(client_ip(peer, hops), settings.METRICS_NETWORKS)


def _sockets() -> list[Reading]:
    hub = hubs.current()
    if hub is None:
        return []
    counts = Counter(_kind(member) for member in list(hub.members) if isinstance(member, Socket))
    counts["stranger"] = len(hub.strangers)
    return [Reading(counts[kind], kind) for kind in ("page", "chat", "operator", "stranger")]


def _held_polls() -> list[Reading]:
    hub = hubs.current()
    if hub is None:
        return []
    counts = Counter(_kind(member) for member in list(hub.members) if isinstance(member, Poll))
    return [Reading(counts[kind], kind) for kind in ("page", "chat", "operator")]


def _kind(member: Caller) -> str:
    role = getattr(member.principal, "role", "")
    return role if role in ("page", "chat") else "operator"


def _redis_link() -> list[Reading]:
    hub = hubs.current()
    return [] if hub is None or hub.link is None else [Reading(hub.link.is_up)]


def _is_leaving() -> list[Reading]:
    hub = hubs.current()
    return [Reading(hub is not None and hub.is_leaving)]


def _of_rows(what: str, read: Callable[[], list[Reading]]) -> Callable[[], list[Reading]]:
    def readings() -> list[Reading]:
        try:
            with own_connection():
                return read()
        except Exception as error:  # the other figures are wanted the more
            logger.warning("%s were not counted (%s)", what, type(error).__name__)
            return []

    return readings


def _outbox(which: Callable[[outbox.Backlog], float]) -> Callable[[], list[Reading]]:
    return _of_rows("the outbox's items", lambda: [Reading(which(outbox.backlog()))])


def _archive(which: Callable[[keeping.Due], float]) -> Callable[[], list[Reading]]:
    return _of_rows("the chats for the archive", lambda: [Reading(which(keeping.due_everywhere()))])


metrics.watch("chatlead_sockets", "Open sockets.", _sockets, "kind")
metrics.watch("chatlead_held_polls", "Polls that wait for something to happen.", _held_polls, "kind")
metrics.watch("chatlead_redis_link_up", "1 while the link to Redis works.", _redis_link)
metrics.watch("chatlead_leaving", "1 from SIGTERM on.", _is_leaving)
metrics.watch(
    "chatlead_journal_queue",
    "Rows that wait for a writer.",
    lambda: [Reading(journal.depth())],
)
metrics.watch(
    "chatlead_outbox_items",
    "Side effects that are not done yet.",
    _outbox(lambda backlog: backlog.waiting_count),
)
metrics.watch(
    "chatlead_outbox_age_seconds",
    "How long the oldest side effect that is not done has been wanted.",
    _outbox(lambda backlog: backlog.age_seconds),
)
metrics.watch(
    "chatlead_archive_due_chats",
    "Ended chats that are older than their site's limit and not in the archive.",
    _archive(lambda due: due.chat_count),
)
metrics.watch(
    "chatlead_archive_due_age_seconds",
    "For how long the oldest of them has been over its limit.",
    _archive(lambda due: due.age_seconds),
)

metrics.watch(
    "chatlead_backup_age_seconds",
    "How long ago the newest good backup of a store was begun; where there is none, this installation.",
    _of_rows("the backups", backups.ages),
    "place",
)
metrics.watch(
    "chatlead_backup_failures",
    "Backups that have failed since the last good one.",
    _of_rows("the backups", backups.failure_count),
)
metrics.watch(
    "chatlead_backup_proof_age_seconds",
    "How long ago a backup was last restored to prove it.",
    _of_rows("the backups", backups.proof_age),
)
metrics.watch(
    "chatlead_backup_proof_failures",
    "Proofs that have failed since the last one that passed.",
    _of_rows("the backups", backups.proof_failure_count),
)


# --- as ASGI ------------------------------------------------------------------------------------------


PROBES: dict[str, Callable[[Scope], Awaitable[Answer]]] = {
    "/healthz": alive,
    "/readyz": ready,
    "/metrics": figures,
}


async def answer(scope: Scope, send: Send) -> None:
    """Answer a request for one of PROBES."""
    if scope["method"] in ("GET", "HEAD"):
        status, kind, body = await PROBES[scope["path"]](scope)
    else:
        status, kind, body = _said(405, {"error": {"code": "method_not_allowed", "message": "Use GET."}})
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    ]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _said(status: int, what: dict[str, Any]) -> Answer:
    return status, "application/json", json.dumps(what).encode()
