"""Chats that have ended move into one encrypted file each, and whoever could read them still can."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts import erasure
from accounts.models import Account, Department, Operator, Site
from chatlead import age
from chatlead.errors import ArchiveDamaged, ArchiveUnavailable, NotFound
from chatlead.stores import FolderStore
from chats import actions, archive, emptying, keeping, recovery, sealing
from chats.archived import ArchivedChats
from chats.erasure import Chats
from chats.models import ArchivedChat, Chat, ChatSeal, KeepingRun, Message, Note, RetentionLimit
from tests.chats.ended import ANSWERS, CANARY, Ended, archived, files_in, in_database, talk
from tests.conftest import visitor_on
from tests.sockets import console_of, frame_of
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


def goes_away(folder: Path) -> None:
    folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")


def comes_back(folder: Path) -> None:
    folder.unlink()
    folder.with_name("aside").rename(folder)


def test_what_is_older_than_the_limit_moves_into_a_file_of_its_own(
    folder: Path, old: Ended, limit: RetentionLimit, site: Site, intake: Department, olga: Operator,
    principal_of: Any,
) -> None:  # fmt: skip
    """R-118: the stub says where it is, nothing of the words is left in the tables; a younger one stays."""
    young = talk(visitor_on(site), intake, principal_of(olga), "Hello", "Good morning", hours=29 * 24)
    assert actions.archive_due() == 1
    chat = old.again()
    file = ArchivedChat.objects.get(chat=chat)
    assert chat.archived_at and (file.state, file.message_count, file.note_count) == ("kept", 6, 1)
    assert not Message.objects.filter(chat=chat).exists() and not Note.objects.filter(chat=chat).exists()
    assert (chat.answers, chat.page_url, ChatSeal.objects.get(chat=chat).links) == ([], "", [])
    [path] = files_in(folder)
    assert path.relative_to(folder).as_posix() == file.name and path.stat().st_size == file.size
    assert young.again().archived_at is None
    run = KeepingRun.objects.get(account=chat.account, kind="archive")
    assert run.ended_at and (run.done_count, run.failed_count, run.faults) == (1, 0, [])
    assert actions.archive_due() == 0 and files_in(folder) == [path]


def test_a_site_without_a_limit_keeps_everything_in_the_database(folder: Path, old: Ended) -> None:
    """R-153: never is the default."""
    assert actions.archive_due() == 0
    assert old.again().archived_at is None and not folder.exists()


def test_the_file_shows_nothing_without_its_key(folder: Path, old: Ended) -> None:
    """R-118: no plaintext canary in the file, nor the name she gave; the key is not in the store."""
    archived(old)
    [path] = files_in(folder)
    data = path.read_bytes()
    assert data.startswith(b"age-encryption.org/v1")
    for canary in (CANARY, ANSWERS[0]["value"], "a witness is named", old.chat.uid):
        assert canary.encode() not in data
    with pytest.raises(age.Undecryptable):
        age.decrypt(data, [age.new_identity()[0]])


def test_the_file_is_what_its_documentation_says(folder: Path, old: Ended) -> None:
    """R-118: docs/archive.md, for programs of others; canonical JSON under age."""
    chat = archived(old)
    plain = age.decrypt(files_in(folder)[0].read_bytes(), archive.identities())
    content = json.loads(plain)
    assert set(content) == {"format", "version", "account", "operators", "rows", "seal"}
    assert (content["format"], content["version"]) == ("chatlead.chat", 1)
    rows = {(each["row"]["log"], each["row"]["number"]): each["row"] for each in content["rows"]}
    assert (rows["chat", 0]["uid"], content["account"]) == (chat.uid, chat.account.subscriber_id)
    assert rows["form", 0]["answers"] == ANSWERS
    assert [each["row"].get("text") for each in content["rows"]] == [
        None, None, "", "", CANARY, "on Monday", "We can help", "", "a witness is named",
    ]  # fmt: skip
    assert content["seal"]["digest"] == ChatSeal.objects.get(chat=chat).digest
    assert content["operators"] == {str(chat.operator_id): [chat.operator.uid, "Olga"]}  # type: ignore[union-attr]


async def test_olga_opens_an_archived_chat_in_her_console(folder: Path, old: Ended, olga: Operator) -> None:
    """R-036: by the commands that open any chat, with notes, answers and page; all as before."""
    async with console_of(olga) as console:
        ask = {"type": "resume", "chat": old.chat.uid, "after": 0, "staff_after": 0, "epoch": "another"}
        before = await console.ask(**ask)
        page_before = await console.ask(type="load_messages", chat=old.chat.uid, before=5)
        assert before["view"]["log"][2]["text"] == CANARY and before["view"]["notes"]
        chat = await sync_to_async(archived)(old)
        after = await console.ask(**ask)
        assert after["view"] == before["view"]
        known = await console.ask(**ask | {"after": 2, "epoch": console.welcome["epoch"]})
        assert [each["seq"] for each in known["log"]] == [3, 4, 5, 6] and len(known["notes"]) == 1
        page = await console.ask(type="load_messages", chat=chat.uid, before=5)
        assert page["log"] == page_before["log"]


async def test_vera_sees_hers_and_no_note_and_eve_sees_nothing(
    folder: Path, old: Ended, site: Site, intake: Department, olga: Operator, eve: Operator, principal_of: Any
) -> None:
    """R-112, R-124: the rights are those of the chat, wherever it lies."""
    token = new_token()
    hers = visitor_on(site, session_key=session_key_of(site.key, token))
    at_desk = await sync_to_async(principal_of)(olga)
    ended = await sync_to_async(talk)(hers, intake, at_desk, "Hello", "Good day", hours=1000)
    await sync_to_async(archived)(ended)
    ask = {"type": "load_messages", "chat": ended.chat.uid, "before": 0}
    async with frame_of(site, token=token) as frame, console_of(eve) as stranger:
        answer = await frame.ask(**ask)
        assert [each.get("text") for each in answer["log"]][2:4] == ["Hello", "Good day"]
        assert "witness" not in json.dumps(
            await frame.ask(**ask | {"type": "resume", "after": 0, "epoch": ""})
        )
        assert (await stranger.ask(**ask))["code"] == "not_found"


async def test_a_store_that_is_away_says_so_and_the_chat_stays_listed(
    folder: Path, old: Ended, olga: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-118: a code of its own, and everything again when the store is back."""
    chat = await sync_to_async(archived)(old)
    ask = {"type": "load_messages", "chat": chat.uid, "before": 0}
    async with console_of(olga) as console:
        goes_away(folder)
        assert (await console.ask(**ask))["code"] == "archive_unavailable"
        comes_back(folder)
        assert (await console.ask(**ask))["code"] == "archive_unavailable"  # it is let alone for a while
        monkeypatch.setattr(archive, "_resting_until", 0.0)
        assert len((await console.ask(**ask))["log"]) == 6
        files_in(folder)[0].write_bytes(b"age-encryption.org/v1 nonsense")
        assert (await console.ask(**ask))["code"] == "archive_damaged"
    assert await Chat.objects.filter(pk=chat.pk).aexists()


