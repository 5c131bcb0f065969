"""The only list of socket addresses, of what is composed at each, and of what is done for all sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from accounts.selectors import admit_operator
from chatlead.realtime import commands
from chatlead.realtime import hub as hubs
from chatlead.realtime.endpoint import Endpoint
from chatlead.realtime.socket import Socket
from chats import consumers, positions
from visitors.sessions import admit

POSITION_JITTER = 10.0  # V-3: each 15 to 25 s

visitor = Endpoint(
    name="visitor",
    hello=commands.Hello,
    commands=commands.VISITOR,
    admit=admit,
    topics=positions.topics_of_visitor,
    welcome=consumers.welcome_visitor,
    parts=[consumers.both, consumers.visitors],
)
operator = Endpoint(
    name="operator",
    hello=commands.OperatorHello,
    commands=commands.OPERATOR,
    admit=admit_operator,
    topics=positions.topics_of_operator,
    welcome=consumers.welcome_operator,
    parts=[consumers.both, consumers.operators],
)


def at(endpoint: Endpoint) -> Callable[..., Awaitable[None]]:
    """The ASGI application of an endpoint. A plain function: an idle socket keeps no frame of it."""

    def application(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        return Socket(endpoint)(scope, receive, send)

    return application


ADDRESSES: dict[str, Callable[..., Awaitable[None]]] = {
    "/ws/v1/visitor": at(visitor),
    "/ws/v1/operator": at(operator),
}

hubs.every(settings.POSITION_SECONDS, positions.tell_operators, jitter=POSITION_JITTER, at_return=True)
hubs.every(settings.POSITION_SECONDS, positions.tell_visitors, jitter=POSITION_JITTER, at_return=True)
hubs.every(settings.RIGHTS_SECONDS, positions.check_rights)
hubs.every(settings.LEASE_SECONDS / 3, positions.renew_leases)
