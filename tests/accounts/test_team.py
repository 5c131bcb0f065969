"""Who is there: intent and lease, told to the team and to the widgets; rights that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import actions, selectors
from accounts.models import Account, Department, Operator, Site
from chatlead.errors import NotFound
from tests.conftest import goes_online, make_operator
from tests.sockets import PAGE, console_of, hello_as_page, line

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_department_is_open_while_somebody_is_really_there(
    olga: Operator, sam: Operator, site: Site, intake: Department, billing: Department
) -> None:
    """R-034, design §3: Online is the intent, the lease says whether it is true."""
    assert selectors.online_departments(site_id=site.pk) == []
    actions.set_availability(account_id=olga.account_id, operator_id=olga.pk, online=True)
    assert selectors.online_departments(site_id=site.pk) == []
    actions.renew_leases([olga.pk])
    assert selectors.online_departments(site_id=site.pk) == [intake.uid]
    goes_online(sam)
    assert selectors.online_departments(site_id=site.pk) == [intake.uid, billing.uid]
    assert selectors.online_departments(account_id=site.account_id) == [intake.uid, billing.uid]
    Operator.objects.filter(pk=olga.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert actions.expire_leases() == 1
    assert selectors.online_departments(site_id=site.pk) == [billing.uid]


@pytest.mark.parametrize("ending", ["away", "suspended", "inactive"])
def test_a_department_closes_when_the_last_one_goes(olga: Operator, site: Site, ending: str) -> None:
    """R-034."""
    goes_online(olga)
    if ending == "away":
        actions.set_availability(account_id=olga.account_id, operator_id=olga.pk, online=False)
    elif ending == "suspended":
        actions.suspend_operator(account_id=olga.account_id, operator_id=olga.pk)
    else:
        olga.user.is_active = False
        olga.user.save()
    assert selectors.online_departments(site_id=site.pk) == []


def test_a_site_offers_only_its_own_departments(olga: Operator, acme: Account, site: Site) -> None:
    """R-002: somebody online in a department that the site does not offer opens nothing there."""
    goes_online(olga)
    site.departments.clear()
    assert selectors.online_departments(site_id=site.pk) == []


def test_a_lease_that_ran_out_is_told_once(olga: Operator, acme: Account) -> None:
    """design §3: the version of the team list counts what is told."""
    goes_online(olga)
    before = selectors.team_version(acme.pk)
    assert actions.expire_leases() == 0
    Operator.objects.filter(pk=olga.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert actions.expire_leases() == 1
    assert actions.expire_leases() == 0
    assert selectors.team_version(acme.pk) == before + 1
    [seen] = selectors.team(acme.pk)
    assert (seen.availability, seen.online) == ("online", False)


def test_renewing_a_lease_is_one_statement_and_no_news(
    olga: Operator, nina: Operator, acme: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """design §4: what is done for everybody every some seconds costs next to nothing."""
    actions.renew_leases([olga.pk, nina.pk])
    before = selectors.team_version(acme.pk)
    with django_assert_num_queries(2):
        actions.renew_leases([olga.pk, nina.pk])
    assert selectors.team_version(acme.pk) == before


def test_the_team_takes_two_queries_however_large(
    acme: Account, intake: Department, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """design §7.9."""
    for number in range(5):
        make_operator(acme, f"Person{number}", "operator", intake)  # type: ignore[arg-type]
    with django_assert_num_queries(2):
        team = selectors.team(acme.pk)
    assert [each.name for each in team] == [f"Person{number}" for number in range(5)]
    assert all(each.departments == [intake.uid] for each in team)


def test_nobody_is_switched_by_another_account(olga: Operator, eve: Operator) -> None:
    """R-112: as if she were not there, and nothing changes."""
    before = Operator.objects.filter(pk=olga.pk).values().get()
    for attempt in (
        lambda: actions.set_availability(account_id=eve.account_id, operator_id=olga.pk, online=True),
        lambda: actions.suspend_operator(account_id=eve.account_id, operator_id=olga.pk),
        lambda: actions.set_departments(account_id=eve.account_id, operator_id=olga.pk, department_uids=[]),
        lambda: selectors.access_operator(eve.account_id, olga.uid),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert Operator.objects.filter(pk=olga.pk).values().get() == before


def test_departments_of_another_account_cannot_be_given(olga: Operator, rival_sales: Department) -> None:
    """R-112: all or nothing."""
    mine = [each.uid for each in olga.departments.all()]
    with pytest.raises(NotFound):
        actions.set_departments(
            account_id=olga.account_id, operator_id=olga.pk, department_uids=[*mine, rival_sales.uid]
        )
    with pytest.raises(NotFound):
        selectors.access_department(olga.account_id, rival_sales.uid)
    olga.refresh_from_db()
    assert [each.uid for each in olga.departments.all()] == mine
    assert olga.rights_epoch == 1


def test_every_change_of_rights_raises_the_epoch(olga: Operator, billing: Department) -> None:
    """design §3: the journal compares it with each write."""
    actions.set_departments(account_id=olga.account_id, operator_id=olga.pk, department_uids=[billing.uid])
    olga.refresh_from_db()
    assert (olga.rights_epoch, [each.name for each in olga.departments.all()]) == (2, ["Billing"])
    actions.suspend_operator(account_id=olga.account_id, operator_id=olga.pk)
    olga.refresh_from_db()
    assert olga.rights_epoch == 3
    assert selectors.rights_of([olga.pk]) == {}


def test_rights_of_many_take_two_queries(
    olga: Operator, sam: Operator, eve: Operator, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """design §3: every five seconds, for all sockets of a process."""
    with django_assert_num_queries(2):
        rights = selectors.rights_of([olga.pk, sam.pk, eve.pk, 999999])
    assert set(rights) == {olga.pk, sam.pk, eve.pk}
    assert rights[olga.pk].department_ids != rights[sam.pk].department_ids


async def test_the_team_and_the_widgets_hear_who_comes_and_goes(
    olga: Operator, nina: Operator, eve: Operator, site: Site, rival_site: Site, intake: Department
) -> None:
    """R-034, P-17: everybody concerned, and nobody else."""

    async def heard(opened: Any) -> list[dict[str, Any]]:
        return [each for each in await opened.rest() if each["type"] != "position"]

    async with (
        console_of(nina) as ninas,
        console_of(eve) as eves,
        line("/ws/v1/visitor", origin=PAGE) as page,
        line("/ws/v1/visitor", origin="https://rival.test") as other,
    ):
        await hello_as_page(page, site)
        await hello_as_page(other, rival_site, "https://rival.test")
        await heard(ninas), await heard(eves), await heard(page), await heard(other)
        await sync_to_async(goes_online)(olga)
        told = await heard(ninas)
        assert [each["operator"]["name"] for each in told if each["type"] == "operator_changed"][-1] == "Olga"
        assert told[-1]["operator"]["online"] is True
        assert (await heard(page))[-1] == {"type": "availability_changed", "online": [intake.uid]}
        assert (await heard(eves), await heard(other)) == ([], [])
        await sync_to_async(actions.set_availability)(
            account_id=olga.account_id, operator_id=olga.pk, online=False
        )
        assert (await heard(page))[-1] == {"type": "availability_changed", "online": []}
