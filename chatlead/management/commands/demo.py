"""`manage.py demo`: the law firm Harbor & Lane, its people and its site; and a rival (contract.md)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts import selectors
from accounts.models import (
    Account,
    Department,
    DepartmentMember,
    Operator,
    OperatorRole,
    Site,
    SiteDepartment,
    User,
)
from chatlead.settings import kept_secret
from surveys.actions import publish_survey
from surveys.forms import Asked

FIRM, RIVAL = "Harbor & Lane", "Rival & Co"
INTAKE, BILLING = "Intake", "Billing"
STAFF = "staff@demo.test"


@dataclass(frozen=True, slots=True)
class Person:
    """A demo log-in: whose, as what, and where it works."""

    email: str
    name: str
    role: OperatorRole
    departments: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """As it is printed."""
        return ", ".join((str(self.role.value), *self.departments))


PEOPLE = {
    FIRM: (
        Person("owner@demo.test", "Harriet Lane", OperatorRole.OWNER),
        Person("nina@demo.test", "Nina", OperatorRole.SUPERVISOR, (INTAKE, BILLING)),
        Person("olga@demo.test", "Olga", OperatorRole.OPERATOR, (INTAKE,)),
        Person("sam@demo.test", "Sam", OperatorRole.OPERATOR, (BILLING,)),
    ),
    RIVAL: (Person("eve@demo.test", "Eve", OperatorRole.OWNER),),
}
LOGINS = [(each.email, each.words) for people in PEOPLE.values() for each in people] + [(STAFF, "staff")]


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """What somebody who tries the demo needs. `logins` are (e-mail, role) pairs, all with one password."""

    password: str
    site_key: str
    logins: list[tuple[str, str]]


class DemoRefused(Exception):
    """This is a production system: no known logins here."""


def ensure() -> DemoFacts:
    """Makes what is missing of the demo; when nothing is, three reads. Raises DemoRefused in production.

    The password is CHATLEAD_DEMO_PASSWORD, else the one kept in the data folder, else a new one kept there.
    What somebody changed by hand stays, but the password is set again when it is another one.
    """
    if settings.PRODUCTION:
        raise DemoRefused("CHATLEAD_ENV is production: the demo and its logins are not made here.")
    password = settings.DEMO_PASSWORD or kept_secret(settings.DATA_DIR / "demo_password", 12)
    mark = salted_hmac("chatlead.demo", f"{selectors.epoch()}|{password}", algorithm="sha256").hexdigest()
    marker = settings.DATA_DIR / "demo_made"
    site = selectors.first_site_of(PEOPLE[FIRM][0].email)
    known = marker.exists() and hmac.compare_digest(marker.read_text().strip(), mark)
    if site is None or not known:
        with transaction.atomic():
            site = _make(password)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(mark)
    return DemoFacts(password=password, site_key=site.key, logins=list(LOGINS))


def _make(password: str) -> Site:
    encoded = make_password(password)  # slow on purpose; one hash serves them all, as they share the password
    firm = _account(FIRM, "Harbor & Lane LLP", encoded)
    _account(RIVAL, "Rival & Co", encoded)
    User.objects.update_or_create(email=STAFF, defaults={"password": encoded, "is_staff": True})
    site = firm.sites.order_by("id").first()
    if site is None:
        site = Site.objects.create(
            account=firm,
            name=FIRM,
            allowed_domains=["127.0.0.1", "localhost"],
            welcome="How can we help?",
            color="#1b2a49",
        )
        for department in firm.departments.all():
            SiteDepartment.objects.create(account=firm, site=site, department=department)
        asked = [
            Asked("score", "How satisfied are you with this chat?"),
            Asked("text", "What could be better?"),
        ]
        publish_survey(site=site, department=None, title="How was your chat?", intro="", asked=asked)
    return site


def _account(name: str, legal_name: str, encoded: str) -> Account:
    people = PEOPLE[name]
    owner = Operator.objects.filter(user__email=people[0].email, role=OperatorRole.OWNER).first()
    if owner is not None:
        account = owner.account
    else:
        account = Account.objects.create(name=name, legal_name=legal_name, is_unlimited=True)
    for position, title in enumerate((INTAKE, BILLING) if name == FIRM else ("Sales",)):
        Department.objects.get_or_create(
            account=account,
            name=title,
            defaults={"position": position, "email": f"{title.lower()}@demo.test"},
        )
    for person in people:
        _person(account, person, encoded)
    return account


def _person(account: Account, person: Person, encoded: str) -> None:
    user, _ = User.objects.update_or_create(email=person.email, defaults={"password": encoded})
    operator, is_new = Operator.objects.get_or_create(
        account=account, user=user, defaults={"name": person.name, "role": person.role}
    )
    if is_new:
        for department in Department.objects.filter(account=account, name__in=person.departments):
            DepartmentMember.objects.create(account=account, department=department, operator=operator)


class Command(BaseCommand):
    """Makes the demo where it is missing and prints its logins; running it again changes nothing."""

    help = "Make the demo firm with its site and logins (not in production)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the password, the logins and the site's key."""
        try:
            facts = ensure()
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"password  {facts.password}")
        for email, words in facts.logins:
            self.stdout.write(f"{email:<18} {words}")
        self.stdout.write(f"site key  {facts.site_key}")
