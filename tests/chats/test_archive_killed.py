"""A chat is in one place at any time, whatever is killed and whatever comes in between (R-118)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import erasure
from accounts.erasure import Person
from accounts.models import Installation
from chatlead import age, stores
from chats import actions, archive, emptying, sealing
from chats.archived import ArchivedChats
from chats.models import ArchivedChat, Chat, ChatSeal, KeepingRun, Message, Note, RetentionLimit
from tests.chats.ended import CANARY, Ended, archived, files_in, in_database, say

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """As if the process had ended here: nothing catches it."""


@contextlib.contextmanager
def dies_at(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, *, after: bool) -> Iterator[None]:
    """The next call of `where.name` is the last thing the process does, or would have done."""
    real = getattr(where, name)

    def dies(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(where, name, dies)
        with pytest.raises(Killed):
            yield


STEPS = {
    "before the seal": (sealing, "seal", False),
    "after the seal": (sealing, "seal", True),
    "after its name was noted": (archive, "written", False),
    "before the file is written": (stores.FolderStore, "put", False),
    "after the file is written": (stores.FolderStore, "put", True),
    "before it is read back": (stores.FolderStore, "get", False),
    "before it is proved": (archive, "contents_of", False),
    "in the last transaction": (QuerySet, "delete", True),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_task_that_is_killed_leaves_a_chat_in_one_place_and_the_next_finishes(
    folder: Path, old: Ended, limit: RetentionLimit, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """R-118: killed at any step, it is in the database; the run after the lease moves it, with one file."""
    where, name, after = STEPS[step]
    archive.claim()
    with dies_at(monkeypatch, where, name, after=after):
        actions.archive_due()
    assert in_database(old.again()) and sealing.verify_chain(old.again()) == []
    assert actions.archive_due() == 0  # the lease of the dead
    KeepingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert actions.archive_due() == 1
    assert not in_database(old.again()) and sealing.verify_chain(old.again()) == []
    assert len(files_in(folder)) == 1


def test_what_was_left_in_the_store_goes_although_the_limit_was_lifted(
    folder: Path, old: Ended, limit: RetentionLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-118: in exactly one place, whatever the firm has changed meanwhile."""
    archive.claim()
    with dies_at(monkeypatch, stores.FolderStore, "put", after=True):
        actions.archive_due()
    limit.delete()
    KeepingRun.objects.update(leased_until=None)
    assert actions.archive_due() == 0
    assert in_database(old.again()) and files_in(folder) == [] and not ArchivedChat.objects.exists()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["put", "get", "delete"])
def test_an_erasure_that_is_killed_finishes_when_it_is_repeated(
    folder: Path, old: Ended, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    """R-176: at any step there is one whole file that fits the seal; in the end nothing of hers is left."""
    archived(old)
    archive.claim()
    with dies_at(monkeypatch, stores.FolderStore, name, after=after):
        emptying.erase(old.again())
    assert sealing.verify_chain(old.again()) == []
    emptying.erase(old.again())
    [path] = files_in(folder)
    assert CANARY.encode() not in age.decrypt(path.read_bytes(), archive.identities())
    assert sealing.verify_chain(old.again()) == []


def test_an_erasure_while_the_file_is_written_is_not_lost(
    folder: Path, old: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-176: what was read before she was erased does not come to stay in the archive."""
    real = stores.FolderStore.put

    def put(store: Any, name: str, data: Any) -> None:
        real(store, name, data)
        Message.objects.filter(chat=old.chat).update(text="")
        Note.objects.filter(chat=old.chat).update(text="")

    with monkeypatch.context() as patched:
        patched.setattr(stores.FolderStore, "put", put)
        assert not actions.archive_chat(old.chat.pk)
    assert in_database(old.again()) and files_in(folder) == []
    with transaction.atomic():
        sealing.forget([old.chat.pk])
    assert sealing.verify_chain(archived(old)) == []


def test_a_row_that_comes_while_the_file_is_written_is_not_lost(
    folder: Path, old: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-035: late rows may follow the end; the file is written again with them."""
    real = stores.FolderStore.put

    def put(store: Any, name: str, data: Any) -> None:
        real(store, name, data)
        say(old.chat, "closed", facts={"state": "closed", "reason": "ended"})

    with monkeypatch.context() as patched:
        patched.setattr(stores.FolderStore, "put", put)
        assert not actions.archive_chat(old.chat.pk)
    assert Message.objects.filter(chat=old.chat).count() == 7
    chat = archived(old)
    assert ArchivedChat.objects.get(chat=chat).message_count == 7


def aged(folder: Path) -> None:
    """As if every file had been written yesterday."""
    for path in files_in(folder):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 86400))


