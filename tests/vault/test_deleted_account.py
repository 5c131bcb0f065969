"""An account that goes takes its files along, and nobody else's (R-118, R-176)."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import Settings

from accounts import outbox
from accounts.models import Account, AuditEntry, Department, Operator, OutboxItem, Site
from chatlead import leaving
from chats import archive, sealing
from chats.archived import DROP_FILES
from chats.models import Chat, Message
from tests.chats.ended import CANARY, Ended, archived, talk
from tests.conftest import make_chat, visitor_on
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(vault: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Ended:
    """Vera's chat with olga, in the archive; another one with notes lies in the database, a third waits."""
    ended = talk(vera, intake, principal_of(olga), CANARY, "on Monday", "We can help", hours=40 * 24)
    archived(ended)
    talk(visitor_on(ended.again().site), intake, principal_of(olga), CANARY, "We can help")
    make_chat(visitor_on(ended.again().site), intake)
    return ended


@pytest.fixture
def eves(eve: Operator, old: Ended) -> Chat:
    """A chat of eve's firm, in the archive."""
    site = Site.objects.filter(account=eve.account).first() or Site.objects.create(
        account=eve.account, name="Eve’s", allowed_domains=["eve.test"]
    )
    department = Department.objects.filter(account=eve.account).first() or Department.objects.create(
        account=eve.account, name="Desk"
    )
    chat = make_chat(visitor_on(site), department, state="closed")
    Chat.objects.filter(pk=chat.pk).update(closed_at=chat.started_at)
    return archived(Ended(chat))


def files_of(account: Account, vault: Path) -> list[Path]:
    return sorted((vault / "archive" / account.subscriber_id).rglob("*.age"))


def deleted(account: Account) -> str:
    said = StringIO()
    call_command("delete_account", account.subscriber_id, "--name", account.name, stdout=said)
    return said.getvalue()


def test_rows_and_files_go_and_eve_keeps_hers(vault: Path, old: Ended, eves: Chat, eve: Operator) -> None:
    """R-118: whatever is killed between the rows and the files, the outbox finishes."""
    acme = old.again().account
    pk = acme.pk
    assert len(files_of(acme, vault)) == 1
    assert "rows" in deleted(acme)
    for table in leaving._tables():
        assert not table._base_manager.filter(account_id=pk).exists(), table
    assert not Message.objects.filter(text__contains=CANARY).exists()
    for item in outbox.due_ids():
        outbox.carry_out(item)
    assert OutboxItem.objects.get(kind=DROP_FILES).state == OutboxItem.State.DONE
    assert files_of(acme, vault) == []
    assert len(files_of(eve.account, vault)) == 1 and sealing.verify_chain(eves) == []
    assert AuditEntry.objects.get(action="account.deleted").account_id == pk
    assert list((vault / "tombstones" / "stones").iterdir())


def test_another_name_deletes_nothing(vault: Path, old: Ended) -> None:
    """R-176: a number that was mistyped is somebody else's."""
    acme = old.again().account
    for name in ("", "Acme Limited"):
        with pytest.raises(CommandError, match="Nothing was deleted"):
            call_command("delete_account", acme.subscriber_id, "--name", name)
    assert Account.objects.filter(pk=acme.pk).exists() and files_of(acme, vault)


def test_where_no_stone_can_be_written_nothing_is_deleted(
    vault: Path, old: Ended, settings: Settings
) -> None:
    """B2-6: a restore would bring everybody back."""
    settings.TOMBSTONES = "file:///dev/null/stones"
    acme = old.again().account
    with pytest.raises(CommandError, match="Nothing was deleted"):
        deleted(acme)
    assert Account.objects.filter(pk=acme.pk).exists() and files_of(acme, vault)


def test_files_of_an_account_that_is_there_are_never_dropped(vault: Path, old: Ended) -> None:
    """B2-6: it was deleted after the backup, and the backup was restored."""
    acme = old.again().account
    with transaction.atomic():
        outbox.add(DROP_FILES, {"folder": acme.subscriber_id}, "again")
    for item in outbox.due_ids():
        outbox.carry_out(item)
    assert len(files_of(acme, vault)) == 1


def test_a_store_that_is_another_installations_is_left_alone(vault: Path, old: Ended, eves: Chat) -> None:
    """R-118: a copy that was restored for a trial deletes nothing of the real one."""
    archive.store().put(archive.CLAIM, b"somebody else")
    acme = old.again().account
    deleted(acme)
    for item in outbox.due_ids():
        outbox.carry_out(item)
    errand = OutboxItem.objects.get(kind=DROP_FILES)
    assert (errand.state, errand.last_error) == (OutboxItem.State.PENDING, "OfAnother")
    assert len(files_of(acme, vault)) == 1
