"""A backup of a firm, restored elsewhere (R-116, R-117, B2-6, V-3), each in processes and a database of its
own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.processes import free_port
from tests.s3_server import S3Server
from tests.vault.copies import Installation

CANARY = "vera.canary@example.com is what nobody may read in a backup"


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """acme with a chat, and one good backup of it."""
    made = Installation(tmp_path_factory.mktemp("firm"))
    made.manage("migrate", "-v", "0")
    made.manage("demo")
    made.python(
        f"from accounts.models import Account\nprint(Account.objects.order_by('pk').update(name='{CANARY}'))"
    )
    made.manage("backup")
    yield made
    made.drop()


@pytest.fixture
def elsewhere(tmp_path: Path, firm: Installation) -> Iterator[Callable[[], Installation]]:
    """A new machine with an empty database, the settings and the key."""
    made: list[Installation] = []

    def build() -> Installation:
        made.append(Installation(tmp_path / f"elsewhere{len(made)}", like=firm))
        return made[-1]

    yield build
    for each in made:
        each.drop()


def test_a_restored_firm_is_what_it_was_but_for_its_epoch(
    firm: Installation, elsewhere: Callable[[], Installation]
) -> None:
    """R-116, V-3: every table as it was counted, and clients start afresh."""
    before = firm.facts()
    new = elsewhere()
    said = new.manage("restore", "--newest")
    assert "all as they were counted" in said and "Ready to be served" in said
    after = new.facts()
    assert after.pop("epoch") != before.pop("epoch")
    assert after == before and before["accounts"] and not before["shut"]
    # what was restored is backed up and restored again: nothing of the restore is in the way
    new.env["CHATLEAD_BACKUP_STORE"] = f"file://{new.at}/backups"
    new.manage("backup")
    again = elsewhere()
    again.manage("restore", str(new.backups()[-1]))
    assert again.facts()["accounts"] == before["accounts"]
    assert again.python("from accounts.models import Backup; print(Backup.objects.last().state)") == "done"


def test_into_a_database_with_something_in_it_nothing_is_restored(
    firm: Installation, elsewhere: Callable[[], Installation]
) -> None:
    """R-116: but a database that was only migrated is empty."""
    before = firm.facts()
    assert "not empty" in firm.refused("restore", "--newest")
    assert firm.facts() == before
    migrated = elsewhere()
    migrated.manage("migrate", "-v", "0")
    migrated.manage("restore", "--newest")
    assert migrated.facts()["accounts"] == before["accounts"]
    assert "not empty" in migrated.refused("restore", "--newest")


@pytest.mark.once
def test_a_backup_that_is_harmed_or_for_another_key_leaves_the_database_empty(
    firm: Installation, elsewhere: Callable[[], Installation], tmp_path: Path
) -> None:
    """R-116, V-12: cut off at any place, one byte changed, another key, no key, no backup at all."""
    whole = firm.backups()[-1].read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    new = elsewhere()
    harmed = tmp_path / "harmed"
    for data in (whole[: len(whole) // 2], whole[:-1], bytes(changed), b"", b"no backup"):
        harmed.write_bytes(data)
        assert "does not open: it is cut off or changed" in new.refused("restore", str(harmed))
    other = tmp_path / "other"
    other.write_text(firm.manage("backup", "--new-key"))
    said = new.refused("restore", "--newest", "--identity", str(other))
    assert "does not open: it was encrypted to another key" in said
    assert "no key" in new.refused("restore", "--newest", "--identity", str(tmp_path / "nowhere"))
    assert "no backup" in new.refused("restore", "--newest", "--store", f"file://{tmp_path}/nothing")
    for name in ("a b", "../../identity", "backup.age"):
        assert "nor the name of a backup" in new.refused("restore", name)
    # after all of these it is as empty as before
    new.manage("restore", "--newest")
    assert new.facts()["accounts"] == firm.facts()["accounts"]


@pytest.mark.once
def test_the_off_site_copy_alone_is_enough(
    firm: Installation, elsewhere: Callable[[], Installation], s3: S3Server, tmp_path: Path
) -> None:
    """R-117: the first machine is gone with its store; who made the copy could not have deleted it."""
    firm.env |= {
        "CHATLEAD_BACKUP_OFFSITE": s3.url(tmp_path.name),
        "CHATLEAD_S3_ACCESS_KEY": s3.write_once.access,
        "CHATLEAD_S3_SECRET_KEY": s3.write_once.secret,
        "CHATLEAD_BACKUP_STORE": f"file://{tmp_path}/primary",
    }
    try:
        assert "offsite: kept" in firm.manage("backup")
        assert "offsite" in firm.manage("prove_backup")
        new = elsewhere()
    finally:
        for name in ("CHATLEAD_BACKUP_OFFSITE", "CHATLEAD_S3_ACCESS_KEY", "CHATLEAD_S3_SECRET_KEY"):
            firm.env.pop(name)
        firm.env["CHATLEAD_BACKUP_STORE"] = f"file://{firm.at}/backups"
    shutil.rmtree(tmp_path / "primary")
    assert "no backup" in new.refused("restore", "--newest")
    new.manage("restore", "--newest", "--store", "offsite")
    assert new.facts()["accounts"] == firm.facts()["accounts"]


def test_nothing_of_anybody_can_be_read_in_a_backup(firm: Installation) -> None:
    """R-118: neither text nor keys; and nothing in clear is left beside it."""
    words = [CANARY.encode(), firm.env["SECRET_KEY"].encode(), firm.env["CHATLEAD_FIELD_KEYS"].encode()]
    assert firm.facts()["accounts"]
    for file in firm.backups():
        data = file.read_bytes()
        assert data.startswith(b"age-encryption.org/v1") and not any(word in data for word in words)
    assert list((firm.at / "scratch").iterdir()) == []


def kill_when(process: subprocess.Popen[bytes], reached: Callable[[], object]) -> None:
    """kill -9 as soon as it has come so far; where it was faster than we looked, it has ended."""
    while process.poll() is None and not reached():
        time.sleep(0.001)
    process.kill()
    process.communicate()


def test_killed_in_the_middle_neither_leaves_half_of_anything(
    firm: Installation, elsewhere: Callable[[], Installation]
) -> None:
    """R-116: kill -9 of a backup and of a restore at several moments; the next one is whole."""
    known = set(firm.backups())
    for reached in (
        lambda: any((firm.at / "scratch").iterdir()),
        lambda: any(file.stat().st_size for file in (firm.at / "scratch").glob("*/sealed")),
        lambda: set(firm.backups()) - known or any((firm.at / "backups").glob(".part-*")),
    ):
        kill_when(firm.start("backup"), reached)
    for file in set(firm.backups()) - known:  # whoever was killed late had finished
        assert file.stat().st_size > 1000
    assert firm.run_next("backup").returncode == 0
    assert list((firm.at / "scratch").iterdir()) == []
    running = "from accounts.models import Backup; print(Backup.objects.filter(state='running').count())"
    assert firm.python(running) == "0"
    new = elsewhere()
    scratch = new.at / "scratch"
    for reached in (
        lambda: scratch.is_dir() and any(scratch.iterdir()),
        lambda: any(scratch.glob("*/fetched")),
        lambda: any(new.at.glob("db.sqlite3*")) or not new.is_sqlite,
    ):
        kill_when(new.start("restore", "--newest"), reached)
    done = new.run_next("restore", "--newest")
    if done.returncode:  # one of them came as far as the last steps, or to the end
        assert "--finish" in done.stderr or "not empty" in done.stderr, done.stderr
        if "--finish" in done.stderr:
            new.manage("restore", "--finish")
    facts = new.facts()
    assert facts["accounts"] == firm.facts()["accounts"] and not facts["shut"]


def test_no_server_has_the_file_before_its_restore_is_over(
    firm: Installation, elsewhere: Callable[[], Installation]
) -> None:
    """R-116, B2-6: on SQLite, where a server keeps a restore away, and a restore a server until its end."""
    new = elsewhere()
    if not new.is_sqlite:
        return  # PostgreSQL says who is connected
    with (new.at / "served.lock").open("w") as share:
        fcntl.flock(share, fcntl.LOCK_SH)
        assert "A server is running on this data folder" in new.refused("restore", "--newest")
        fcntl.flock(share, fcntl.LOCK_UN)
        restore = new.start("restore", "--newest")
        while restore.poll() is None and not any((new.at / "scratch").glob("*/fetched")):
            time.sleep(0.001)
        fcntl.flock(share, fcntl.LOCK_SH)  # as a server does that was started now: it waits
        with contextlib.closing(sqlite3.connect(new.at / "db.sqlite3")) as database:
            asked = (
                "SELECT restoring_since, (SELECT count(*) FROM accounts_account) FROM accounts_installation"
            )
            assert database.execute(asked).fetchall() == [(None, firm.facts()["accounts"])]
        said, _ = restore.communicate()
        assert restore.returncode == 0 and b"Ready to be served" in said


def test_a_server_that_is_started_during_a_restore_waits_and_takes_nothing(
    elsewhere: Callable[[], Installation],
) -> None:
    """B2-6: it neither migrates nor listens before the restore is over, and then no restore begins."""
    new = elsewhere()
    if not new.is_sqlite:
        return  # PostgreSQL says who is connected
    with (new.at / "served.lock").open("w") as restore:
        fcntl.flock(restore, fcntl.LOCK_EX)  # as a restore has it
        server = new.start("serve", "--migrate", "--port", "0", "--workers-off")
        try:
            said = Said(server)
            said.until("waiting for its end")
            assert "ChatLead is ready" not in said.so_far and not list(new.at.glob("db.sqlite3*"))
            fcntl.flock(restore, fcntl.LOCK_UN)
            said.until("ChatLead is ready")
            assert (new.at / "db.sqlite3").is_file()
            assert "A server is running on this data folder" in new.refused("restore", "--newest")
        finally:
            server.kill()
            server.communicate()
    assert "Ready to be served" in new.manage("restore", "--newest")


class Said:
    """What a process says, on both of its streams, as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.so_far = ""
        self._streams = selectors.DefaultSelector()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            self._streams.register(stream, selectors.EVENT_READ)

    def until(self, words: str) -> None:
        """Returns when it has said them; an AssertionError with all that it said where it ends before."""
        while words not in self.so_far:
            assert self._streams.get_map(), self.so_far
            for key, _ in self._streams.select():
                said = os.read(key.fd, 65536)
                self.so_far += said.decode()
                if not said:
                    self._streams.unregister(key.fileobj)


