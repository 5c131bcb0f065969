"""Whether Online is true: leases, who looks, and what a start or an outage of ours may not do to anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import actions, presence, selectors
from accounts.models import Department, Installation, Operator, Site
from tests.conftest import goes_online

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = timedelta(seconds=settings.LEASE_SECONDS)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def was_heard(operator: Operator, seconds: float) -> None:
    """The last sign was so many seconds ago."""
    Operator.objects.filter(pk=operator.pk).update(lease_until=ago(seconds) + LEASE)


def watched(*, since: float, at: float) -> None:
    Installation.objects.update_or_create(pk=1, defaults={"watched_since": ago(since), "watched_at": ago(at)})


def may_say(*, began: float = 3600) -> bool:
    turn = actions.keep_watch(began_at=ago(began))
    return turn is not None and turn.may_judge


def test_a_lease_lasts_from_the_sign_and_is_never_made_shorter(olga: Operator) -> None:
    """V-14: a second console that was heard before does not take the first one's away."""
    actions.renew_leases([olga.pk], heard_ago=5)
    actions.renew_leases([olga.pk], heard_ago=20)
    olga.refresh_from_db()
    assert olga.lease_until is not None
    assert abs(olga.lease_until - ago(5) - LEASE) < timedelta(seconds=2)


def test_a_sign_that_is_older_than_a_lease_brings_nobody_back(olga: Operator) -> None:
    goes_online(olga)
    was_heard(olga, settings.LEASE_SECONDS + 1)
    actions.expire_leases()
    actions.renew_leases([olga.pk], heard_ago=settings.LEASE_SECONDS)
    olga.refresh_from_db()
    assert olga.lease_until is None


def test_who_is_gone_is_gone_since_the_last_sign(olga: Operator, site: Site, intake: Department) -> None:
    """R-034: no visitor is told to wait for a ghost."""
    goes_online(olga)
    was_heard(olga, settings.LEASE_SECONDS - 1)
    assert actions.expire_leases() == 0
    assert selectors.online_departments(site_id=site.pk) == [intake.uid]
    was_heard(olga, settings.LEASE_SECONDS + 1)
    assert actions.expire_leases() == 1
    assert selectors.online_departments(site_id=site.pk) == []
    assert selectors.online_by_site([site.pk]) == {}
    olga.refresh_from_db()
    assert olga.gone_at is not None
    assert abs(olga.gone_at - ago(settings.LEASE_SECONDS + 1)) < timedelta(seconds=2)


def test_back_within_the_hour_is_online_without_a_press(olga: Operator, site: Site) -> None:
    """V-14: the intent is kept."""
    goes_online(olga)
    was_heard(olga, settings.AWAY_SECONDS - 10)
    actions.expire_leases()
    actions.renew_leases([olga.pk])
    assert len(selectors.online_departments(site_id=site.pk)) == 1
    assert presence.away_since_when([olga.pk]) == {}


def test_back_after_more_than_an_hour_is_away_and_told_why_until_the_next_press(
    olga: Operator, site: Site
) -> None:
    """V-14, decision 0013: nobody is offered a chat because a laptop woke up."""
    goes_online(olga)
    was_heard(olga, settings.AWAY_SECONDS + 10)
    actions.expire_leases()
    assert presence.away_since_when([olga.pk]) == {}  # not there: there is nobody to tell
    actions.renew_leases([olga.pk])
    assert selectors.online_departments(site_id=site.pk) == []
    since = presence.away_since_when([olga.pk])[olga.pk]
    assert abs(since - ago(settings.AWAY_SECONDS + 10)) < timedelta(seconds=2)
    goes_online(olga)
    actions.set_availability(account_id=olga.account_id, operator_id=olga.pk, online=False)
    assert presence.away_since_when([olga.pk]) == {}


def test_who_was_away_by_their_own_will_is_told_nothing(olga: Operator) -> None:
    actions.renew_leases([olga.pk])
    was_heard(olga, settings.AWAY_SECONDS + 10)
    actions.expire_leases()
    actions.renew_leases([olga.pk])
    assert presence.away_since_when([olga.pk]) == {}


def test_a_clock_that_was_set_back_makes_no_ghost(olga: Operator) -> None:
    """V-5: a lease from the future is cut to its length."""
    goes_online(olga)
    was_heard(olga, -3600)
    actions.come_back_from_the_future(timezone.now())
    olga.refresh_from_db()
    assert olga.lease_until is not None and olga.lease_until <= timezone.now() + LEASE


def test_who_was_lost_before_the_clock_was_set_back_keeps_no_visitor_waiting_for_so_long(
    olga: Operator,
) -> None:
    """V-14, V-5: their chats go back after RETURN_SECONDS, not an hour later."""
    goes_online(olga)
    Operator.objects.filter(pk=olga.pk).update(lease_until=None, gone_at=ago(-3600))
    now = timezone.now()
    actions.come_back_from_the_future(now)
    soon = now + timedelta(seconds=settings.RETURN_SECONDS + 1)
    assert list(presence.lost_operators(soon)) == [olga]
    assert list(presence.lost_operators(now)) == []


# --- the watch ------------------------------------------------------------------------------------------


def test_in_the_first_minute_nobody_says_who_has_gone(installation: Installation) -> None:
    """V-14: everybody must have had the time to come back."""
    assert not may_say()
    watched(since=settings.SETTLE_SECONDS - 5, at=5)
    assert not may_say()
    watched(since=settings.SETTLE_SECONDS + 5, at=5)
    assert may_say()


def test_the_turn_is_one_at_a_time(installation: Installation) -> None:
    """V-14: of the processes that look in the same moment one finds it due."""
    watched(since=3600, at=5)
    assert [may_say() for _ in range(4)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("why", "at", "began"),
    [
        ("nobody has looked for a while", 20.0, 3600.0),
        ("this process began after the last look", 6.0, 5.5),
        ("the clock was set back", -60.0, 3600.0),
    ],
)
def test_after_a_break_the_watch_begins_anew(
    why: str, at: float, began: float, installation: Installation
) -> None:
    """V-14: while nobody could hear a sign, silence says nothing."""
    watched(since=3600, at=at)
    assert not may_say(began=began), why
    since = presence.watched_since()
    assert since is not None and timezone.now() - since < timedelta(seconds=5)


def test_a_process_that_joins_others_is_no_break(installation: Installation) -> None:
    """V-14: a ghost does not live longer because a process was started."""
    watched(since=3600, at=4.5)
    assert may_say(began=5)
