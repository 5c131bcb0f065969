"""Chats of an operator who is not there any more go back to the line: active -> waiting (V-14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.db import transaction

from accounts import presence
from chatlead.realtime import topics
from chats import journal
from chats.actions import telling
from chats.models import Chat

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Operator

State = Chat.State


def return_lost_chats(now: datetime | None = None) -> int:
    """Gives back the chats of those of whom nothing was heard for RETURN_SECONDS as of `now`; returns how
    many.

    An operator who comes back in this moment keeps them all or finds them all in the line.
    """
    lost = presence.lost_operators(now).order_by("id").values("pk")
    waiting_for = Chat.objects.filter(state=State.ACTIVE, operator__in=lost).order_by("operator_id")
    count = 0
    for operator_id in list(waiting_for.values_list("operator_id", flat=True).distinct()):
        with transaction.atomic():
            operator = presence.hold_if_lost(operator_id, now)  # 1. the operator, 2. the chats, as everywhere
            if operator is not None:
                count += return_chats(operator=operator, reason="lost")
    return count


def return_chats(
    *,
    operator: Operator,
    reason: Literal["lost", "withdrawn"],
    department_ids: frozenset[int] | None = None,
) -> int:
    """All active chats of an operator, or those of some departments, wait where they waited before.

    Inside the caller's transaction. Each is a row of the public log, so the visitor sees it; it is listed
    anew to its department, and its place in line is that of its first wait. Returns how many.
    """
    theirs = Chat.objects.filter(operator=operator, state=State.ACTIVE)
    if department_ids is not None:
        theirs = theirs.filter(department_id__in=department_ids)
    # the locks in the order of ids, as the journal takes them
    chats = list(theirs.select_for_update(of=("self",), no_key=True).order_by("id"))
    for chat in chats:
        left = Chat.objects.filter(pk=chat.pk, state=State.ACTIVE, operator=operator)
        left.update(state=State.WAITING, operator=None, returned_from=operator)
        facts = {"operator": operator.uid, "name": operator.name, "reason": reason}
        row = telling.row_of(chat, "returned", facts)
        [outcome] = journal.append([row], also=[topics.operator(operator.pk)])
        Chat.objects.filter(pk=chat.pk).update(returned_at=telling.moment(outcome.at))
        telling.list_later(chat)
    for department_id in sorted({chat.department_id for chat in chats}):
        telling.move_line_later(department_id)
    return len(chats)
