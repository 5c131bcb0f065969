"""Whoever lost a right loses the socket that came by it."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Operator
from accounts.selectors import live_logins
from chatlead.realtime import hub as hubs
from chats import positions
from tests.sockets import console_of, log_in

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_changed_password_closes_the_consoles_that_are_open(olga: Operator, sam: Operator) -> None:
    """ASVS 7.4.3: within 5 s; whoever knew the old password reads nothing more, and nobody else notices."""
    async with console_of(olga) as stolen, console_of(sam) as sams:
        olga.user.password = "argon2$another"
        await olga.user.asave()
        hub = hubs.current()
        assert hub is not None
        await positions.check_rights(hub)
        assert await stolen.close_code() == 4401
        assert {each["type"] for each in await sams.rest()} <= {"operator_changed"}


def test_logins_are_looked_up_together(olga: Operator, sam: Operator, django_assert_num_queries) -> None:
    """design §3: a fixed number of queries, however many consoles there are."""
    keys = [log_in(olga), log_in(sam), log_in(olga)]
    with django_assert_num_queries(2):
        assert live_logins([*keys, "nobodys"]) == set(keys)


async def test_a_log_in_of_nobody_is_none(olga: Operator) -> None:
    """A user who was removed takes the log-ins along."""
    key = await sync_to_async(log_in)(olga)
    await Operator.objects.filter(pk=olga.pk).adelete()
    await olga.user.adelete()
    assert await sync_to_async(live_logins)([key]) == set()
