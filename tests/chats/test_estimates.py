"""After about how many minutes somebody is answered: said from what was, and only where enough was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Department, Site
from chats import estimates, snapshot
from chats.models import Chat
from tests.conftest import make_chat, visitor_on
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_learnt() -> Iterator[None]:
    estimates.forget()
    yield
    estimates.forget()


@pytest.fixture
def answered(site: Site) -> Any:
    """`answered(department, *waits)`: chats that began an hour apart and were answered after so many
    seconds each, the last one today."""

    def made(department: Department, *waits: float, apart: float = 3600, days: float = 0) -> None:
        first = timezone.now() - timedelta(days=days, seconds=apart * len(waits))
        for number, seconds in enumerate(waits):
            began = first + timedelta(seconds=apart * number)
            chat = make_chat(visitor_on(site), department)
            Chat.objects.filter(pk=chat.pk).update(
                state="closed",
                started_at=began,
                accepted_at=began + timedelta(seconds=seconds),
                closed_at=began + timedelta(seconds=seconds + 60),
            )

    return made


def test_who_waits_is_told_from_the_last_answers_of_her_department(
    vera: VisitorPrincipal, intake: Department, billing: Department, acme: Account, answered: Any
) -> None:
    """R-034: three minutes each with nobody in front, so the second is told of six, said in fives."""
    answered(intake, 170, 180, 180, 190, 2000)
    chat = make_chat(vera, intake)
    assert snapshot.visitor_view(chat).minutes == 0  # nothing learnt yet
    estimates.learn([acme.pk])
    assert snapshot.visitor_view(chat).minutes == 3
    assert [estimates.minutes_to_turn(intake.pk, place) for place in (0, 1, 2, 30)] == [0, 3, 5, 0]
    assert estimates.reply_minutes([intake.uid, billing.uid]) == {intake.uid: 3}


def test_a_line_moves_by_a_place_for_each_answer(acme: Account, intake: Department, answered: Any) -> None:
    """R-034: all came at once and one was taken each minute: a place takes one minute, a wait took five."""
    answered(intake, *(60 * n for n in range(1, 10)), apart=0)
    estimates.learn([acme.pk])
    assert [estimates.minutes_to_turn(intake.pk, place) for place in (1, 4)] == [1, 4]
    assert estimates.reply_minutes([intake.uid]) == {intake.uid: 5}


def test_nothing_is_said_of_too_little_or_of_long_ago(
    acme: Account, intake: Department, billing: Department, answered: Any
) -> None:
    """R-034: honest, from data: four answers are none, nor are those of last week, nor hours."""
    answered(intake, 60, 60, 60, 60)
    answered(intake, 60, 60, 60, days=estimates.DAYS + 1)
    answered(billing, *[5 * 3600] * 6)
    estimates.learn([acme.pk])
    assert estimates.reply_minutes([intake.uid, billing.uid]) == {}
    assert estimates.minutes_to_turn(intake.pk, 1) == 0


def test_an_account_is_looked_at_once_a_minute_in_one_question(
    acme: Account, rival: Account, intake: Department, answered: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    """R-034: never for a visitor."""
    answered(intake, *[60] * 6)
    with django_assert_num_queries(2):
        estimates.learn([acme.pk, rival.pk])
    with django_assert_num_queries(0):
        estimates.learn([acme.pk])
        assert estimates.reply_minutes([intake.uid]) == {intake.uid: 1}
