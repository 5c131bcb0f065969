"""`manage.py verify_archive` proves the seals of all chats, wherever they lie."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import erasure
from accounts.models import Account, Department, Operator, Site
from chatlead import age
from chatlead.errors import ArchiveLocked
from chatlead.stores import StoreUnavailable
from chats import actions, archive
from chats.archived import ArchivedChats
from chats.models import Chat, ChatSeal, KeepingRun, Message, RetentionLimit
from tests.chats.ended import Ended, files_in, talk
from tests.conftest import visitor_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both(
    folder: Path, site: Site, intake: Department, olga: Operator, principal_of: Any
) -> tuple[Ended, Ended]:
    """A chat in the database and one in the archive, both sealed."""
    there, away = (talk(visitor_on(site), intake, principal_of(olga), "Hello", "Good day") for _ in range(2))
    actions.seal_ended()
    actions.archive_chat(away.chat.pk)
    return there, away


def verify(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_archive", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


def test_all_seals_fit(both: tuple[Ended, Ended], acme: Account, rival: Account) -> None:
    """R-111: in the database and in the archive; of one account or one chat where asked."""
    assert verify() == ("2 of 2 sealed chats fit their seals.\n", "")
    assert verify("--account", acme.subscriber_id)[0].startswith("2 of 2")
    assert verify("--account", rival.subscriber_id)[0].startswith("0 of 0")
    assert verify("--chat", both[1].chat.uid)[0].startswith("1 of 1")


def test_what_does_not_fit_is_named_and_ends_with_1(both: tuple[Ended, Ended], folder: Path) -> None:
    """R-111, V-12: a row changed by hand, a byte in a file; the words say nothing of what was said."""
    Message.objects.filter(chat=both[0].chat, seq=3).update(text="I jumped")
    [path] = [each for each in folder.rglob("*") if each.is_file()]
    path.write_bytes(path.read_bytes()[:-1])
    said, named = verify()
    assert said == "2 chats do not fit their seals."
    assert f"chat {both[0].chat.uid}: public row 3 is not what was sealed\n" in named
    assert f"chat {both[1].chat.uid}: the file in the archive is missing or is not" in named
    assert "jumped" not in named


def test_a_store_that_is_away_is_no_proof(both: tuple[Ended, Ended], folder: Path) -> None:
    """R-111: what could not be read was not verified."""
    folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    assert verify()[0].startswith("The archive does not answer:")


def test_another_key_is_told_from_a_damaged_file(
    both: tuple[Ended, Ended], folder: Path, settings: Settings, owen: Operator, logged_in: Any, acme: Account
) -> None:
    """R-118, R-111: who has set another key, or none, hears that it is the key, here, on the page and in the
    console; a copy for vera waits for it. With the right one behind it all is as it was."""
    chat = both[1].again()
    right = settings.ARCHIVE_IDENTITY_FILE
    settings.ARCHIVE_IDENTITY_FILE = folder.parent / "another"
    said, named = verify()
    assert said == "1 chats could not be verified: their key is not here."
    assert f"chat {chat.uid}: its file is locked to a key that is not here\n" in named
    assert f"locked to a key that is not in {settings.ARCHIVE_IDENTITY_FILE}" in named
    with pytest.raises(ArchiveLocked):
        archive.contents(chat)
    page = logged_in(owen).get(f"/account/chats/{chat.uid}/")
    assert page.status_code == 500 and "a key that is not on this server" in page.text
    vera = erasure.Person(chat.account_id, visitor_ids=frozenset({chat.visitor_id}))
    with pytest.raises(StoreUnavailable):
        list(ArchivedChats().export(vera))
    actions.ask_verification(by=owen)
    assert actions.verify_asked() == 1
    run = KeepingRun.objects.get(account=acme, kind="verify")
    assert (run.done_count, run.failed_count, run.faults) == (1, 1, [["", "locked"]])
    page = logged_in(owen).get("/account/privacy/keeping/")
    assert "Files of the archive are locked to a key" in page.text and "do not fit" not in page.text
    with settings.ARCHIVE_IDENTITY_FILE.open("a") as keys:
        keys.write(right.read_text())
    assert verify() == ("2 of 2 sealed chats fit their seals.\n", "")


def test_what_nobody_here_could_open_is_not_moved(
    folder: Path, both: tuple[Ended, Ended], settings: Settings
) -> None:
    """R-118: files would be written for a recipient whose identity is not here; the chat stays in the
    database, and what was written for it goes with the next run."""
    chat = both[0].chat
    RetentionLimit.objects.create(account=chat.account, site=chat.site, days=14)
    Chat.objects.filter(pk=chat.pk).update(closed_at=timezone.now() - timedelta(days=40))
    settings.ARCHIVE_RECIPIENTS = [age.new_identity()[1]]
    ChatSeal.objects.filter(chat=chat).delete()  # sealed with the end that it has now
    assert actions.archive_due() == 0
    assert KeepingRun.objects.get().faults == [["", "locked"]]
    assert both[0].again().archived_at is None and Message.objects.filter(chat=chat).count() == 5
    settings.ARCHIVE_RECIPIENTS = []
    assert actions.archive_due() == 1 and len(files_in(folder)) == 2


def test_a_slip_in_an_argument_is_no_proof(both: tuple[Ended, Ended]) -> None:
    """R-111: nothing verified is no success."""
    assert verify("--account", "nobody")[0] == "There is no account nobody."
    assert verify("--chat", "nothing")[0] == "There is no chat nothing."