def test_an_erasure_takes_along_what_a_killed_task_has_left(
    folder: Path, old: Ended, limit: RetentionLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-176: the chat is in the database, a file of it in the store."""
    archive.claim()
    with dies_at(monkeypatch, stores.FolderStore, "put", after=True):
        actions.archive_due()
    assert len(files_in(folder)) == 1
    Message.objects.filter(chat=old.chat).update(text="")
    ArchivedChats().erase(Person(old.chat.account_id, frozenset({old.chat.visitor_id})))
    assert files_in(folder) == []


def test_after_a_restore_from_before_the_archive_no_file_is_left_without_a_row(
    folder: Path, old: Ended, limit: RetentionLimit
) -> None:
    """B2-6: the rows are back, so the file of the lost day goes: an erasure would not find it."""
    kept = [*Message.objects.filter(chat=old.chat)], [*Note.objects.filter(chat=old.chat)]
    sealing.seal(old.chat.pk)
    links, before = ChatSeal.objects.get().links, Chat.objects.get(pk=old.chat.pk)
    archived(old)
    aged(folder)
    Message.objects.bulk_create(kept[0])
    Note.objects.bulk_create(kept[1])
    ArchivedChat.objects.all().delete()
    ChatSeal.objects.update(links=links)
    before.save()
    assert len(files_in(folder)) == 1
    limit.days = 3000
    limit.save()
    assert actions.archive_due() == 0
    assert files_in(folder) == [] and sealing.verify_chain(old.again()) == []


def test_after_a_restore_from_before_an_erasure_the_emptied_file_is_found(
    folder: Path, old: Ended, limit: RetentionLimit
) -> None:
    """B2-6: the row names a file that is gone; the one that replaced it fits the seal and is taken, by the
    erasure that is made again or by the next night."""
    archived(old)
    before = ArchivedChat.objects.get()
    emptying.erase(old.again())
    for again in (lambda: emptying.erase(old.again()), actions.archive_due):
        before.save()
        assert sealing.verify_chain(old.again()) != []
        again()
        assert sealing.verify_chain(old.again()) == []
        [path] = files_in(folder)
        assert CANARY.encode() not in age.decrypt(path.read_bytes(), archive.identities())


def test_a_file_of_a_chat_that_is_not_here_stays(folder: Path, old: Ended, limit: RetentionLimit) -> None:
    """R-118: nothing is destroyed that may be the only copy."""
    archived(old)
    aged(folder)
    Chat.objects.filter(pk=old.chat.pk).delete()
    assert actions.archive_due() == 0
    assert len(files_in(folder)) == 1


def test_a_copy_that_was_restored_for_a_trial_touches_nothing_of_the_real_ones(
    folder: Path, old: Ended, limit: RetentionLimit, capsys: pytest.CaptureFixture[str]
) -> None:
    """R-118, B2-6: what the real installation has archived since would look left behind to it. Whoever
    restored in earnest says so, and then the store is theirs."""
    archived(old)
    actions.archive_due()
    aged(folder)
    [file] = files_in(folder)
    ArchivedChat.objects.update(state=ArchivedChat.State.WRITING)  # as it was at the time of the backup
    Installation.objects.update(epoch="another")
    actions.archive_due()
    assert files_in(folder) == [file]
    assert KeepingRun.objects.latest("pk").faults == [["", "claim"]]
    with contextlib.suppress(CommandError):
        call_command("verify_archive", "--take-over")
    actions.archive_due()
    assert files_in(folder) == []


@pytest.mark.parametrize("is_killed", [True, False])
def test_no_file_that_was_being_written_outlives_an_erasure(
    folder: Path, old: Ended, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    """R-176: neither what a killed task has left in the store, nor what one writes at this moment."""
    vera = Person(old.chat.account_id, frozenset({old.chat.visitor_id}))
    if is_killed:
        with dies_at(monkeypatch, stores.FolderStore, "put", after=True):
            actions.archive_chat(old.chat.pk)
        erasure.erase(vera)
    else:
        real = stores.FolderStore.put

        def put(store: Any, name: str, data: Any) -> None:
            erasure.erase(vera)
            real(store, name, data)

        with monkeypatch.context() as patched:
            patched.setattr(stores.FolderStore, "put", put)
            assert not actions.archive_chat(old.chat.pk)
    assert files_in(folder) == [] and ArchivedChats().count(vera) == 0
    assert sealing.verify_chain(old.again()) == []


def test_nothing_is_said_to_be_erased_that_is_only_not_mounted(folder: Path, old: Ended) -> None:
    """R-176: an empty store is no reason to call an erasure done."""
    archived(old)
    folder.rename(folder.with_name("another disk"))
    with pytest.raises(stores.StoreUnavailable):
        erasure.erase(Person(old.chat.account_id, frozenset({old.chat.visitor_id})))
