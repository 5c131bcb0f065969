"""Within how many seconds a visitor is to be answered: an account sets it, and its consoles know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from accounts import actions, selectors
from accounts.models import Account, AuditEntry, Operator
from tests.sockets import console_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/account/answering/"
LoggedIn = Callable[[Operator], Client]


def send(client: Client, seconds: str) -> Any:
    """As the form on the page does it, with its token."""
    client.get(PAGE)
    token = client.cookies["cl_csrf"].value
    return client.post(PAGE, {"csrfmiddlewaretoken": token, "seconds": seconds}, follow=True)


def test_owen_sets_a_target_and_it_is_noted_once(
    owen: Operator, acme: Account, rival: Account, logged_in: LoggedIn
) -> None:
    """Issue 4 D, R-111: 60 s at first; of his account alone, and audited."""
    client = logged_in(owen)
    assert 'value="60"' in client.get(PAGE).text
    assert "Saved." in send(client, "90").text
    page = send(client, "90").text
    assert "Nothing has changed." in page and 'value="90"' in page
    assert [selectors.target_seconds(each.pk) for each in (acme, rival)] == [90, 60]
    noted = AuditEntry.objects.get(action="account.target_set")
    assert (noted.actor_uid, noted.subject) == (owen.uid, f"account:{acme.uid}")
    assert noted.facts == {"seconds": 90}


@pytest.mark.parametrize("seconds", ["", "9", "3601", "-1", "1.5", "soon", "9" * 30])
def test_a_target_that_is_none_is_said_beside_its_field(
    owen: Operator, acme: Account, logged_in: LoggedIn, seconds: str
) -> None:
    """Issue 4 D: nothing is saved, and what was written stays in the form."""
    page = send(logged_in(owen), seconds)
    assert page.status_code == 400 and "Nothing was saved." in page.text
    assert f'value="{seconds}"' in page.text and 'aria-invalid="true"' in page.text
    assert selectors.target_seconds(acme.pk) == 60
    assert not AuditEntry.objects.exists()


def test_only_owners_and_admins_see_the_page(
    olga: Operator, nina: Operator, owen: Operator, logged_in: LoggedIn
) -> None:
    """R-112: operators and supervisors get 403 and no line in the menu."""
    for other in (olga, nina):
        assert logged_in(other).get(PAGE).status_code == 403
        assert PAGE not in logged_in(other).get("/account/").text
    assert PAGE in logged_in(owen).get("/account/").text


async def test_open_consoles_of_the_firm_hear_of_it_and_later_ones_begin_with_it(
    owen: Operator, olga: Operator, eve: Operator
) -> None:
    """Issue 4 D: olga's console at once, eve's never."""
    async with console_of(olga) as hers, console_of(eve) as eves:
        assert "target_seconds" not in hers.welcome  # the default is left out
        await sync_to_async(actions.set_answer_target)(by=owen, seconds=45)
        told = await hers.hear_type("target_changed")
        assert told["seconds"] == 45
        known = {"positions": {}, "epoch": hers.welcome["epoch"]}
        synced = await hers.ask(type="sync", **known)
        assert (synced["target_seconds"], synced["version"]) == (45, told["version"])
        assert "target_changed" not in {each["type"] for each in await eves.rest()}
    async with console_of(olga) as again:
        assert again.welcome["target_seconds"] == 45
