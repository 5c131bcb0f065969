"""The cast: who the sentences are about. **acme** is a law firm with the departments intake and billing.

olga is an operator in intake, sam in billing, nina a supervisor of both, owen the owner; eve owns another
account, rival, with a site and a department of her own. vera is a visitor on acme's website; her chat waits
in intake. Everything is a row made without events; what a test is about goes through the actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.contrib.auth.hashers import make_password
from django.core.cache import cache as django_cache
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import actions as accounts
from accounts import logins
from accounts.models import (
    Account,
    Department,
    DepartmentMember,
    Installation,
    Operator,
    OperatorRole,
    Site,
    SiteDepartment,
    User,
)
from accounts.selectors import OperatorPrincipal
from chats import journal
from chats.models import Chat, Message
from tests import clearing
from tests.accounts.mailbox import Mailbox, mail_server
from tests.identifiers import new_ref
from tests.s3_server import S3Server
from visitors.actions import engage
from visitors.sessions import VisitorPrincipal, browser_key_of, new_token, session_key_of

PASSWORD = "a long enough password"
clearing.instead_of_flush()


@cache
def password_hash() -> str:
    """Once is enough for everybody."""
    return make_password(PASSWORD)


@pytest.fixture(autouse=True)
def _own_world(settings: Settings) -> None:
    """Tickets used by one test are no business of the next, and passwords cost nothing."""
    settings.PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]
    django_cache.clear()


@pytest.fixture(autouse=True)
def _journal_rests() -> Iterator[None]:
    """Its threads hold connections, and a database in use cannot be dropped. So does the one thread in which
    `sync_to_async` works for a test."""
    yield
    journal.stop()
    helper = SyncToAsync.single_thread_executor
    if helper._threads:
        helper.submit(connections.close_all).result()


@pytest.fixture
def inbox() -> Iterator[Mailbox]:
    """A real mail server; what it has taken."""
    with mail_server() as found:
        yield found


@pytest.fixture
def installation(db: None) -> Installation:
    return Installation.objects.get_or_create(pk=1)[0]


@pytest.fixture
def acme(db: None, installation: Installation) -> Account:
    return Account.objects.create(name="Acme Law", legal_name="Acme Law LLP")


@pytest.fixture
def intake(acme: Account) -> Department:
    return Department.objects.create(account=acme, name="Intake", email="intake@acme.test", position=1)


@pytest.fixture
def billing(acme: Account) -> Department:
    return Department.objects.create(account=acme, name="Billing", email="billing@acme.test", position=2)


def make_site(account: Account, name: str, domains: list[str], departments: list[Department]) -> Site:
    """A site that offers these departments."""
    site = Site.objects.create(account=account, name=name, allowed_domains=domains)
    for department in departments:
        SiteDepartment.objects.create(account=account, site=site, department=department)
    return site


@pytest.fixture
def site(acme: Account, intake: Department, billing: Department) -> Site:
    """acme.test and its sub-domains, and this machine on any port."""
    domains = ["acme.test", "*.acme.test", "127.0.0.1", "localhost"]
    return make_site(acme, "acme.test", domains, [intake, billing])


def make_operator(
    account: Account, name: str, role: OperatorRole = OperatorRole.OPERATOR, *departments: Department
) -> Operator:
    """A membership with a user `<name>@<account>.test` who knows PASSWORD."""
    email = f"{name.lower()}@{account.name.split()[0].lower()}.test"
    user = User.objects.create(email=email, password=password_hash())
    operator = Operator.objects.create(account=account, user=user, name=name, role=role)
    for department in departments:
        DepartmentMember.objects.create(account=account, department=department, operator=operator)
    return operator


@pytest.fixture
def olga(acme: Account, intake: Department) -> Operator:
    return make_operator(acme, "Olga", OperatorRole.OPERATOR, intake)


def goes_online(operator: Operator) -> None:
    """The intent, and a console that is connected: both it takes to be asked (R-034)."""
    accounts.set_availability(account_id=operator.account_id, operator_id=operator.pk, online=True)
    accounts.renew_leases([operator.pk])


@pytest.fixture
def on_duty(olga: Operator) -> Operator:
    """Olga is online, so chats can be started in intake."""
    goes_online(olga)
    return olga


@pytest.fixture
def sam(acme: Account, billing: Department) -> Operator:
    return make_operator(acme, "Sam", OperatorRole.OPERATOR, billing)


@pytest.fixture
def nina(acme: Account, intake: Department, billing: Department) -> Operator:
    return make_operator(acme, "Nina", OperatorRole.SUPERVISOR, intake, billing)


@pytest.fixture
def owen(acme: Account) -> Operator:
    return make_operator(acme, "Owen", OperatorRole.OWNER)


@pytest.fixture
def rival(db: None, installation: Installation) -> Account:
    return Account.objects.create(name="Rival & Co")


@pytest.fixture
def rival_sales(rival: Account) -> Department:
    return Department.objects.create(account=rival, name="Sales", email="sales@rival.test")


@pytest.fixture
def rival_site(rival: Account, rival_sales: Department) -> Site:
    return make_site(rival, "rival.test", ["rival.test"], [rival_sales])


@pytest.fixture
def eve(rival: Account, rival_sales: Department) -> Operator:
    return make_operator(rival, "Eve", OperatorRole.OWNER, rival_sales)


@pytest.fixture
def principal_of(db: None) -> Callable[[Operator], OperatorPrincipal]:
    """How an operator's socket sees its operator, as of now and without a log-in."""

    def build(operator: Operator) -> OperatorPrincipal:
        operator.refresh_from_db()
        return logins.principal_of(operator, operator.departments.values_list("id", flat=True), "")

    return build


