"""What a browser is shown at first: chats as they are now, in a constant number of queries.

Read the position first, then the state (V-4): every view is cut at the `seq` of the chat's row, which is read
first. What is written in between comes as an event and applies idempotently.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db.models import F

from accounts import presence
from accounts import selectors as accounts
from accounts.sites import shown_sites
from chatlead.errors import ChatLeadError, Forbidden, NotFound
from chatlead.realtime.commands import PROTOCOL
from chatlead.realtime.events import ChatView, NoteAdded, PublicRow, VisitorChatView
from chatlead.realtime.replies import OperatorWelcome, PageWelcome, ReturnedChat, VisitorWelcome
from chatlead.realtime.shapes import Answer, DepartmentView, Marks, VisitorView
from chats import archive, estimates, rows, selectors
from chats.models import Chat, Message, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from accounts.selectors import OperatorPrincipal
    from chatlead.realtime.shapes import ChatState, Presence
    from chats.archive import Contents
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

    `chats` come with department, operator, site and visitor. Six queries at most, however many chats; and one
    file for each that is in the archive: raises ArchiveUnavailable, ArchiveDamaged.
    """
    kept = _kept(chats)
    logs, notes = _logs(chats, kept), _notes(chats, kept)
    filled_in = {chat.pk: (chat.answers, chat.page_url) for chat in chats}
    filled_in |= {pk: (each.answers, each.page_url) for pk, each in kept.items()}
    unread = selectors.unread_counts({chat.pk for chat in chats})
    unread |= {chat.pk: kept[chat.pk].unread(chat.operator_read) for chat in chats if chat.pk in kept}
    counts = selectors.chat_counts({chat.visitor_id for chat in chats})
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
            page_url=filled_in[chat.pk][1],
            answers=[Answer(**each) for each in filled_in[chat.pk][0]],
            started_at=rows.in_ms(chat.started_at),
            accepted_at=_ms(chat.accepted_at),
            closed_at=_ms(chat.closed_at),
            seq=chat.last_seq,
            staff_seq=chat.last_staff_seq,
            marks=marks(chat),
            unread_count=unread.get(chat.pk, 0),
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
    logs = _logs(chats, _kept(chats))
    places = {chat.pk: selectors.place_in_line(chat) for chat in chats}
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
            position=places[chat.pk],
            minutes=estimates.minutes_to_turn(chat.department_id, places[chat.pk]),
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


def _kept(chats: Sequence[Chat]) -> dict[int, Contents]:
    """What is in the files of those that are in the archive."""
    return {chat.pk: archive.contents(chat) for chat in chats if chat.archived_at is not None}


def _logs(chats: Sequence[Chat], kept: Mapping[int, Contents]) -> dict[int, list[PublicRow]]:
    """The last rows of each chat up to the position that was read with the chat."""
    logs: dict[int, list[PublicRow]] = defaultdict(list)
    if not chats:
        return logs
    by_id = {chat.pk: chat for chat in chats}
    messages = selectors.ends_of_logs(by_id.keys() - kept.keys())
    for contents in kept.values():
        messages += contents.messages[-LOG_ROWS:]
    answering = [chat.operator for chat in chats if chat.operator is not None]
    names = {operator.pk: (operator.uid, operator.name) for operator in answering}
    names |= selectors.operator_names({each.author_id for each in messages} - names.keys())
    for each in messages:
        chat = by_id[each.chat_id]
        if each.seq <= chat.last_seq:
            logs[chat.pk].append(rows.event_of_message(each, names, chat.uid))
    return logs


def _notes(chats: Sequence[Chat], kept: Mapping[int, Contents]) -> dict[int, list[NoteAdded]]:
    notes: dict[int, list[NoteAdded]] = defaultdict(list)
    by_id = {chat.pk: chat for chat in chats if chat.last_staff_seq}
    if not by_id:
        return notes
    stored = list(by_id.keys() - kept.keys())
    found = Note.objects.filter(chat__in=stored, staff_seq__gt=F("chat__last_staff_seq") - LOG_ROWS)
    written = list(found.order_by("chat_id", "staff_seq")) if stored else []
    for pk in by_id.keys() & kept.keys():
        written += kept[pk].notes[-LOG_ROWS:]
    names = selectors.operator_names(each.author_id for each in written)
    for each in written:
        chat = by_id[each.chat_id]
        if each.staff_seq <= chat.last_staff_seq:
            notes[chat.pk].append(rows.event_of_note(each, names, chat.uid))
    return notes


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else rows.in_ms(moment)


