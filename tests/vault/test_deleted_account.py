"""An account that goes takes its files along, and nobody else's (R-118, R-176)."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import outbox
from accounts.models import Account, AuditEntry, Department, Operator, OutboxItem, Site, User
from chatlead import leaving
from chats import archive, sealing
from chats.archived import DROP_FILES
from chats.models import Chat, Message
from privacy import tombstones
from tests.chats.ended import CANARY, Ended, archived, talk
from tests.conftest import make_chat, make_operator, visitor_on
from visitors.models import Visitor
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
    call_command("delete_account", "--name", account.name, "--", account.subscriber_id, stdout=said)
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
            call_command("delete_account", "--name", name, "--", acme.subscriber_id)
    assert Account.objects.filter(pk=acme.pk).exists() and files_of(acme, vault)


def test_a_deletion_that_fails_leaves_no_stone_of_people_who_are_still_there(
    vault: Path, old: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2-6: the next restore would erase what a living firm's visitors have said."""
    acme = old.again().account
    said = Message.objects.filter(account=acme).count()
    account_id = acme.pk

    def late(*_: object) -> None:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patched, pytest.raises(OperationalError):
        patched.setattr(Account, "delete", late)  # at the end of the transaction, when all rows have gone
        deleted(acme)
    for item in outbox.due_ids():
        outbox.carry_out(item)
    assert not list((vault / "tombstones").rglob("*.json"))
    assert tombstones.reapply()["people"] == 0
    assert Message.objects.filter(account_id=account_id).count() == said > 0


def test_whoever_is_back_after_a_restore_is_erased_again(
    vault: Path, old: Ended, eves: Chat, eve: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2-6: in parts, whatever the number of visitors, and nobody of eve's."""
    acme = old.again().account
    uid, subscriber = acme.uid, acme.subscriber_id
    visitors = Visitor.objects.filter(account=acme).count()
    assert visitors > 1
    Account.objects.filter(pk=acme.pk).update(uid="gone-for-a-moment")
    tombstones.write_of_account({"account": uid}, "1")
    Account.objects.filter(pk=acme.pk).update(uid=uid)  # the backup from before
    monkeypatch.setattr(tombstones, "AT_ONCE", 1)
    assert tombstones.reapply()["people"] == visitors
    assert not Message.objects.filter(account=acme, text__contains=CANARY).exists()
    assert Visitor.objects.filter(account=acme, name=CANARY).count() == 0
    assert sealing.verify_chain(eves) == [] and len(files_of(eve.account, vault)) == 1
    assert Account.objects.filter(subscriber_id=subscriber).exists()


def test_where_no_stone_can_be_written_the_outbox_tries_again(
    vault: Path, old: Ended, settings: Settings
) -> None:
    """B2-6: a store that is away for an hour loses no stone."""
    acme = old.again().account
    where, settings.TOMBSTONES = settings.TOMBSTONES, "file:///dev/null/stones"
    deleted(acme)
    for item in outbox.due_ids():
        outbox.carry_out(item)
    assert OutboxItem.objects.get(kind=tombstones.OF_ACCOUNT).state == OutboxItem.State.PENDING
    settings.TOMBSTONES = where
    OutboxItem.objects.filter(kind=tombstones.OF_ACCOUNT).update(due_at=timezone.now())
    for item in outbox.due_ids():
        outbox.carry_out(item)
    assert len(list((vault / "tombstones" / "stones").iterdir())) == 1


def test_who_worked_for_nobody_else_goes_too(vault: Path, old: Ended, olga: Operator, eve: Operator) -> None:
    """R-176: their address and the hash of their password; who works for two firms, and staff, stay."""
    acme = old.again().account
    both, staff = make_operator(acme, "Both"), make_operator(acme, "Staff")
    Operator.objects.create(account=eve.account, user=both.user, name="Both")
    User.objects.filter(pk=staff.user_id).update(is_staff=True)
    deleted(acme)
    left = set(User.objects.values_list("pk", flat=True))
    assert olga.user_id not in left
    assert {eve.user_id, both.user_id, staff.user_id} <= left


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
