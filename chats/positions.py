"""What is told to all sockets of this process again and again, and who of them gives signs of life.

Each job asks the database a fixed number of questions, however many sockets there are. Registered in
chatlead/routing.py.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import defaultdict
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import Department, Operator
from accounts.selectors import OperatorPrincipal
from chatlead.realtime import pool, topics
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.events import AvailabilityChanged, ChatListed, QueueMoved
from chatlead.realtime.events import encode as encode_event
from chatlead.realtime.replies import GoneVisitor, Position
from chats import estimates, rows, selectors, snapshot
from chats.models import Chat
from visitors.sessions import VisitorPrincipal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.selectors import Rights
    from chatlead.realtime.caller import Caller
    from chatlead.realtime.hub import Hub
    from chatlead.realtime.topics import Topic

TURN = 100  # frames to those who are told the same, then it is the turn of the others
LATELY_MISSED = 100  # of all departments here; beyond them the news is said once, as usual
ENDED_ROUNDS = 4  # for so many times the shortest interval an ended chat is still stated: twice or more
# in the memory of a caller: when it gave the last sign of life (time.monotonic), and that its page is closing
HEARD: Final = "heard"
LEAVING: Final = "leaving"
STANDS = (
    "uid", "state", "department_id", "session_key", "last_seq",
    "visitor_delivered", "visitor_read", "operator_delivered", "operator_read",
)  # fmt: skip


class Stand(NamedTuple):
    """Where the log of a chat ends."""

    uid: str
    seq: int
    staff_seq: int
    marks: int


def topics_of_operator(principal: OperatorPrincipal) -> tuple[Topic, ...]:
    """The shadow of an operator's rights: the own chats, the departments, the team."""
    departments = [topics.operators_of(each) for each in sorted(principal.department_ids)]
    return (topics.operator(principal.operator_id), topics.team(principal.account_id), *departments)


def topics_of_visitor(principal: VisitorPrincipal) -> tuple[Topic, ...]:
    """A page hears of its site; the frame also of its live session."""
    if principal.role == "page":
        return (topics.site(principal.site_id),)
    return (topics.site(principal.site_id), topics.session(principal.session_key))


def sockets_of(hub: Hub, kind: type[OperatorPrincipal] | type[VisitorPrincipal]) -> list[Caller]:
    """The admitted callers of operators, or of visitors."""
    members = cast("set[Caller]", hub.members)
    return [each for each in members if isinstance(each.principal, kind)]


# --- operators ----------------------------------------------------------------------------------------


async def tell_operators(hub: Hub) -> None:
    """Every operator's socket hears the digest of what it should know (V-3), and before it what was missed
    just now, once more."""
    sockets = sockets_of(hub, OperatorPrincipal)
    if not sockets:
        return
    principals = {each.principal for each in sockets}
    missed, positions = await pool.run(_news_for_operators, principals)
    for each in sockets:
        for department_id, frame in missed:
            if department_id in each.principal.department_ids:
                each.deliver(frame)
        position = positions.get(each.principal)
        if position is not None:
            each.reply(position)


def _news_for_operators(
    principals: set[OperatorPrincipal],
) -> tuple[list[tuple[int, str]], dict[OperatorPrincipal, Position]]:
    return lately_missed(principals), operator_positions(principals)


def lately_missed(principals: Iterable[OperatorPrincipal]) -> list[tuple[int, str]]:
    """(department, `chat_listed` as a frame) of the chats that nobody answered and that ended just now.

    The digest names the newest missed chat alone, so of two that ended between two rounds nothing would tell
    of the first where its own news was lost. Said twice it changes nothing. One query where there is none.
    """
    departments = {pk for each in principals for pk in each.department_ids}
    since = timezone.now() - timedelta(seconds=2 * settings.POSITION_SECONDS)
    missed = Chat.objects.filter(department_id__in=departments, state=Chat.State.MISSED, closed_at__gt=since)
    chats = list(missed.order_by("-closed_at").select_related(*selectors.VIEWED)[:LATELY_MISSED])
    views = snapshot.operator_views(chats) if chats else []
    return [
        (chat.department_id, encode_event(ChatListed(chat=view)).decode())
        for chat, view in zip(chats, views, strict=True)
    ]


