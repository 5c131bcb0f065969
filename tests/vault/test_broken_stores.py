"""A bucket that answers 500, answers half, or does not answer: nothing is lost, it is said, and it is tried
again (R-116, R-117, R-118)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Backup, BackupCopy, Department, Installation, Operator, User
from chatlead import health, metrics, stores, tasks
from chatlead.backups import proving, state
from chatlead.errors import ArchiveUnavailable
from chatlead.stores import StoreUnavailable, open_store
from chats import actions, archive, sealing
from chats.models import ArchivedChat, KeepingRun, Message, RetentionLimit
from tests.breaking_store import BreakingStore, How
from tests.chats.ended import CANARY, Ended, talk
from tests.s3_server import S3Server
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bucket(s3: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[BreakingStore]:
    """It gives up soon, so that a test need not wait for minutes."""
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = s3.keys
    monkeypatch.setattr(stores, "PIECE_SECONDS", 2)
    monkeypatch.setattr(stores, "RETRIES", 1)
    monkeypatch.setattr(archive, "_resting_until", 0.0)
    with BreakingStore(s3) as store:
        yield store


@pytest.mark.parametrize("how", ["error", "cut", "short"])
def test_a_part_is_never_taken_for_the_whole(bucket: BreakingStore, tmp_path: Path, how: How) -> None:
    """R-117: neither in memory nor in a file; of an answer that is consistent and too short (`short`) whoever
    reads it whole knows by its digest."""
    store = open_store(bucket.url(f"part-{how}"))
    store.put("one", b"0123456789" * 1000)
    bucket.breaks(how, "GET", "one")
    if how != "short":
        with pytest.raises(StoreUnavailable):
            store.get("one")
    with pytest.raises(StoreUnavailable):
        store.get_to("one", tmp_path / "one")
    assert bucket.broken and not (tmp_path / "one").exists()
    bucket.breaks("slow", "GET", "one")
    assert store.get("one") == b"0123456789" * 1000
    bucket.breaks("error", "GET", "one", times=1)
    assert store.get("one") == b"0123456789" * 1000  # asked again


@pytest.fixture
def due(
    vault: Path,
    bucket: BreakingStore,
    vera: VisitorPrincipal,
    intake: Department,
    olga: Operator,
    principal_of: Any,
    settings: Settings,
) -> Ended:
    """Vera's chat of 40 days ago, over its site's limit, and a bucket as the archive."""
    settings.ARCHIVE_STORE = bucket.url(f"archive-{vault.name}")
    ended = talk(vera, intake, principal_of(olga), CANARY, "on Monday", "We can help", hours=40 * 24)
    RetentionLimit.objects.create(account=ended.chat.account, site=ended.chat.site, days=30)
    return ended


@pytest.mark.parametrize(
    ("how", "method"),
    [("error", "PUT"), ("lost", "PUT"), ("hang", "PUT"), ("error", "GET"), ("cut", "GET"), ("short", "GET")],
)
def test_a_bucket_that_breaks_costs_no_word_of_a_chat(
    bucket: BreakingStore, due: Ended, owen: Operator, logged_in: Any, how: How, method: str
) -> None:
    """R-118: it stays in the database, the page and the figures say so, and the next run moves it; one that
    lies in the bucket is not to be had meanwhile, and is the same afterwards."""
    bucket.breaks(how, method, ".age")
    assert actions.archive_due() == 0 and bucket.broken
    assert Message.objects.filter(chat=due.chat).count() == 6 and due.again().archived_at is None
    assert KeepingRun.objects.order_by("-id")[0].faults == [["", "store"]]
    assert "store did not answer" in logged_in(owen).get("/account/privacy/keeping/").text
    assert "/metrics" in health.PROBES  # whose module watches the gauges
    assert "chatlead_archive_due_chats 1.0" in metrics.exposition().decode()
    bucket.mends()
    assert actions.archive_due() == 1
    [kept] = archive.store().list(due.chat.account.subscriber_id)  # nothing is left of what was broken
    assert kept.name == ArchivedChat.objects.get(chat=due.chat).name
    assert sealing.verify_chain(due.again()) == []
    if (how, method) == ("cut", "GET"):
        bucket.breaks(how, "GET", ".age")
        with pytest.raises(ArchiveUnavailable):
            archive.contents(due.again())
        with pytest.raises(StoreUnavailable):
            sealing.verify_chain(due.again())
        bucket.mends()
        assert CANARY in {row.text for row in archive.read(due.again()).messages}


@pytest.mark.parametrize(
    ("how", "method"), [("error", "PUT"), ("lost", "PUT"), ("hang", "PUT"), ("error", "GET")]
)
def test_an_off_site_bucket_that_breaks_costs_no_backup(
    vault: Path, bucket: BreakingStore, acme: Account, settings: Settings, how: How, method: str
) -> None:
    """R-116, R-117: the other store has it, staff and figures are told which one has not, and half an hour
    later that one alone is tried again."""
    settings.BACKUP_OFFSITE = bucket.url(f"offsite-{vault.name}")
    Installation.objects.update(created_at=timezone.now() - timedelta(days=9))
    bucket.breaks(how, method)
    assert tasks.back_up() == "backup failed" and bucket.broken
    assert set(BackupCopy.objects.values_list("place", "state")) == {
        ("primary", "kept"),
        ("offsite", "failed"),
    }
    client = Client()
    client.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    page = client.get("/admin/backups/").text
    assert "The last backup has failed: Offsite" in page
    assert [reading.value for reading in state.failure_count()] == [1]
    bucket.mends()
    Backup.objects.update(started_at=timezone.now() - timedelta(minutes=31))
    assert tasks.back_up() == "backup done, proof passed"
    assert BackupCopy.objects.order_by("-pk").values_list("place", "state").first() == ("offsite", "kept")
    assert BackupCopy.objects.filter(place="primary").count() == 1


@pytest.mark.parametrize("how", ["cut", "short"])
def test_half_a_backup_is_no_proof(
    vault: Path, bucket: BreakingStore, acme: Account, settings: Settings, how: How
) -> None:
    """V-12: what came from the bucket is not all of it; the next time it is."""
    settings.BACKUP_OFFSITE = bucket.url(f"proof-{vault.name}")
    Installation.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert tasks.back_up() == "backup done, proof passed"
    bucket.breaks(how, "GET", ".backup.age")
    proof = proving.prove_newest()
    assert proof.state == "failed" and "does not answer as it should" in proof.problem
    assert any("The last proof has failed" in each.what for each in state.problems(timezone.now()))
    bucket.mends()
    assert proving.prove_newest().state == "passed"
