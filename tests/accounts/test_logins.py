"""Whose console it is: of a team that comes back at once, everybody is who they are, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from accounts import actions
from accounts.logins import admit_operator, admit_operators, users_of_logins
from accounts.models import Account, Department, DepartmentMember, Operator
from accounts.selectors import OperatorPrincipal
from chatlead.errors import ChatLeadError
from chatlead.realtime.commands import OperatorHello
from chatlead.realtime.endpoint import Handshake

pytestmark = pytest.mark.django_db

HOST = "chat.example"
Asked = tuple[Handshake, OperatorHello]


def asking(login_key: str, *, origin: str = f"http://{HOST}", account: str = "", protocol: int = 1) -> Asked:
    cookies = {settings.SESSION_COOKIE_NAME: login_key} if login_key else {}
    hello = OperatorHello(protocol=protocol, account=account)
    return Handshake(origin, HOST, False, cookies, "203.0.113.9", "Mozilla/5.0"), hello


def alone(asked: Asked) -> OperatorPrincipal | str:
    try:
        return admit_operator(*asked)
    except ChatLeadError as error:
        return type(error).__name__


def login_of(operator: Operator, **changed: str) -> str:
    """A log-in with something else in it than Django has put there."""
    store = SessionStore()
    store[SESSION_KEY] = str(operator.user_id)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = operator.user.get_session_auth_hash()
    store.update(changed)
    store.create()
    return str(store.session_key)


def test_a_team_that_comes_at_once_is_admitted_as_each_would_be_alone(
    acme: Account, olga: Operator, sam: Operator, nina: Operator, eve: Operator, intake: Department,
    logged_in: Callable[[Operator], Client],
) -> None:  # fmt: skip
    """R-112, ASVS 4.4: two firms, one person in both, and some who may not."""
    keys = {each: logged_in(each).session.session_key or "" for each in (olga, sam, nina, eve)}
    both = Operator.objects.create(account=acme, user=eve.user, name="Eve at Acme")
    DepartmentMember.objects.create(account=acme, department=intake, operator=both)
    actions.suspend_operator(account_id=acme.pk, operator_id=nina.pk)
    asked = [
        asking(keys[olga]),
        asking(keys[eve]),
        asking(keys[sam], account=eve.account.uid),
        asking(keys[eve], account=acme.uid),
        asking(keys[nina]),
        asking(""),
        asking("nobodys"),
        asking("?" * 32),
        asking(keys[olga], origin="https://evil.example"),
        asking(keys[olga], protocol=0),
        asking(keys[olga]),
    ]
    with CaptureQueriesContext(connection) as captured:
        found = admit_operators(asked)
    assert len(captured) == 4
    names = [each.name if isinstance(each, OperatorPrincipal) else type(each).__name__ for each in found]
    assert names == [
        "Olga", "Eve", "Forbidden", "Eve at Acme", "Forbidden", "NotAuthenticated", "NotAuthenticated",
        "NotAuthenticated", "OriginRefused", "ProtocolNotSpoken", "Olga",
    ]  # fmt: skip
    assert [each if isinstance(each, OperatorPrincipal) else type(each).__name__ for each in found] == [
        alone(each) for each in asked
    ]
    [mine, hers] = [each for each in found[:2] if isinstance(each, OperatorPrincipal)]
    assert (mine.account_id, mine.department_ids) == (acme.pk, frozenset({intake.pk}))
    assert (hers.account_id, hers.login_key) == (eve.account_id, keys[eve])


def test_a_log_in_that_does_not_hold_any_more_opens_nothing_and_ends(
    olga: Operator, sam: Operator, eve: Operator
) -> None:
    """ASVS 7.4: another password, an account that was closed, a log-in that has expired or is made up."""
    changed, closed, late = login_of(olga), login_of(sam), login_of(eve)
    foreign = login_of(eve, **{BACKEND_SESSION_KEY: "somebody.elses.Backend"})
    unsigned = login_of(eve, **{HASH_SESSION_KEY: ""})
    others = login_of(eve, **{SESSION_KEY: str(olga.user_id)})
    olga.user.set_password("another one")
    olga.user.save()
    sam.user.is_active = False
    sam.user.save()
    Session.objects.filter(pk=late).update(expire_date=timezone.now())
    assert users_of_logins([changed, closed, late, foreign, unsigned, others]) == {}
    assert not Session.objects.filter(pk=changed).exists()


def test_a_log_in_of_the_secret_before_is_renewed(olga: Operator) -> None:
    """ASVS 11: who changes the secret and keeps the old one for a while logs nobody out."""
    key = login_of(olga)
    kept = [settings.SECRET_KEY]
    with override_settings(SECRET_KEY="a new secret for everybody", SECRET_KEY_FALLBACKS=kept):
        found = users_of_logins([key])
    assert found == {key: olga.user}
