"""Owners and admins say how long conversations stay, and see that seals and archive are in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AuditEntry, Department, Operator, Site
from chatlead import health, metrics
from chats import actions
from chats.models import Chat, KeepingRun, Message, RetentionLimit
from tests.chats.ended import Ended, talk
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/account/privacy/keeping/"
LoggedIn = Callable[[Operator], Client]


@pytest.fixture
def ended(
    vera: VisitorPrincipal,
    intake: Department,
    olga: Operator,
    principal_of: Any,
    tmp_path: Path,
    settings: Settings,
) -> Ended:
    """Vera's chat of 40 days ago, with a store of this test's own."""
    settings.ARCHIVE_STORE = (tmp_path / "store").as_uri()
    settings.ARCHIVE_IDENTITY_FILE = tmp_path / "identity"
    return talk(vera, intake, principal_of(olga), "Hello", "Good day", hours=40 * 24)


def send(client: Client, address: str = PAGE, **fields: Any) -> Any:
    """As the form on the page does it, with its token."""
    client.get(PAGE)
    token = client.cookies["cl_csrf"].value
    return client.post(address, {"csrfmiddlewaretoken": token, **fields}, follow=True)


def test_owen_sets_a_limit_and_lifts_it(owen: Operator, site: Site, logged_in: LoggedIn) -> None:
    """R-153: days by site; empty is never; saved twice is one row."""
    client = logged_in(owen)
    assert "Never" in client.get(PAGE).text
    for _ in range(2):
        page = send(client, **{site.uid: "30"})
    assert 'value="30"' in page.text and "Nothing has changed." in page.text
    assert RetentionLimit.objects.get().days == 30
    assert "Saved." in send(client, **{site.uid: ""}).text
    assert not RetentionLimit.objects.exists()
    changes = AuditEntry.objects.filter(action="retention.changed").order_by("id")
    assert [each.facts for each in changes] == [{"before": 0, "days": 30}, {"before": 30, "days": 0}]
    assert {(each.subject, each.actor_uid) for each in changes} == {(f"site:{site.uid}", owen.uid)}


@pytest.mark.parametrize("days", ["0", "13", "4000", "-1", "1.5", "soon", "9" * 30])
def test_a_limit_that_is_none_is_said_beside_its_field(
    owen: Operator, site: Site, logged_in: LoggedIn, days: str
) -> None:
    """R-153: nothing is saved, and what was written stays in the form."""
    page = send(logged_in(owen), **{site.uid: days})
    assert page.status_code == 400 and "Nothing was saved." in page.text
    assert f'value="{days}"' in page.text and 'aria-invalid="true"' in page.text
    assert not RetentionLimit.objects.exists()


def test_only_owners_and_admins_and_only_of_their_own_sites(
    nina: Operator, olga: Operator, eve: Operator, site: Site, rival_site: Site, logged_in: LoggedIn
) -> None:
    """R-112: eve sees her site and can set no limit on acme's; operators and supervisors get 403."""
    for other in (olga, nina):
        assert logged_in(other).get(PAGE).status_code == 403
        client = logged_in(other)
        assert client.get("/account/chats/").status_code == 200
        token = {"csrfmiddlewaretoken": client.cookies["cl_csrf"].value}
        for address in (PAGE, f"{PAGE}verify/"):
            assert client.post(address, {**token, site.uid: "30"}).status_code == 403
    assert not RetentionLimit.objects.exists() and not KeepingRun.objects.exists()
    client = logged_in(eve)
    page = client.get(PAGE).text
    assert rival_site.name in page and "acme.test" not in page
    send(client, **{site.uid: "30"})
    assert not RetentionLimit.objects.exists()


def test_the_page_tells_what_the_night_has_done(
    owen: Operator, site: Site, ended: Ended, logged_in: LoggedIn
) -> None:
    """R-118: how many are sealed and archived, when it ran, and what failed."""
    client = logged_in(owen)
    assert "It has not run yet." in client.get(PAGE).text
    send(client, **{site.uid: "30"})
    assert actions.archive_due() == 1
    page = client.get(PAGE).text
    assert '<td class="number">1</td><td class="number">1</td><td class="number">1</td>' in page
    assert "<dt>Moved</dt><dd>1</dd>" in page and "<dt>Failed</dt><dd>0</dd>" in page


def test_verify_now_tells_the_result(owen: Operator, ended: Ended, logged_in: LoggedIn) -> None:
    """R-111: asked twice it runs once; a broken seal is named by the chat's uid, not by a word of it."""
    client = logged_in(owen)
    actions.seal_ended()
    for _ in range(2):
        assert "Being checked" in send(client, f"{PAGE}verify/").text
    assert actions.verify_asked() == 1 and actions.verify_asked() == 0
    assert "All 1 fit" in client.get(PAGE).text
    Message.objects.filter(chat=ended.chat, seq=3).update(text="I jumped")
    send(client, f"{PAGE}verify/")
    assert actions.verify_asked() == 1
    page = client.get(PAGE).text
    assert "1 of 1 do not fit" in page and ended.chat.uid in page and "jumped" not in page


def test_a_verification_whose_worker_was_killed_is_done_again(owen: Operator, ended: Ended) -> None:
    """V-7: by the lease."""
    actions.seal_ended()
    actions.ask_verification(by=owen)
    KeepingRun.objects.update(leased_until=timezone.now() + timedelta(minutes=5), done_count=7)
    assert actions.verify_asked() == 0
    KeepingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert actions.verify_asked() == 1
    assert KeepingRun.objects.get().done_count == 1


def test_one_verification_goes_on_at_a_time_and_no_clock_keeps_it(
    owen: Operator, ended: Ended, rival: Account
) -> None:
    """Performance, V-7: of ten firms that ask, nine wait; a lease from a clock a day ahead holds nobody."""
    actions.seal_ended()
    actions.ask_verification(by=owen)
    now = timezone.now()
    soon = now + timedelta(minutes=5)
    theirs = KeepingRun.objects.create(account=rival, kind="verify", asked_at=now, leased_until=soon)
    assert actions.verify_asked() == 0
    KeepingRun.objects.filter(pk=theirs.pk).update(leased_until=now + timedelta(days=1))
    assert actions.verify_asked() == 2


def test_metrics_tell_what_waits_for_the_archive(ended: Ended, site: Site) -> None:
    """R-118: chats due, and the age of the oldest."""
    RetentionLimit.objects.create(account=site.account, site=site, days=30)
    assert "/metrics" in health.PROBES  # whose module watches the gauges
    text = metrics.exposition().decode()
    assert "chatlead_archive_due_chats 1.0" in text
    [age] = [line for line in text.splitlines() if line.startswith("chatlead_archive_due_age_seconds ")]
    assert 9.9 < float(age.split()[1]) / 86400 < 10.1
    Chat.objects.update(archived_at=timezone.now())
    assert "chatlead_archive_due_chats 0.0" in metrics.exposition().decode()