def test_the_seal_of_an_archived_chat_is_proved_in_its_file(folder: Path, old: Ended) -> None:
    """R-111, V-12: one byte in the archive is noticed, and so is a date in the stub."""
    chat = archived(old)
    assert sealing.verify_chain(chat) == []
    Chat.objects.filter(pk=chat.pk).update(closed_at=timezone.now())
    assert sealing.verify_chain(old.again()) == ["the chat's closed_at is not what was sealed"]
    Chat.objects.filter(pk=chat.pk).update(closed_at=chat.closed_at)
    [path] = files_in(folder)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert sealing.verify_chain(old.again()) != []
    path.unlink()
    assert sealing.verify_chain(old.again()) != []


def test_a_file_that_was_made_by_somebody_who_has_the_recipient_is_noticed(folder: Path, old: Ended) -> None:
    """R-111: anybody may encrypt to a public key; the seal in the database is what he has not."""
    chat = archived(old)
    file = ArchivedChat.objects.get(chat=chat)
    content = archive.opened(files_in(folder)[0].read_bytes())
    content["rows"][4]["row"]["text"] = "I jumped"
    data = age.encrypt(json.dumps(content).encode(), archive.recipients())
    (folder / file.name).write_bytes(data)
    from hashlib import sha256

    ArchivedChat.objects.update(sha256=sha256(data).hexdigest())
    assert sealing.verify_chain(old.again()) == ["public row 3 is not what was sealed"]


def test_a_chat_whose_seal_is_broken_is_not_moved(folder: Path, old: Ended, limit: RetentionLimit) -> None:
    """R-111: what does not fit stays where somebody can look at it, and is named."""
    sealing.seal(old.chat.pk)
    Message.objects.filter(chat=old.chat, seq=3).update(text="I jumped")
    assert actions.archive_due() == 0
    assert old.again().archived_at is None and files_in(folder) == []
    run = KeepingRun.objects.get()
    assert (run.failed_count, run.faults) == (1, [[old.chat.uid, "damaged"]])


# --- erasing ------------------------------------------------------------------------------------------