@pytest.mark.once
def test_a_disk_without_room_is_said_before_anything_is_copied(firm: Installation) -> None:
    """R-116: room for the copy and for the sealed file, of a backup and of a proof; told on the page too."""
    if not firm.is_sqlite:
        return
    file = firm.at / "db.sqlite3"
    try:
        for command in ("backup", "prove_backup"):
            # with a hole at its end, which SQLite does not mind: one copy would fit, two do not
            os.truncate(file, int(shutil.disk_usage(firm.at).free * 0.8))
            assert "has no room" in firm.refused(command)
            assert not list((firm.at / "scratch").glob("*/*"))
    finally:
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            [(size,)] = database.execute("PRAGMA page_size")
        # as its header counts: `page_count` takes the hole along where something was written meanwhile
        with file.open("rb") as header:
            pages = int.from_bytes(header.read(32)[28:])
        os.truncate(file, pages * size)
    said = firm.python(
        "from chatlead.backups import state; from django.utils import timezone; "
        "print([each.what for each in state.problems(timezone.now())], state.failure_count()[0].value, "
        "state.proof_failure_count()[0].value)"
    )
    assert said.count("has no room") == 2 and said.endswith("] 1 1"), said
    firm.manage("backup")
    firm.manage("prove_backup")


def test_what_was_acknowledged_before_a_backup_began_is_in_it(
    firm: Installation, elsewhere: Callable[[], Installation]
) -> None:
    """R-116: while somebody goes on writing; and what is in it has no hole."""
    talker = firm.start_module("tests.vault.talk")
    assert talker.stdout is not None
    said = [talker.stdout.readline().decode().strip() for _ in range(30)]
    assert said == [f"w{number}" for number in range(1, 31)]
    firm.manage("backup")
    talker.kill()
    talker.communicate()
    new = elsewhere()
    new.manage("restore", "--newest")
    texts = [text for text in cast("list[str]", new.facts()["texts"]) if text.startswith("w")]
    assert len(texts) >= 30 and texts == [f"w{number}" for number in range(1, len(texts) + 1)]


