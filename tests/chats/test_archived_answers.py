"""Who stands in the form of a chat alone is found, erased and kept erased when the chat is in the archive."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import erasure
from accounts.models import Account, Department, Operator
from chatlead.stores import StoreUnavailable
from chats import actions, answered, archive, tasks
from chats.archived import UNREADABLE
from chats.models import ArchivedAnswer, ArchivedChat, Chat, RetentionLimit
from privacy import exports, selectors, tombstones
from tests.chats.ended import CANARY, Ended, archived, files_in, talk
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "first@vera.test"
NUMBER = "(813) 555-0144"


@pytest.fixture
def filled(old: Ended) -> Ended:
    """Vera filled in a number, and an address that she has changed since."""
    told = [("phone", NUMBER), ("email", "First@vera.test"), ("channel", "Text message to: +18135550199")]
    answers = [{"name": name, "label": name, "value": value} for name, value in told]
    Chat.objects.filter(pk=old.chat.pk).update(answers=answers)
    return old


def found(account_id: int, **by: str) -> bool:
    return bool(selectors.find(account_id, **by).visitor_ids)


def of_vera(old: Ended) -> bool:
    """Whether somebody is found by her address, which then leads the whole service to acme, too."""
    account = old.chat.account
    by_address = found(account.pk, email=EMAIL)
    assert selectors.accounts_with(EMAIL) == ([account] if by_address else [])
    return by_address


@pytest.mark.parametrize("is_archived", [False, True])
def test_vera_is_found_by_what_she_filled_in_wherever_her_chat_lies(
    folder: Path, filled: Ended, rival: Account, is_archived: bool
) -> None:
    """R-175: by the same ways of writing her address and number, by nothing else, and only in acme."""
    if is_archived:
        archived(filled)
    account_id = filled.chat.account_id
    assert of_vera(filled) and found(account_id, email="FIRST@VERA.TEST")
    for number in ("+1 813 555 0144", "813-555-0144", "0813 555 0144", "5550144"):
        assert found(account_id, phone=number), number
    for number in ("+1 813 555 0145", "+44 913 555 0144", "913 555 0144", "550144", "+1 813 555 0199"):
        assert not found(account_id, phone=number), number
    assert not found(account_id, email="irst@vera.test") and not found(rival.pk, email=EMAIL)


def test_nobody_reads_her_out_of_what_is_kept(folder: Path, filled: Ended) -> None:
    """R-118: a digest under a key, the same nowhere else; another chat's form adds nothing of hers."""
    archived(filled)
    rows = list(ArchivedAnswer.objects.values_list("digest", flat=True))
    assert len(rows) == len(set(rows)) and all(len(each) == 64 for each in rows)
    assert not {answered._digest(b"", f"email:{EMAIL}")} & {*rows}
    assert {*rows} & answered.digests_of(emails=[EMAIL])


def test_an_erasure_by_her_number_reaches_the_archive(folder: Path, filled: Ended) -> None:
    """R-176: her words are gone from the file, and nothing leads to it any more."""
    archived(filled)
    person = selectors.find(filled.chat.account_id, phone=NUMBER)
    assert selectors.counts(person)["chats_archived"] == 1 and CANARY in str(archive.read(filled.again()))
    erasure.erase(person)
    assert CANARY not in str(archive.read(filled.again()))
    assert not ArchivedAnswer.objects.exists() and not of_vera(filled)
    assert answered.fill() == 0 and not ArchivedAnswer.objects.exists()


@pytest.mark.parametrize("by", [{"email": EMAIL}, {"phone": "+18135550144"}])
def test_her_stone_finds_her_form_in_the_archive_after_a_restore(
    folder: Path, filled: Ended, rival: Account, settings: Settings, tmp_path: Path, by: dict[str, str]
) -> None:
    """B2-6: by address or number alone, after a change of keys; another firm's stone finds nobody."""
    settings.TOMBSTONES = (tmp_path / "stones").as_uri()
    archived(filled)  # as the backup has it
    settings.FIELD_KEYS = ["a newer key", *settings.FIELD_KEYS]
    person = selectors.find(filled.chat.account_id, **by)
    alone = erasure.Person(person.account_id, emails=person.emails, phones=person.phones)
    tombstones.write(erasure.Person(rival.pk, emails=person.emails, phones=person.phones))
    assert not tombstones.reapply().get("chats_archived")
    assert CANARY in str(archive.read(filled.again()))
    tombstones.write(alone)
    assert tombstones.reapply()["chats_archived"] == 1
    assert CANARY not in str(archive.read(filled.again()))
    assert tombstones.reapply()["people"] == 0


