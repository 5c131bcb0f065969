"""What is kept of somebody's chats: what was said, what the firm noted, where a transcript is still to go."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from accounts.models import Operator
from chats import actions
from chats.models import Chat, Message, Note, TranscriptRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.models import QuerySet

    from accounts.erasure import Person

BATCH = 20  # chats that an export holds at a time
KEPT = {
    "chats.Message.facts": "names of those who answered, and of departments: nothing of the visitor",
}


def _chats(person: Person) -> QuerySet[Chat]:
    return Chat.objects.filter(account_id=person.account_id, visitor_id__in=person.visitor_ids)


class Chats:
    """Chats with all that was said in them, by whomever. Their rows stay, without a text."""

    name = "chats"
    columns = frozenset(
        {
            "chats.Chat.answers",
            "chats.Chat.page_url",
            "chats.Message.text",
        }
    )
    is_internal = False

    def count(self, person: Person) -> int:
        said = Message.objects.filter(chat__in=_chats(person)).exclude(text="").values("chat")
        return _chats(person).filter(Q(pk__in=said) | ~Q(answers=[], page_url="")).count()

    def export(self, person: Person) -> Iterator[dict[str, Any]]:
        names = dict(Operator.objects.filter(account_id=person.account_id).values_list("pk", "name"))
        ids = list(_chats(person).order_by("started_at", "id").values_list("pk", flat=True))
        for begin in range(0, len(ids), BATCH):
            batch = ids[begin : begin + BATCH]
            # the texts before the chats: one that goes to the archive in between is read there, whole
            rows: dict[int, list[Message]] = defaultdict(list)
            for row in Message.objects.filter(chat__in=batch).order_by("chat_id", "seq"):
                rows[row.chat_id].append(row)
            chats = Chat.objects.select_related("site", "department", "visitor", "operator").in_bulk(batch)
            for pk in batch:
                if pk in chats and chats[pk].archived_at is None:
                    yield told(chats[pk], chats[pk].page_url, chats[pk].answers, rows[pk], names)

    def erase(self, person: Person) -> int:
        """Notes go with it, in the same statement as what they are about."""
        return actions.erase_chats(account_id=person.account_id, visitor_ids=person.visitor_ids)


def stub(chat: Chat) -> dict[str, Any]:
    """What of a chat is in the database, wherever its words are."""
    return {
        "chat": chat.uid,
        "visitor": chat.visitor.uid,
        "site": chat.site.name,
        "department": chat.department.name,
        "operator": chat.operator.name if chat.operator else "",
        "state": chat.state,
        "started_at": chat.started_at.isoformat(),
        "accepted_at": chat.accepted_at.isoformat() if chat.accepted_at else None,
        "closed_at": chat.closed_at.isoformat() if chat.closed_at else None,
    }


def told(
    chat: Chat,
    page_url: str,
    answers: list[dict[str, str]],
    messages: Iterable[Message],
    names: Mapping[int, str],
) -> dict[str, Any]:
    """A whole chat as a reader would name its parts; `names` are operators' by number."""
    rows = [_said(row, names) for row in messages]
    return {**stub(chat), "page": page_url, "answers": answers, "messages": rows}


def _said(row: Message, names: Mapping[int, str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "number": row.seq,
        "at": row.created_at.isoformat(),
        "by": row.author,
        "kind": row.kind,
    }
    if row.author == Message.Author.OPERATOR:
        said["name"] = names.get(row.author_id, "")
    if row.target is not None:
        said["of"] = row.target
    if row.kind in (Message.Kind.TEXT, Message.Kind.EDIT):
        said |= {"text": row.text, "state": row.text_state}
    return said


class Notes:
    """What operators wrote to each other about somebody: the firm's own words."""

    name = "notes"
    columns = frozenset({"chats.Note.text"})
    is_internal = True

    def count(self, person: Person) -> int:
        return self._of(person).exclude(text="").count()

    def export(self, person: Person) -> Iterator[dict[str, Any]]:
        found = self._of(person).select_related("chat", "author").order_by("created_at", "id")
        for note in found.iterator(chunk_size=500):
            yield noted(note, note.chat, note.author.name)

    def erase(self, person: Person) -> int:
        """What is left of them once `Chats` was erased, which takes them along."""
        return self._of(person).exclude(text="").update(text="")

    def _of(self, person: Person) -> QuerySet[Note]:
        return Note.objects.filter(account_id=person.account_id, chat__in=_chats(person))


def noted(note: Note, chat: Chat, name: str) -> dict[str, Any]:
    """A note as a reader would name its parts."""
    return {"chat": chat.uid, "at": note.created_at.isoformat(), "by": name, "text": note.text}


class TranscriptRequests:
    """Where a transcript is to be sent and has not been yet."""

    name = "transcript_requests"
    columns = frozenset({"chats.TranscriptRequest.email", "chats.TranscriptRequest.zone"})
    is_internal = False

    def count(self, person: Person) -> int:
        return self._of(person).exclude(email="", zone="").count()

    def export(self, person: Person) -> list[dict[str, Any]]:
        return [
            {
                "chat": each.chat.uid,
                "at": each.created_at.isoformat(),
                "email": each.email,
                "clock": each.zone,
            }
            for each in self._of(person).select_related("chat").order_by("created_at", "id")
        ]

    def erase(self, person: Person) -> int:
        return self._of(person).exclude(email="", zone="").update(email="", zone="")

    def visitors(self, person: Person) -> Iterable[int]:
        """Of the chats whose transcript is to go to one of their addresses, too."""
        return set(self._of(person).values_list("chat__visitor_id", flat=True))

    def _of(self, person: Person) -> QuerySet[TranscriptRequest]:
        mine = TranscriptRequest.objects.filter(account_id=person.account_id)
        to = Q()
        for email in person.emails:
            to |= Q(email__iexact=email)
        return mine.filter(Q(chat__in=_chats(person)) | to) if to else mine.filter(chat__in=_chats(person))
