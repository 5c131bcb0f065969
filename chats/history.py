"""Chats, for the people who may see them: found wherever they lie, and told as a page tells them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Substr

from accounts import logins
from accounts.members import ADMINS
from accounts.models import Operator
from accounts.selectors import OperatorPrincipal
from chatlead.realtime.replies import Earlier, EarlierChat
from chats import archive, rows, selectors
from chats.models import Chat, Message, Note

PAGE = 30
EARLIER_PAGE = 10
WORDS_SHOWN = 100  # characters
ARCHIVED: Final = "archived"
DAY = timedelta(days=1)
SLACK = DAY  # between the order of rows and that of their times: two servers' clocks
# One request looks at so many chats of an account at most, however many it has; the page offers to go on
STEP, STEPS = 5000, 4
SAID_STEP = 150  # where their words are looked at too: 20 messages each, in all as long as a rare name takes


class Wanted(NamedTuple):
    """What is looked for; "" and None are anything. `words` are of the visitor's name, e-mail address or
    number, `said` of a message; department and operator are uids; days are of `zone`, a name of the time zone
    database or "" for UTC, both inclusive; `state` is a Chat.State or `archived`."""

    words: str = ""
    said: str = ""
    since: date | None = None
    until: date | None = None
    department: str = ""
    operator: str = ""
    state: str = ""
    zone: str = ""


class Found(NamedTuple):
    """A page of chats, the latest first, with department, operator, site and visitor. `next` is the uid to go
    on behind where there may be more; `looked_until` says how far back this page has looked where it ended
    because of the bound, not because it is full."""

    chats: list[Chat]
    next: str
    looked_until: datetime | None = None


def find_chats(principal: OperatorPrincipal, wanted: Wanted, *, visitor: str = "", before: str = "") -> Found:
    """Chats within reach, open, ended or in the archive; of one visitor (uid) where given. What was said in
    the archive is encrypted, so `said` finds nothing there.

    Numbers of rows go back in time, slice by slice over an index: neither a rare name nor a rare word makes
    one request read a table.
    """
    matching = _matching(principal, wanted, visitor).select_related(*selectors.VIEWED).order_by("-pk")
    own = Chat.objects.filter(account_id=principal.account_id)
    step = SAID_STEP if wanted.said else STEP
    upper = own.filter(uid=before).values_list("pk", flat=True).first() if before else None
    if before and upper is None:  # the chat has gone with which the page before ended
        return Found([], "")
    if upper is None and wanted.until is not None:
        upper = _first_after(own, _midnight(wanted.until + DAY, wanted.zone) + SLACK, step)
    if visitor:  # an index finds those at once
        found = list((matching if upper is None else matching.filter(pk__lt=upper))[: PAGE + 1])
        return Found(found[:PAGE], found[PAGE - 1].uid if len(found) > PAGE else "")
    found = []
    since = _midnight(wanted.since, wanted.zone) - SLACK if wanted.since else None
    last: tuple[int, str, datetime] | None = None
    for _ in range(STEPS):
        rest = own if upper is None else own.filter(pk__lt=upper)
        last = rest.order_by("-pk").values_list("pk", "uid", "started_at")[step - 1 : step].first()
        part = matching if upper is None else matching.filter(pk__lt=upper)
        if last is not None:
            part = part.filter(pk__gte=last[0])
        found += _saying(part, wanted.said) if wanted.said else part[: PAGE + 1 - len(found)]
        if len(found) > PAGE:
            return Found(found[:PAGE], found[PAGE - 1].uid)
        if last is None or (since is not None and last[2] < since):
            return Found(found, "")
        upper = last[0]
    assert last is not None  # noqa: S101 the loop has returned otherwise
    return Found(found, last[1], last[2])


def _matching(principal: OperatorPrincipal, wanted: Wanted, visitor: str) -> QuerySet[Chat]:
    found = Chat.objects.filter(selectors.within_reach(principal), selectors.still_rightful(principal))
    if visitor:
        found = found.filter(visitor__uid=visitor)
    if words := wanted.words.strip():
        like = Q(visitor__name__icontains=words) | Q(visitor__email__icontains=words)
        number = words.rpartition(" ")[2].lstrip("#")
        if number.isascii() and number.isdigit() and len(number) < 10:
            like |= Q(visitor__number=int(number))
        found = found.filter(like)
    if wanted.since is not None:
        found = found.filter(started_at__gte=_midnight(wanted.since, wanted.zone))
    if wanted.until is not None:
        found = found.filter(started_at__lt=_midnight(wanted.until + DAY, wanted.zone))
    if wanted.department:
        found = found.filter(department__uid=wanted.department)
    if wanted.operator:
        found = found.filter(operator__uid=wanted.operator)
    if wanted.state == ARCHIVED:
        found = found.filter(archived_at__isnull=False)
    elif wanted.state:
        found = found.filter(state=wanted.state)
    return found


def _saying(part: QuerySet[Chat], said: str) -> list[Chat]:
    """Those in which a message that was not deleted has these words, by the index that begins with the
    chat: named one by one, so that no plan begins with the words."""
    chats = list(part.filter(archived_at=None)[:SAID_STEP])
    texts = Message.objects.filter(chat_id__in=[chat.pk for chat in chats], kind=Message.Kind.TEXT)
    saying = set(texts.filter(text__icontains=said).values_list("chat_id", flat=True).distinct())
    return [chat for chat in chats if chat.pk in saying]


def _first_after(own: QuerySet[Chat], limit: datetime, step: int) -> int | None:
    """A number of a row from which on all began after this, by halving: numbers grow with the time. None
    where there are so few that it does not matter."""
    if not own.order_by("-pk")[step - 1 : step].exists():
        return None
    low, high = 0, own.order_by("-pk").values_list("pk", flat=True)[0] + 1
    while low < high:
        middle = (low + high) // 2
        row = own.filter(pk__gte=middle).order_by("pk").values_list("pk", "started_at").first()
        if row is None or row[1] > limit:
            high = middle
        else:
            low = row[0] + 1
    return low


def _midnight(day: date, zone: str) -> datetime:
    """In UTC, so that hours can be added to it."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone or "UTC")).astimezone(UTC)


