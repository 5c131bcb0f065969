"""Chats that have ended, as they are some time after."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import Department
from accounts.selectors import OperatorPrincipal
from chats import actions, journal
from chats.actions import accept_chat, end_chat
from chats.models import Chat, Message
from tests.conftest import make_chat
from tests.identifiers import new_ref
from visitors.sessions import VisitorPrincipal

CANARY = "I slipped on a wet floor"
ANSWERS = [{"name": "name", "label": "Your name", "value": "Vera Winter"}]


class Ended(NamedTuple):
    """A chat that is over."""

    chat: Chat

    def again(self) -> Chat:
        """As it is now, with site and department."""
        return Chat.objects.select_related("site", "department", "account").get(pk=self.chat.pk)


def talk(
    principal: VisitorPrincipal,
    department: Department,
    at_desk: OperatorPrincipal,
    *texts: str,
    hours: float = 1,
) -> Ended:
    """A chat that was accepted (row 2), with these texts from row 3 on, the last by the operator, a note, and
    an end that was so many hours ago."""
    chat = make_chat(principal, department, answers=ANSWERS)
    accept_chat(principal=at_desk, uid=chat.uid)
    whose: dict[str, Any] = {"chat_id": chat.pk, "account_id": chat.account_id}
    visitor: dict[str, Any] = {"author": "visitor", "session_key": principal.session_key}
    operator: dict[str, Any] = {
        "author": "operator", "author_id": at_desk.operator_id, "rights_epoch": at_desk.rights_epoch,
        "name": at_desk.name, "author_uid": at_desk.operator_uid,
    }  # fmt: skip
    entries = [
        journal.Entry(**whose, **visitor, ref=new_ref(), kind="text", text=text) for text in texts[:-1]
    ]
    entries += [
        journal.Entry(**whose, **operator, ref=new_ref(), kind="text", text=text) for text in texts[-1:]
    ]
    entries.append(journal.Entry(**whose, **operator, ref=new_ref(), kind="note", text="a witness is named"))
    with transaction.atomic():
        outcomes = journal.append(entries)
    assert {each.status for each in outcomes} == {"stored"}
    end_chat(principal=principal, uid=chat.uid)
    before = timezone.now() - timedelta(hours=hours)
    Chat.objects.filter(pk=chat.pk).update(started_at=before, closed_at=before)
    chat.refresh_from_db()
    return Ended(chat)


def say(chat: Chat, kind: Any, **more: Any) -> Message:
    """One more row of the system's in a chat, even in one that is over."""
    with transaction.atomic():
        journal.append(
            [
                journal.Entry(
                    chat_id=chat.pk,
                    account_id=chat.account_id,
                    author="system",
                    ref=new_ref(),
                    kind=kind,
                    **more,
                )
            ]
        )
    return Message.objects.filter(chat=chat).order_by("-seq")[0]


def archived(old: Ended) -> Chat:
    assert actions.archive_chat(old.chat.pk)
    return old.again()


def files_in(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*.age"))


def in_database(chat: Chat) -> bool:
    there = Message.objects.filter(chat=chat).count(), chat.archived_at is None
    assert there in ((6, True), (0, False)), "half of it"
    return there[1]
