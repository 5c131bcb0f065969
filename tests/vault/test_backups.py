"""When backups are made, what is thrown away, what staff sees (R-116, R-117, V-12)."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, AuditEntry, Backup, BackupCopy, BackupProof, Installation, User
from chatlead import tasks
from chatlead.backups import keep, making, proving, state
from chatlead.backups.alone import AtWork, alone
from chatlead.backups.keep import Kept, expired
from chats import sealing
from chats.models import Chat, Message
from tests.servers import ROOT

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def kept(*days_ago: float) -> list[Kept]:
    return [Kept(f"{days}", 1, NOON - timedelta(days=days)) for days in days_ago]


@pytest.mark.parametrize(
    ("ages", "count", "days", "gone"),
    [
        ([], 3, 35, []),
        ([0, 1, 2], 3, 35, []),
        ([0, 1, 2, 3], 3, 35, [3]),
        ([0, 1, 34, 36], 40, 35, [36]),
        ([36, 37], 40, 35, [37]),  # however old, the last one stays
        ([90], 1, 1, []),
        ([0, 0.1, 0.2], 1, 35, [0.1, 0.2]),
        ([0, 1, 2, 34, 36], 3, 35, [34, 36]),  # whichever of the two comes first
        ([0, 36, 37], 3, 35, [36, 37]),
    ],
)
def test_old_backups_go_and_never_the_last(
    ages: list[float], count: int, days: int, gone: list[float]
) -> None:
    """R-116, B2-6"""
    found = expired(kept(*ages), now=NOON, count=count, days=days)
    assert [each.name for each in found] == [str(age) for age in gone]


def test_names_of_backups_sort_by_time_and_are_told_from_other_files() -> None:
    """R-116"""
    names = [keep.new_name(NOON + timedelta(seconds=n)) for n in range(3)]
    assert names == sorted(names)
    assert keep.made_at(names[1]) == NOON + timedelta(seconds=1)
    for other in (
        "chatlead.dump",
        "chatlead-20261399T120000000000Z-00000000.backup.age",
        ".part-1",
        "x/" + names[0],
    ):
        assert keep.made_at(other) is None


@pytest.mark.django_db
def test_the_days_backup_is_due_from_its_hour_until_one_is_good(
    vault: Path, settings: Settings, installation: Installation
) -> None:
    """R-116: who slept through the hour makes it later; one that failed comes again in half an hour."""
    settings.BACKUP_HOUR = 3
    Installation.objects.update(created_at=NOON - timedelta(days=9))
    today, both = NOON.replace(hour=3), ["primary", "offsite"]
    assert making.lacking(NOON) == both and making.next_hour(NOON) == today + timedelta(days=1)
    row = Backup.objects.create(started_at=today - timedelta(hours=2), state="done")
    for place in both:
        BackupCopy.objects.create(backup=row, place=place, state="kept", at=today)
    assert making.lacking(NOON) == both and not making.lacking(today - timedelta(minutes=1))
    Backup.objects.filter(pk=row.pk).update(started_at=NOON - timedelta(minutes=20), state="failed")
    BackupCopy.objects.update(state="failed")
    assert not making.lacking(NOON) and making.lacking(NOON + timedelta(minutes=11)) == both
    BackupCopy.objects.filter(place="primary").update(state="kept")
    assert making.lacking(NOON + timedelta(minutes=11)) == ["offsite"]
    BackupCopy.objects.update(state="kept")
    assert not making.lacking(NOON + timedelta(hours=2)) and making.lacking(NOON + timedelta(days=1)) == both
    BackupCopy.objects.all().delete()
    assert making.lacking(NOON + timedelta(hours=2)) == both  # this database was restored from it
    Backup.objects.all().delete()
    Installation.objects.update(created_at=NOON - timedelta(minutes=5))
    assert not making.lacking(NOON)  # a new one has its first at the next hour


def test_a_day_has_one_hour_of_backups_whatever_a_countrys_clock_does(settings: Settings) -> None:
    """R-116: where the hour comes twice on a day in autumn, or not at all on one in spring."""
    settings.BACKUP_HOUR = 6  # 2 in the morning in New York in summer, 1 in winter
    new_york = ZoneInfo("America/New_York")
    for day in (datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 14, tzinfo=UTC)):
        quarters = [day + timedelta(minutes=15 * n) for n in range(96)]
        hours = {making.last_hour(at.astimezone(new_york)) for at in quarters}
        assert hours == {day + timedelta(hours=6), day - timedelta(hours=18)}


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_a_year_ahead_keeps_no_backup_from_being_made(
    vault: Path, installation: Installation
) -> None:
    """R-116: neither the next one, nor the word that one is missing."""
    now = timezone.now()
    Installation.objects.update(created_at=now - timedelta(days=9))
    wrong = Backup.objects.create(state="done", started_at=now + timedelta(days=365))
    copy = BackupCopy.objects.create(backup=wrong, place="primary", state="kept", problem="", at=now)
    BackupProof.objects.create(state="passed", started_at=wrong.started_at, place="primary")
    assert tasks.back_up() == ""
    assert proving.is_due(now + timedelta(days=9))
    newest = state.newest_good(copy.place)
    assert newest and newest <= timezone.now()
    assert making.lacking(timezone.now() + timedelta(days=1)) == ["primary", "offsite"]


@pytest.mark.django_db(transaction=True)
def test_a_backup_is_in_every_store_and_a_proof_restores_the_one_that_is_elsewhere(
    vault: Path, acme: Account, settings: Settings
) -> None:
    """R-116, R-117, V-12: counted, looked at, reported, and nothing is left of the scratch database."""
    Installation.objects.update(created_at=timezone.now() - timedelta(days=9))
    assert tasks.back_up() == "backup done, proof passed"
    assert tasks.back_up() == ""  # neither is due any more
    backup, proof = Backup.objects.get(), BackupProof.objects.get()
    assert {(copy.place, copy.state) for copy in backup.copies.all()} == {
        ("primary", "kept"),
        ("offsite", "kept"),
    }
    files = [vault / place / backup.name for place in ("primary", "offsite")]
    assert files[0].read_bytes() == files[1].read_bytes() and files[0].stat().st_size == backup.size
    assert (proof.place, proof.name, proof.row_count) == ("offsite", backup.name, backup.row_count)
    assert proof.backup_made_at == backup.started_at and proof.table_count > 20
    assert list((vault / "data" / "scratch").iterdir()) == []
    assert scratch_databases() == []
    assert [each.what for each in state.problems(timezone.now())] == []
    settings.BACKUP_KEEP_COUNT = 1
    assert making.make_backup().state == "done"
    states = BackupCopy.objects.order_by("backup", "place").values_list("place", "state")
    assert list(states) == [
        ("offsite", "expired"),
        ("primary", "expired"),
        ("offsite", "kept"),
        ("primary", "kept"),
    ]
    assert not files[0].exists() and not files[1].exists()


@pytest.mark.django_db(transaction=True)
def test_an_off_site_store_that_is_away_costs_no_backup_of_the_other(
    vault: Path, acme: Account, settings: Settings
) -> None:
    """R-116, R-117: it is tried again each half hour by itself, so by count the days before are kept."""
    now = timezone.now()
    settings.BACKUP_KEEP_COUNT, settings.BACKUP_HOUR = 3, (now - timedelta(hours=8)).hour
    Installation.objects.update(created_at=now - timedelta(days=9))
    days = [keep.new_name(now - timedelta(days=day)) for day in (1, 2)]
    (vault / "primary").mkdir()
    for name in days:
        (vault / "primary" / name).write_bytes(b"a good one")
    away, settings.BACKUP_OFFSITE = settings.BACKUP_OFFSITE, "file:///dev/null/offsite"

    def half_an_hour_later() -> str:
        Backup.objects.update(started_at=F("started_at") - timedelta(minutes=31))
        return tasks.back_up()

    assert [half_an_hour_later() for _ in range(4)] == ["backup failed"] * 4
    there = {file.name for file in (vault / "primary").glob("*.age")}
    assert there > set(days) and len(there) == 3
    assert any("The last backup has failed: Offsite" in each.what for each in state.problems(now))
    settings.BACKUP_OFFSITE = away
    assert half_an_hour_later() == "backup done, proof passed"
    assert {file.name for file in (vault / "primary").glob("*.age")} == there
    assert len(list((vault / "offsite").glob("*.age"))) == 1 and tasks.back_up() == ""


@pytest.mark.django_db(transaction=True)
def test_what_is_too_old_goes_though_no_new_one_can_be_made(
    vault: Path, acme: Account, settings: Settings
) -> None:
    """B2-6, R-116: what was erased is gone from backups after 35 days; but never the last one."""
    ages = (30, 36, 37)
    names = [keep.new_name(timezone.now() - timedelta(days=age)) for age in ages]
    for place in ("primary", "offsite"):
        (vault / place).mkdir()
        for name in names:
            (vault / place / name).write_bytes(b"x")
    settings.BACKUP_RECIPIENTS = ["age1nobody"]
    assert making.make_backup().state == "failed"
    for place in ("primary", "offsite"):
        assert [file.name for file in (vault / place).glob("*.age")] == names[:1]


def scratch_databases() -> list[str]:
    """On PostgreSQL: those that a proof has made, or a test as if it had."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{proving.PREFIX}%"])
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_a_proof_says_what_is_wrong_with_a_backup(vault: Path, acme: Account, settings: Settings) -> None:
    """V-12: a changed byte, no key, nothing there; and staff reads it."""
    making.make_backup()
    file = next((vault / "offsite").iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    assert "does not open" in proving.prove_newest().problem
    settings.BACKUP_IDENTITY_FILE = str(vault / "nowhere")
    assert "there is no key" in proving.prove_newest().problem
    settings.BACKUP_IDENTITY_FILE = ""
    file.unlink()
    assert "there is no backup" in proving.prove_newest().problem
    assert any("The last proof has failed" in each.what for each in state.problems(timezone.now()))
    assert scratch_databases() == []


@pytest.mark.django_db(transaction=True)
def test_a_proof_verifies_the_seals_of_chats_that_have_ended(vault: Path, active_chat: Chat) -> None:
    """R-111, V-12: somebody has changed a row behind everybody's back, before the backup."""
    Chat.objects.filter(pk=active_chat.pk).update(state="closed", closed_at=timezone.now())
    assert sealing.seal(active_chat.pk)
    making.make_backup()
    proof = proving.prove_newest()
    assert (proof.state, proof.seal_count) == ("passed", 1)
    Message.objects.filter(chat=active_chat, seq=2).update(facts={"name": "Somebody else"})
    making.make_backup()
    assert "the seal of a chat does not hold" in proving.prove_newest().problem


@pytest.mark.parametrize(
    "keys", [[], ["what mallory made up, long enough to be one"]], ids=["none", "another"]
)
@pytest.mark.django_db(transaction=True)
def test_what_somebody_else_has_put_into_the_store_is_not_carried_out(
    vault: Path, acme: Account, settings: Settings, keys: list[str]
) -> None:
    """V-12: who may write there and knows our recipient, which is no secret, has the server run no SQL."""
    ours = settings.FIELD_KEYS
    settings.FIELD_KEYS = keys
    making.make_backup()
    settings.FIELD_KEYS = ours
    proof = proving.prove_newest()
    assert proof.state == "failed" and "by whom is not known" in proof.problem
    making.make_backup()
    assert proving.prove_newest().state == "passed"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_next_proof_drops_what_a_killed_one_left(vault: Path, acme: Account) -> None:
    """V-12: and no database of another name."""
    from chatlead.backups.sources import owner_connection

    left, other = f"{proving.PREFIX}{'0' * 16}", f"{proving.PREFIX}not_ours"
    with owner_connection() as owner:
        for name in (left, other):
            owner.execute(f'CREATE DATABASE "{name}"')
        try:
            making.make_backup()
            BackupProof.objects.create(started_at=timezone.now(), place="offsite")
            assert proving.prove_newest().state == "passed"
            assert scratch_databases() == [other]
            assert BackupProof.objects.filter(state="running").count() == 0
        finally:
            owner.execute(f'DROP DATABASE "{other}"')


@pytest.mark.django_db(transaction=True)
def test_two_are_never_at_work_at_once(vault: Path, acme: Account) -> None:
    """R-116: a task may be delivered twice."""
    with alone():
        with pytest.raises(AtWork):
            making.make_backup()
        assert tasks.prove_now() == "another is at work"
    assert Backup.objects.count() == 0
    Backup.objects.create(started_at=timezone.now())  # of one that was killed
    making.make_backup()
    assert sorted(Backup.objects.values_list("state", flat=True)) == ["done", "failed"]


@pytest.mark.django_db(transaction=True)
def test_one_that_was_killed_is_said_at_the_next_look_and_keeps_nobody_from_asking(
    vault: Path, acme: Account
) -> None:
    """R-116: though none is due for a day; one that is really at work goes on."""
    client = Client()
    client.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    Backup.objects.create(started_at=timezone.now())
    BackupProof.objects.create(started_at=timezone.now(), place="primary")
    with alone():
        assert tasks.back_up() == "another is at work"
    assert client.get("/admin/backups/").text.count(" disabled>") == 2
    assert tasks.back_up() == ""
    assert Backup.objects.get().state == "failed" == BackupProof.objects.get().state
    page = client.get("/admin/backups/").text
    assert " disabled>" not in page and "The last backup has failed: it was cut off" in page


@pytest.mark.django_db(transaction=True)
def test_without_a_key_production_makes_none_and_says_what_to_do(vault: Path, settings: Settings) -> None:
    """R-117"""
    settings.PRODUCTION = True
    backup = making.make_backup()
    assert backup.state == "failed" and "CHATLEAD_BACKUP_RECIPIENTS" in backup.problem
    assert "no key is set" in state.problems(timezone.now())[0].what
    assert not (vault / "primary").exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_missing_or_has_failed_is_in_words_and_in_figures(vault: Path, settings: Settings) -> None:
    """R-116: more than 26 hours without a good one."""
    now = timezone.now()
    Installation.objects.update(created_at=now - timedelta(hours=27))
    assert "There is no backup in the primary store." in [each.what for each in state.problems(now)]
    old = Backup.objects.create(started_at=now - timedelta(hours=27), state="done")
    for place in ("primary", "offsite"):
        BackupCopy.objects.create(backup=old, place=place, state="kept", at=now)
    assert "The newest backup in the offsite store is 27 hours old." in [e.what for e in state.problems(now)]
    settings.BACKUP_STORE = "file:///dev/null/backups"
    assert making.make_backup().state == "failed"
    found = [each.what for each in state.problems(now)]
    assert not any("offsite store" in each for each in found)
    assert any(each.startswith("The last backup has failed: Primary: the folder") for each in found)
    ages = {reading.label: reading.value for reading in state.ages()}
    assert ages["primary"] > 27 * 3600 - 60 and ages["offsite"] < 3600
    assert [reading.value for reading in state.failure_count()] == [1]
    settings.BACKUP_OFFSITE = ""
    assert any("No off-site store" in each.what for each in state.problems(now))


@pytest.mark.django_db
def test_staff_sees_the_backups_and_asks_for_one(vault: Path, settings: Settings) -> None:
    """R-116: what is wrong stands first; what was asked for is noted. A text of a program stays a text."""
    settings.CELERY_BROKER_URL = "memory://"
    client = Client()
    client.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    assert "/admin/backups/" in client.get("/admin/").text
    Backup.objects.create(
        started_at=timezone.now(), ended_at=timezone.now(), state="failed", problem="<b>pg_dump</b> failed"
    )
    page = client.get("/admin/backups/").text
    assert "The last backup has failed: &lt;b&gt;pg_dump&lt;/b&gt; failed." in page
    assert "There is no backup" not in page  # the installation is minutes old
    assert client.post("/admin/backups/", {"wanted": "backup"}).status_code == 302
    assert AuditEntry.objects.get().action == "backup.asked"
    assert client.post("/admin/backups/", {"wanted": "nonsense"}).status_code == 302
    assert AuditEntry.objects.count() == 1
    Backup.objects.create(started_at=timezone.now())
    page = client.get("/admin/backups/").text
    assert "A backup is being made since" in page and "Look again" in page and "refresh" not in page


@pytest.mark.once
def test_a_server_that_makes_no_backup_does_not_load_what_it_takes() -> None:
    """performance.md: the start stays fast, the memory small."""
    program = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'chatlead.settings'\n"
        "import chatlead.asgi, chatlead.urls, chatlead.tasks\n"
        "print([name for name in ('obstore', 'pyrage', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
