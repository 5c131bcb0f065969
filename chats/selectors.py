"""Reads of chats. Whoever may see a chat gets it by `access_chat`; everybody else gets NotFound (R-112)."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import Exists, F, Q, QuerySet
from django.db.models.functions import Collate
from django.utils import timezone

from accounts.models import Department, Operator, OperatorRole
from accounts.selectors import OperatorPrincipal
from chatlead.errors import BadField, NobodyOnline, NotFound
from chats.models import Chat, Message, Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models.expressions import OrderBy

    from accounts.models import Site
    from visitors.sessions import VisitorPrincipal

    Principal = VisitorPrincipal | OperatorPrincipal

VIEWED = ("department", "operator", "site", "visitor")  # what a view of a chat is made of
OPEN = (Chat.State.WAITING, Chat.State.ACTIVE)
SUPERVISORS = frozenset({OperatorRole.SUPERVISOR, OperatorRole.ADMIN, OperatorRole.OWNER})
MISSED_SHOWN = 20
MISSED_DAYS = 7
RETURNED_MINUTES = 60
RETURNED_SHOWN = 20
PAGE_ROWS = 100
RESUME_ROWS = 300


class Handle(NamedTuple):
    """What a socket keeps of a chat in order to write to it and to know who listens."""

    chat_id: int
    state: str
    department_id: int
    operator_id: int | None
    session_key: str
    as_of: float  # of time.monotonic()


# --- rights -------------------------------------------------------------------------------------------


def within_reach(principal: Principal) -> Q:
    """Whose chats are whose. A visitor's: those of the live session (R-124).

    An operator's: their own in any state, and what waits or was missed in their departments; from supervisor
    on, all chats of their departments.
    """
    if not isinstance(principal, OperatorPrincipal):
        return Q(account_id=principal.account_id, session__key=principal.session_key)
    in_department = Q(department_id__in=principal.department_ids)
    if principal.role not in SUPERVISORS:
        in_department &= Q(state__in=(Chat.State.WAITING, Chat.State.MISSED))
    return Q(account_id=principal.account_id) & (Q(operator_id=principal.operator_id) | in_department)


def _visible(principal: Principal) -> QuerySet[Chat]:
    found = Chat.objects.filter(within_reach(principal))
    if isinstance(principal, OperatorPrincipal):
        return found.filter(still_rightful(principal))
    return found


def still_rightful(principal: OperatorPrincipal) -> Exists:
    """The rights that the socket came with are still those of now (their departments and role included)."""
    return Exists(
        Operator.objects.filter(
            pk=principal.operator_id, rights_epoch=principal.rights_epoch, suspended_at=None
        )
    )


def access_chat(principal: Principal, uid: str, *, lock: bool = False) -> Chat:
    """The chat with its department, operator, site and visitor, else NotFound.

    `lock` holds the row until the end of the transaction, as the journal does when it numbers a row.
    """
    found = _visible(principal).select_related(*VIEWED)
    if lock:
        found = found.select_for_update(of=("self",), no_key=True)
    chat = found.filter(uid=uid).first()
    if chat is None:
        raise NotFound
    return chat


def find_handle(account_id: int, uid: str) -> Handle:
    """The few columns that a socket needs of a chat of its account; NotFound where there is none.

    It is no right: whoever uses it compares `session_key` or `operator_id`, as the journal does.
    """
    mine = Chat.objects.filter(account_id=account_id, uid=uid)
    found = mine.values_list("id", "state", "department_id", "operator_id", "session_key").first()
    if found is None:
        raise NotFound
    chat_id, state, department_id, operator_id, session_key = found
    return Handle(chat_id, state, department_id, operator_id, session_key, monotonic())


# --- lists --------------------------------------------------------------------------------------------


def chats_of_session(session_key: str) -> QuerySet[Chat]:
    """Every chat of a live session, whatever its state."""
    return Chat.objects.filter(session__key=session_key)


def current_chat(session_key: str, ended_after: timedelta) -> Chat | None:
    """The open chat of a session, else the one that ended less than `ended_after` ago.

    A message that was left is not a chat to the visitor: it ended in the moment it began.
    """
    return current_chats([session_key], ended_after).get(session_key)


def has_open_chat(session_key: str) -> bool:
    """Whether a live session waits or talks."""
    return Chat.objects.filter(session__key=session_key, state__in=OPEN).exists()


def current_chats(session_keys: Collection[str], ended_after: timedelta) -> dict[str, Chat]:
    """{session key: its current chat} of those that have one, with department and operator, in one query."""
    if not session_keys:
        return {}
    recent = timezone.now() - ended_after
    found = Chat.objects.filter(session__key__in=session_keys).exclude(closed_at__lt=recent)
    found = found.exclude(state=Chat.State.MISSED, closed_at=F("started_at"))
    # the newest is the last to be put in
    return {chat.session_key: chat for chat in found.order_by("id").select_related("department", "operator")}


def chats_at_work(principal: OperatorPrincipal) -> QuerySet[Chat]:
    """What an operator's console lists: all that waits in their departments, and their own active chats."""
    waiting = Q(state=Chat.State.WAITING, department_id__in=principal.department_ids)
    own = Q(state=Chat.State.ACTIVE, operator_id=principal.operator_id)
    return Chat.objects.filter(waiting | own, account_id=principal.account_id)


