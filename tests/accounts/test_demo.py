"""The demo of contract.md: made once, never in production."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account, Operator, Site, User
from chatlead.management.commands import demo
from tests.security.test_other_tenants import everything_of
from visitors.origins import origin_allowed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    settings.DEMO_PASSWORD = ""


def who(email: str) -> tuple[str, str, list[str]]:
    """Account, role and departments of a log-in."""
    operator = Operator.objects.select_related("account").get(user__email=email)
    return operator.account.name, operator.role, sorted(operator.departments.values_list("name", flat=True))


def test_the_demo_is_the_one_of_the_contract() -> None:
    """contract.md: the firm, its departments and its people; a rival; staff without an account."""
    facts = demo.ensure()
    assert who("owner@demo.test") == ("Harbor & Lane", "owner", [])
    assert who("nina@demo.test") == ("Harbor & Lane", "supervisor", ["Billing", "Intake"])
    assert who("olga@demo.test") == ("Harbor & Lane", "operator", ["Intake"])
    assert who("sam@demo.test") == ("Harbor & Lane", "operator", ["Billing"])
    assert who("eve@demo.test") == ("Rival & Co", "owner", [])
    assert User.objects.get(email="staff@demo.test").is_staff
    assert [user.is_staff for user in User.objects.exclude(email="staff@demo.test")] == [False] * 5
    assert not User.objects.filter(is_superuser=True).exists()
    site = Site.objects.get(account__name="Harbor & Lane")
    assert facts.site_key == site.key
    assert site.account.is_unlimited
    assert [each.name for each in site.departments.all()] == ["Intake", "Billing"]
    assert {email for email, _ in facts.logins} == {user.email for user in User.objects.all()}


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "http://localhost:3000", "http://localhost"])
def test_the_demo_site_runs_on_this_machine_on_any_port(origin: str) -> None:
    """contract.md."""
    demo.ensure()
    domains = Site.objects.get().allowed_domains
    assert origin_allowed(origin, domains)
    assert not origin_allowed("https://evil.test", domains)


def test_making_it_again_changes_nothing(tmp_path: Path) -> None:
    """contract.md: idempotent; the password is the one that was kept, for its owner's eyes."""
    facts = demo.ensure()
    accounts = list(Account.objects.order_by("id"))
    before = [everything_of(account) for account in accounts], list(User.objects.order_by("id").values())
    assert demo.ensure() == facts
    after = [everything_of(account) for account in accounts], list(User.objects.order_by("id").values())
    assert after == before
    kept = tmp_path / "demo_password"
    assert kept.read_text() == facts.password
    assert kept.stat().st_mode & 0o077 == 0
    assert len(facts.password) == 16


def test_a_demo_that_is_there_costs_two_questions(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """A server asks at every start: no hash is made, nothing is written."""
    demo.ensure()
    with django_assert_num_queries(2):
        demo.ensure()


def test_everybody_of_the_demo_can_log_in(settings: Settings) -> None:
    """contract.md: one password for all, and another one counts from the next start on."""
    facts = demo.ensure()
    for email, _ in facts.logins:
        assert Client().login(username=email, password=facts.password)
    settings.DEMO_PASSWORD = "another password of ours"
    assert demo.ensure().password == "another password of ours"
    assert Client().login(username="olga@demo.test", password="another password of ours")
    assert not Client().login(username="olga@demo.test", password=facts.password)


def test_what_was_changed_by_hand_stays() -> None:
    """Somebody tries things in the demo; a restart does not take them back."""
    demo.ensure()
    Site.objects.update(welcome="Ahoy", allowed_domains=["shop.test"])
    Operator.objects.filter(user__email="olga@demo.test").update(name="Olga P.", role="supervisor")
    demo.ensure()
    assert Site.objects.get().welcome == "Ahoy"
    assert who("olga@demo.test")[1] == "supervisor"


def test_production_gets_no_known_log_in(settings: Settings) -> None:
    """contract.md: refused, and nothing is made."""
    settings.PRODUCTION = True
    with pytest.raises(demo.DemoRefused):
        demo.ensure()
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
    assert not User.objects.exists()


def test_the_command_prints_what_one_needs() -> None:
    """contract.md: the password, the log-ins, the key of the site."""
    out = StringIO()
    call_command("demo", stdout=out)
    facts = demo.ensure()
    for needed in (facts.password, facts.site_key, "olga@demo.test", "staff@demo.test"):
        assert needed in out.getvalue()


@pytest.mark.parametrize("page", ["", "injuries/", "family-law/", "contact/"])
def test_the_website_of_the_firm_carries_the_snippet(page: str) -> None:
    """contract.md: /demo/, with the key of its site."""
    assert Client().get(f"/demo/{page}").status_code == 404
    facts = demo.ensure()
    shown = Client().get(f"/demo/{page}")
    assert shown.status_code == 200
    assert f'data-site="{facts.site_key}"' in shown.text
    assert "/widget/v1/loader.js" in shown.text


@pytest.mark.parametrize("page", ["nothing", "base", "..", "_page"])
def test_the_website_has_no_other_pages(page: str) -> None:
    """P-23."""
    demo.ensure()
    assert Client().get(f"/demo/{page}/").status_code == 404


def test_an_operator_of_the_demo_sees_the_console(logged_in: Callable[[Operator], Client]) -> None:
    """From the log-in to the shell, with the files that the console is made of."""
    demo.ensure()
    shown = logged_in(Operator.objects.get(user__email="nina@demo.test")).get("/console/")
    assert shown.status_code == 200
    assert "/static/dist/console.js" in shown.text
    assert "/static/dist/console.css" in shown.text
