"""What one person is shown, as the product shows it to many at once; nobody learns that they came."""

from __future__ import annotations

from accounts.selectors import OperatorPrincipal
from chatlead.realtime import pool
from chatlead.realtime.replies import OperatorWelcome, VisitorWelcome
from chats import snapshot
from visitors.sessions import VisitorPrincipal


def frame_of_one(principal: VisitorPrincipal) -> VisitorWelcome:
    """The snapshot of a chat frame."""
    return pool.alone(snapshot.visitor_welcomes([principal], snapshot.current_chats([principal])))


def console_of_one(principal: OperatorPrincipal) -> OperatorWelcome:
    """The snapshot of a console."""
    return pool.alone(snapshot.operator_welcomes([principal]))
