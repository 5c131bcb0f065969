"""Reads about accounts, their people, sites and departments. `access_*` fetch with the right, or NotFound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import presence
from accounts.models import (
    Account,
    Department,
    DepartmentMember,
    Installation,
    Operator,
    Picture,
    Site,
    User,
    is_uid,
)
from chatlead.errors import NotFound
from chatlead.prepared import Among, Prepared
from chatlead.realtime.shapes import Availability, CannedReplyView, DepartmentView, OperatorView

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


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
    found = _epoch()
    return found[0] if found else Installation.objects.get_or_create(pk=1)[0].epoch


_epoch = Prepared(lambda: Installation.objects.filter(pk=1).values_list("epoch", flat=True))


# --- people who log in --------------------------------------------------------------------------------


def first_membership(user: User) -> Operator | None:
    """The membership in which a person works when no account is named; None for staff without one."""
    return (
        Operator.objects.select_related("account").filter(user=user, suspended_at=None).order_by("id").first()
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


def picture_of(operator_id: int) -> str:
    """The uid of an operator's picture, or ""."""
    return Picture.objects.filter(operator=operator_id).values_list("uid", flat=True).first() or ""


def picture_png(uid: str) -> bytes:
    """What is in the picture of this uid. Raises NotFound."""
    possible = Picture.objects.filter(uid=uid) if is_uid(uid) else Picture.objects.none()
    found = possible.values_list("png", flat=True).first()
    if found is None:
        raise NotFound
    return bytes(found)


# --- departments and the team -------------------------------------------------------------------------


def _somebody_online(department: str) -> Exists:
    """Whether the department in this column of the query has somebody online now."""
    members = DepartmentMember.objects.filter(
        department=OuterRef(department),
        operator__availability=Operator.Availability.ONLINE,
        operator__lease_until__isnull=False,
        operator__suspended_at=None,
        operator__user__is_active=True,
    )
    return Exists(members)


def online_departments(*, site_id: int | None = None, account_id: int | None = None) -> list[str]:
    """Uids of the departments with somebody online now, of a site (those it offers) or of an account."""
    if site_id is not None:
        return online_by_site([site_id]).get(site_id, [])
    found = Department.objects.filter(_somebody_online("pk"), account=account_id)
    return list(found.order_by("position", "id").values_list("uid", flat=True))


def online_by_site(site_ids: Iterable[int]) -> dict[int, list[str]]:
    """{site: uids of the departments that it offers and that have somebody online}, in one query."""
    return {site_id: online for site_id, (_, online) in launchers(list(site_ids)).items() if online}


def operator_view(operator: Operator, departments: Iterable[str]) -> OperatorView:
    """A colleague as the console shows them; `departments` are uids."""
    return OperatorView(
        uid=operator.uid,
        name=operator.name,
        role=operator.role,
        departments=sorted(departments),
        availability=cast("Availability", operator.availability),
        online=presence.is_really_online(operator),
    )


def team(account_id: int) -> list[OperatorView]:
    """All operators of an account but the suspended, in the order they came, in two queries."""
    return teams([account_id])[account_id]


def teams(account_ids: Collection[int]) -> dict[int, list[OperatorView]]:
    """The same of many accounts, in as many queries."""
    found: dict[int, list[OperatorView]] = {pk: [] for pk in account_ids}
    operators = _colleagues(accounts=account_ids)
    departments: dict[int, list[str]] = {operator.pk: [] for operator in operators}
    for operator_id, uid in _work(accounts=account_ids):
        if operator_id in departments:  # else they came between the two questions
            departments[operator_id].append(uid)
    for operator in operators:
        found[operator.account_id].append(operator_view(operator, departments[operator.pk]))
    return found


_colleagues = Prepared(
    lambda accounts: (
        Operator.objects.filter(Among("account_id", accounts), suspended_at=None)
        .order_by("id")
        .only("uid", "account_id", "name", "role", "availability", "suspended_at", "lease_until")
    )
)
_work = Prepared(
    lambda accounts: DepartmentMember.objects.filter(
        Among("account_id", accounts), operator__suspended_at=None
    ).values_list("operator_id", "department__uid")
)


