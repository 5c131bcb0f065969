"""What a browser is shown at first: chats as they are now, in a constant number of queries.

Read the position first, then the state (V-4): every view is cut at the `seq` of the chat's row, which is read
first. What is written in between comes as an event and applies idempotently.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db.models import Count, F

from accounts import selectors as accounts
from accounts.models import Account, Department, Site
from chatlead.errors import Forbidden, NotFound
from chatlead.realtime import pool
from chatlead.realtime.commands import PROTOCOL
from chatlead.realtime.events import ChatView, NoteAdded, PublicRow, VisitorChatView
from chatlead.realtime.replies import OperatorWelcome, PageWelcome, ReturnedChat, VisitorWelcome
from chatlead.realtime.shapes import Answer, DepartmentView, Marks, VisitorView
from chats import rows, selectors
from chats.models import Chat, Message, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from accounts.selectors import OperatorPrincipal
    from chatlead.realtime.shapes import ChatState, Presence
    from visitors.sessions import VisitorPrincipal

LOG_ROWS = selectors.PAGE_ROWS  # of each chat; older ones are fetched by `load_messages`


def marks_sum(chat: Chat) -> int:
    """Changes whenever one of the four marks does, because they only grow."""
    return chat.visitor_delivered + chat.visitor_read + chat.operator_delivered + chat.operator_read


def digest(positions: Iterable[tuple[str, int, int, int]], newest_missed: str) -> str:
    """The operator's position (docs/protocol.md); `positions` are (uid, seq, staff_seq, sum of marks)."""
    lines = ";".join(f"{uid}:{seq}:{staff}:{marks}" for uid, seq, staff, marks in sorted(positions))
    return f"{zlib.crc32(f'{lines};missed:{newest_missed}'.encode()):08x}"


# --- views --------------------------------------------------------------------------------------------


def operator_views(chats: Sequence[Chat]) -> list[ChatView]:
    """Chats as operators see them, in the order given, with the ends of both logs.

    `chats` come with department, operator, site and visitor. Six queries at most, however many chats.
    """
    ids = [chat.pk for chat in chats]
    logs, notes = _logs(chats), _notes(chats)
    unread = Counter[int]()
    if ids:
        unseen = Message.objects.filter(
            chat__in=ids, author="visitor", kind="text", seq__gt=F("chat__operator_read")
        )
        unread.update(dict(unseen.values_list("chat_id").annotate(n=Count("id")).order_by()))
    visitors = {chat.visitor_id for chat in chats}
    counts: dict[int, int] = {}
    if visitors:
        of_visitors = Chat.objects.filter(visitor__in=visitors).values_list("visitor_id")
        counts = dict(of_visitors.annotate(n=Count("id")).order_by())
    return [
        ChatView(
            uid=chat.uid,
            site=chat.site.name,
            department=DepartmentView(uid=chat.department.uid, name=chat.department.name),
            state=cast("ChatState", chat.state),
            visitor=VisitorView(
                uid=chat.visitor.uid,
                number=chat.visitor.number,
                name=chat.visitor.name,
                email=chat.visitor.email,
                chat_count=counts.get(chat.visitor_id, 0),
            ),
            operator=chat.operator.uid if chat.operator else "",
            operator_name=chat.operator.name if chat.operator else "",
            page_url=chat.page_url,
            answers=[Answer(**each) for each in chat.answers],
            started_at=rows.in_ms(chat.started_at),
            accepted_at=_ms(chat.accepted_at),
            closed_at=_ms(chat.closed_at),
            seq=chat.last_seq,
            staff_seq=chat.last_staff_seq,
            marks=marks(chat),
            unread_count=unread[chat.pk],
            presence=cast("Presence", chat.visitor_presence),
            gone_at=_ms(chat.visitor_gone_at),
            returned_at=_ms(chat.returned_at),
            log=logs[chat.pk],
            notes=notes[chat.pk],
        )
        for chat in chats
    ]