def visitor_on(site: Site, **changed: Any) -> VisitorPrincipal:
    """Somebody new on a site: a live session of their own, nothing stored yet."""
    token, browser = new_token(), new_token()
    facts: dict[str, Any] = {
        "role": "chat",
        "account_id": site.account_id,
        "site_id": site.pk,
        "site_key": site.key,
        "session_key": session_key_of(site.key, token),
        "browser_key": browser_key_of(site.key, browser),
        "ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0 (test)",
        "page_url": "https://www.acme.test/injuries",
        "is_unlimited": True,
        "new_token": "",
        "had_cookie": True,
    }
    return VisitorPrincipal(**facts | changed)


@pytest.fixture
def vera(site: Site) -> VisitorPrincipal:
    """A visitor on acme's website. No row of hers exists before she engages."""
    return visitor_on(site)


def make_chat(principal: VisitorPrincipal, department: Department, **changed: Any) -> Chat:
    """A waiting chat with row 1 (`opened`), as it is some time after it began."""
    visitor, session = engage(principal, name="Vera")
    now = timezone.now()
    facts: dict[str, Any] = {
        "account_id": principal.account_id,
        "site_id": principal.site_id,
        "department": department,
        "visitor": visitor,
        "session": session,
        "session_key": principal.session_key,
        "start_ref": new_ref(),
        "page_url": principal.page_url,
        "last_seq": 1,
        "started_at": now,
        "last_message_at": now,
        "visitor_seen_at": now,
    }
    chat = Chat.objects.create(**facts | changed)
    Message.objects.create(
        account_id=chat.account_id, chat=chat, seq=1, ref=chat.start_ref, author="system", kind="opened",
        facts={"department": department.name}, created_at=now,
    )  # fmt: skip
    return chat


@pytest.fixture
def chat(vera: VisitorPrincipal, intake: Department) -> Chat:
    """Vera's chat. It waits in intake."""
    return make_chat(vera, intake)


@pytest.fixture
def active_chat(chat: Chat, olga: Operator) -> Chat:
    """Vera's chat, accepted by olga (row 2)."""
    chat.state, chat.operator, chat.accepted_at, chat.last_seq = "active", olga, timezone.now(), 2
    chat.save()
    Message.objects.create(
        account_id=chat.account_id, chat=chat, seq=2, ref=new_ref(), author="operator", author_id=olga.pk,
        kind="accepted", facts={"name": olga.name}, created_at=chat.accepted_at,
    )  # fmt: skip
    return chat


@pytest.fixture
def logged_in(db: None) -> Callable[[Operator], Client]:
    """A browser in which this operator is logged in."""

    def build(operator: Operator) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(operator.user)
        return client

    return build


@pytest.fixture
def everybody(
    olga: Operator, sam: Operator, nina: Operator, owen: Operator, eve: Operator, site: Site, rival_site: Site
) -> SimpleNamespace:
    """All operators and both sites at once."""
    return SimpleNamespace(
        olga=olga, sam=sam, nina=nina, owen=owen, eve=eve, site=site, rival_site=rival_site
    )


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A bucket on this machine that looks at signatures; what a test puts there stays for the others."""
    with S3Server() as server:
        yield server
