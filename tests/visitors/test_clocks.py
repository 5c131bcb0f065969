"""Tickets and passes when the clock of the server is set (V-5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Site
from chatlead.errors import TicketRefused
from visitors import passes, tickets

PAGE = "https://www.acme.test"
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("then", [HOUR, -HOUR], ids=["ahead", "back"])
def test_what_was_given_out_before_the_clock_was_set_is_refused_and_a_new_one_is_good(
    site: Site, then: timedelta
) -> None:
    """R-124: a frame asks for another ticket once. One of a clock that was ahead would be good for an hour,
    and that it was used is remembered for two minutes."""
    key = "5" * 64
    ticket = tickets.issue(site, PAGE)
    permit = passes.issue(site.key, PAGE, key, in_cookie=True)
    with time_machine.travel(timezone.now() + then):
        assert tickets.redeem_all([(ticket, site, PAGE)]) == [False]
        with pytest.raises(TicketRefused):
            passes.check(permit, site.key, PAGE)
        assert tickets.redeem_all([(tickets.issue(site, PAGE), site, PAGE)]) == [True]
        assert passes.check(passes.issue(site.key, PAGE, key, in_cookie=True), site.key, PAGE) == (key, True)


def test_the_clocks_of_two_servers_may_differ_by_some_seconds(site: Site) -> None:
    ticket = tickets.issue(site, PAGE)
    with time_machine.travel(timezone.now() - timedelta(seconds=tickets.SKEW_SECONDS - 5)):
        assert tickets.redeem_all([(ticket, site, PAGE)]) == [True]
