"""How far each side has received and read, and who is typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connection, transaction

from chatlead.realtime import topics
from chatlead.realtime.events import MarksChanged, TypingChanged
from chatlead.realtime.publish import publish
from chats.actions import telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatlead.realtime.hub import Member
    from chatlead.realtime.shapes import Side
    from chats.selectors import Handle


class Progress(NamedTuple):
    """How far one side says it has come. Its right: a visitor's session, or the operator whose chat it is."""

    chat_id: int
    side: Side
    delivered: int
    read: int
    session_key: str = ""
    operator_id: int = 0


# bounded by the log and by what was there, so that marks only grow; a row that changes nothing is left out
_STATEMENT = """
UPDATE chats_chat SET {side}_delivered = {largest}({side}_delivered, {least}(%s, last_seq)),
    {side}_read = {largest}({side}_read, {least}(%s, last_seq))
WHERE id = %s AND {right} = %s
    AND ({side}_delivered < {least}(%s, last_seq) OR {side}_read < {least}(%s, last_seq))
RETURNING uid, {side}_delivered, {side}_read, state, department_id, operator_id, session_key
"""


def set_marks(marks: Sequence[Progress]) -> None:
    """Write many marks in one transaction and tell both sides of those that grew.

    Marks beyond the end of the log count up to the end; those of somebody without the right count nothing.
    """
    functions = ("max", "min") if connection.vendor == "sqlite" else ("greatest", "least")
    # in the order of ids, as the journal locks them
    with transaction.atomic(), connection.cursor() as cursor:
        for mark in sorted(marks):
            mine: tuple[str, str | int] = ("session_key", mark.session_key)
            if mark.side == "operator":
                mine = ("operator_id", mark.operator_id)
            statement = _STATEMENT.format(
                side=mark.side, right=mine[0], largest=functions[0], least=functions[1]
            )
            delivered = max(mark.delivered, mark.read)
            values = (delivered, mark.read, mark.chat_id, mine[1], delivered, mark.read)
            cursor.execute(statement, values)
            row = cursor.fetchone()
            if row is not None:
                _tell(mark.side, *row)


def _tell(
    side: Side,
    uid: str,
    delivered: int,
    read: int,
    state: str,
    department_id: int,
    operator_id: int | None,
    session_key: str,
) -> None:
    event = MarksChanged(chat=uid, side=side, delivered=delivered, read=read)
    publish(event, topics.session(session_key), *telling.staff_of(state, department_id, operator_id))


def set_typing(*, uid: str, handle: Handle, side: Side, on: bool, skip: Member) -> None:
    """Tell the other side. Nothing is stored, and there is no text in it (B2-14)."""
    event = TypingChanged(chat=uid, side=side, on=on)
    if side == "operator":
        publish(event, topics.session(handle.session_key), skip=skip)
        return
    listeners = telling.staff_of(handle.state, handle.department_id, handle.operator_id)
    if listeners:
        publish(event, *listeners, skip=skip)
