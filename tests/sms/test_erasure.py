"""Whoever is erased is found nowhere, and is still never written to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts import erasure
from chats.models import Chat, Message
from privacy import tombstones
from privacy.models import PrivacyRequest
from privacy.selectors import find
from sms import actions, ledger, selectors
from sms.models import SmsContact, SmsProgramme, SmsSender
from sms.numbers import key_of
from tests.clearing import _unguarded
from tests.fake_twilio import FakeTwilio
from tests.sms.conftest import ACME, VERA, all_is_done, states
from tests.sms.consents import agrees

pytestmark = pytest.mark.django_db(transaction=True)


def everything() -> str:
    """All rows of all our tables of texts."""
    found: list[Any] = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("sms").get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            found += cursor.fetchall()
    return json.dumps(found, default=str)


def test_the_number_and_every_word_go_and_the_block_stays(
    texts: Callable[..., Any], provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-192, B1-11: close and erase; whoever enters the same number again does not reach it."""
    agrees(programme, VERA, service=True)
    texts("my canary sings")
    texts("STOP")
    person = erasure.Person(programme.account_id, phones=frozenset({VERA}))
    [kind] = [each for each in erasure.kinds() if each.name == "text messages"]
    assert kind.count(person) > 0
    exported = json.dumps(list(kind.export(person)))
    assert "my canary sings" in exported and VERA in exported and "granted" in exported
    assert VERA in everything() and "canary" in everything()
    assert kind.erase(person) > 0
    assert kind.erase(person) == kind.count(person) == 0
    assert VERA not in everything() and "canary" not in everything()
    assert ledger.check(programme.account_id) is None
    all_is_done()
    provider.sent.clear()
    agrees(programme, "(813) 555-0100", service=True)
    actions.send(sender=sender, phone=VERA, purpose="service", text="Hello", key="1")
    all_is_done()
    assert provider.sent == []
    assert states()[-1] == ("service", "refused", "stopped")


def test_a_visitors_number_is_found_by_her_chat_and_nobody_elses(
    texts: Callable[..., Any], sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-175: by the visitor alone; another person's and another firm's stay."""
    texts("Hello")
    texts("Hello too", number="+18135550155")
    chat = Chat.objects.get(visitor__name__endswith="00")
    [kind] = [each for each in erasure.kinds() if each.name == "text messages"]
    assert kind.erase(erasure.Person(programme.account_id + 1, phones=frozenset({VERA}))) == 0
    assert kind.erase(erasure.Person(programme.account_id, visitor_ids=frozenset({chat.visitor_id}))) == 2
    assert set(SmsContact.objects.values_list("number", flat=True)) == {"", "+18135550155"}


@pytest.mark.parametrize("written", [VERA, "813-555-0100"])
def test_she_is_found_by_her_number_and_stays_erased_after_a_restore(
    texts: Callable[..., Any], programme: SmsProgramme, settings: Settings, tmp_path: Path, written: str
) -> None:
    """R-175, B2-6: her chat too, however the number is written; the stone of a number alone finds both."""
    settings.TOMBSTONES = (tmp_path / "stones").as_uri()
    texts("my canary sings")
    person = find(programme.account_id, phone=written)
    assert person.phones == {VERA} and len(person.visitor_ids) == 1
    assert not find(programme.account_id, phone=ACME).visitor_ids
    tombstones.write(erasure.Person(programme.account_id, phones=person.phones))
    assert tombstones.reapply()["people"] == 1
    assert not Message.objects.filter(text__contains="canary").exists()
    assert VERA not in everything() and "canary" not in everything()
    assert tombstones.reapply()["people"] == 0


def test_what_one_firm_has_erased_another_one_keeps(
    texts: Callable[..., Any], programme: SmsProgramme, rival: Any, settings: Settings, tmp_path: Path
) -> None:
    """R-112, B2-6: vera texted acme and talked to eve's firm; a stone of acme's is no stone of eve's."""
    settings.TOMBSTONES = (tmp_path / "stones").as_uri()
    texts("my canary sings")
    SmsContact.objects.create(account=rival, number=VERA, number_key=key_of(VERA))
    PrivacyRequest.objects.create(
        account=rival, kind="erase", email="vera@post.test", received_at=timezone.now(), due_at=timezone.now()
    )
    person = erasure.Person(
        programme.account_id, phones=frozenset({VERA}), emails=frozenset({"vera@post.test"})
    )
    tombstones.write(person)
    assert tombstones.reapply()["people"] == 1
    assert not SmsContact.objects.filter(account=programme.account_id, number=VERA).exists()
    assert SmsContact.objects.filter(account=rival, number=VERA).exists()
    assert PrivacyRequest.objects.get(account=rival).email == "vera@post.test"


def test_the_block_outlives_the_account(
    texts: Callable[..., Any], sender: SmsSender, programme: SmsProgramme, rival: Any, rival_site: Any
) -> None:
    """R-192: the same number of ours under a new account finds whom it may not write to."""
    texts("STOP")
    theirs = actions.add_programme(
        account=rival, name="Reborn", contact="call", terms_url="https://acme.test/terms"
    )
    key = SmsContact.objects.get().number_key
    Chat.objects.all().delete()
    for model in ("SmsMessage", "SmsThread", "SmsContact", "SmsSender", "SmsProgramme"):
        apps.get_model("sms", model).objects.filter(account=programme.account_id).delete()
    assert selectors.is_suppressed(key, theirs, sender.number)
    assert not selectors.is_suppressed(key, theirs)


@pytest.mark.parametrize(
    "statement", ["UPDATE sms_smsconsent SET deed = 'granted'", "DELETE FROM sms_smsconsent"]
)
def test_the_database_itself_refuses_to_change_the_ledger(programme: SmsProgramme, statement: str) -> None:
    """B1-11: append-only, whoever asks."""
    agrees(programme, VERA, service=False)
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert ledger.check(programme.account_id) is None


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE sms_smsconsent SET deed = 'granted' WHERE position = 3", (3, "changed")),
        ("UPDATE sms_smsconsent SET ip = NULL WHERE position = 5", (5, "changed")),
        ("DELETE FROM sms_smsconsent WHERE position = 6", (6, "missing")),
        ("DELETE FROM sms_smsconsent WHERE position = 2", (2, "missing")),
    ],
)
def test_a_changed_or_missing_entry_is_found(
    programme: SmsProgramme, statement: str, fault: tuple[int, str]
) -> None:
    """B1-11: also where somebody takes the triggers away first."""
    for number in range(3):
        agrees(programme, f"+1813555010{number}", service=True, marketing=False)
    assert ledger.check(programme.account_id) is None
    with connection.cursor() as cursor, _unguarded(cursor, connection.vendor, "sms_smsconsent"):
        cursor.execute(statement)
    assert ledger.check(programme.account_id) == fault
