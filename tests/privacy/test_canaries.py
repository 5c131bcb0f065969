"""A canary in every personal field: after the erasure it is nowhere, the neighbour's everywhere (B2-6)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from accounts import erasure, outbox
from accounts.models import Consent, Department, Operator, OutboxItem, Site
from chatlead.keys import EncryptedTextField
from chatlead.personal import declaration_of
from chats.models import Chat, Message, Note, TranscriptRequest
from privacy import actions, holding, selectors, tasks, tombstones
from privacy.models import PrivacyExport, PrivacyExportPart, PrivacyRequest
from tests.conftest import make_chat, visitor_on
from tests.contracts.test_personal import columns
from tests.identifiers import new_ref
from visitors.models import Visitor

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]


class Planted:
    """Somebody with a canary in each personal column that has something of a visitor."""

    def __init__(self, name: str, site: Site, intake: Department, olga: Operator) -> None:
        self.canary = f"canary-of-{name}"
        self.email = f"{self.canary}@post.test"
        self.chat = make_chat(visitor_on(site), intake)
        self.visitor: Visitor = self.chat.visitor
        account = self.chat.account_id
        common: dict[str, Any] = {"account_id": account, "chat": self.chat}
        now = timezone.now()
        Message.objects.create(**common, seq=2, ref=new_ref(), author="visitor", kind="text", created_at=now)
        Chat.objects.filter(pk=self.chat.pk).update(last_seq=2)
        Note.objects.create(**common, staff_seq=1, ref=new_ref(), author=olga, text="-", created_at=now)
        TranscriptRequest.objects.create(**common, ref=new_ref(), language="en")
        notice = site.notices.first() or site.notices.create(
            account_id=account, version=1, text="We keep what you write.", sha256="0" * 64
        )
        Consent.objects.create(
            account_id=account, site=site, notice=notice, purpose="chat", visitor_uid=self.visitor.uid
        )
        self.request = actions.enter(
            by=_admin(olga), kind="erase", email=self.email, visitor=self.visitor.uid
        )
        closed = actions.enter(by=_admin(olga), kind="correct", email=self.email)
        PrivacyRequest.objects.filter(pk=closed.pk).update(state="done", closed_at=now)
        copy = PrivacyExport.objects.create(
            account_id=account, request=closed, byte_count=1, created_at=now, expires_at=now
        )
        PrivacyExportPart.objects.create(account_id=account, export=copy, number=0, content=b"x")
        self.planted: set[str] = set()
        self.plant()

    def plant(self) -> None:
        """In every column that a kind covers, whatever app has made it."""
        rows = {
            Visitor: Visitor.objects.filter(pk=self.visitor.pk),
            Chat: Chat.objects.filter(pk=self.chat.pk),
            Message: Message.objects.filter(chat=self.chat, seq=2),
            Note: Note.objects.filter(chat=self.chat),
            TranscriptRequest: TranscriptRequest.objects.filter(chat=self.chat),
            Consent: Consent.objects.filter(visitor_uid=self.visitor.uid),
            PrivacyRequest: PrivacyRequest.objects.filter(email=self.email),
            PrivacyExportPart: PrivacyExportPart.objects.filter(export__request__email=self.email),
        }
        for field in personal_columns():
            label = str(field)
            if field.model not in rows or label == "privacy.PrivacyRequest.email":
                continue
            count = rows[field.model].update(**{field.name: self.value_for(field)})
            assert count, f"nothing to plant {label} in"
            self.planted.add(label)

    def value_for(self, field: models.Field[Any, Any]) -> Any:
        """The canary in the shape of the column, short enough for it."""
        if isinstance(field, models.JSONField):
            return [{"name": "email", "label": "Email", "value": self.email}]
        if isinstance(field, models.BinaryField):
            return self.canary.encode()
        if isinstance(field, models.GenericIPAddressField):
            return None if "other" in self.canary else "198.18.77.0"
        if "email" in field.name:
            return self.email
        if field.name == "phone":
            return ""
        return self.canary[: field.max_length or None]


def _admin(olga: Operator) -> Operator:
    return Operator.objects.select_related("account").get(account=olga.account, role="owner")


def personal_columns() -> Iterator[models.Field[Any, Any]]:
    """The columns of the registry that somebody erases and that a search of the database can see."""
    covered = {column for kind in erasure.kinds() for column in kind.columns}
    for field in columns():
        if str(field) in covered and not isinstance(field, EncryptedTextField):
            found = declaration_of(field)
            assert found is not None and found.purpose
            yield field


def places(needle: str) -> set[str]:
    """Where it is found: every column of every table, the cache, and every file of the data folder."""
    found: set[str] = set()
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {quote(table)}")
            for row in cursor.fetchall():
                for column, value in zip(cursor.description, row, strict=True):
                    text = (
                        bytes(value).decode("latin-1")
                        if isinstance(value, bytes | memoryview)
                        else str(value)
                    )
                    if needle.lower() in text.lower():
                        found.add(f"{table}.{column[0]}")
    if needle in str(getattr(cache, "_cache", "")):
        found.add("the cache")
    for path in Path(settings.DATA_DIR).rglob("*"):
        is_ours = path.is_file() and "mail" not in path.parts and "sqlite3" not in path.name
        if is_ours and needle.encode() in path.read_bytes():
            found.add(str(path))
    return found


@pytest.fixture
def both(site: Site, intake: Department, olga: Operator, owen: Operator) -> tuple[Planted, Planted]:
    return Planted("vera", site, intake, olga), Planted("other", site, intake, olga)


def erased(planted: Planted, owen: Operator, deliver: Work) -> PrivacyRequest:
    actions.confirm_identity(by=owen, request=planted.request)
    actions.begin(by=owen, request=planted.request, job="erase")
    deliver()
    planted.request.refresh_from_db()
    assert planted.request.state == "done"
    return planted.request


def test_nothing_of_vera_is_left_and_all_of_her_neighbour(
    both: tuple[Planted, Planted], owen: Operator, deliver: Work, capfd: pytest.CaptureFixture[str]
) -> None:
    """R-014, R-151, B2-6."""
    vera, other = both
    before = places(other.canary)
    assert len(places(vera.canary)) == len(before) > 10
    assert places("198.18.77.0")
    request = erased(vera, owen, deliver)
    assert places(vera.canary) == set()
    assert places("198.18.77.0") == set()
    assert places(other.canary) == before
    out, err = capfd.readouterr()
    assert vera.canary not in out + err
    kinds = (request.certificate or {})["kinds"]
    assert not any(each["left"] for each in kinds)
    assert sum(each["found"] for each in kinds) >= 6


def test_eve_erases_nobody(both: tuple[Planted, Planted], eve: Operator) -> None:
    """R-112: not with the right ids either."""
    vera, _ = both
    before = places(vera.canary)
    person = erasure.Person(
        eve.account_id, visitor_ids=frozenset({vera.visitor.pk}), emails=frozenset({vera.email})
    )
    assert not any(selectors.counts(person).values())
    assert not any(erasure.erase(person).values())
    assert not any(list(kind.export(person)) for kind in erasure.kinds())
    assert places(vera.canary) == before


def test_twice_is_as_once(both: tuple[Planted, Planted]) -> None:
    """R-151: every kind says 0 the second time."""
    person = erasure.Person(both[0].chat.account_id, visitor_ids=frozenset({both[0].visitor.pk}))
    assert any(erasure.erase(person).values())
    assert not any(erasure.erase(person).values())


def test_a_worker_killed_half_way_leaves_it_to_the_next(
    both: tuple[Planted, Planted], owen: Operator, deliver: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-176: killed after any of the kinds, the outbox comes back and ends it."""
    vera, other = both
    before = places(other.canary)
    actions.confirm_identity(by=owen, request=vera.request)
    actions.begin(by=owen, request=vera.request, job="erase")
    subject = {"request": vera.request.pk, "by": owen.uid}
    for last in erasure.kinds():

        def dies(person: erasure.Person, _: object = None, last: erasure.Kind = last) -> dict[str, int]:
            for kind in erasure.kinds():
                kind.erase(person)
                if kind is last:
                    raise KeyboardInterrupt
            return {}

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(erasure, "erase", dies)
            tasks.carry_out_erasure(subject, "key")
        vera.request.refresh_from_db()
        assert vera.request.state == "in_work"
    deliver()
    vera.request.refresh_from_db()
    assert vera.request.state == "done"
    assert {each["kind"]: each["found"] for each in (vera.request.certificate or {})["kinds"]}["chats"] == 1
    assert places(vera.canary) == set()
    assert places(other.canary) == before


