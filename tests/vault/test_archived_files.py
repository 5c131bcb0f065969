"""Archived chats are beside the backups, proved with them and back after a restore (R-116, R-118, B2-6)."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Backup, BackupProof, Department, Operator
from chatlead import stores
from chatlead.backups import files, keep, making, proving, state
from chats import emptying, sealing
from chats.models import ArchivedChat
from tests.chats.ended import CANARY, Ended, archived, talk
from tests.s3_server import S3Server
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(vault: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Ended:
    """Vera's chat with olga, in the archive."""
    ended = talk(vera, intake, principal_of(olga), CANARY, "on Monday", "We can help", hours=40 * 24)
    archived(ended)
    return ended


def copies(vault: Path, place: str) -> list[Path]:
    return sorted((vault / place / "archive").rglob("*.age"))


def backed_up() -> Backup:
    backup = making.make_backup()
    assert backup.state == "done", backup.problem
    return backup


def test_a_backup_copies_each_archived_chat_once_and_a_proof_opens_it(vault: Path, old: Ended) -> None:
    """R-116, R-118, V-12"""
    assert backed_up().file_count == 1
    [copy] = copies(vault, "primary")
    [elsewhere] = copies(vault, "offsite")
    assert copy.read_bytes() == elsewhere.read_bytes() and CANARY.encode() not in copy.read_bytes()
    written = copy.stat().st_ino
    backed_up()
    assert copies(vault, "primary") == [copy] and copy.stat().st_ino == written
    proof = proving.prove_newest()
    assert (proof.state, proof.file_count) == (BackupProof.State.PASSED, 1), proof.problem
    assert state.problems(timezone.now()) == []


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda file: file.unlink(), "not beside the backups"),
        (lambda file: file.write_bytes(b"harmed" * 500), "not the one that was copied"),
    ],
    ids=["gone", "changed"],
)
def test_a_proof_notices_a_copy_that_is_gone_or_another(
    vault: Path, old: Ended, harm: Any, words: str
) -> None:
    """V-12: and the next backup mends one that is gone."""
    backed_up()
    harm(copies(vault, "offsite")[0])
    assert words in proving.prove_newest().problem
    copies_left = copies(vault, "offsite")
    for each in copies_left:
        each.unlink()
    backed_up()
    assert proving.prove_newest().state == BackupProof.State.PASSED


def test_a_proof_without_the_archives_key_says_that_it_is_another(vault: Path, old: Ended) -> None:
    """V-12: a copy that nobody can read is none."""
    backed_up()
    (vault / "archive_identity").unlink()
    assert "locked to another key than the archive's" in proving.prove_newest().problem


def test_a_file_that_the_archive_has_lost_is_said_and_the_database_is_backed_up(
    vault: Path, old: Ended
) -> None:
    """R-116: on the page and in the figures; the rest is kept."""
    next((vault / "archive").rglob("*.age")).unlink()
    backup = backed_up()
    assert backup.file_count == 0 and "1 archived chats have no file" in backup.problem
    assert any("lacks files: 1 archived" in each.what for each in state.problems(timezone.now()))
    assert state.failures() == 1
    assert [copy.state for copy in backup.copies.all()] == ["kept", "kept"]


def test_a_file_that_an_erasure_has_taken_whole_is_missed_by_nobody(vault: Path, old: Ended) -> None:
    """R-116, R-176: it could not be read any more; backups, proofs and seals are well without it."""
    backed_up()
    [path] = (vault / "archive").rglob("*.age")
    path.write_bytes(b"a disk has died")
    assert sealing.verify_chain(old.again()) != [] and emptying.erase(old.again())
    assert backed_up().problem == "" and state.failures() == 0
    proof = proving.prove_newest()
    assert (proof.state, proof.file_count) == (BackupProof.State.PASSED, 0), proof.problem
    assert sealing.verify_chain(old.again()) == []
    brought = files.bring_back([f"file://{vault}/primary"])
    assert (brought.file_count, brought.missing_count) == (0, 0) and not path.exists()


