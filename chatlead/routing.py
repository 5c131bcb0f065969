"""The only list of socket addresses, of what is composed at each, and of what is done for all sockets."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts import consumers as people
from accounts import devices, limits
from accounts.logins import admit_operator, admit_operators
from accounts.presence import watch_seconds
from chatlead.realtime import commands
from chatlead.realtime.endpoint import Endpoint
from chatlead.realtime.hub import every
from chatlead.realtime.poll import Polling
from chatlead.realtime.socket import Socket
from chats import consumers, flow, news, positions, rounds, welcomes
from privacy import consumers as privacy
from surveys import consumers as surveys
from visitors.sessions import admit, admit_all, check_sites, pass_of, readmit, secret_of

visitor = Endpoint(
    name="visitor",
    hello=commands.Hello,
    commands=commands.VISITOR,
    admit=admit,
    topics=positions.topics_of_visitor,
    welcome=welcomes.welcome_visitor,
    admit_all=admit_all,
    welcome_all=welcomes.welcome_visitors,
    parts=[consumers.both, consumers.visitors, surveys.visitors, privacy.visitors],
    standing=flow.standing_of_visitor,
    network_of=lambda principal: limits.network(principal.ip),
    secret_of=secret_of,
    is_known=flow.is_in_chat,
    stays=flow.stays,
    is_owed=consumers.is_owed,
)
operator = Endpoint(
    name="operator",
    hello=commands.OperatorHello,
    commands=commands.OPERATOR,
    admit=admit_operator,
    topics=positions.topics_of_operator,
    welcome=welcomes.welcome_operator,
    admit_all=admit_operators,
    welcome_all=welcomes.welcome_operators,
    parts=[consumers.both, consumers.operators, people.operators],
    standing=flow.standing_of_operator,
    vouched=lambda handshake: devices.person_of(handshake.cookies),
    secret_of=lambda handshake: handshake.cookies.get(settings.SESSION_COOKIE_NAME, ""),
    is_known=lambda principal, welcome: True,
    is_first=True,
    is_owed=consumers.is_owed,
)

ADDRESSES: dict[str, Any] = {
    "/ws/v1/visitor": Socket.as_asgi(endpoint=visitor),
    "/ws/v1/operator": Socket.as_asgi(endpoint=operator),
}

POLLS: dict[str, Polling] = {
    "/poll/v1/visitor": Polling(
        endpoint=visitor,
        at=news.VisitorAt,
        is_same=news.same_for_visitor,
        news=news.for_visitor,
        person=lambda principal: principal.session_key,  # pages are counted by their address alone
        pass_of=pass_of,
        readmit=readmit,
    ),
    "/poll/v1/operator": Polling(
        endpoint=operator,
        at=news.OperatorAt,
        is_same=news.same_for_operator,
        news=news.for_operator,
        person=lambda principal: principal.operator_uid,
    ),
}

POSITION_JITTER = settings.POSITION_SECONDS * 2 / 3  # 15 to 25 s (V-3)
OPERATOR_SECONDS = min(settings.POSITION_SECONDS, settings.LEASE_SECONDS / 4)

# operators oftener, since the answer renews their lease: two may be lost
every(OPERATOR_SECONDS, positions.tell_operators, jitter=OPERATOR_SECONDS / 2, at_return=True)
every(settings.POSITION_SECONDS, positions.tell_visitors, jitter=POSITION_JITTER, at_return=True)
every(watch_seconds(), rounds.keep_presence)
every(settings.RIGHTS_SECONDS, positions.check_rights)
every(settings.POSITION_SECONDS, positions.learn_waits)
every(settings.POSITION_SECONDS, check_sites, jitter=POSITION_JITTER)
every(settings.ALONE_SECONDS, positions.tell_while_alone)