def test_a_restore_brings_nobody_back(
    both: tuple[Planted, Planted], owen: Operator, deliver: Work, tmp_path: Path
) -> None:
    """B2-6: yesterday's rows come back, and the stones erase them again before anybody sees them."""
    vera, other = both
    yesterday = {
        model: list(model.objects.values())
        for model in (Visitor, Chat, Message, Note, Consent, PrivacyRequest)
    }
    before = places(other.canary)
    erased(vera, owen, deliver)
    assert vera.canary not in "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    for model, rows in yesterday.items():  # as a restore does
        model.objects.exclude(pk__in=[row["id"] for row in rows]).delete()
        for row in rows:
            model.objects.filter(pk=row["id"]).update(
                **{key: value for key, value in row.items() if key != "id"}
            )
    assert places(vera.canary)
    counts = tombstones.reapply()
    assert counts["people"] == 1 and counts["chats"] == 1 and counts["requests_closed"] == 1
    assert places(vera.canary) == set()
    assert places(other.canary) == before
    assert tombstones.reapply()["chats"] == 0


def test_without_a_place_for_the_stone_nothing_is_erased(
    both: tuple[Planted, Planted], owen: Operator, tmp_path: Path, settings: Any
) -> None:
    """B2-6: an erasure that a restore would undo is none; it comes back when the store does."""
    vera, _ = both
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    settings.TOMBSTONES = (blocked / "stones").as_uri()
    actions.confirm_identity(by=owen, request=vera.request)
    actions.begin(by=owen, request=vera.request, job="erase")
    for item_id in outbox.due_ids():
        outbox.carry_out(item_id)
    vera.request.refresh_from_db()
    assert vera.request.state == "in_work"
    assert places(vera.canary)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_what_the_outbox_has_given_up_is_begun_again(
    both: tuple[Planted, Planted], owen: Operator, deliver: Work, owens: Client
) -> None:
    """R-151: nobody waits for what nobody does any more."""
    vera, _ = both
    page = f"/account/privacy/requests/{vera.request.uid}/"
    actions.confirm_identity(by=owen, request=vera.request)
    actions.begin(by=owen, request=vera.request, job="erase")
    OutboxItem.objects.filter(kind="privacy_erase").update(state="dead")
    shown = owens.get(page)
    assert "given up" in shown.text and 'value="erase"' in shown.text and "Refresh" not in shown.headers
    owens.post(f"{page}do/", {"do": "erase", "word": "erase"})
    deliver()
    vera.request.refresh_from_db()
    assert vera.request.state == "done" and places(vera.canary) == set()


