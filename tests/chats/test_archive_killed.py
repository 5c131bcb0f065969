"""A chat is in one place at any time, whatever is killed and whatever comes in between (R-118)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chatlead import age, stores
from chats import actions, archive, sealing
from chats.models import ArchivedChat, KeepingRun, Message, Note, RetentionLimit
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
    with dies_at(monkeypatch, stores.FolderStore, name, after=after):
        archive.erase(old.again())
    assert sealing.verify_chain(old.again()) == []
    archive.erase(old.again())
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
