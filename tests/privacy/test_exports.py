"""The copy holds all of one person and nobody else, for people, programs and tables (B2-4, R-175)."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts.models import Department, Operator, Site
from chats.models import Chat, Message, Note
from privacy import actions, exports, selectors, tasks
from privacy.models import PrivacyExport, PrivacyExportPart, PrivacyRequest
from privacy.tasks import tidy
from tests.conftest import PASSWORD, make_chat, visitor_on
from tests.identifiers import new_ref
from tests.privacy.conftest import mailed_code
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Proved = Callable[[str], PrivacyRequest]


@pytest.fixture
def told(known_vera: Chat, site: Site, intake: Department, olga: Operator) -> None:
    """Vera has written a formula, olga a note about her; somebody else has written too."""
    stranger = make_chat(visitor_on(site), intake)
    for chat, text in ((known_vera, "=cmd|'/c calc'!A1"), (stranger, "the stranger's canary")):
        common = {
            "account_id": chat.account_id,
            "chat": chat,
            "ref": new_ref(),
            "created_at": chat.started_at,
        }
        Message.objects.create(**common, seq=2, author="visitor", kind="text", text=text)
        Chat.objects.filter(pk=chat.pk).update(last_seq=2)
        Note.objects.create(**common, staff_seq=1, author=olga, text="known to us")


def unpacked(response: Any) -> dict[str, str]:
    content = b"".join(response.streaming_content)
    assert len(content) == int(response["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def test_owen_exports_and_both_fetch_it(
    proved: Proved, told: None, owens: Client, deliver: Work, owen: Operator
) -> None:
    """B2-4: with the password again for him, with a code again for her; all of hers, nobody else's, and no
    note of the firm's."""
    request = proved("access")
    page = f"/account/privacy/requests/{request.uid}/"
    owens.post(f"{page}do/", {"do": "export"})
    deliver()
    assert owens.post(f"{page}copy/", {"password": "wrong"}).status_code == 403
    files = unpacked(owens.post(f"{page}copy/", {"password": PASSWORD}))
    assert {"data.json", "index.html", "chats.csv", "visitors.csv"} <= set(files)
    everything = "".join(files.values())
    assert "vera@post.test" in everything and "/c calc" in everything
    assert "canary" not in everything and "known to us" not in everything
    data = json.loads(files["data.json"])
    assert data["schema"] == exports.SCHEMA and data["firm"] == "Acme Law"
    assert data["recipients"] == ["ChatLead"]
    said = {"purpose": "the conversation", "basis": "contract"}
    assert {**said, "until": "with the conversation, until the firm erases it"} in data["kept_for"]["chats"]
    assert "Who has it beside Acme Law: ChatLead." in files["index.html"]
    assert data["kinds"]["chats"][0]["messages"][1]["text"] == "=cmd|'/c calc'!A1"

    assert "is ready" in mail.outbox[-1].body
    hers, public = Client(), f"/privacy/requests/{request.uid}/"
    assert hers.post(f"{public}copy/").status_code == 404
    hers.post(f"{public}code/")
    deliver()
    assert "Download the copy" in hers.post(public, {"code": mailed_code()}, follow=True).text
    assert unpacked(hers.post(f"{public}copy/")) == files
    assert b"vera@post.test" not in bytes(PrivacyExportPart.objects.get().content)
    with time_machine.travel(request.received_at + timedelta(days=8)):
        tidy()
        assert not PrivacyExport.objects.exists() and not PrivacyExportPart.objects.exists()
        request.refresh_from_db()
        assert request.email == ""


def test_the_firm_may_choose_to_add_its_notes(
    proved: Proved, told: None, owen: Operator, deliver: Work
) -> None:
    """B2-4."""
    request = proved("access")
    person = selectors.person_of(request)
    with exports.collect(person, with_internal=False) as found:
        assert not {"notes", "notes_archived"} & {*found.names()}
    with exports.collect(person, with_internal=True) as found:
        assert [note["text"] for note in found.rows("notes")] == ["known to us"]


def test_the_same_rows_make_the_same_bytes(proved: Proved, told: None) -> None:
    """B2-4: canonical."""
    request = proved("access")
    person = selectors.person_of(request)
    made = []
    for _ in range(2):
        with exports.collect(person, with_internal=True) as found:
            made.append(b"".join(exports.json_parts(found, firm="x", made_at="y")))
    assert made[0] == made[1] == exports.canonical(json.loads(made[0]))


@pytest.mark.parametrize("job", ["export", "erase"])
def test_owen_sees_how_far_it_is(
    proved: Proved,
    told: None,
    owens: Client,
    deliver: Work,
    owen: Operator,
    monkeypatch: pytest.MonkeyPatch,
    job: str,
) -> None:
    """B2-4, R-151: waiting, at work with counts, done; from rows, so a reload and another server say the
    same."""  # fmt: skip
    request = proved("access" if job == "export" else "erase")
    page = f"/account/privacy/requests/{request.uid}/"
    actions.begin(by=owen, request=request, job=job)
    waiting = owens.get(page)
    assert "waiting for a worker" in waiting.text and waiting["Refresh"] == "5"
    seen: list[str] = []
    progress = tasks._progress

    def looks(request_id: int, done: int, total: int) -> None:
        progress(request_id, done, total)
        if done == 2:
            seen.append(owens.get(page).text)

    monkeypatch.setattr(tasks, "_progress", looks)
    deliver()
    assert len(seen) == 1 and "2 of " in seen[0] and "kinds of data are done" in seen[0]
    done = owens.get(page)
    assert "kinds of data are done" not in done.text and "Refresh" not in done.headers


def test_a_copy_needs_no_more_room_for_more_conversations(
    known_vera: Chat, vera: VisitorPrincipal, intake: Department
) -> None:
    """B2-4: rows wait on the disk; what memory holds at most is as much for 120 chats as for 40."""
    texts = ["x" * 2000] * 20

    def peak(chats: int) -> int:
        while (have := Chat.objects.count()) < chats:
            chat = make_chat(vera, intake, state="closed", closed_at=known_vera.started_at)
            Message.objects.bulk_create(
                Message(
                    account_id=chat.account_id, chat=chat, seq=number, ref=new_ref(), author="visitor",
                    kind="text", text=text, created_at=chat.started_at,
                )
                for number, text in enumerate(texts, start=2)
            )  # fmt: skip
            assert Chat.objects.count() == have + 1
        person = selectors.find(known_vera.account_id, visitor=known_vera.visitor.uid)
        tracemalloc.start()
        try:
            with exports.collect(person, with_internal=True) as found, tempfile.TemporaryFile() as out:
                exports.write_zip(found, out, firm="Acme Law", made_at="today")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    Chat.objects.filter(pk=known_vera.pk).update(state="closed", closed_at=known_vera.started_at)
    peak(40)  # templates are read once
    few = peak(40)
    assert peak(120) < 1.25 * few


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    """CWE-1236."""
    assert exports.harmless(cell) == f"'{cell}"
    assert exports.harmless("a=1") == "a=1"


def test_a_copy_is_made_once_however_often_it_is_asked_for(
    proved: Proved, told: None, owen: Operator, deliver: Work
) -> None:
    """R-151: a second press, or a worker that was killed, makes no second one."""
    request = proved("access")
    for _ in range(2):
        actions.begin(by=owen, request=request, job="export")
    deliver()
    assert PrivacyExport.objects.count() == 1
    with pytest.raises(actions.IllegalStep):
        actions.begin(by=owen, request=request, job="erase")
