"""What has changed since a poll before: the same facts that welcomes and positions tell, only the new ones.

Read after the topics are heard, as a welcome is (V-4). A caller whose position is the present one is told
nothing, so that their poll can be held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import msgspec
from django.utils import timezone

from accounts import selectors as accounts
from chatlead.realtime.commands import Seq, Uid
from chatlead.realtime.events import AvailabilityChanged, Event, MarksChanged, PresenceChanged, QueueMoved
from chatlead.realtime.replies import Position, Reply, Reset
from chats import estimates, positions, recovery, rows, selectors, snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.selectors import OperatorPrincipal
    from chatlead.realtime.shapes import Presence
    from chats.models import Chat
    from visitors.sessions import VisitorPrincipal

Epoch = Annotated[str, msgspec.Meta(max_length=32)]
OfDepartment = Annotated[str, msgspec.Meta(max_length=32)]


class VisitorAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a frame has: its chat ("" for none), that chat's last row and its four marks (delivered and read
    of the visitor, then of the operator), the place in line, the departments it believes to be online."""

    chat: Annotated[str, msgspec.Meta(pattern=r"^(?:[A-Za-z0-9_-]{16,32})?\Z")] = ""
    seq: Seq = 0
    marks: tuple[Seq, Seq, Seq, Seq] = (0, 0, 0, 0)
    place: Seq = 0
    online: Annotated[list[OfDepartment], msgspec.Meta(max_length=200)] = []
    epoch: Epoch = ""


class OperatorAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a console has: as `sync` says it, and its digest. "" as the digest asks for the differences.

    `gone`: those of its chats whose visitor is not there, and why; None where it does not want to know.
    `canned` is the version of its prepared replies; None where it knows none.
    """

    digest: Annotated[str, msgspec.Meta(max_length=8)] = ""
    version: Seq = 0
    epoch: Epoch = ""
    positions: dict[Uid, tuple[Seq, Seq, Seq]] = {}
    gone: dict[Uid, Literal["left", "lost"]] | None = None
    canned: Seq | None = None


def same_for_visitor(at: VisitorAt, position: Position) -> bool:
    """Whether a frame already has what this position says."""
    here = (position.chat, position.seq, position.marks, position.epoch)
    return here == (at.chat, at.seq, sum(at.marks), at.epoch)


def same_for_operator(at: OperatorAt, position: Position) -> bool:
    """Whether a console already has what this position says."""
    is_here = at.gone is None or at.gone == {each.chat: each.presence for each in position.gone or ()}
    return is_here and _is_same_log(at, position)


def _is_same_log(at: OperatorAt, position: Position) -> bool:
    here = (position.digest, position.version, position.epoch)
    is_canned = at.canned is None or at.canned == position.canned_version
    return is_canned and here == (at.digest, at.version, at.epoch)


def for_operator(principal: OperatorPrincipal, at: OperatorAt) -> list[Reply | Event]:
    """`synced`, unless the digest is the same; and who has come or gone, which no digest knows."""
    news: list[Reply | Event] = []
    position = positions.operator_positions([principal])[principal]
    if not _is_same_log(at, position):
        news.append(recovery.synced(principal, positions=at.positions, epoch=at.epoch))
    return news if at.gone is None else news + _presence(principal, at, at.gone)


def _presence(principal: OperatorPrincipal, at: OperatorAt, gone: Mapping[str, str]) -> list[Reply | Event]:
    """Of the chats that the console knows; new ones come with it."""
    listed = selectors.chats_at_work(principal).order_by("id")
    columns = listed.values_list("uid", "visitor_presence", "visitor_gone_at")
    return [
        PresenceChanged(
            chat=uid, presence=cast("Presence", presence), at=rows.in_ms(gone_at or timezone.now())
        )
        for uid, presence, gone_at in columns
        if uid in at.positions and presence != gone.get(uid, "here")
    ]


def for_visitor(principal: VisitorPrincipal, at: VisitorAt) -> list[Reply | Event]:
    """The rows and marks of the chat that is open or that `at` names; who is online, until somebody accepts.

    An open chat that `at` does not name comes whole, as `reset`. A mark of the caller's own that is not
    written yet is no difference.
    """
    if principal.role == "page":
        return _online(principal, at)
    mine = selectors.chats_of_session(principal.session_key)
    present = mine.filter(state__in=selectors.OPEN).select_related("department", "operator").first()
    if present is not None and present.uid != at.chat:
        return [Reset(chat=present.uid, epoch=accounts.epoch(), own=snapshot.visitor_view(present))]
    news: list[Reply | Event] = []
    if at.chat:
        news += _of_chat(principal, at, present or mine.filter(uid=at.chat).first())
    if present is None:
        return news + _online(principal, at)
    place = selectors.place_in_line(present)
    if place and place != at.place:
        minutes = estimates.minutes_to_turn(present.department_id, place)
        news.append(QueueMoved(chat=present.uid, position=place, minutes=minutes))
    return news + _online(principal, at) if place else news


def _of_chat(principal: VisitorPrincipal, at: VisitorAt, chat: Chat | None) -> list[Reply | Event]:
    epoch = accounts.epoch()
    if chat is None:
        return [Reset(chat=at.chat, epoch=epoch)]
    if at.epoch != epoch or chat.last_seq != at.seq:
        answer, marks = recovery.resumed(principal, uid=at.chat, after=at.seq, staff_after=0, epoch=at.epoch)
        return [answer, *marks]
    theirs = (chat.visitor_delivered, chat.visitor_read, chat.operator_delivered, chat.operator_read)
    if all(mark <= known for mark, known in zip(theirs, at.marks, strict=True)):
        return []
    return [
        MarksChanged(chat=chat.uid, side="visitor", delivered=theirs[0], read=theirs[1]),
        MarksChanged(chat=chat.uid, side="operator", delivered=theirs[2], read=theirs[3]),
    ]


def _online(principal: VisitorPrincipal, at: VisitorAt) -> list[Reply | Event]:
    online = accounts.online_departments(site_id=principal.site_id)
    return [] if online == at.online else [AvailabilityChanged(online=online)]
