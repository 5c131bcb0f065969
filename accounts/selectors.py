"""Reads about accounts, their people, sites and departments. `access_*` fetch with the right, or NotFound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import msgspec
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import notices
from accounts.models import (
    Account,
    Department,
    DepartmentMember,
    Installation,
    Operator,
    Site,
    SiteDepartment,
    User,
)
from chatlead.errors import Forbidden, NotAuthenticated, NotFound, OriginRefused
from chatlead.realtime.commands import spoken
from chatlead.realtime.shapes import (
    Availability,
    DepartmentView,
    FieldSpec,
    NoticeView,
    OperatorView,
    SiteView,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from django.http import HttpRequest

    from chatlead.realtime.commands import OperatorHello
    from chatlead.realtime.socket import Handshake


WATCH_TURNS = 4  # so many turns without anybody who looked are a break in the watch


@dataclass(frozen=True, slots=True)
class OperatorPrincipal:
    """Who is behind an operator's socket, as of `rights_epoch`. `login_key` is secret."""

    account_id: int
    operator_id: int
    operator_uid: str
    name: str
    role: str
    department_ids: frozenset[int]
    rights_epoch: int
    login_key: str
    is_unlimited: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What an operator may at the moment. An operator who may nothing any more is absent from `rights_of`."""

    rights_epoch: int
    role: str
    department_ids: frozenset[int]


def epoch() -> str:
    """The epoch of this database; another one after a restore (V-3). The first caller makes the row."""
    found = Installation.objects.values_list("epoch", flat=True).filter(pk=1).first()
    return found or Installation.objects.get_or_create(pk=1)[0].epoch


# --- people who log in --------------------------------------------------------------------------------


def first_membership(user: User) -> Operator | None:
    """The membership in which a person works when no account is named; None for staff without one."""
    return (
        Operator.objects.select_related("account").filter(user=user, suspended_at=None).order_by("id").first()
    )


def user_of_login(login_key: str) -> User | None:
    """Who is logged in under a session's key; None when it has ended or the password has changed since."""
    if not login_key or len(login_key) > 40 or not login_key.isalnum():
        return None
    request = SimpleNamespace(session=SessionStore(login_key))
    user = get_user(cast("HttpRequest", request))
    return user if isinstance(user, User) and user.is_active else None


def admit_operator(handshake: Handshake, hello: OperatorHello) -> OperatorPrincipal:
    """Who may open an operator's socket: our own Origin, a live log-in, a membership (ASVS 4.4).

    Raises ProtocolNotSpoken, OriginRefused, NotAuthenticated, Forbidden.
    """
    spoken(hello.protocol)
    if handshake.origin != f"{'https' if handshake.secure else 'http'}://{handshake.host}":
        raise OriginRefused
    login_key = handshake.cookies.get(settings.SESSION_COOKIE_NAME, "")
    user = user_of_login(login_key)
    if user is None:
        raise NotAuthenticated
    memberships = Operator.objects.filter(user=user, suspended_at=None).order_by("id")
    if hello.account:
        memberships = memberships.filter(account__uid=hello.account)
    operator = memberships.select_related("account").first()
    if operator is None:
        raise Forbidden
    departments = DepartmentMember.objects.filter(operator=operator).values_list("department_id", flat=True)
    return OperatorPrincipal(
        account_id=operator.account_id,
        operator_id=operator.pk,
        operator_uid=operator.uid,
        name=operator.name,
        role=operator.role,
        department_ids=frozenset(departments),
        rights_epoch=operator.rights_epoch,
        login_key=login_key,
        is_unlimited=operator.account.is_unlimited,
    )


def rights_of(operator_ids: Iterable[int]) -> dict[int, Rights]:
    """The present rights of many operators, in two queries. Suspended and removed ones are absent."""
    ids = list(operator_ids)
    live = Operator.objects.filter(pk__in=ids, suspended_at=None, user__is_active=True)
    columns = live.values_list("pk", "rights_epoch", "role")
    found = {pk: (rights_epoch, role) for pk, rights_epoch, role in columns}
    departments: dict[int, set[int]] = {pk: set() for pk in found}
    members = DepartmentMember.objects.filter(operator_id__in=list(found))
    for operator_id, department_id in members.values_list("operator_id", "department_id"):
        departments[operator_id].add(department_id)
    return {pk: Rights(*rights, frozenset(departments[pk])) for pk, rights in found.items()}


