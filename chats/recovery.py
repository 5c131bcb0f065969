"""What a browser missed: rows behind its position, or the whole chat again. No hole is left (V-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db.models import Q

from accounts import selectors as accounts
from accounts.selectors import OperatorPrincipal
from chatlead.errors import NotFound
from chatlead.realtime.events import MarksChanged, NoteAdded, PublicRow
from chatlead.realtime.replies import ChatMarks, Messages, Reset, Resumed, Synced
from chats import selectors, snapshot
from chats.models import Chat

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from chats.selectors import Principal

    Place = tuple[int, int, int]  # where a console is in a chat: both logs, and the sum of the marks


def resumed(
    principal: Principal, *, uid: str, after: int, staff_after: int, epoch: str
) -> tuple[Resumed | Reset, list[MarksChanged]]:
    """All rows of a chat after a position, and how far both sides have come.

    `Reset` with the whole chat where more than 300 rows are missing, the position is beyond the end or the
    epoch is another one; with nothing where the chat is not theirs (any more).
    """
    present = accounts.epoch()
    try:
        chat = selectors.access_chat(principal, uid)
    except NotFound:
        return Reset(chat=uid, epoch=present), []
    is_staff = isinstance(principal, OperatorPrincipal)
    known = epoch == present and after <= chat.last_seq
    if is_staff:
        known = known and staff_after <= chat.last_staff_seq
    found = _after(chat, after, staff_after if is_staff else chat.last_staff_seq) if known else None
    if found is None:
        if is_staff:
            return Reset(chat=uid, epoch=present, view=snapshot.operator_view(chat)), []
        return Reset(chat=uid, epoch=present, own=snapshot.visitor_view(chat)), []
    log, notes = found
    marks = [
        MarksChanged(chat=uid, side="visitor", delivered=chat.visitor_delivered, read=chat.visitor_read),
        MarksChanged(chat=uid, side="operator", delivered=chat.operator_delivered, read=chat.operator_read),
    ]
    return Resumed(chat=uid, log=log, notes=notes), marks


def page(principal: Principal, *, uid: str, before: int) -> Messages:
    """Up to 100 rows before `before` (0 = from the end), as they are now. Raises NotFound."""
    chat = selectors.access_chat(principal, uid)
    found, more = selectors.page_before(chat, before)
    return Messages(chat=uid, log=snapshot.public_rows(found, uid), more=more)


def synced(principal: OperatorPrincipal, *, positions: Mapping[str, Place], epoch: str) -> Synced:
    """The differences between what a console has and what it should have.

    Chats that are new, or changed beyond a replay, come whole; the others by their rows. At another epoch
    nothing that the console has is worth anything.
    """
    present = accounts.epoch()
    version = accounts.team_version(principal.account_id)
    at_work = _differences(principal, positions if epoch == present else {})
    missed = snapshot.operator_views(selectors.missed_chats(principal))
    canned = accounts.canned_replies([principal.operator_id])[principal.operator_id]
    gone = sorted(uid for uid in positions if uid not in at_work.now)
    return Synced(
        chats=snapshot.operator_views(at_work.whole),
        gone=gone,
        erased=_erased(principal, gone),
        log=at_work.log,
        notes=at_work.notes,
        marks=at_work.marks,
        missed=missed,
        returned=snapshot.returned(principal),
        canned=canned.replies,
        canned_version=canned.version,
        target_seconds=accounts.target_seconds(principal.account_id),
        team=accounts.team(principal.account_id),
        version=version,
        digest=snapshot.digest(
            ((uid, *position) for uid, position in at_work.now.items()), missed[0].uid if missed else ""
        ),
        epoch=present,
    )


def _erased(principal: OperatorPrincipal, uids: Collection[str]) -> list[str]:
    """Which of these chats, that may still be on a screen, nobody may read any more."""
    mine = Chat.objects.filter(account_id=principal.account_id, uid__in=uids)
    found = mine.filter(Q(erased_at__isnull=False) | Q(visitor__restricted_at__isnull=False))
    return sorted(found.values_list("uid", flat=True)) if uids else []


class _Differences:
    """What a console has not of the chats at work, and where all of these stand."""

    def __init__(self) -> None:
        self.now: dict[str, Place] = {}
        self.whole: list[Chat] = []  # new, or changed beyond a replay
        self.log: list[PublicRow] = []
        self.notes: list[NoteAdded] = []
        self.marks: list[ChatMarks] = []


def _differences(principal: OperatorPrincipal, have: Mapping[str, Place]) -> _Differences:
    found = _Differences()
    for chat in selectors.chats_at_work(principal).select_related(*selectors.VIEWED).order_by("id"):
        found.now[chat.uid] = here = (chat.last_seq, chat.last_staff_seq, snapshot.marks_sum(chat))
        there = have.get(chat.uid)
        if there == here:
            continue
        rows = None
        if there is not None and there[0] <= here[0] and there[1] <= here[1]:
            rows = _after(chat, there[0], there[1])
        if rows is None:
            found.whole.append(chat)
            continue
        found.log += rows[0]
        found.notes += rows[1]
        marks = msgspec.structs.asdict(snapshot.marks(chat))
        found.marks.append(ChatMarks(chat=chat.uid, **marks))
    return found


def _after(chat: Chat, after: int, staff_after: int) -> tuple[list[PublicRow], list[NoteAdded]] | None:
    """The rows behind two positions, up to those of `chat` and maybe beyond; None when they are too many."""
    if chat.last_seq - after + chat.last_staff_seq - staff_after > selectors.RESUME_ROWS:
        return None
    messages = selectors.rows_after(chat, after) if chat.last_seq > after else []
    notes = selectors.notes_after(chat, staff_after) if chat.last_staff_seq > staff_after else []
    if len(messages) > selectors.RESUME_ROWS or len(notes) > selectors.RESUME_ROWS:
        return None
    return snapshot.public_rows(messages, chat.uid), snapshot.staff_rows(notes, chat.uid)