def operator_positions(principals: Iterable[OperatorPrincipal]) -> dict[OperatorPrincipal, Position]:
    """The position of each, in four queries for all."""
    principals = list(principals)
    departments = {pk for each in principals for pk in each.department_ids}
    epoch = accounts.epoch()
    operators = Operator.objects.filter(pk__in={each.operator_id for each in principals})
    columns = operators.values_list("pk", "account__team_version", "canned_version")
    versions = {pk: (team, canned) for pk, team, canned in columns}
    gone: dict[str, GoneVisitor] = {}
    waiting: dict[int, list[Stand]] = defaultdict(list)
    own: dict[int, list[Stand]] = defaultdict(list)
    waits = Q(state=Chat.State.WAITING, department_id__in=departments)
    active = Q(state=Chat.State.ACTIVE, operator_id__in=[each.operator_id for each in principals])
    for chat in Chat.objects.filter(waits | active).only(
        "uid", "state", "department_id", "operator_id", "last_seq", "last_staff_seq",
        "visitor_delivered", "visitor_read", "operator_delivered", "operator_read",
        "visitor_presence", "visitor_gone_at",
    ):  # fmt: skip
        if chat.visitor_presence != Chat.Presence.HERE and chat.visitor_gone_at is not None:
            why = cast("Literal['left', 'lost']", chat.visitor_presence)
            gone[chat.uid] = GoneVisitor(chat=chat.uid, presence=why, at=rows.in_ms(chat.visitor_gone_at))
        stand = Stand(chat.uid, chat.last_seq, chat.last_staff_seq, snapshot.marks_sum(chat))
        if chat.state == Chat.State.WAITING:
            waiting[chat.department_id].append(stand)
        elif chat.operator_id is not None:
            own[chat.operator_id].append(stand)
    missed = _newest_missed(departments)
    positions: dict[OperatorPrincipal, Position] = {}
    for each in principals:
        stands = own[each.operator_id] + [one for pk in each.department_ids for one in waiting[pk]]
        newest = max((missed[pk] for pk in each.department_ids if pk in missed), default=None)
        version, canned_version = versions.get(each.operator_id, (0, 0))
        positions[each] = Position(
            digest=snapshot.digest(stands, newest[1] if newest else ""),
            version=version,
            canned_version=canned_version,
            epoch=epoch,
            gone=[gone[stand.uid] for stand in stands if stand.uid in gone],
        )
    return positions


def _newest_missed(departments: set[int]) -> dict[int, tuple[datetime, str]]:
    """{department: (when, uid)} of the newest missed chat that is still listed."""
    missed = Chat.objects.filter(
        state=Chat.State.MISSED, department_id=OuterRef("pk"), closed_at__gt=selectors.missed_since()
    ).order_by(*selectors.newest_missed_first())
    asked = Department.objects.filter(pk__in=departments).annotate(
        missed_at=Subquery(missed.values("closed_at")[:1]), missed_uid=Subquery(missed.values("uid")[:1])
    )
    found = asked.exclude(missed_uid=None).order_by().values_list("pk", "missed_at", "missed_uid")
    return {pk: (missed_at, uid) for pk, missed_at, uid in found}


async def check_rights(hub: Hub) -> None:
    """Whose log-in or membership is gone is shown out; whose departments changed hears the right ones."""
    sockets = sockets_of(hub, OperatorPrincipal)
    if not sockets:
        return
    ids = {each.principal.operator_id for each in sockets}
    keys = {each.principal.login_key for each in sockets}
    rights, logins = await pool.run(_rights_and_logins, ids, keys)
    for each in sockets:
        principal: OperatorPrincipal = each.principal
        now = rights.get(principal.operator_id)
        if principal.login_key not in logins:
            each.close(CloseCode.NOT_AUTHENTICATED)
        elif now is None:
            each.close(CloseCode.FORBIDDEN)
        elif now.rights_epoch != principal.rights_epoch:
            each.principal = dataclasses.replace(
                principal,
                role=now.role,
                department_ids=now.department_ids,
                rights_epoch=now.rights_epoch,
            )
            hub.retopic(each, topics_of_operator(each.principal))


def _rights_and_logins(ids: set[int], keys: set[str]) -> tuple[dict[int, Rights], set[str]]:
    return accounts.rights_of(ids), accounts.live_logins(keys)


# --- visitors -----------------------------------------------------------------------------------------


