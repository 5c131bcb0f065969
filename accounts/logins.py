"""Who is behind a log-in, and so behind a console's socket (ASVS 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import DepartmentMember, Operator, User
from accounts.selectors import OperatorPrincipal
from chatlead.errors import ChatLeadError, Forbidden, NotAuthenticated, OriginRefused
from chatlead.prepared import Among, Prepared
from chatlead.realtime import pool
from chatlead.realtime.commands import spoken

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.http import HttpRequest

    from chatlead.realtime.commands import OperatorHello
    from chatlead.realtime.endpoint import Handshake

BACKEND = "django.contrib.auth.backends.ModelBackend"

_logins = Prepared(
    lambda keys, now: Session.objects.filter(Among("session_key", keys), expire_date__gt=now).values_list(
        "session_key", "session_data"
    )
)
_people = Prepared(lambda ids: User.objects.filter(Among("pk", ids), is_active=True))
_memberships = Prepared(
    lambda users: (
        Operator.objects.filter(Among("user_id", users), suspended_at=None)
        .order_by("id")
        .select_related("account")
    )
)
_work = Prepared(
    lambda operators: DepartmentMember.objects.filter(Among("operator_id", operators)).values_list(
        "operator_id", "department_id"
    )
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A hello with an Origin of ours, and a log-in's key."""

    login_key: str
    account: str


def users_of_logins(login_keys: Collection[str]) -> dict[str, User]:
    """{key of a session: who is logged in under it}, in two queries.

    Absent where it has ended or the password has changed since. One that is not as usual (the secret has been
    renewed, the password has changed) is left to Django, which ends it or renews it.
    """
    possible = {key for key in login_keys if key and len(key) <= 40 and key.isalnum()}
    if not possible:
        return {}
    store, said = SessionStore(), {}
    for key, data in _logins(keys=possible, now=timezone.now()):
        said[key] = store.decode(data)
    ids = {key: str(login[SESSION_KEY]) for key, login in said.items() if _is_usual(login)}
    people = {str(user.pk): user for user in _people(ids={int(each) for each in ids.values()})}
    found: dict[str, User] = {}
    for key, login in said.items():
        user = people.get(ids.get(key, ""))
        if user is None or not constant_time_compare(login[HASH_SESSION_KEY], user.get_session_auth_hash()):
            user = _unusual(key)
        if user is not None:
            found[key] = user
    return found


def _is_usual(login: dict[str, Any]) -> bool:
    number = str(login.get(SESSION_KEY, ""))
    is_number = number.isascii() and number.isdigit()
    return is_number and login.get(BACKEND_SESSION_KEY) == BACKEND and bool(login.get(HASH_SESSION_KEY))


def _unusual(login_key: str) -> User | None:
    request = SimpleNamespace(session=SessionStore(login_key))
    user = get_user(cast("HttpRequest", request))
    return user if isinstance(user, User) and user.is_active else None


def admit_operator(handshake: Handshake, hello: OperatorHello) -> OperatorPrincipal:
    """Who may open an operator's socket: our own Origin, a live log-in, a membership.

    Raises ProtocolNotSpoken, OriginRefused, NotAuthenticated, Forbidden.
    """
    return pool.alone(admit_operators([(handshake, hello)]))


def admit_operators(
    asked: Sequence[tuple[Handshake, OperatorHello]],
) -> list[OperatorPrincipal | ChatLeadError]:
    """The same of many, in four queries; an error stands in its place."""
    checked = [_checked(handshake, hello) for handshake, hello in asked]
    users = users_of_logins({each.login_key for each in checked if isinstance(each, _Asked)})
    memberships = _memberships(users={user.pk for user in users.values()}) if users else []
    departments: dict[int, set[int]] = {each.pk: set() for each in memberships}
    if memberships:
        for operator_id, department_id in _work(operators=departments.keys()):
            departments[operator_id].add(department_id)

    def admitted(each: _Asked | ChatLeadError) -> OperatorPrincipal | ChatLeadError:
        if not isinstance(each, _Asked):
            return each
        user = users.get(each.login_key)
        if user is None:
            return NotAuthenticated()
        for operator in memberships:
            if operator.user_id == user.pk and each.account in ("", operator.account.uid):
                return principal_of(operator, departments[operator.pk], each.login_key)
        return Forbidden()

    return [admitted(each) for each in checked]


def _checked(handshake: Handshake, hello: OperatorHello) -> _Asked | ChatLeadError:
    try:
        spoken(hello.protocol)
    except ChatLeadError as error:
        return error
    if handshake.origin != f"{'https' if handshake.secure else 'http'}://{handshake.host}":
        return OriginRefused()
    return _Asked(handshake.cookies.get(settings.SESSION_COOKIE_NAME, ""), hello.account)


def principal_of(operator: Operator, departments: Collection[int], login_key: str) -> OperatorPrincipal:
    """Who is behind a console's socket: this membership as it is in memory, and the departments in which it
    works (database ids). Reads `operator.account`, so fetch it along."""
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