def earlier_chats(principal: OperatorPrincipal, *, uid: str, older_than: str = "") -> Earlier:
    """A page of what the visitor of a chat talked about before it (R-036). Raises NotFound for a chat that
    the caller may not see; where a chat between was erased or archived it is listed as that."""
    chat = selectors.access_chat(principal, uid)
    before = Chat.objects.filter(
        account_id=principal.account_id, visitor_id=chat.visitor_id, pk__lt=chat.pk, closed_at__isnull=False
    )
    readable = before.filter(selectors.within_reach(principal))
    page = readable
    if older_than:
        page = page.filter(pk__lt=before.filter(uid=older_than).values("pk"))
    said = Message.objects.filter(chat=OuterRef("pk"), kind=Message.Kind.TEXT, author="visitor")
    first = said.exclude(text="").order_by("seq").values("text")
    chats = list(
        page.select_related("department", "operator", "archived_file")
        .annotate(
            first_words=Substr(Subquery(first[:1]), 1, 2 * WORDS_SHOWN),
        )
        .order_by("-id")[: EARLIER_PAGE + 1]
    )
    return Earlier(
        chat=uid,
        chats=[_earlier(each) for each in chats[:EARLIER_PAGE]],
        more=len(chats) > EARLIER_PAGE,
        hidden=0 if older_than else before.count() - readable.count(),
    )


def _earlier(chat: Any) -> EarlierChat:
    """`chat` comes with what `earlier_chats` annotates."""
    is_archived = chat.archived_at is not None
    words = " ".join((chat.first_words or "").split())
    return EarlierChat(
        uid=chat.uid,
        started_at=rows.in_ms(chat.started_at),
        department=chat.department.name,
        operator_name=chat.operator.name if chat.operator else "",
        words=words if len(words) <= WORDS_SHOWN else f"{words[:WORDS_SHOWN].rstrip()}…",
        message=chat.state == Chat.State.MISSED and chat.closed_at == chat.started_at,
        archived=is_archived,
        erased=chat.erased_at is not None or (is_archived and chat.archived_file.erased_at is not None),
    )


class Line(NamedTuple):
    """Something in a conversation: `kind` is visitor, operator, note or system; `state` edited, deleted or
    nothing."""

    kind: str
    at: datetime
    name: str
    text: str
    state: str


class Conversation(NamedTuple):
    """A chat from end to end, wherever it lies."""

    lines: list[Line]
    answers: list[dict[str, str]]
    page_url: str


def conversation(chat: Chat) -> Conversation:
    """Raises ArchiveUnavailable, ArchiveDamaged."""
    names: dict[int, tuple[str, str]] = {}
    if chat.archived_at is not None:
        kept = archive.contents(chat)
        messages, notes, names = kept.messages, kept.notes, kept.operators
        answers, page_url = kept.answers, kept.page_url
    else:
        messages = list(Message.objects.filter(chat=chat).order_by("seq"))
        notes = list(Note.objects.filter(chat=chat).order_by("staff_seq"))
        answers, page_url = chat.answers, chat.page_url
    authors = {row.author_id for row in messages} | {row.author_id for row in notes}
    names = names | dict(selectors.operator_names(authors))
    lines = [_line(row, names) for row in messages if row.kind not in ("edit", "deletion")]
    lines += [
        Line("note", row.created_at, names.get(row.author_id, ("", ""))[1], row.text, "") for row in notes
    ]
    return Conversation(sorted(lines, key=lambda line: line.at), answers, page_url)


def _line(row: Message, names: dict[int, tuple[str, str]]) -> Line:
    if row.kind == "text":
        name = names.get(row.author_id, ("", ""))[1] if row.author == "operator" else ""
        return Line(row.author, row.created_at, name, row.text, row.text_state)
    return Line("system", row.created_at, "", _happened(row.kind, row.facts or {}), "")


def _happened(kind: str, facts: dict[str, str]) -> str:
    name = facts.get("name") or "Somebody"
    if kind == "opened":
        return f"Began in {facts.get('department', '')}"
    if kind == "accepted":
        return f"{name} accepted"
    if kind == "transferred":
        return f"Handed to {facts.get('to_name') or facts.get('department', '')}"
    if kind == "returned":
        return f"{name} was gone, so it waited again"
    return ENDINGS.get(facts.get("reason", ""), "Ended")


ENDINGS = {
    "left": "The visitor left before anybody answered",
    "abandoned": "The visitor was gone",
    "idle": "Ended, because nobody wrote any more",
}


def principal_of(operator: Operator) -> OperatorPrincipal:
    """What this membership may read on the account's pages: what its console would show, and from admin on
    the chats of every department. `operator` comes with its account."""
    own = operator.departments if operator.role not in ADMINS else operator.account.departments
    return logins.principal_of(operator, list(own.values_list("pk", flat=True)), "")