def chats_returned_from(principal: OperatorPrincipal) -> QuerySet[Chat]:
    """The chats that an operator lost in the last hour and has not taken again, newest first."""
    since = timezone.now() - timedelta(minutes=RETURNED_MINUTES)
    lost = _lost_by(principal).filter(returned_at__gt=since).select_related("visitor")
    return lost.order_by("-returned_at", "-id")[:RETURNED_SHOWN]


def was_returned_from(principal: OperatorPrincipal, uid: str) -> bool:
    """Whether an operator who may not write in a chat had it, until nothing was heard of them."""
    return _lost_by(principal).filter(uid=uid).exists()


def _lost_by(principal: OperatorPrincipal) -> QuerySet[Chat]:
    """What an operator had and has not taken again, of the departments that are theirs now: who was taken
    off one hears no more of the names in it (R-112)."""
    lost = Chat.objects.filter(
        still_rightful(principal),
        account_id=principal.account_id,
        returned_from_id=principal.operator_id,
        department_id__in=principal.department_ids,
    )
    return lost.exclude(operator_id=principal.operator_id)


def missed_chats(principal: OperatorPrincipal) -> QuerySet[Chat]:
    """The newest of the last days that nobody answered, in the operator's departments; newest first."""
    missed = Chat.objects.filter(
        account_id=principal.account_id,
        state=Chat.State.MISSED,
        department_id__in=principal.department_ids,
        closed_at__gt=missed_since(),
    )
    return missed.order_by(*newest_missed_first())[:MISSED_SHOWN]


def newest_missed_first() -> tuple[OrderBy, ...]:
    """The latest end, then the largest uid in byte order, whatever language the database sorts by: the same
    order in every browser, as the digest relies on it (docs/protocol.md)."""
    in_bytes = Collate("uid", "C" if connection.vendor == "postgresql" else "BINARY")
    return (F("closed_at").desc(), in_bytes.desc())


def missed_since() -> datetime:
    """Missed chats before this moment are no longer listed."""
    return timezone.now() - timedelta(days=MISSED_DAYS)


def line(department_id: int, limit: int) -> list[tuple[str, str]]:
    """The first who wait in a department, in turn: chat uid and session key."""
    waiting = Chat.objects.filter(department_id=department_id, state=Chat.State.WAITING).order_by("id")
    return list(waiting.values_list("uid", "session_key")[:limit])


def place_in_line(chat: Chat) -> int:
    """1 = next; 0 for a chat that does not wait (R-034)."""
    if chat.state != Chat.State.WAITING:
        return 0
    ahead = Chat.objects.filter(department_id=chat.department_id, state=Chat.State.WAITING, id__lt=chat.pk)
    return ahead.count() + 1


# --- rows of the two logs -----------------------------------------------------------------------------


def rows_after(chat: Chat, after: int, limit: int = RESUME_ROWS) -> list[Message]:
    """Public rows behind `after`, at most `limit` and one more, in order."""
    return list(Message.objects.filter(chat=chat, seq__gt=after).order_by("seq")[: limit + 1])


def notes_after(chat: Chat, after: int, limit: int = RESUME_ROWS) -> list[Note]:
    """Staff rows behind `after`, at most `limit` and one more, in order."""
    return list(Note.objects.filter(chat=chat, staff_seq__gt=after).order_by("staff_seq")[: limit + 1])


def page_before(chat: Chat, before: int) -> tuple[list[Message], bool]:
    """Up to 100 rows before `before` (0 = from the end), oldest first; whether there are older ones still."""
    found = Message.objects.filter(chat=chat)
    if before:
        found = found.filter(seq__lt=before)
    rows = list(found.order_by("-seq")[:PAGE_ROWS])[::-1]
    return rows, bool(rows) and rows[0].seq > 1


def operator_names(operator_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """{database id: (uid, name)} of those who wrote something."""
    ids = {pk for pk in operator_ids if pk}
    if not ids:
        return {}
    found = Operator.objects.filter(pk__in=ids).values_list("pk", "uid", "name")
    return {pk: (uid, name) for pk, uid, name in found}


# --- choosing a department ----------------------------------------------------------------------------


def department_for(site: Site, uid: str, online: Collection[str] | None) -> Department:
    """The department that a visitor asks for (`uid`), or the site's first that will do when none is named.

    `online` are the uids with somebody there, None when that does not matter. Raises BadField for one the
    site does not offer, NobodyOnline.
    """
    offered = list(site.departments.order_by("position", "id"))
    if uid:
        offered = [each for each in offered if each.uid == uid]
        if not offered:
            raise BadField("The site has no such department.", field="department")
    for department in offered:
        if online is None or department.uid in online:
            return department
    raise NobodyOnline
