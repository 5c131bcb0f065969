"""Reads of chats. Whoever may see a chat gets it by `access_chat`; everybody else gets NotFound (R-112)."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import Count, Exists, F, Q, QuerySet
from django.db.models.functions import Collate
from django.db.models.lookups import Exact
from django.utils import timezone

from accounts.models import Department, Operator, OperatorRole
from accounts.selectors import OperatorPrincipal
from chatlead.errors import BadField, NobodyOnline, NotFound
from chatlead.prepared import Among, Prepared, Unsought
from chats import archive
from chats.models import Chat, Message, Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models.expressions import OrderBy

    from accounts.models import Site
    from visitors.sessions import VisitorPrincipal

    Principal = VisitorPrincipal | OperatorPrincipal

VIEWED = ("department", "operator", "site", "visitor")  # what a view of a chat is made of
OF_ACCOUNT = Unsought("account_id")  # of chats that are found by what they are at present
OPEN = (Chat.State.WAITING, Chat.State.ACTIVE)
# Whoever writes by other ways than a browser gives no sign of life; no browser's key has a colon
WITHOUT_BROWSER = Q(session_key__contains=":")
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
    """Whose chats are whose. A visitor's: those of the live session (R-124). Those of somebody whose data are
    restricted are nobody's (B2-7).

    An operator's: their own in any state, and what waits or was missed in their departments; from supervisor
    on, all chats of their departments.
    """
    if not isinstance(principal, OperatorPrincipal):
        return Q(account_id=principal.account_id, session__key=principal.session_key)
    in_department = Q(department_id__in=principal.department_ids)
    if principal.role not in SUPERVISORS:
        in_department &= Q(state__in=(Chat.State.WAITING, Chat.State.MISSED))
    theirs = Q(operator_id=principal.operator_id) | in_department
    return Q(account_id=principal.account_id, visitor__restricted_at=None) & theirs


def _visible(principal: Principal) -> QuerySet[Chat]:
    found = Chat.objects.filter(within_reach(principal))
    if isinstance(principal, OperatorPrincipal):
        return found.filter(still_rightful(principal))
    return found


def still_rightful(principal: OperatorPrincipal) -> Exists:
    """The rights that the socket came with are still those of now (their departments and role included)."""
    return _rightful(principal.operator_id, principal.rights_epoch)


def _rightful(operator: Any, rights_epoch: Any) -> Exists:
    return Exists(Operator.objects.filter(pk=operator, rights_epoch=rights_epoch, suspended_at=None))


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


def has_open_chat(session_key: str) -> bool:
    """Whether a live session waits or talks."""
    return Chat.objects.filter(session__key=session_key, state__in=OPEN).exists()


def current_chats(session_keys: Collection[str], ended_after: timedelta) -> dict[str, Chat]:
    """{session key: its open chat, else the newest that ended less than `ended_after` ago} of those that have
    one, in one query: with the columns that a visitor's view takes, those of the visitor's presence,
    department and operator.

    A message that was left is not a chat to the visitor: it ended in the moment it began.
    """
    if not session_keys:
        return {}
    found = _current(keys=session_keys, recent=timezone.now() - ended_after)
    # the newest is the last to be put in, and an open one is the newest
    return {chat.session_key: chat for chat in found}


_current = Prepared(
    lambda keys, recent: Chat.objects.filter(Among("session__key", keys))
    .exclude(closed_at__lt=recent)
    .exclude(state=Chat.State.MISSED, closed_at=F("started_at"))
    .order_by("id")
    .select_related("department", "operator")
    .only(
        "uid", "session_key", "state", "started_at", "closed_at", "last_seq", "visitor_delivered",
        "visitor_read", "operator_delivered", "operator_read", "visitor_presence", "visitor_gone_at",
        "visitor_seen_at", "archived_at", "department__uid", "department__name", "operator__uid",
        "operator__name",
    )
)  # fmt: skip


def chats_at_work(principal: OperatorPrincipal) -> QuerySet[Chat]:
    """What an operator's console lists: all that waits in their departments, and their own active chats."""
    waiting = Q(state=Chat.State.WAITING, department_id__in=principal.department_ids)
    own = Q(state=Chat.State.ACTIVE, operator_id=principal.operator_id)
    return Chat.objects.filter(waiting | own, Among(OF_ACCOUNT, {principal.account_id}))


def is_at_work(chat: Chat, principal: OperatorPrincipal) -> bool:
    """Whether it is one of `chats_at_work`."""
    if chat.account_id != principal.account_id:
        return False
    if chat.state == Chat.State.WAITING:
        return chat.department_id in principal.department_ids
    return chat.state == Chat.State.ACTIVE and chat.operator_id == principal.operator_id


def chats_for_consoles(principals: Collection[OperatorPrincipal]) -> list[Chat]:
    """All that is at work for any of them, with what a view is made of, in order; in one query."""
    return _for_consoles(
        accounts={each.account_id for each in principals},
        departments={pk for each in principals for pk in each.department_ids},
        operators={each.operator_id for each in principals},
    )


_for_consoles = Prepared(
    lambda accounts, departments, operators: (
        Chat.objects.filter(
            Q(Among("department_id", departments), state=Chat.State.WAITING)
            | Q(Among("operator_id", operators), state=Chat.State.ACTIVE),
            Among(OF_ACCOUNT, accounts),
        )
        .order_by("id")
        .select_related(*VIEWED)
    )
)


def unread_counts(chat_ids: Collection[int]) -> dict[int, int]:
    """{chat: how many of the visitor's texts its operator has not read}, without those that have none."""
    return dict(_unread(chats=chat_ids)) if chat_ids else {}


