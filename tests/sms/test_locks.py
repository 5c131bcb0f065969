"""One at a time for a number, and nothing is kept of those that are free."""

from __future__ import annotations

import threading

import pytest

from accounts.models import Account
from sms import locks
from sms.actions.sending import contact_of
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_is_held_by_one_and_forgotten_by_the_last(acme: Account) -> None:
    """B1-5: whoever waits for it keeps it in the table, so that nobody gets another one beside it."""
    contact = contact_of(acme.pk, "+18135550100")
    inside: list[int] = []
    most: list[int] = []

    def enters() -> None:
        for _ in range(5):
            with locks.held(contact.pk), locks.held(contact.pk):
                inside.append(threading.get_ident())
                most.append(len(set(inside)))
                inside.remove(threading.get_ident())

    at_once(*[enters] * 6)
    assert (len(most), max(most), locks.count()) == (30, 1, 0)


def test_however_many_numbers_leave_no_lock_behind(acme: Account) -> None:
    """V-9: of all who have texted; one that failed leaves none either."""
    contact = contact_of(acme.pk, "+18135550100")
    for number in range(contact.pk, contact.pk + 300):
        with locks.held(number):
            assert locks.count() <= 1
    with pytest.raises(RuntimeError), locks.held(contact.pk):
        raise RuntimeError
    assert locks.count() == 0