def operator_view(chat: Chat) -> ChatView:
    """One chat as operators see it."""
    return operator_views([chat])[0]


def visitor_view(chat: Chat) -> VisitorChatView:
    """A chat as its visitor sees it: no note, no staff position.

    `chat` comes with department and operator.
    """
    return visitor_views([chat])[chat.pk]


def visitor_views(chats: Sequence[Chat]) -> dict[int, VisitorChatView]:
    """The same of many, by database id: two queries, and one for the place of each that waits."""
    logs = _logs(chats)
    return {
        chat.pk: VisitorChatView(
            uid=chat.uid,
            state=cast("ChatState", chat.state),
            department=chat.department.name,
            department_uid=chat.department.uid,
            operator_name=chat.operator.name if chat.operator else "",
            started_at=rows.in_ms(chat.started_at),
            closed_at=_ms(chat.closed_at),
            seq=chat.last_seq,
            marks=marks(chat),
            position=selectors.place_in_line(chat),
            log=logs[chat.pk],
        )
        for chat in chats
    }


def marks(chat: Chat) -> Marks:
    """The four marks of a chat."""
    return Marks(
        visitor_delivered=chat.visitor_delivered,
        visitor_read=chat.visitor_read,
        operator_delivered=chat.operator_delivered,
        operator_read=chat.operator_read,
    )


def public_rows(messages: Iterable[Message], chat_uid: str) -> list[PublicRow]:
    """Rows of one chat's public log as events, in the order given."""
    found = list(messages)
    names = selectors.operator_names(each.author_id for each in found)
    return [rows.event_of_message(each, names, chat_uid) for each in found]


def staff_rows(notes: Iterable[Note], chat_uid: str) -> list[NoteAdded]:
    """Rows of one chat's staff log as events, in the order given."""
    found = list(notes)
    names = selectors.operator_names(each.author_id for each in found)
    return [rows.event_of_note(each, names, chat_uid) for each in found]


def _logs(chats: Sequence[Chat]) -> dict[int, list[PublicRow]]:
    """The last rows of each chat up to the position that was read with the chat."""
    logs: dict[int, list[PublicRow]] = defaultdict(list)
    if not chats:
        return logs
    by_id = {chat.pk: chat for chat in chats}
    found = Message.objects.filter(chat__in=list(by_id), seq__gt=F("chat__last_seq") - LOG_ROWS)
    messages = list(found.order_by("chat_id", "seq"))
    names = selectors.operator_names(each.author_id for each in messages)
    for each in messages:
        chat = by_id[each.chat_id]
        if each.seq <= chat.last_seq:
            logs[chat.pk].append(rows.event_of_message(each, names, chat.uid))
    return logs


def _notes(chats: Sequence[Chat]) -> dict[int, list[NoteAdded]]:
    notes: dict[int, list[NoteAdded]] = defaultdict(list)
    by_id = {chat.pk: chat for chat in chats if chat.last_staff_seq}
    if not by_id:
        return notes
    found = Note.objects.filter(chat__in=list(by_id), staff_seq__gt=F("chat__last_staff_seq") - LOG_ROWS)
    written = list(found.order_by("chat_id", "staff_seq"))
    names = selectors.operator_names(each.author_id for each in written)
    for each in written:
        chat = by_id[each.chat_id]
        if each.staff_seq <= chat.last_staff_seq:
            notes[chat.pk].append(rows.event_of_note(each, names, chat.uid))
    return notes


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else rows.in_ms(moment)


# --- welcomes -----------------------------------------------------------------------------------------


def page_welcome(principal: VisitorPrincipal) -> PageWelcome:
    """The loader on the host page hears whether somebody is there, and how its launcher looks by now."""
    return pool.alone(page_welcomes([principal]))