def test_nothing_is_said_to_be_erased_that_is_not(both: tuple[Planted, Planted], owen: Operator) -> None:
    """R-176: an erasure ends with its certificate and not with an answer."""
    vera, _ = both
    actions.confirm_identity(by=owen, request=vera.request)
    with pytest.raises(actions.IllegalStep):
        actions.finish(by=owen, request=vera.request)
    vera.request.refresh_from_db()
    assert vera.request.state == "verified"


def test_another_app_has_somebody_erased(both: tuple[Planted, Planted], deliver: Work) -> None:
    """R-071: a visitor under age, say; the order is an item of the outbox, so no crash loses it."""
    vera, _ = both
    subject = {"account": vera.chat.account_id, "visitors": [vera.visitor.pk], "reason": "under_age"}
    outbox.add(holding.ERASE_VISITORS, subject, "under_age:1", vera.chat.account_id)
    deliver()
    assert not Visitor.objects.filter(pk=vera.visitor.pk).exclude(name="").exists()
    assert not Note.objects.filter(chat=vera.chat).exclude(text="").exists()


def test_the_walk_sees_every_model() -> None:
    """R-014: a model with a personal column that no test plants in is a hole in this test."""
    models_here = {str(field).rpartition(".")[0] for field in personal_columns()}
    labels = {model._meta.label for model in apps.get_models()}
    assert models_here <= labels
    known = {
        "visitors.Visitor", "accounts.Consent", "chats.Chat", "chats.Message", "chats.Note",
        "chats.TranscriptRequest", "privacy.PrivacyRequest", "privacy.PrivacyExportPart",
    }  # fmt: skip
    elsewhere = {each for each in models_here - known if each.split(".")[0] in ("surveys", "sms")}
    assert models_here - known == elsewhere