_unread = Prepared(
    lambda chats: (
        Message.objects.filter(
            Among("chat_id", chats), author="visitor", kind="text", seq__gt=F("chat__operator_read")
        )
        .values_list("chat_id")
        .annotate(n=Count("id"))
        .order_by()
    )
)


def chat_counts(visitor_ids: Collection[int]) -> dict[int, int]:
    """{visitor: how many chats there are of theirs}."""
    return dict(_counts(visitors=visitor_ids)) if visitor_ids else {}


_counts = Prepared(
    lambda visitors: (
        Chat.objects.filter(Among("visitor_id", visitors))
        .values_list("visitor_id")
        .annotate(n=Count("id"))
        .order_by()
    )
)


def chats_returned_from(principal: OperatorPrincipal) -> list[Chat]:
    """The chats that an operator lost in the last hour and has not taken again, newest first, with their
    visitors."""
    since = timezone.now() - timedelta(minutes=RETURNED_MINUTES)
    return _returned(**_lost_to(principal), since=since)


def was_returned_from(principal: OperatorPrincipal, uid: str) -> bool:
    """Whether an operator lost this chat, however long ago, and has not taken it again."""
    return _lost_by(**_lost_to(principal)).filter(uid=uid).exists()


def _lost_to(principal: OperatorPrincipal) -> dict[str, Any]:
    return {
        "account": principal.account_id,
        "operator": principal.operator_id,
        "departments": principal.department_ids,
        "rights_epoch": principal.rights_epoch,
    }


def _lost_by(account: Any, operator: Any, departments: Any, rights_epoch: Any) -> QuerySet[Chat]:
    """What an operator had and has not taken again, of the departments that are theirs now: who was taken
    off one hears no more of the names in it (R-112)."""
    lost = Chat.objects.filter(
        Among("department_id", departments),
        _rightful(operator, rights_epoch),
        Exact(OF_ACCOUNT, account),
        returned_from_id=operator,
    )
    return lost.exclude(operator_id=operator)


_returned = Prepared(
    lambda account, operator, departments, rights_epoch, since: (
        _lost_by(account, operator, departments, rights_epoch)
        .filter(returned_at__gt=since)
        .select_related("visitor")
        .order_by("-returned_at", "-id")[:RETURNED_SHOWN]
    )
)


def missed_chats(principal: OperatorPrincipal) -> list[Chat]:
    """The newest of the last days that nobody answered, in the operator's departments, with what a view is
    made of; newest first."""
    return _missed(account=principal.account_id, departments=principal.department_ids, since=missed_since())


_missed = Prepared(
    lambda account, departments, since: (
        Chat.objects.filter(
            Among("department_id", departments),
            Exact(OF_ACCOUNT, account),
            state=Chat.State.MISSED,
            closed_at__gt=since,
        )
        .order_by(*newest_missed_first())
        .select_related(*VIEWED)[:MISSED_SHOWN]
    )
)


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


def ends_of_logs(chat_ids: Collection[int]) -> list[Message]:
    """The last PAGE_ROWS public rows of each of these chats, chat by chat in order."""
    return _ends(chats=chat_ids) if chat_ids else []


_ends = Prepared(
    lambda chats: Message.objects.filter(Among("chat_id", chats), seq__gt=F("chat__last_seq") - PAGE_ROWS)
    .order_by("chat_id", "seq")
)  # fmt: skip


def rows_after(chat: Chat, after: int, limit: int = RESUME_ROWS) -> list[Message]:
    """Public rows behind `after`, at most `limit` and one more, in order. Raises ArchiveUnavailable,
    ArchiveDamaged, as do the next two."""
    if chat.archived_at is not None:
        return [row for row in archive.contents(chat).messages if row.seq > after][: limit + 1]
    return list(Message.objects.filter(chat=chat, seq__gt=after).order_by("seq")[: limit + 1])


def notes_after(chat: Chat, after: int, limit: int = RESUME_ROWS) -> list[Note]:
    """Staff rows behind `after`, at most `limit` and one more, in order."""
    if chat.archived_at is not None:
        return [row for row in archive.contents(chat).notes if row.staff_seq > after][: limit + 1]
    return list(Note.objects.filter(chat=chat, staff_seq__gt=after).order_by("staff_seq")[: limit + 1])


def page_before(chat: Chat, before: int) -> tuple[list[Message], bool]:
    """Up to 100 rows before `before` (0 = from the end), oldest first; whether there are older ones still."""
    if chat.archived_at is not None:
        earlier = archive.contents(chat).messages
        rows = [row for row in earlier if not before or row.seq < before][-PAGE_ROWS:]
    else:
        found = Message.objects.filter(chat=chat)
        if before:
            found = found.filter(seq__lt=before)
        rows = list(found.order_by("-seq")[:PAGE_ROWS])[::-1]
    return rows, bool(rows) and rows[0].seq > 1


def texts_of(chat: Chat) -> list[Message]:
    """Every message of a chat, without system rows, edits and deletions, in order."""
    if chat.archived_at is not None:
        return [row for row in archive.contents(chat).messages if row.kind == Message.Kind.TEXT]
    return list(Message.objects.filter(chat=chat, kind=Message.Kind.TEXT).order_by("seq"))


def operator_names(operator_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """{database id: (uid, name)} of those who wrote something."""
    ids = {pk for pk in operator_ids if pk}
    if not ids:
        return {}
    return {pk: (uid, name) for pk, uid, name in _names(ids=ids)}


_names = Prepared(lambda ids: Operator.objects.filter(Among("pk", ids)).values_list("pk", "uid", "name"))


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
