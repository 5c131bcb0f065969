"""Operators accept chats, hand them on, and either side ends them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.actions import set_departments, set_operator_picture, suspend_operator
from accounts.models import Department, Operator, Picture
from chatlead.errors import BadField, ChatAlreadyTaken, ChatClosed, NotFound
from chatlead.realtime.events import ChatAccepted, ChatTransferred
from chats import snapshot
from chats.actions import accept_chat, close_idle, end_chat, transfer_chat
from chats.models import Chat, Message
from chats.rows import in_ms
from tests.at_once import at_once
from tests.conftest import make_chat, visitor_on
from tests.images import a_png
from tests.snapshots import frame_of_one
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

PrincipalOf = Callable[[Operator], object]


def kinds(chat: Chat) -> list[str]:
    return list(Message.objects.filter(chat=chat).order_by("seq").values_list("kind", flat=True))


def last_row(chat: Chat) -> Message:
    return Message.objects.filter(chat=chat).latest("seq")


# --- accept ---------------------------------------------------------------------------------------------


def test_olga_accepts(chat: Chat, olga: Operator, principal_of) -> None:
    """R-005: a row says who; the time of the row is the time of the chat."""
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    chat.refresh_from_db()
    row = last_row(chat)
    assert (chat.state, chat.operator, chat.accepted_at) == ("active", olga, row.created_at)
    assert (row.seq, row.kind, row.author_id) == (2, "accepted", olga.pk)


def test_accepting_twice_is_accepting_once(chat: Chat, olga: Operator, principal_of) -> None:
    for _ in range(2):
        accept_chat(principal=principal_of(olga), uid=chat.uid)
    assert kinds(chat) == ["opened", "accepted"]


def test_who_comes_second_is_told(chat: Chat, olga: Operator, nina: Operator, principal_of) -> None:
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    with pytest.raises(ChatAlreadyTaken):
        accept_chat(principal=principal_of(nina), uid=chat.uid)


def test_an_ended_chat_cannot_be_accepted(
    chat: Chat, olga: Operator, vera: VisitorPrincipal, principal_of
) -> None:
    end_chat(principal=vera, uid=chat.uid)
    with pytest.raises(ChatClosed):
        accept_chat(principal=principal_of(olga), uid=chat.uid)


@pytest.mark.parametrize("_again", range(5))
def test_two_accept_at_once_and_one_wins(
    _again: int, chat: Chat, olga: Operator, nina: Operator, principal_of
) -> None:
    """B: decided in the database, really in parallel."""

    def accept(principal) -> str:
        try:
            accept_chat(principal=principal, uid=chat.uid)
        except ChatAlreadyTaken as error:
            return error.code
        return "mine"

    people = [principal_of(each) for each in (olga, nina)]
    found = at_once(*[partial(accept, each) for each in people])
    results = {each.name: result for each, result in zip((olga, nina), found, strict=True)}
    assert sorted(results.values()) == ["chat_already_taken", "mine"]
    chat.refresh_from_db()
    assert chat.operator is not None and results[chat.operator.name] == "mine"
    assert kinds(chat) == ["opened", "accepted"]


def test_only_the_department_accepts(
    chat: Chat, sam: Operator, owen: Operator, eve: Operator, principal_of
) -> None:
    """R-112: for everybody else the chat is not there."""
    for stranger in (sam, owen, eve):
        for uid in (chat.uid, "no-such-chat-000000001"):
            with pytest.raises(NotFound):
                accept_chat(principal=principal_of(stranger), uid=uid)
    assert kinds(chat) == ["opened"]


@pytest.mark.parametrize("loss", ["suspended", "moved"])
def test_rights_that_were_lost_are_lost_at_once(chat: Chat, olga: Operator, principal_of, loss: str) -> None:
    """V-14: the socket still believes in them; the database does not."""
    before = principal_of(olga)
    if loss == "suspended":
        suspend_operator(account_id=olga.account_id, operator_id=olga.pk)
    else:
        set_departments(account_id=olga.account_id, operator_id=olga.pk, department_uids=[])
    for act in (accept_chat, end_chat):
        with pytest.raises(NotFound):
            act(principal=before, uid=chat.uid)
    assert kinds(chat) == ["opened"]


# --- transfer ---------------------------------------------------------------------------------------------


def test_to_a_colleague(active_chat: Chat, olga: Operator, sam: Operator, principal_of) -> None:
    """R-005: active at once, whatever his departments."""
    accepted_at = active_chat.accepted_at
    transfer_chat(principal=principal_of(olga), uid=active_chat.uid, operator=sam.uid)
    active_chat.refresh_from_db()
    assert (active_chat.state, active_chat.operator, active_chat.accepted_at) == ("active", sam, accepted_at)
    facts = last_row(active_chat).facts
    assert facts is not None and (facts["to_name"], facts["department"]) == ("Sam", "Intake")


def test_vera_is_told_whose_picture_to_show(chat: Chat, olga: Operator, sam: Operator, principal_of) -> None:
    """Issue 4 A: as it was then, with who accepts and with who takes over; nothing of it without one."""
    for each, side in ((olga, 48), (sam, 64)):
        set_operator_picture(account_id=each.account_id, operator_id=each.pk, png=a_png(side))
    uids = [Picture.objects.get(operator=each).uid for each in (olga, sam)]
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    transfer_chat(principal=principal_of(olga), uid=chat.uid, operator=sam.uid)
    set_operator_picture(account_id=olga.account_id, operator_id=olga.pk, png=None)
    transfer_chat(principal=principal_of(sam), uid=chat.uid, operator=olga.uid)
    view = snapshot.visitor_view(Chat.objects.select_related("department", "operator").get(pk=chat.pk))
    shown = [
        row.picture if isinstance(row, ChatAccepted) else row.to_picture
        for row in view.log
        if isinstance(row, ChatAccepted | ChatTransferred)
    ]
    assert shown == [*uids, ""]


def test_to_a_department_it_waits_there(
    active_chat: Chat, olga: Operator, billing: Department, principal_of
) -> None:
    transfer_chat(principal=principal_of(olga), uid=active_chat.uid, department=billing.uid)
    active_chat.refresh_from_db()
    assert (active_chat.state, active_chat.operator, active_chat.department) == ("waiting", None, billing)
    with pytest.raises(NotFound):  # it is not hers any more
        end_chat(principal=principal_of(olga), uid=active_chat.uid)


def test_giving_it_to_who_has_it_changes_nothing(
    active_chat: Chat, chat: Chat, olga: Operator, principal_of
) -> None:
    transfer_chat(principal=principal_of(olga), uid=active_chat.uid, operator=olga.uid)
    assert kinds(active_chat) == ["opened", "accepted"]


def test_exactly_one_goal(
    active_chat: Chat, olga: Operator, sam: Operator, billing: Department, principal_of
) -> None:
    for goals in ({}, {"operator": sam.uid, "department": billing.uid}):
        with pytest.raises(BadField):
            transfer_chat(principal=principal_of(olga), uid=active_chat.uid, **goals)


def test_nobody_is_given_to_strangers(
    active_chat: Chat, olga: Operator, eve: Operator, rival_sales: Department, principal_of
) -> None:
    """P-13, R-112: a goal of another account is no goal, and is not there."""
    for goal in ({"operator": eve.uid}, {"department": rival_sales.uid}):
        with pytest.raises(NotFound):
            transfer_chat(principal=principal_of(olga), uid=active_chat.uid, **goal)
    assert kinds(active_chat) == ["opened", "accepted"]


def test_who_may_not_see_it_does_not_hand_it_on(
    active_chat: Chat, sam: Operator, eve: Operator, principal_of
) -> None:
    for stranger in (sam, eve):
        with pytest.raises(NotFound):
            transfer_chat(principal=principal_of(stranger), uid=active_chat.uid, operator=sam.uid)


def test_a_supervisor_takes_over(active_chat: Chat, nina: Operator, principal_of) -> None:
    transfer_chat(principal=principal_of(nina), uid=active_chat.uid, operator=nina.uid)
    active_chat.refresh_from_db()
    assert active_chat.operator == nina


def test_an_ended_chat_stays_where_it_is(
    active_chat: Chat, olga: Operator, sam: Operator, principal_of
) -> None:
    end_chat(principal=principal_of(olga), uid=active_chat.uid)
    with pytest.raises(ChatClosed):
        transfer_chat(principal=principal_of(olga), uid=active_chat.uid, operator=sam.uid)


# --- the end ------------------------------------------------------------------------------------------------


def test_either_side_ends_it_once(
    active_chat: Chat, olga: Operator, vera: VisitorPrincipal, principal_of
) -> None:
    end_chat(principal=vera, uid=active_chat.uid)
    end_chat(principal=vera, uid=active_chat.uid)
    end_chat(principal=principal_of(olga), uid=active_chat.uid)
    active_chat.refresh_from_db()
    row = last_row(active_chat)
    assert (active_chat.state, active_chat.closed_at) == ("closed", row.created_at)
    assert kinds(active_chat) == ["opened", "accepted", "closed"]
    assert row.facts == {"state": "closed", "reason": "ended"} and row.author == "visitor"


def test_a_visitor_who_leaves_the_line_was_missed(chat: Chat, vera: VisitorPrincipal) -> None:
    end_chat(principal=vera, uid=chat.uid)
    chat.refresh_from_db()
    assert chat.state == "missed"
    assert last_row(chat).facts == {"state": "missed", "reason": "left"}


def test_an_operator_ends_what_waits(chat: Chat, olga: Operator, principal_of) -> None:
    end_chat(principal=principal_of(olga), uid=chat.uid)
    facts = last_row(chat).facts
    assert facts is not None and (facts["state"], facts["reason"]) == ("missed", "ended")


def test_nobody_else_ends_it(active_chat: Chat, site, sam: Operator, eve: Operator, principal_of) -> None:
    """R-112."""
    for stranger in (visitor_on(site), principal_of(sam), principal_of(eve)):
        with pytest.raises(NotFound):
            end_chat(principal=stranger, uid=active_chat.uid)
    active_chat.refresh_from_db()
    assert active_chat.state == "active"


def test_a_visitor_who_stays_away_for_the_grace_time_has_left(
    active_chat: Chat, site, intake: Department
) -> None:
    """R-121: not before; a chat that waits is missed."""
    assert settings.CHAT_GRACE_MINUTES >= 30
    other = make_chat(visitor_on(site), intake)
    away = timedelta(minutes=settings.CHAT_GRACE_MINUTES)
    Chat.objects.update(visitor_seen_at=timezone.now() - away + timedelta(seconds=5))
    assert close_idle() == 0
    Chat.objects.update(visitor_seen_at=F("visitor_seen_at") - timedelta(seconds=10))
    assert close_idle() == 2
    assert close_idle() == 0
    active_chat.refresh_from_db()
    other.refresh_from_db()
    assert (active_chat.state, other.state) == ("closed", "missed")
    facts = last_row(active_chat).facts
    assert facts is not None and facts["reason"] == "idle"


def test_the_visitor_sees_an_ended_chat_for_a_while(active_chat: Chat, vera: VisitorPrincipal) -> None:
    """R-121: a reload after the end still shows what was said."""
    end_chat(principal=vera, uid=active_chat.uid)
    shown = frame_of_one(vera).chat
    assert (
        shown is not None
        and shown.uid == active_chat.uid
        and shown.closed_at == in_ms(last_row(active_chat).created_at)
    )
    Chat.objects.update(closed_at=timezone.now() - timedelta(minutes=settings.CHAT_GRACE_MINUTES + 1))
    assert frame_of_one(vera).chat is None
