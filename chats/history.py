"""Chats that have ended, for the people who may see them: found, and told as a page tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, Subquery
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


class Found(NamedTuple):
    """A page of chats, the latest first, with department, operator, site and visitor; `next` is the uid of
    the last of them where there are older ones."""

    chats: list[Chat]
    next: str


def ended_chats(
    principal: OperatorPrincipal, *, words: str = "", visitor: str = "", before: str = ""
) -> Found:
    """Chats within reach that are over, in the database or in the archive: of one visitor (uid), or whose
    visitor's name, e-mail address or number is like `words`. What was said is not searched."""
    found = Chat.objects.filter(
        selectors.within_reach(principal), selectors.still_rightful(principal), closed_at__isnull=False
    )
    if visitor:
        found = found.filter(visitor__uid=visitor)
    if words := words.strip():
        like = Q(visitor__name__icontains=words) | Q(visitor__email__icontains=words)
        number = words.rpartition(" ")[2].lstrip("#")
        if number.isascii() and number.isdigit() and len(number) < 10:
            like |= Q(visitor__number=int(number))
        found = found.filter(like)
    if before:
        found = found.filter(
            pk__lt=Chat.objects.filter(account_id=principal.account_id, uid=before).values("pk")
        )
    chats = list(found.select_related(*selectors.VIEWED).order_by("-id")[: PAGE + 1])
    return Found(chats[:PAGE], chats[PAGE - 1].uid if len(chats) > PAGE else "")


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
