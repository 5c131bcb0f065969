"""An open chat is accepted, handed on, or ends: waiting -> active -> closed, or waiting -> missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import presence
from accounts import selectors as accounts
from accounts.selectors import OperatorPrincipal
from chatlead.errors import BadField, ChatAlreadyTaken, ChatClosed, NotFound
from chatlead.realtime import topics
from chats import journal, selectors
from chats.actions import telling
from chats.models import Chat
from chats.signals import chat_closed

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import Department, Operator
    from chatlead.realtime.topics import Topic
    from chats.selectors import Principal

State = Chat.State
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def accept_chat(*, principal: OperatorPrincipal, uid: str) -> None:
    """A chat that waits in one of the operator's departments becomes theirs; again: nothing happens.

    Of two at once one wins. Raises ChatAlreadyTaken, ChatClosed, NotFound.
    """
    chat = _waiting_or_taken(principal, uid)
    if chat.operator_id == principal.operator_id and chat.state == State.ACTIVE:
        return
    if chat.state != State.WAITING:
        raise _too_late(chat)
    with transaction.atomic():
        waiting = Chat.objects.filter(pk=chat.pk, state=State.WAITING, department_id=chat.department_id)
        won = waiting.update(state=State.ACTIVE, operator_id=principal.operator_id)
        if not won:
            chat.refresh_from_db(fields=["state"])
            raise _too_late(chat)
        facts = _face("picture", principal.operator_id)
        row = telling.row_of(chat, "accepted", facts, principal)
        [outcome] = journal.append([row], also=[topics.operators_of(chat.department_id)])
        _accepted_at(chat, outcome)
        telling.move_line_later(chat.department_id)


def _waiting_or_taken(principal: OperatorPrincipal, uid: str) -> Chat:
    """The chat, also where a colleague of the department has it by now: the loser may know that he lost."""
    near = Q(department_id__in=principal.department_ids) | Q(operator_id=principal.operator_id)
    chat = Chat.objects.filter(
        near, selectors.still_rightful(principal), account_id=principal.account_id, uid=uid
    ).first()
    if chat is None:
        raise NotFound
    return chat


def _too_late(chat: Chat) -> ChatAlreadyTaken | ChatClosed:
    return ChatAlreadyTaken() if chat.state in selectors.OPEN else ChatClosed()


def transfer_chat(
    *, principal: OperatorPrincipal, uid: str, department: str = "", operator: str = ""
) -> None:
    """To a department, where it waits, or to a colleague, with whom it is active at once.

    Who may: whose chat it is, members of its department while it waits, supervisors of the department.
    Told to everybody who could see it before and who can after. Raises BadField unless exactly one
    target is named, NotFound for a chat or target that is not there, ChatClosed.
    """
    if bool(department) == bool(operator):
        raise BadField("Name a department or an operator.", field="department")
    with transaction.atomic():
        chat = selectors.access_chat(principal, uid, lock=True)
        if chat.state not in selectors.OPEN:
            raise ChatClosed
        if department:
            to = accounts.access_department(principal.account_id, department)
            if chat.state == State.WAITING and chat.department_id == to.pk:
                return
            _hand_over(principal, chat, to, None)
        else:
            colleague = accounts.access_operator(principal.account_id, operator)
            if chat.operator_id == colleague.pk:
                return
            _hand_over(principal, chat, chat.department, colleague)


def _hand_over(
    principal: OperatorPrincipal, chat: Chat, department: Department, colleague: Operator | None
) -> None:
    before = _staff(chat)
    was_waiting_in = chat.department_id if chat.state == State.WAITING else None
    state = State.ACTIVE if colleague else State.WAITING
    Chat.objects.filter(pk=chat.pk, state=chat.state).update(
        state=state, department=department, operator=colleague
    )
    facts = {
        "department": department.name,
        "department_uid": department.uid,
        "to_operator": colleague.uid if colleague else "",
        "to_name": colleague.name if colleague else "",
        "state": str(state),
    }
    if colleague:
        facts |= _face("to_picture", colleague.pk)
    [outcome] = journal.append([telling.row_of(chat, "transferred", facts, principal)], also=before)
    if colleague:
        _accepted_at(chat, outcome)
    telling.list_later(chat)
    if was_waiting_in:
        telling.move_line_later(was_waiting_in)
    if colleague is None:
        telling.move_line_later(department.pk)


def _face(name: str, operator_id: int) -> dict[str, str]:
    """What a row says of the picture of whoever answers from now on."""
    uid = accounts.picture_of(operator_id)
    return {name: uid} if uid else {}


def end_chat(*, principal: Principal, uid: str) -> None:
    """Either side ends it; one that nobody had accepted is missed. Ending an ended chat changes nothing.

    Raises NotFound.
    """
    with transaction.atomic():
        chat = selectors.access_chat(principal, uid, lock=True)
        if chat.state in selectors.OPEN:
            is_staff = isinstance(principal, OperatorPrincipal)
            left = not is_staff and chat.state == State.WAITING
            close(chat, "left" if left else "ended", principal)


def close_idle() -> int:
    """Ends the chats that nobody is in any more; returns how many.

    One whose visitor gave no sign for ABANDONED_MINUTES while it waited, or for CHAT_GRACE_MINUTES while it
    was active (R-121), and one in which nobody wrote for IDLE_MINUTES. Time in which nobody could give a
    sign, because nothing of ours was running or the clock leapt over it, does not count.
    """
    now = timezone.now()
    if not presence.is_watched(now):
        return 0
    watched = presence.watched_since()

    def before(minutes: float) -> datetime:
        moment = now - timedelta(minutes=minutes)
        return moment if watched is None or watched <= moment else NEVER

    away = Q(state=State.WAITING, visitor_seen_at__lt=before(settings.ABANDONED_MINUTES))
    away |= Q(state=State.ACTIVE, visitor_seen_at__lt=before(settings.CHAT_GRACE_MINUTES))
    away &= ~selectors.WITHOUT_BROWSER  # only that nobody writes ends a chat by text message
    over = away | Q(last_message_at__lt=before(settings.IDLE_MINUTES))
    idle = Chat.objects.filter(over, state__in=selectors.OPEN)
    closed = 0
    for pk in list(idle.order_by("id").values_list("pk", flat=True)):
        with transaction.atomic():
            # looked at again under the lock: the visitor may have come back in this moment
            locked = Chat.objects.select_for_update(of=("self",), no_key=True)
            chat = locked.filter(over, pk=pk, state__in=selectors.OPEN).first()
            if chat is not None:
                close(chat, "abandoned" if chat.state == State.WAITING else "idle", None)
                closed += 1
    return closed


def close(chat: Chat, reason: str, by: Principal | None, ref: UUID | None = None) -> None:
    """Ends an open chat whose row the caller's transaction holds."""
    waited_in = chat.department_id if chat.state == State.WAITING else None
    state = State.MISSED if waited_in else State.CLOSED
    Chat.objects.filter(pk=chat.pk, state=chat.state).update(state=state)
    facts = {"state": str(state), "reason": reason}
    [outcome] = journal.append([telling.row_of(chat, "closed", facts, by, ref)])
    # the time of the row is the time of the end, so that the event and a snapshot agree
    Chat.objects.filter(pk=chat.pk).update(closed_at=telling.moment(outcome.at))
    if waited_in:
        telling.list_later(chat)
        telling.move_line_later(waited_in)
    chat_closed.send(sender=Chat, chat=chat, state=str(state), at=telling.moment(outcome.at))


def _accepted_at(chat: Chat, outcome: journal.Outcome) -> None:
    """The first time that somebody took the chat: that of the row, so that event and snapshot agree."""
    Chat.objects.filter(pk=chat.pk, accepted_at=None).update(accepted_at=telling.moment(outcome.at))


def _staff(chat: Chat) -> tuple[Topic, ...]:
    return telling.staff_of(chat.state, chat.department_id, chat.operator_id)