def test_files_from_before_are_read_by_the_nightly_run_once(
    folder: Path, filled: Ended, limit: RetentionLimit
) -> None:
    """R-175: so many in a run; a file that cannot be read comes after the others the next time."""
    archived(filled)
    ArchivedAnswer.objects.all().delete()
    ArchivedChat.objects.update(answered_key="")
    assert not of_vera(filled) and answered.fill(0) == 0
    [path] = files_in(folder)
    whole = path.read_bytes()
    path.write_bytes(b"broken")
    long_ago = timezone.now() - timedelta(days=9)
    ArchivedChat.objects.update(touched_at=long_ago)
    assert answered.fill() == 0 and ArchivedChat.objects.get().touched_at > long_ago
    path.write_bytes(whole)
    tasks.archive_due()
    assert of_vera(filled) and answered.fill() == 0


def test_a_new_key_is_used_for_what_is_there(folder: Path, filled: Ended, settings: Settings) -> None:
    """R-176: with the old one beside it she is found at once, and without it after the nightly run."""
    archived(filled)
    older = list(settings.FIELD_KEYS)
    settings.FIELD_KEYS = ["a newer key", *older]
    assert of_vera(filled) and answered.fill() == 1 and answered.fill() == 0
    kept = ArchivedAnswer.objects.values_list("digest", flat=True)
    settings.FIELD_KEYS = ["a newer key"]
    assert {*kept} & answered.digests_of(emails=[EMAIL])


def test_who_erases_while_a_file_is_read_leaves_nothing_behind(
    folder: Path, filled: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-176: what the run has read of the file as it was is not noted."""
    archived(filled)
    ArchivedAnswer.objects.all().delete()
    ArchivedChat.objects.update(answered_key="")
    read = archive.read

    def read_and_erase(chat: Chat) -> archive.Contents:
        contents = read(chat)
        visitor = Visitor.objects.get(pk=chat.visitor_id)
        erasure.erase(erasure.Person(chat.account_id, visitor_ids=frozenset({visitor.pk})))
        return contents

    monkeypatch.setattr(archive, "read", read_and_erase)
    assert answered.fill() == 0 and not ArchivedAnswer.objects.exists()


def test_what_became_nothing_leaves_no_digest(folder: Path, filled: Ended) -> None:
    """R-118: a file and its digests are there together; they go with the chat."""
    archived(filled)
    assert ArchivedAnswer.objects.exists() and not actions.archive_chat(filled.chat.pk)
    Chat.objects.filter(pk=filled.chat.pk).delete()
    assert not ArchivedAnswer.objects.exists()


@pytest.mark.parametrize("fault", ["lost", "broken"])
def test_a_copy_says_which_conversation_cannot_be_read_and_has_the_others(
    folder: Path, old: Ended, vera: VisitorPrincipal, intake: Department, olga: Operator,
    principal_of: Any, fault: str,
) -> None:  # fmt: skip
    """B2-4, R-176: one bad file does not keep all the rest from her; a store that is not there does."""
    other = talk(vera, intake, principal_of(olga), "Hello", "Good morning", hours=900)
    archive.claim()
    archived(old)
    [path] = files_in(folder)
    archived(other)
    if fault == "lost":
        path.unlink()
    else:
        path.write_bytes(b"broken")
    person = erasure.Person(old.chat.account_id, visitor_ids=frozenset({old.chat.visitor_id}))
    with exports.collect(person, with_internal=False) as found:
        told = {each["chat"]: each for each in found.rows("chats_archived")}
        page = b"".join(exports.html_parts(found, firm="Acme Law", made_at="today")).decode()
    assert set(told) == {old.chat.uid, other.chat.uid}
    assert "messages" not in told[old.chat.uid] and told[old.chat.uid]["closed_at"]
    assert "Good morning" in str(told[other.chat.uid]["messages"])
    assert UNREADABLE in page
    folder.rename(folder.with_name("aside"))
    folder.mkdir()
    with pytest.raises(StoreUnavailable):
        exports.collect(person, with_internal=False)
