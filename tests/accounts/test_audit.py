"""What was done is noted, cannot be changed, and shows it when it was (R-111)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit
from accounts.models import Account, AuditEntry, AuditLink, Operator
from accounts.tasks import chain_audit

pytestmark = pytest.mark.django_db


def chained(acme: Account, olga: Operator, count: int = 3) -> None:
    for number in range(count):
        audit.note("survey.published", account=acme, by=olga, subject="survey:x", facts={"number": number})
    assert chain_audit() == count


def tampered(sql: str) -> None:
    """Somebody who may do anything to the database."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for table in ("accounts_auditentry", "accounts_auditlink"):
            if postgres:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            else:
                cursor.execute(f"DROP TRIGGER {table}_update")
                cursor.execute(f"DROP TRIGGER {table}_delete")
        cursor.execute(sql)


def test_a_deed_says_who_did_what_to_what(acme: Account, olga: Operator) -> None:
    """R-111, B2-18."""
    audit.note("survey.published", account=acme, by=olga, subject="survey:abc", facts={"version": 2})
    audit.note("backup.made", account=None, by=None)
    [entry] = audit.entries(acme)
    assert (entry.action, entry.actor, entry.actor_uid) == ("survey.published", "operator", olga.uid)
    assert (entry.subject, entry.facts) == ("survey:abc", {"version": 2})
    assert AuditEntry.objects.get(account=None).actor == "service"


def test_eve_reads_nothing_of_acme(acme: Account, olga: Operator, eve: Operator) -> None:
    """R-112."""
    audit.note("survey.published", account=acme, by=olga)
    assert not audit.entries(eve.account).exists()


def test_a_deed_that_did_not_happen_was_not_noted(acme: Account, olga: Operator) -> None:
    """R-111: one transaction holds both."""
    with pytest.raises(LookupError), transaction.atomic():
        audit.note("survey.published", account=acme, by=olga)
        raise LookupError
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("table", ["accounts_auditentry", "accounts_auditlink"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET id = id + 100", "DELETE FROM {}"])
def test_the_database_refuses_to_change_it(acme: Account, olga: Operator, table: str, deed: str) -> None:
    """R-111: whatever the program asks for."""
    chained(acme, olga)
    with (
        pytest.raises(DatabaseError, match="only added"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(deed.format(table))
    assert AuditEntry.objects.count() == AuditLink.objects.count() == 3


@pytest.mark.postgres
def test_postgres_refuses_to_empty_it(acme: Account, olga: Operator) -> None:
    """R-111."""
    chained(acme, olga)
    with (
        pytest.raises(DatabaseError, match="only added"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE accounts_auditentry")


def test_the_chain_is_whole_and_grows(acme: Account, olga: Operator) -> None:
    """R-111: chaining twice links nothing twice."""
    chained(acme, olga)
    assert chain_audit() == 0
    chained(acme, olga, 2)
    verdict = audit.verify()
    assert verdict.is_whole
    assert verdict.count == 5


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE accounts_auditentry SET action = 'x' WHERE {second}",
        "UPDATE accounts_auditentry SET actor_uid = '' WHERE {second}",
        "DELETE FROM accounts_auditentry WHERE {second}",
        "DELETE FROM accounts_auditlink WHERE number = 2",
    ],
)
def test_what_was_changed_is_found(acme: Account, olga: Operator, deed: str) -> None:
    """R-111: by somebody who took the guard off the tables."""
    chained(acme, olga)
    tampered(deed.format(second="id = (SELECT entry_id FROM accounts_auditlink WHERE number = 2)"))
    verdict = audit.verify()
    assert not verdict.is_whole
    assert verdict.broken_at == 2


def test_what_the_task_never_linked_is_found(acme: Account, olga: Operator) -> None:
    """R-111: a row smuggled in later, or a task that does not run."""
    chained(acme, olga)
    audit.note("survey.published", account=acme, by=olga)
    assert audit.verify().is_whole  # just now: its turn has not come
    AuditEntry.objects.create(action="x", actor="service", at=timezone.now() - timedelta(hours=2))
    verdict = audit.verify()
    assert not verdict.is_whole
    assert verdict.unchained_count == 1


def test_the_task_looks_at_what_is_new_and_not_at_ten_million_entries(
    acme: Account, olga: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Performance: from the last links on; and with nothing to do it asks for no lock."""
    chained(acme, olga, 5)
    monkeypatch.setattr(audit, "CHAINED_AT_ONCE", 3)
    kept = list(AuditEntry.objects.order_by("id").values_list("id", flat=True))
    with CaptureQueriesContext(connection) as idle:
        assert chain_audit() == 0
    entries = [each["sql"] for each in idle if 'FROM "accounts_auditentry"' in each["sql"]]
    assert len(entries) == 1 and f'"id" > {kept[2]}' in entries[0]
    assert not [each for each in idle if "SAVEPOINT" in each["sql"]]
    chained(acme, olga, 2)
    assert audit.verify() == audit.Verdict(7)
