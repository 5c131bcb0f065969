"""Writes about operators: whether they are there, and what they may. The only place that tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import selectors
from accounts.models import Account, Department, DepartmentMember, Operator, Site
from chatlead.errors import NotFound
from chatlead.realtime import topics
from chatlead.realtime.events import AvailabilityChanged, OperatorChanged
from chatlead.realtime.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterable


def set_availability(*, account_id: int, operator_id: int, online: bool) -> None:
    """The operator's intent. Told to the team, and to the sites which departments are open now.

    Raises NotFound for an operator who is not of the account or is suspended.
    """
    intent = Operator.Availability.ONLINE if online else Operator.Availability.AWAY
    with transaction.atomic():
        mine = Operator.objects.filter(pk=operator_id, account_id=account_id, suspended_at=None)
        if mine.exclude(availability=intent).update(availability=intent):
            _tell(account_id, [operator_id])
        elif not mine.exists():
            raise NotFound


def renew_leases(operator_ids: Iterable[int]) -> None:
    """Their consoles are connected. Tells of those who had not been there and have now come back."""
    ids = list(operator_ids)
    now = timezone.now()
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    gone = Q(lease_until=None) | Q(lease_until__lte=now)
    live = Operator.objects.filter(pk__in=ids, suspended_at=None)
    back = list(live.filter(gone).values_list("account_id", "pk"))
    if not back:
        live.update(lease_until=until)
        return
    with transaction.atomic():
        live.update(lease_until=until)
        _tell_each_account(back)


def expire_leases() -> int:
    """Whose console has been gone for a lease's time is not there. Run by a timer; returns how many."""
    stale = Operator.objects.filter(lease_until__lte=timezone.now())
    if not stale.exists():
        return 0
    with transaction.atomic():
        gone = list(stale.select_for_update().values_list("account_id", "pk"))
        Operator.objects.filter(pk__in=[pk for _, pk in gone]).update(lease_until=None)
        _tell_each_account(gone)
    return len(gone)


def suspend_operator(*, account_id: int, operator_id: int) -> None:
    """From now on the operator may nothing: writes are refused at once, open sockets close within seconds."""
    with transaction.atomic():
        mine = Operator.objects.filter(pk=operator_id, account_id=account_id, suspended_at=None)
        if not mine.update(suspended_at=timezone.now(), rights_epoch=F("rights_epoch") + 1):
            raise NotFound
        _tell(account_id, [operator_id])


def set_departments(*, account_id: int, operator_id: int, department_uids: Iterable[str]) -> None:
    """All departments of an operator. Raises NotFound for anything of another account."""
    wanted = set(department_uids)
    with transaction.atomic():
        mine = Operator.objects.filter(pk=operator_id, account_id=account_id, suspended_at=None)
        found = list(Department.objects.filter(account_id=account_id, uid__in=wanted))
        if len(found) != len(wanted) or not mine.update(rights_epoch=F("rights_epoch") + 1):
            raise NotFound
        DepartmentMember.objects.filter(operator_id=operator_id).exclude(department__in=found).delete()
        for department in found:
            DepartmentMember.objects.get_or_create(
                account_id=account_id, department=department, operator_id=operator_id
            )
        _tell(account_id, [operator_id])


def _tell_each_account(pairs: Iterable[tuple[int, int]]) -> None:
    by_account: dict[int, list[int]] = {}
    for account_id, operator_id in pairs:
        by_account.setdefault(account_id, []).append(operator_id)
    for account_id in sorted(by_account):
        _tell(account_id, by_account[account_id])


def _tell(account_id: int, operator_ids: list[int]) -> None:
    """Publishes how these operators are now, and what is open.

    Each is a version of the team list of its own: who has a version already has heard that piece of news.
    """
    Account.objects.filter(pk=account_id).update(team_version=F("team_version") + len(operator_ids))
    version = selectors.team_version(account_id) - len(operator_ids)
    now = timezone.now()
    departments: dict[int, list[str]] = {pk: [] for pk in operator_ids}
    members = DepartmentMember.objects.filter(operator_id__in=operator_ids)
    for operator_id, uid in members.values_list("operator_id", "department__uid"):
        departments[operator_id].append(uid)
    operators = Operator.objects.filter(pk__in=operator_ids).order_by("id")
    for number, operator in enumerate(operators, start=version + 1):
        view = selectors.operator_view(operator, departments[operator.pk], now)
        gone = operator.suspended_at is not None
        publish(OperatorChanged(operator=view, version=number, gone=gone), topics.team(account_id))
    for site_id in Site.objects.filter(account_id=account_id).order_by("id").values_list("id", flat=True):
        online = selectors.online_departments(site_id=site_id)
        publish(AvailabilityChanged(online=online), topics.site(site_id))