def test_an_archive_that_does_not_answer_keeps_no_backup_from_being_made(
    vault: Path, old: Ended, settings: Settings
) -> None:
    """R-116"""
    settings.ARCHIVE_STORE = "file:///dev/null/archive"
    assert "archived chats were not copied" in backed_up().problem


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("after", [False, True])
def test_a_backup_that_is_killed_while_it_copies_is_gone_on_with(
    vault: Path, old: Ended, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """R-116"""
    real = stores.FolderStore.put

    def dies(*arguments: Any) -> None:
        if after:
            real(*arguments)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(stores.FolderStore, "put", dies)
        with pytest.raises(Killed):
            making.make_backup()
    assert keep.backups_in(keep.opened(f"file://{vault}/primary")) == []
    assert backed_up().file_count == 1
    assert proving.prove_newest().state == BackupProof.State.PASSED


def test_a_file_that_was_replaced_goes_from_the_copies_when_no_backup_needs_it(
    vault: Path, old: Ended, settings: Settings
) -> None:
    """B2-6, R-176: what was erased is not kept longer than a backup."""
    backed_up()
    emptying.erase(old.again())
    backed_up()
    assert len(copies(vault, "primary")) == 2  # yesterday's backup may be restored
    assert proving.prove_newest().state == BackupProof.State.PASSED
    before = timezone.now() - timedelta(days=settings.BACKUP_KEEP_DAYS + 1)
    for mark in (vault / "primary" / "gone").rglob("*.age"):
        os.utime(mark, (before.timestamp(), before.timestamp()))
    backed_up()
    [copy] = copies(vault, "primary")
    assert copy.name in ArchivedChat.objects.get().name
    assert list((vault / "primary" / "gone").rglob("*.age")) == []


def test_a_restore_brings_the_files_back_from_whichever_store_has_them(vault: Path, old: Ended) -> None:
    """R-116: killed in the middle it may be repeated; what is there is left alone."""
    backed_up()
    [file] = (vault / "archive").rglob("*.age")
    data = file.read_bytes()
    file.unlink()
    copies(vault, "primary")[0].unlink()
    urls = [f"file://{vault}/primary", f"file://{vault}/offsite"]
    assert files.bring_back(urls) == (1, 0)
    assert file.read_bytes() == data and sealing.verify_chain(old.again()) == []
    assert files.bring_back(urls) == (0, 0)
    file.unlink()
    copies(vault, "offsite")[0].write_bytes(b"harmed")
    assert files.bring_back(urls) == (0, 1)
    with pytest.raises(stores.StoreUnavailable):
        files.bring_back([*urls, "file:///dev/null/backups"])


def test_after_an_erasure_the_emptied_file_is_taken_and_not_yesterdays(vault: Path, old: Ended) -> None:
    """B2-6: the restored row names a file that an erasure has replaced since."""
    backed_up()
    row = ArchivedChat.objects.get()
    emptying.erase(old.again())
    row.save()
    assert files.bring_back([f"file://{vault}/primary"]) == (0, 0)
    [file] = (vault / "archive").rglob("*.age")
    assert ArchivedChat.objects.get().name.endswith(file.name) and sealing.verify_chain(old.again()) == []


def test_copies_in_a_bucket_are_written_again_before_its_rule_takes_them(
    vault: Path, old: Ended, settings: Settings, s3: S3Server
) -> None:
    """R-117: with keys that may not delete."""
    settings.BACKUP_OFFSITE = s3.url(vault.name)
    settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY = s3.write_once
    backed_up()
    store = keep.opened(settings.BACKUP_OFFSITE)
    [first] = store.list("archive")
    backed_up()
    assert store.list("archive") == [first]
    settings.BACKUP_KEEP_DAYS = 0
    backed_up()
    [again] = store.list("archive")
    assert again.name == first.name and again.modified_at >= first.modified_at
    emptying.erase(old.again())
    backed_up()
    assert len(store.list("archive")) == 2
    assert proving.prove_newest().state == BackupProof.State.PASSED