async def tell_while_alone(hub: Hub) -> None:
    """While Redis is away this process hears nothing of the others. Then everybody in a chat, and every
    console, learns again and again where the database stands: the chat goes on, only slower (V-15)."""
    if hub.link is not None and not hub.link.is_up:
        await tell_operators(hub)
        await tell_visitors(hub, in_chats_only=True)


async def tell_visitors(hub: Hub, *, in_chats_only: bool = False) -> None:
    """Visitors with an open chat hear where it stands, and their place while it waits.

    So do those whose chat has ended just now, or they would go on believing in it after a lost event. Who
    waits and who is in no chat hears who is online: a form for leaving a message is no place to be in when
    somebody is there, and a line is none when nobody is.
    """
    sockets: dict[str, list[Caller]] = defaultdict(list)
    for each in sockets_of(hub, VisitorPrincipal):
        if each.principal.session_key:
            sockets[each.principal.session_key].append(each)
    if not sockets:
        return
    others: list[Caller] = []
    for session_key, position, place, minutes in await pool.run(visitor_positions, set(sockets)):
        for each in sockets.pop(session_key, ()):
            each.reply(position)
            if place and not in_chats_only:
                moved = QueueMoved(chat=position.chat, position=place, minutes=minutes)
                each.deliver(encode_event(moved).decode())
                others.append(each)
    others += [each for group in sockets.values() for each in group]
    if others and not in_chats_only:
        online = await pool.run(accounts.online_by_site, {each.principal.site_id for each in others})
        news: dict[int, str] = {}
        for number, each in enumerate(others, 1):
            site_id = each.principal.site_id
            if site_id not in news:
                news[site_id] = encode_event(AvailabilityChanged(online=online.get(site_id, []))).decode()
            each.deliver(news[site_id])
            if number % TURN == 0:
                await asyncio.sleep(0)  # thousands of them keep nobody's message waiting


def visitor_positions(session_keys: set[str]) -> list[tuple[str, Position, int, int]]:
    """For each of the sessions with an open chat, or one that has just ended: its key, the position, the
    place in line or 0, and after about how many minutes it is her turn or 0.

    Three queries.
    """
    epoch = accounts.epoch()
    places: dict[int, int] = defaultdict(int)
    found: dict[str, tuple[str, Position, int, int]] = {}
    # all that are open here: as many as people talk at the moment, and found by an index of their own
    for chat in Chat.objects.filter(state__in=selectors.OPEN).order_by("id").only(*STANDS):
        waits = chat.state == Chat.State.WAITING
        if waits:
            places[chat.department_id] += 1
        if chat.session_key not in session_keys:
            continue
        place = places[chat.department_id] if waits else 0
        minutes = estimates.minutes_to_turn(chat.department_id, place)
        found[chat.session_key] = (chat.session_key, _stand_of(chat, epoch), place, minutes)
    ended = timezone.now() - timedelta(seconds=settings.POSITION_SECONDS * ENDED_ROUNDS)
    # a message that was left ended as it began, and was never a chat to its visitor
    just_ended = Chat.objects.filter(session__key__in=session_keys, closed_at__gt=ended).filter(
        closed_at__gt=F("started_at")
    )
    for chat in just_ended.order_by("-id").only(*STANDS):
        found.setdefault(chat.session_key, (chat.session_key, _stand_of(chat, epoch), 0, 0))
    return list(found.values())


def _stand_of(chat: Chat, epoch: str) -> Position:
    return Position(chat=chat.uid, seq=chat.last_seq, marks=snapshot.marks_sum(chat), epoch=epoch)


async def learn_waits(hub: Hub) -> None:
    """What visitors of this process are told of waits is looked at anew (R-034)."""
    accounts = {each.principal.account_id for each in sockets_of(hub, VisitorPrincipal)}
    if accounts:
        await pool.run(estimates.learn, accounts)


# --- who is there (V-14) --------------------------------------------------------------------------------


def heard(caller: Caller) -> None:
    """The browser behind it has given a sign of life. From the first one on it must go on giving them; who
    never does is there as long as the connection is."""
    caller.memory[HEARD] = monotonic()
    caller.memory.pop(LEAVING, None)


def is_elsewhere(caller: Caller) -> bool:
    """Whether another page of the same visitor's session is open in this process."""
    session_key = caller.principal.session_key
    others = (each for each in sockets_of(caller.hub, VisitorPrincipal) if each is not caller)
    return any(each.principal.session_key == session_key and LEAVING not in each.memory for each in others)
