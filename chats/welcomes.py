"""Coming in: the snapshot, and that those whom it concerns learn who is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.actions import renew_leases
from chatlead.realtime import pool
from chats import actions, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.selectors import OperatorPrincipal
    from chatlead.errors import ChatLeadError, NotFound
    from chatlead.realtime.replies import OperatorWelcome, PageWelcome, Reply, VisitorWelcome
    from visitors.sessions import VisitorPrincipal


def welcome_visitor(principal: VisitorPrincipal) -> Reply:
    """The snapshot for the loader, or for the frame, of whose chat the operators learn that she is there."""
    return pool.alone(welcome_visitors([principal]))


def welcome_visitors(
    principals: Sequence[VisitorPrincipal],
) -> list[PageWelcome | VisitorWelcome | NotFound]:
    """The same for many at once, in their order."""
    inside = [each for each in principals if each.role != "page"]
    chats = snapshot.current_chats(inside)
    silent = [key for key, chat in chats.items() if actions.is_to_be_noted(chat)]
    if silent:
        actions.note_visitors(silent)
    pages = iter(snapshot.page_welcomes([each for each in principals if each.role == "page"]))
    frames = iter(snapshot.visitor_welcomes(inside, chats))
    return [next(pages) if each.role == "page" else next(frames) for each in principals]


def welcome_operator(principal: OperatorPrincipal) -> OperatorWelcome:
    """The snapshot for a console, of which the team learns that it is there."""
    return pool.alone(welcome_operators([principal]))


def welcome_operators(
    principals: Sequence[OperatorPrincipal],
) -> list[OperatorWelcome | ChatLeadError]:
    """The same for many at once."""
    renew_leases(sorted({each.operator_id for each in principals}))
    return snapshot.operator_welcomes(principals)