# --- welcomes -----------------------------------------------------------------------------------------


def page_welcomes(principals: Sequence[VisitorPrincipal]) -> list[PageWelcome | NotFound]:
    """The loaders on host pages hear whether somebody is there, and how their launchers look by now: in one
    query. NotFound for a site that was deleted in this moment."""
    ids = {each.site_id for each in principals}
    if not ids:
        return []
    shown = accounts.launchers(ids)
    welcomes = {
        site: PageWelcome(protocol=PROTOCOL, online=online, color=color)
        for site, (color, online) in shown.items()
    }
    return [welcomes.get(each.site_id) or NotFound() for each in principals]


def current_chats(principals: Sequence[VisitorPrincipal]) -> dict[str, Chat]:
    """{session key: the chat that is open or has just ended} of those that have one, in one query."""
    grace = timedelta(minutes=settings.CHAT_GRACE_MINUTES)
    return selectors.current_chats({each.session_key for each in principals}, grace)


def visitor_welcomes(
    principals: Sequence[VisitorPrincipal], chats: Mapping[str, Chat]
) -> list[VisitorWelcome | NotFound]:
    """The frames' snapshots: the site, and the chat of the live session that is open or has just ended.

    Their `current_chats` were read before; the number of queries does not depend on theirs. NotFound for a
    site that was deleted in this moment.
    """
    if not principals:
        return []
    views = visitor_views(list(chats.values()))
    shown = shown_sites({(each.site_id, each.language) for each in principals})
    welcomes: list[VisitorWelcome | NotFound] = []
    for each in principals:
        site = shown.get((each.site_id, each.language))
        if site is None:
            welcomes.append(NotFound())
            continue
        chat = chats.get(each.session_key)
        welcome = VisitorWelcome(
            protocol=PROTOCOL,
            epoch=site.epoch,
            site=site.view,
            chat=views[chat.pk] if chat is not None else None,
            reply_minutes=estimates.reply_minutes([one.uid for one in site.view.departments]),
            session=each.new_token,
            cookie=each.had_cookie,
        )
        welcomes.append(welcome)
    return welcomes


def operator_welcomes(principals: Sequence[OperatorPrincipal]) -> list[OperatorWelcome | ChatLeadError]:
    """The consoles' snapshots: the team, all that waits and each operator's own chats, what was missed.

    What those of one account have in common is read and made once. Forbidden for who was suspended in this
    moment.
    """
    ids = {each.account_id for each in principals}
    firms, teams, epoch = accounts.firms(ids), accounts.teams(ids), accounts.epoch()
    away = presence.away_since_when({each.operator_id for each in principals})
    chats = selectors.chats_for_consoles(principals)
    missed = _missed_of(principals)
    all_missed = {chat.pk: chat for of_some in missed.values() for chat in of_some}
    listed = [*chats, *all_missed.values()]
    views = dict(zip([chat.pk for chat in listed], operator_views(listed), strict=True))
    lost = {each: returned(each) for each in set(principals)}
    canned = accounts.canned_replies({each.operator_id for each in principals})

    def welcome(principal: OperatorPrincipal) -> OperatorWelcome | ChatLeadError:
        firm, team = firms.get(principal.account_id), teams[principal.account_id]
        me = next((each for each in team if each.uid == principal.operator_uid), None)
        if firm is None or me is None:
            return Forbidden()
        mine = [views[chat.pk] for chat in chats if selectors.is_at_work(chat, principal)]
        unanswered = [views[chat.pk] for chat in missed[principal.account_id, principal.department_ids]]
        return OperatorWelcome(
            protocol=PROTOCOL,
            epoch=epoch,
            account=firm.account,
            me=me,
            departments=firm.departments,
            team=team,
            version=firm.version,
            chats=mine,
            missed=unanswered,
            returned=lost[principal],
            away_since=_ms(away.get(principal.operator_id)),
            canned=canned[principal.operator_id].replies,
            canned_version=canned[principal.operator_id].version,
            target_seconds=firm.target_seconds,
            digest=digest_of(mine, unanswered),
        )

    return [welcome(each) for each in principals]


def _missed_of(
    principals: Iterable[OperatorPrincipal],
) -> dict[tuple[int, frozenset[int]], list[Chat]]:
    """What was missed, by account and departments: a query for each of these, not for each console."""
    missed: dict[tuple[int, frozenset[int]], list[Chat]] = {}
    for each in principals:
        key = (each.account_id, each.department_ids)
        if key not in missed:
            missed[key] = selectors.missed_chats(each)
    return missed


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