def test_an_erasure_empties_the_file_and_leaves_the_seal_whole(folder: Path, old: Ended) -> None:
    """R-176, B2-4: a new file without her words and without salts, the old one is gone; safe to repeat."""
    chat = archived(old)
    [before] = files_in(folder)
    assert archive.read(chat).messages[2].text == CANARY
    assert emptying.erase(chat) and not emptying.erase(old.again())
    [after] = files_in(folder)
    assert after != before
    plain = age.decrypt(after.read_bytes(), archive.identities()).decode()
    for canary in (CANARY, "We can help", "witness", "Vera", "acme.test/injuries"):
        assert canary not in plain
    assert [each["salt"] == "" for each in json.loads(plain)["rows"]] == [
        False, True, False, False, True, True, True, False, True,
    ]  # fmt: skip
    assert sealing.verify_chain(old.again()) == []


def test_a_person_is_found_exported_and_erased_in_the_archive_too(
    folder: Path,
    old: Ended,
    site: Site,
    intake: Department,
    olga: Operator,
    principal_of: Any,
    rival: Account,
) -> None:
    """R-175, R-176: of one person and no other, of this account and no other; again there is nothing."""
    other = talk(visitor_on(site), intake, principal_of(olga), "Not hers", "Good day", hours=1000)
    later = talk(visitor_on(site), intake, principal_of(olga), "Hers too", "Good day", hours=1000)
    Chat.objects.filter(pk=later.chat.pk).update(visitor=old.chat.visitor)
    for each in (old, other):
        archived(each)
    sealing.seal(later.chat.pk)
    vera = erasure.Person(old.chat.account_id, frozenset({old.chat.visitor_id}))
    kind = ArchivedChats()
    assert kind.name in {each.name for each in erasure.kinds()}
    stranger = dataclasses.replace(vera, account_id=rival.pk)
    assert (kind.count(vera), kind.count(stranger), list(kind.export(stranger)), kind.erase(stranger)) == (
        1,
        0,
        [],
        0,
    )
    [told] = kind.export(vera)
    assert told["answers"] == ANSWERS and json.dumps(told)
    assert [row["text"] for row in told["messages"] if row["kind"] == "text"] == [
        CANARY, "on Monday", "We can help",
    ]  # fmt: skip
    Message.objects.filter(chat=later.chat).update(text="")  # as the chats in the database are erased before
    assert kind.erase(vera) == 1
    assert (kind.count(vera), kind.erase(vera)) == (0, 0)
    assert sealing.verify_chain(old.again()) == [] == sealing.verify_chain(later.again())
    assert archive.read(other.again()).messages[2].text == "Not hers"
    assert CANARY not in str(list(kind.export(vera)))


def test_the_copy_for_vera_tells_her_chat_the_same_wherever_it_lies(folder: Path, old: Ended) -> None:
    """R-175, R-118: with the names of those who answered, and what was edited or deleted."""
    vera = erasure.Person(old.chat.account_id, frozenset({old.chat.visitor_id}))
    [before] = Chats().export(vera)
    assert before["answers"] == ANSWERS and any(row.get("name") for row in before["messages"])
    archived(old)
    assert ArchivedChats().export(vera) == [before]


# --- leases and stores that are away --------------------------------------------------------------------


def test_a_store_that_is_away_ends_the_run_and_says_so(
    folder: Path, old: Ended, limit: RetentionLimit
) -> None:
    """R-118: the chat stays in the database, and the next night tries again."""
    folder.write_text("no folder")
    assert actions.archive_due() == 0
    run = KeepingRun.objects.get()
    assert run.ended_at and run.faults == [["", "store"]]
    assert in_database(old.again())
    folder.unlink()
    assert actions.archive_due() == 1


def test_a_run_that_stood_still_for_too_long_stops(old: Ended, limit: RetentionLimit) -> None:
    """V-7: one run at a time; whoever lost the lease writes nothing more."""
    run = keeping.open_run(old.chat.account_id, "archive")
    lease = keeping.claim(run)
    assert lease is not None and keeping.claim(run) is None
    KeepingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    other = keeping.claim(run)
    assert other is not None
    with pytest.raises(keeping.LeaseLost):
        lease.end()
    other.end()
    assert KeepingRun.objects.get().ended_at is not None


def test_what_is_due_is_counted_for_metrics(old: Ended, site: Site) -> None:
    """R-118: how many chats wait for the archive, and for how long."""
    assert keeping.due_everywhere() == (0, 0.0)
    RetentionLimit.objects.create(account=site.account, site=site, days=30)
    due = keeping.due_everywhere()
    assert due.chat_count == 1 and 9.9 < due.age_seconds / 86400 < 10.1