class Firm(NamedTuple):
    """An account as its consoles are told of it; read `version` before the team (V-4)."""

    account: DepartmentView
    version: int
    departments: list[DepartmentView]
    target_seconds: int


def firms(account_ids: Collection[int]) -> dict[int, Firm]:
    """{account: what its consoles are told of it}, in two queries."""
    found = {
        pk: Firm(DepartmentView(uid=uid, name=name), version, [], target)
        for pk, uid, name, version, target in _firms(accounts=account_ids)
    }
    for account_id, uid, name in _departments(accounts=account_ids):
        if account_id in found:
            found[account_id].departments.append(DepartmentView(uid=uid, name=name))
    return found


_firms = Prepared(
    lambda accounts: Account.objects.filter(Among("pk", accounts)).values_list(
        "pk", "uid", "name", "team_version", "target_seconds"
    )
)
_departments = Prepared(
    lambda accounts: (
        Department.objects.filter(Among("account_id", accounts))
        .order_by("position", "id")
        .values_list("account_id", "uid", "name")
    )
)


def team_version(account_id: int) -> int:
    """How often the team list has changed. Read it before the list: it only grows (V-4)."""
    return Account.objects.values_list("team_version", flat=True).get(pk=account_id)


def target_seconds(account_id: int) -> int:
    """Within how many seconds an account wants a visitor answered."""
    return Account.objects.values_list("target_seconds", flat=True).get(pk=account_id)


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


def access_membership(principal: OperatorPrincipal, *, lock: bool = False) -> Operator:
    """The caller's own row, else NotFound: where the rights are no longer those that they came with.

    `lock` holds it until the end of the transaction.
    """
    mine = Operator.objects.filter(
        pk=principal.operator_id,
        account_id=principal.account_id,
        rights_epoch=principal.rights_epoch,
        suspended_at=None,
    )
    found = (mine.select_for_update(no_key=True) if lock else mine).first()
    if found is None:
        raise NotFound
    return found


class Canned(NamedTuple):
    """The prepared replies of one operator, and how often these have changed."""

    version: int
    replies: list[CannedReplyView]


def canned_replies(operator_ids: Collection[int]) -> dict[int, Canned]:
    """{operator: their prepared replies}, in one query."""
    found = {pk: Canned(0, []) for pk in operator_ids}
    for operator_id, version, uid, shortcut, text in _canned(operators=operator_ids):
        replies = found[operator_id].replies
        found[operator_id] = Canned(version, replies)
        if uid is not None:
            replies.append(CannedReplyView(uid=uid, shortcut=shortcut, text=text))
    return found


_canned = Prepared(
    lambda operators: (
        Operator.objects.filter(Among("pk", operators))
        .order_by("pk", "canned_replies__shortcut")
        .values_list(
            "pk",
            "canned_version",
            "canned_replies__uid",
            "canned_replies__shortcut",
            "canned_replies__text",
        )
    )
)


# --- sites --------------------------------------------------------------------------------------------


_enabled = Prepared(
    lambda keys: Site.objects.select_related("account").filter(Among("key", keys), is_enabled=True)
)
# the site, its colour, and of each department that it offers, in order: uid, name, whether somebody is online
offered = Prepared(
    lambda sites: (
        Site.objects.filter(Among("pk", sites))
        .order_by("departments__position", "departments__id")
        .annotate(is_online=_somebody_online("departments__id"))
        .values_list("pk", "color", "departments__uid", "departments__name", "is_online")
    )
)


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
    return {site.key: site for site in _enabled(keys=possible)}


def first_site_of(owner_email: str) -> Site | None:
    """The oldest enabled site of an owner's account; None where there is none."""
    mine = Site.objects.filter(
        account__operators__user__email=owner_email, account__operators__role="owner", is_enabled=True
    )
    return mine.order_by("id").first()


def launchers(site_ids: Collection[int]) -> dict[int, tuple[str, list[str]]]:
    """{site: its colour, and the uids of its departments with somebody online}, in one query."""
    found: dict[int, tuple[str, list[str]]] = {}
    for site_id, color, uid, _, is_online in offered(sites=site_ids):
        online = found.setdefault(site_id, (color, []))[1]
        if is_online:
            online.append(uid)
    return found
