"""Whether a visitor's page is open, as operators are told: a state of the chat, and no row of it (V-14)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chatlead.realtime.events import PresenceChanged
from chatlead.realtime.publish import publish
from chats import rows, selectors
from chats.actions import telling
from chats.models import Chat

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from visitors.sessions import VisitorPrincipal

Presence = Chat.Presence


def leave_page(*, principal: VisitorPrincipal) -> None:
    """The last page of this session is being closed, as its browser says. Its chat stays open."""
    mine = Q(session_key=principal.session_key, account_id=principal.account_id)
    _become(mine & ~Q(visitor_presence=Presence.LEFT), Presence.LEFT, telling.now())


def note_visitors(session_keys: Collection[str], *, heard_ago: float = 0.0) -> None:
    """The pages of these sessions gave a sign of life `heard_ago` seconds ago (R-121).

    A chat whose row is being written to just now is left for the next time.
    """
    at = telling.now() - timedelta(seconds=heard_ago)
    theirs = Q(session_key__in=list(session_keys))
    _become(theirs & ~Q(visitor_presence=Presence.HERE) & came_after(at), Presence.HERE, at)
    open_ones = Chat.objects.filter(
        theirs, state__in=selectors.OPEN, visitor_seen_at__lt=at - _worth_a_write()
    )
    if open_ones.exists():
        with transaction.atomic():
            free = open_ones.select_for_update(of=("self",), skip_locked=True, no_key=True)
            kept = list(free.order_by("id").values_list("pk", flat=True))
            Chat.objects.filter(pk__in=kept, visitor_seen_at__lt=at).update(visitor_seen_at=at)


def is_to_be_noted(chat: Chat) -> bool:
    """Whether `note_visitors` would write anything of a chat that was read in this moment: who comes in asks
    no more questions than that."""
    if chat.state not in selectors.OPEN:
        return False
    at = telling.now()
    if chat.visitor_seen_at < at - _worth_a_write():
        return True
    gone_at = chat.visitor_gone_at
    return chat.visitor_presence != Presence.HERE and (gone_at is None or gone_at < at)


def _worth_a_write() -> timedelta:
    """Not every sign of life is written down."""
    return timedelta(seconds=settings.VISITOR_SECONDS / 7)


def lose_visitors(now: datetime | None = None) -> int:
    """Of whom nothing was heard for VISITOR_SECONDS as of `now` has lost the connection. Returns how many
    were noticed.

    Only for whoever holds the watch (`accounts.actions.keep_watch`).
    """
    silent = Q(visitor_seen_at__lt=(now or timezone.now()) - timedelta(seconds=settings.VISITOR_SECONDS))
    here = Q(visitor_presence=Presence.HERE) & ~selectors.WITHOUT_BROWSER
    return _become(silent & here, Presence.LOST, None)


def come_back_from_the_future(now: datetime) -> None:
    """The clock was set back: nobody was seen, nor left, only later. A sign of life given now would count as
    one from before she left, for as long as the clock was set back by."""
    later = now + timedelta(seconds=settings.LEASE_SECONDS)
    ahead = Q(visitor_seen_at__gt=later) | Q(visitor_gone_at__gt=later)
    wrong = Chat.objects.filter(ahead, state__in=selectors.OPEN)
    if not wrong.exists():
        return
    with transaction.atomic():
        free = wrong.select_for_update(of=("self",), skip_locked=True, no_key=True)
        kept = Chat.objects.filter(pk__in=list(free.order_by("id").values_list("pk", flat=True)))
        kept.filter(visitor_seen_at__gt=later).update(visitor_seen_at=now)
        kept.filter(visitor_gone_at__gt=later).update(visitor_gone_at=now)


def came_after(at: datetime) -> Q:
    """What was heard before she left says nothing of now."""
    return Q(visitor_gone_at=None) | Q(visitor_gone_at__lt=at)


def _become(which: Q, presence: str, at: datetime | None) -> int:
    """Open chats change their visitor's presence, and their operators hear of it. `at` None: since the last
    sign of life. Returns how many."""
    found = Chat.objects.filter(which, state__in=selectors.OPEN)
    if not found.exists():
        return 0
    with transaction.atomic():
        chats = list(found.select_for_update(of=("self",), no_key=True).order_by("id"))
        for chat in chats:
            since = at or chat.visitor_seen_at
            gone_at = None if presence == Presence.HERE else since
            Chat.objects.filter(pk=chat.pk).update(visitor_presence=presence, visitor_gone_at=gone_at)
            listeners = telling.staff_of(chat.state, chat.department_id, chat.operator_id)
            event = PresenceChanged(chat=chat.uid, presence=presence, at=rows.in_ms(since))  # type: ignore[arg-type]
            publish(event, *listeners)
    return len(chats)
