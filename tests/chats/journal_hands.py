"""How the journal's tests write: who says what, and through which door."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Operator
from chatlead.errors import ChatLeadError
from chats import journal
from chats.journal import Entry, Outcome
from chats.models import Chat, Message, Note
from tests.identifiers import new_ref

Door = Literal["append", "submit"]
Result = Outcome | ChatLeadError


def ref(value: object = None) -> UUID:
    return UUID(str(value or new_ref()))


def by_visitor(chat: Chat, text: str = "", **changed: Any) -> Entry:
    """What the visitor of this chat sends."""
    facts: dict[str, Any] = {
        "chat_id": chat.pk,
        "account_id": chat.account_id,
        "author": "visitor",
        "session_key": chat.session_key,
        "ref": ref(),
        "kind": "text",
        "text": text,
    }
    return Entry(**facts | changed)


def by_operator(chat: Chat, operator: Operator, text: str = "", **changed: Any) -> Entry:
    """What an operator sends, with the rights they had when `operator` was read."""
    facts: dict[str, Any] = {
        "chat_id": chat.pk,
        "account_id": chat.account_id,
        "author": "operator",
        "author_id": operator.pk,
        "rights_epoch": operator.rights_epoch,
        "author_uid": operator.uid,
        "name": operator.name,
        "ref": ref(),
        "kind": "text",
        "text": text,
    }
    return Entry(**facts | changed)


def by_system(chat: Chat, kind: str, **facts: Any) -> Entry:
    return Entry(
        chat_id=chat.pk,
        account_id=chat.account_id,
        author="system",
        ref=ref(),
        kind=kind,  # type: ignore[arg-type]
        facts=facts,
    )


async def submitted(entries: Sequence[Entry]) -> list[Result]:
    """Sent in one turn of the loop, as by many sockets at once; the answers in the same order."""
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[Result]] = []
    for entry in entries:
        answer: asyncio.Future[Result] = loop.create_future()
        answers.append(answer)
        journal.submit(entry, answer.set_result)
    return list(await asyncio.wait_for(asyncio.gather(*answers), 60))


def through(door: Door, *entries: Entry) -> list[Any]:
    """Outcomes, or what a socket would be told instead."""
    if door == "submit":
        return asyncio.run(submitted(entries))
    with transaction.atomic():
        return list(journal.append(entries))


def one(door: Door, entry: Entry) -> Outcome:
    (outcome,) = through(door, entry)
    assert isinstance(outcome, Outcome)
    return outcome


def statuses(results: Sequence[Result]) -> list[str]:
    return [result.status if isinstance(result, Outcome) else result.code for result in results]


def texts(chat: Chat) -> list[str]:
    return list(Message.objects.filter(chat=chat).order_by("seq").values_list("text", flat=True))


def check_gapless(chat: Chat) -> int:
    """Both logs of the chat are 1..n, as the chat says; the number of rows of the public log.

    Rows and count are read in one statement: somebody may be writing.
    """
    rows = list(Message.objects.filter(chat=chat).order_by("seq").values_list("seq", "chat__last_seq"))
    assert [seq for seq, _ in rows] == list(range(1, rows[0][1] + 1))
    notes = Note.objects.filter(chat=chat).order_by("staff_seq")
    staff = list(notes.values_list("staff_seq", "chat__last_staff_seq"))
    assert [seq for seq, _ in staff] == list(range(1, staff[0][1] + 1 if staff else 1))
    chat.refresh_from_db()
    return len(rows)


def end(chat: Chat, state: str = "closed") -> None:
    Chat.objects.filter(pk=chat.pk).update(state=state, closed_at=timezone.now())