def test_an_archived_chat_is_mailed_as_any_other(folder: Path, old: Ended, vera: VisitorPrincipal) -> None:
    """R-036: the transcript comes from the file."""
    from datetime import UTC

    from chats import transcript
    from visitors import languages

    chat = archived(old)
    [day] = transcript.days(chat, languages.words("en")["mail"], "en", UTC)
    assert [said.text for said in day.said] == [CANARY, "on Monday", "We can help"]
    with pytest.raises(NotFound):
        recovery.page(visitor_on(chat.site), uid=chat.uid, before=0)
    (folder / ArchivedChat.objects.get().name).unlink()
    with pytest.raises(ArchiveDamaged):
        recovery.page(vera, uid=chat.uid, before=0)


def test_few_wait_for_a_store_that_hangs(folder: Path, old: Ended) -> None:
    """R-118: two at a time; whoever comes besides is told at once that the archive does not answer."""
    chat = archived(old)
    with contextlib.ExitStack() as held:
        for _ in range(archive.READERS):
            held.enter_context(archive._a_turn())
        with pytest.raises(ArchiveUnavailable):
            archive.contents(chat)
    assert archive.contents(chat).messages


def test_a_request_to_be_erased_reaches_database_and_archive_and_every_seal_fits(
    folder: Path, old: Ended, site: Site, intake: Department, olga: Operator, principal_of: Any
) -> None:
    """R-176, R-111: by the one list of all kinds of personal data; again there is nothing."""
    sealed = talk(visitor_on(site), intake, principal_of(olga), "Hers too", "Good day", hours=10)
    Chat.objects.filter(pk=sealed.chat.pk).update(visitor=old.chat.visitor)
    sealing.seal(sealed.chat.pk)
    archived(old)
    vera = erasure.Person(old.chat.account_id, frozenset({old.chat.visitor_id}))
    done = erasure.erase(vera)
    assert (done["chats"], done["chats_archived"]) == (1, 1)
    assert sealing.verify_chain(old.again()) == [] == sealing.verify_chain(sealed.again())
    assert not any(erasure.erase(vera).values())


def test_a_file_that_nobody_can_read_goes_whole_when_its_person_is_erased(folder: Path, old: Ended) -> None:
    """R-151, R-176: one broken file keeps neither an erasure from its end nor a restored service shut."""
    archived(old)
    [path] = files_in(folder)
    path.write_bytes(b"a disk has died")
    person = erasure.Person(old.chat.account_id, visitor_ids=frozenset({old.chat.visitor_id}))
    assert ArchivedChats().erase(person) == 1
    assert files_in(folder) == [] and ArchivedChats().count(person) == 0
    assert ArchivedChat.objects.get(chat=old.chat).erased_at is not None
    # who says so again, with another file of that month in the store, finds nothing to do
    (path.parent / "somebody-else-0000000.00000000.age").write_bytes(b"x")
    assert ArchivedChats().erase(person) == 0


def test_without_its_key_no_file_is_taken_for_a_broken_one(folder: Path, old: Ended, settings: Any) -> None:
    """R-118: a setting that is missing after a restore destroys nothing."""
    archived(old)
    settings.ARCHIVE_IDENTITY_FILE, settings.PRODUCTION = folder.parent / "nowhere", True
    person = erasure.Person(old.chat.account_id, visitor_ids=frozenset({old.chat.visitor_id}))
    with pytest.raises(age.BadKey):
        ArchivedChats().erase(person)
    assert len(files_in(folder)) == 1 and ArchivedChats().count(person) == 1


def test_a_file_that_has_gone_again_ends_the_run_and_not_the_night(
    folder: Path, old: Ended, limit: RetentionLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-118: a store that loses what it was given is told of on the page; the chat stays where it is."""
    real = FolderStore.put

    def put(self: FolderStore, name: str, data: Any) -> None:
        real(self, name, data)
        if name.endswith(".age"):
            (folder / name).unlink()

    monkeypatch.setattr(FolderStore, "put", put)
    assert actions.archive_due() == 0
    run = KeepingRun.objects.get(account=old.chat.account)
    assert run.ended_at and run.faults == [["", "store"]]
    assert in_database(old.chat) and old.again().archived_at is None


def test_a_run_that_was_taken_over_leaves_the_end_to_the_other_one(
    folder: Path, old: Ended, limit: RetentionLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-118: it stood still over its last chat for longer than its lease."""
    real = actions.archiving.archive_chat

    def slow(chat_id: int) -> bool:
        moved = real(chat_id)
        KeepingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        assert keeping.claim(KeepingRun.objects.get()) is not None
        return moved

    monkeypatch.setattr(actions.archiving, "archive_chat", slow)
    assert actions.archive_due() == 1
    assert KeepingRun.objects.get().ended_at is None