def live_logins(login_keys: Iterable[str]) -> set[str]:
    """Those of the keys that are still logged in, with the password as it is now; in two queries."""
    live = Session.objects.filter(session_key__in=list(login_keys), expire_date__gt=timezone.now())
    logins = {each.session_key: each.get_decoded() for each in live}
    users = {login[SESSION_KEY] for login in logins.values() if SESSION_KEY in login}
    hashes = {
        str(user.pk): {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
        for user in User.objects.filter(pk__in=users)
    }
    return {
        key
        for key, login in logins.items()
        if login.get(HASH_SESSION_KEY) in hashes.get(str(login.get(SESSION_KEY)), ())
    }


# --- departments and the team -------------------------------------------------------------------------


def is_really_online(operator: Operator) -> bool:
    """Online is the intent, and nobody has found the operator gone (`expire_leases`, which also tells)."""
    return (
        operator.availability == Operator.Availability.ONLINE
        and operator.suspended_at is None
        and operator.lease_until is not None
    )


def watch_seconds() -> float:
    """How often each web process writes down who is there, and one of them looks who has gone."""
    return float(settings.LEASE_SECONDS) / 6


@dataclass(frozen=True, slots=True)
class Turn:
    """To look who is there, as of `at`; `may_judge`: and to say who has gone."""

    at: datetime
    may_judge: bool


def watch_turn() -> timedelta:
    """After so long it is the turn of whoever comes next; WATCH_TURNS of them without one are a break."""
    return timedelta(seconds=watch_seconds() * 0.8)


def watched_since() -> datetime | None:
    """Since when it was seen without a break who is there; None where nobody has looked yet."""
    return Installation.objects.values_list("watched_since", flat=True).filter(pk=1).first()


def is_watched(now: datetime) -> bool:
    """Whether somebody looks who is there, by this clock. It may have been set a moment ago, before anybody
    noticed; then no time says how long anything has been. True where nobody has looked yet."""
    found = Installation.objects.values_list("watched_at", flat=True).filter(pk=1).first()
    turn = watch_turn()
    return found is None or now - WATCH_TURNS * turn <= found <= now + turn


def long_ago() -> datetime:
    """Who has been gone since before this moment comes back as Away."""
    return timezone.now() - timedelta(seconds=settings.AWAY_SECONDS)


def away_since(operator_id: int) -> datetime | None:
    """Since when an operator was gone, where that was so long that the intent became Away by itself."""
    found = Operator.objects.filter(
        pk=operator_id,
        availability=Operator.Availability.AWAY,
        lease_until__isnull=False,
        gone_at__isnull=False,
    )
    return found.values_list("gone_at", flat=True).first()


def lost_operators(now: datetime | None = None) -> QuerySet[Operator]:
    """Who has been gone for so long, or was never there, that no visitor should wait for them any more."""
    over = (now or timezone.now()) - timedelta(seconds=settings.RETURN_SECONDS)
    return Operator.objects.filter(Q(gone_at=None) | Q(gone_at__lte=over), lease_until=None)


def hold_if_lost(operator_id: int, now: datetime | None = None) -> Operator | None:
    """The operator, where they are lost still; their coming back then waits for the transaction's end."""
    return lost_operators(now).select_for_update(no_key=True).filter(pk=operator_id).first()


def online_departments(*, site_id: int | None = None, account_id: int | None = None) -> list[str]:
    """Uids of the departments with somebody online now, of a site (those it offers) or of an account."""
    found = Department.objects.filter(
        operators__availability=Operator.Availability.ONLINE,
        operators__lease_until__isnull=False,
        operators__suspended_at=None,
        operators__user__is_active=True,
    )
    found = found.filter(sites=site_id) if site_id is not None else found.filter(account=account_id)
    return list(found.order_by("position", "id").values_list("uid", flat=True).distinct())


def online_by_site(site_ids: Iterable[int]) -> dict[int, list[str]]:
    """{site: uids of the departments that it offers and that have somebody online}, in one query."""
    offered = SiteDepartment.objects.filter(
        site_id__in=list(site_ids),
        department__operators__availability=Operator.Availability.ONLINE,
        department__operators__lease_until__isnull=False,
        department__operators__suspended_at=None,
        department__operators__user__is_active=True,
    ).order_by("department__position", "department_id")
    found: dict[int, list[str]] = {}
    for site_id, uid in offered.values_list("site_id", "department__uid").distinct():
        found.setdefault(site_id, []).append(uid)
    return found


def operator_view(operator: Operator, departments: Iterable[str]) -> OperatorView:
    """A colleague as the console shows them; `departments` are uids."""
    return OperatorView(
        uid=operator.uid,
        name=operator.name,
        role=operator.role,
        departments=sorted(departments),
        availability=cast("Availability", operator.availability),
        online=is_really_online(operator),
    )


def team(account: Account | int) -> list[OperatorView]:
    """All operators of an account but the suspended, in the order they came, in two queries."""
    account_id = account if isinstance(account, int) else account.pk
    operators = list(Operator.objects.filter(account_id=account_id, suspended_at=None).order_by("id"))
    departments: dict[int, list[str]] = {operator.pk: [] for operator in operators}
    members = DepartmentMember.objects.filter(account_id=account_id, operator__suspended_at=None)
    for operator_id, uid in members.values_list("operator_id", "department__uid"):
        departments[operator_id].append(uid)
    return [operator_view(operator, departments[operator.pk]) for operator in operators]


def team_version(account_id: int) -> int:
    """How often the team list has changed. Read it before the list: it only grows (V-4)."""
    return Account.objects.values_list("team_version", flat=True).get(pk=account_id)


def access_department(account_id: int, uid: str) -> Department:
    """A department of the caller's own account, else NotFound."""
    found = Department.objects.filter(account_id=account_id, uid=uid).first()
    if found is None:
        raise NotFound
    return found


def access_operator(account_id: int, uid: str) -> Operator:
    """A colleague of the caller's own account who is not suspended, else NotFound."""
    found = Operator.objects.filter(account_id=account_id, uid=uid, suspended_at=None).first()
    if found is None:
        raise NotFound
    return found


# --- sites --------------------------------------------------------------------------------------------


def site_by_key(key: str) -> Site:
    """The site of a public key with its account; NotFound where there is none or it is disabled."""
    found = sites_by_key([key]).get(key)
    if found is None:
        raise NotFound("There is no such site, or it is disabled.")
    return found


def sites_by_key(keys: Iterable[str]) -> dict[str, Site]:
    """The enabled ones of these sites, with their accounts, in one query."""
    possible = [key for key in keys if 0 < len(key) <= 32 and "\x00" not in key]
    if not possible:
        return {}
    found = Site.objects.select_related("account").filter(key__in=possible, is_enabled=True)
    return {site.key: site for site in found}


def first_site_of(owner_email: str) -> Site | None:
    """The oldest enabled site of an owner's account; None where there is none."""
    mine = Site.objects.filter(
        account__operators__user__email=owner_email, account__operators__role="owner", is_enabled=True
    )
    return mine.order_by("id").first()


def site_departments(site: Site) -> list[Department]:
    """The departments that visitors of the site can reach, in the order the firm chose."""
    return list(site.departments.order_by("position", "id"))


def site_fields(site: Site) -> list[FieldSpec]:
    """The pre-chat form; an empty list means: no form."""
    return msgspec.convert(site.fields, list[FieldSpec])


def site_view(site: Site) -> SiteView:
    """What a widget needs to know of its site: nothing in it is secret."""
    return site_views([site])[site.pk]


def site_views(sites: Collection[Site]) -> dict[int, SiteView]:
    """{site: its view} of sites with their accounts, in two queries and one for each notice."""
    ids = [site.pk for site in sites]
    online = online_by_site(ids)
    departments: dict[int, list[DepartmentView]] = {pk: [] for pk in ids}
    offered = SiteDepartment.objects.filter(site_id__in=ids).order_by("department__position", "department_id")
    for site_id, uid, name in offered.values_list("site_id", "department__uid", "department__name"):
        departments[site_id].append(DepartmentView(uid=uid, name=name))
    views = {}
    for site in sites:
        notice = notices.current(site)
        views[site.pk] = SiteView(
            key=site.key,
            name=site.name,
            firm=site.account.name,
            color=site.color,
            welcome=site.welcome,
            privacy_policy_url=site.privacy_policy_url,
            departments=departments[site.pk],
            online=online.get(site.pk, []),
            fields=site_fields(site),
            notice=NoticeView(version=notice.version, text=notice.text, sha256=notice.sha256),
        )
    return views