def page_welcomes(principals: Sequence[VisitorPrincipal]) -> list[PageWelcome | NotFound]:
    """The same for many at once, in two queries. NotFound for a site that was deleted in this moment."""
    ids = {each.site_id for each in principals}
    if not ids:
        return []
    colors = dict(Site.objects.filter(pk__in=ids).values_list("pk", "color"))
    online = accounts.online_by_site(ids)
    return [
        PageWelcome(protocol=PROTOCOL, online=online.get(each.site_id, []), color=colors[each.site_id])
        if each.site_id in colors
        else NotFound()
        for each in principals
    ]


def visitor_welcome(principal: VisitorPrincipal) -> VisitorWelcome:
    """The frame's snapshot: the site, and the chat of the live session that is open or has just ended."""
    return pool.alone(visitor_welcomes([principal]))


def visitor_welcomes(principals: Sequence[VisitorPrincipal]) -> list[VisitorWelcome | NotFound]:
    """The same for many at once, in a number of queries that does not depend on theirs, but on that of their
    sites. NotFound for a site that was deleted in this moment."""
    if not principals:
        return []
    grace = timedelta(minutes=settings.CHAT_GRACE_MINUTES)
    chats = selectors.current_chats({each.session_key for each in principals}, grace)
    views = visitor_views(list(chats.values()))
    sites = Site.objects.select_related("account").filter(pk__in={each.site_id for each in principals})
    shown = accounts.site_views(list(sites))
    epoch = accounts.epoch()
    welcomes: list[VisitorWelcome | NotFound] = []
    for each in principals:
        if each.site_id not in shown:
            welcomes.append(NotFound())
            continue
        chat = chats.get(each.session_key)
        welcome = VisitorWelcome(
            protocol=PROTOCOL,
            epoch=epoch,
            site=shown[each.site_id],
            chat=views[chat.pk] if chat is not None else None,
            session=each.new_token,
            cookie=each.had_cookie,
        )
        welcomes.append(welcome)
    return welcomes


def operator_welcome(principal: OperatorPrincipal) -> OperatorWelcome:
    """The console's snapshot: the team, all that waits and the operator's own chats, what was missed."""
    account = Account.objects.get(pk=principal.account_id)
    team = accounts.team(account)
    me = next((each for each in team if each.uid == principal.operator_uid), None)
    if me is None:  # suspended in this moment
        raise Forbidden
    chats = operator_views(
        list(selectors.chats_at_work(principal).select_related(*selectors.VIEWED).order_by("id"))
    )
    missed = operator_views(list(selectors.missed_chats(principal).select_related(*selectors.VIEWED)))
    mine = Department.objects.filter(account=account).order_by("position", "id")
    return OperatorWelcome(
        protocol=PROTOCOL,
        epoch=accounts.epoch(),
        account=DepartmentView(uid=account.uid, name=account.name),
        me=me,
        departments=[DepartmentView(uid=each.uid, name=each.name) for each in mine],
        team=team,
        version=account.team_version,
        chats=chats,
        missed=missed,
        returned=returned(principal),
        away_since=_ms(accounts.away_since(principal.operator_id)),
        digest=digest_of(chats, missed),
    )


def returned(principal: OperatorPrincipal) -> list[ReturnedChat]:
    """The chats that this operator lost in the last hour, newest first."""
    return [
        ReturnedChat(
            chat=chat.uid, at=_ms(chat.returned_at), number=chat.visitor.number, name=chat.visitor.name
        )
        for chat in selectors.chats_returned_from(principal)
    ]


def digest_of(chats: Iterable[ChatView], missed: Sequence[ChatView]) -> str:
    """The digest of what a console has just been told."""
    positions = ((chat.uid, chat.seq, chat.staff_seq, sum_of(chat.marks)) for chat in chats)
    return digest(positions, missed[0].uid if missed else "")


def sum_of(marks: Marks) -> int:
    """The sum of the four marks."""
    return marks.visitor_delivered + marks.visitor_read + marks.operator_delivered + marks.operator_read
