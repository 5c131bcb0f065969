"""A chat as a text to read: who said what and when, in a language and on a clock. Notes are no part of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from django.utils import formats, timezone, translation

from accounts.models import Operator
from chats import selectors
from chats.models import Chat, Message


class Said(NamedTuple):
    """One message. `text` is "" where it was deleted; `is_own` is the visitor's."""

    at: str
    name: str
    text: str
    note: str
    is_own: bool


class Day(NamedTuple):
    """What was said on one day of the reader's."""

    name: str
    said: list[Said]


def days(chat: Chat, words: Mapping[str, str], language: str, zone: tzinfo) -> list[Day]:
    """The messages of this chat and of no other, in their order, under the days on which they were written.

    `words` are the `mail` of frontend/src/words/. Edited texts are as they are now.
    Raises ArchiveUnavailable, ArchiveDamaged.
    """
    rows = selectors.texts_of(chat)
    staff = {row.author_id for row in rows if row.author == Message.Author.OPERATOR}
    names = dict(Operator.objects.filter(pk__in=staff, account_id=chat.account_id).values_list("pk", "name"))
    found: list[Day] = []
    last: date | None = None
    with translation.override(language):
        for row in rows:
            moment = timezone.localtime(row.created_at, zone)
            if moment.date() != last:
                last = moment.date()
                found.append(Day(_day(moment), []))
            is_own = row.author == Message.Author.VISITOR
            name = words["you"] if is_own else names.get(row.author_id, "") or words["operator"]
            note = {"edited": words["edited"], "deleted": words["deleted"]}.get(row.text_state, "")
            found[-1].said.append(Said(formats.time_format(moment), name, row.text, note, is_own))
    return found


def day_of(moment: datetime, language: str, zone: tzinfo) -> str:
    """The day of a moment, as the reader names it."""
    with translation.override(language):
        return _day(timezone.localtime(moment, zone))


def _day(moment: datetime) -> str:
    return formats.date_format(moment, "DATE_FORMAT")