@pytest.mark.once
def test_a_store_that_fails_is_said_and_does_not_keep_the_other_from_having_its_copy(
    firm: Installation, tmp_path: Path
) -> None:
    """R-116"""
    firm.env |= {
        "CHATLEAD_BACKUP_OFFSITE": f"s3://vault/x?endpoint=http://127.0.0.1:{free_port()}",
        "CHATLEAD_S3_ACCESS_KEY": "a",
        "CHATLEAD_S3_SECRET_KEY": "b",
    }
    known = len(firm.backups())
    try:
        said = firm.refused("backup")
    finally:
        for name in ("CHATLEAD_BACKUP_OFFSITE", "CHATLEAD_S3_ACCESS_KEY", "CHATLEAD_S3_SECRET_KEY"):
            firm.env.pop(name)
    assert "Offsite: s3://vault/x does not answer" in said
    assert len(firm.backups()) == known + 1


@pytest.mark.once
def test_a_store_that_takes_nothing_is_a_backup_that_failed(firm: Installation) -> None:
    """R-116: and the reason is said, not a traceback."""
    firm.env["CHATLEAD_BACKUP_STORE"] = "file:///dev/null/backups"
    try:
        assert "The backup has failed: Primary: the folder" in firm.refused("backup")
    finally:
        firm.env["CHATLEAD_BACKUP_STORE"] = f"file://{firm.at}/backups"


@pytest.mark.once
def test_a_data_folder_of_any_name_is_backed_up_and_restored(tmp_path: Path) -> None:
    """R-116: also one whose name means something in an address; and nothing is made beside it."""
    odd = Installation(tmp_path / "acme #1 50%41 ?mode=rw")
    try:
        if not odd.is_sqlite:
            return  # the database is no file
        del odd.env["CHATLEAD_BACKUP_STORE"]  # in the data folder, as for whoever sets nothing
        odd.manage("migrate", "-v", "0")
        odd.manage("backup")
        assert (odd.at / "db.sqlite3").is_file() and len(odd.backups()) == 1
        for file in odd.at.glob("db.sqlite3*"):
            file.unlink()
        odd.manage("restore", "--newest")
        assert odd.python("from accounts.models import Backup; print(Backup.objects.get().state)") == "done"
        assert list(tmp_path.iterdir()) == [odd.at]
    finally:
        odd.drop()
