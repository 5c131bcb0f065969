"""A number from which people text is known to the firm and told to the carrier's gateway, to nobody else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import notices
from accounts.actions import set_site_fields
from accounts.models import Department, Operator, Site
from chatlead.realtime.shapes import FieldSpec
from chats.actions import accept_chat, end_chat, leave_message, start_chat
from chats.models import Chat
from privacy import actions as privacy_actions
from privacy.models import PrivacyRequest
from sms import actions
from sms.actions.handing import callback_of
from sms.models import SmsConsent, SmsMessage, SmsProgramme, SmsSender
from sms.numbers import key_of
from tests.fake_twilio import FakeTwilio
from tests.identifiers import new_ref
from tests.sms.conftest import VERA, all_is_done, answers, time_passes
from tests.sms.consents import agrees
from visitors.sessions import VisitorPrincipal

CLIENTS = {"httpx", "requests", "aiohttp", "boto3", "botocore", "pywebpush", "smtplib", "obstore"}
CLIENTS |= {"urllib.request", "http.client"}
# What calls a stranger's server. Whoever adds an integration comes here, and says what it is given of whom
CALLERS = {
    "sms/gateways/twilio.py": "the carrier's gateway: number and text (R-190)",
    "chatlead/stores.py": "the firm's own store of backups and archives: encrypted files (B2-3)",
}
# Columns in which a number or a consent may stand
OF_NUMBERS = {"sms_smscontact.number"}
OF_KEYS = {"sms_smscontact.number_key", "sms_smsconsent.number_key", "sms_smssuppression.number_key"}


@pytest.mark.django_db(transaction=True)
def test_the_number_stands_in_one_column_and_leaves_by_one_gateway(
    texts: Callable[..., Any], provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme,
    olga: Operator, principal_of: Any, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """R-190: after a consent, a chat, an answer, a STOP and a START no other table, errand, mail or line of a
    log knows the number; nor does any hold what names its consents."""
    caplog.set_level("DEBUG")
    agrees(programme, VERA, service=True, marketing=False)
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    answers(olga, chat, "Are you hurt?")
    texts("STOP")
    texts("START")
    actions.send(sender=sender, phone=VERA, purpose="service", text="Your hearing is tomorrow", key="1")
    all_is_done()
    end_chat(principal=principal_of(olga), uid=chat.uid)
    all_is_done()
    assert {each["to"] for each in provider.sent} == {VERA}
    tail = VERA.removeprefix("+1")
    places = {place for place, text in everything() if tail in text}
    assert places == OF_NUMBERS
    assert {place for place, text in everything() if key_of(VERA) in text} == OF_KEYS
    assert tail not in caplog.text and not mail.outbox
    proofs = SmsConsent.objects.values_list("sha256", flat=True)
    elsewhere = [text for place, text in everything() if not place.startswith("sms_")]
    assert proofs and not any(proof in text for proof in proofs for text in elsewhere)


@pytest.mark.django_db(transaction=True)
def test_of_a_person_the_carrier_is_told_the_number_and_the_words(
    texts: Callable[..., Any], provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme,
    olga: Operator, principal_of: Any,
) -> None:  # fmt: skip
    """R-190, R-191: To and Body, whatever was agreed to, from where and by which browser; also where an
    answer was lost and the provider is asked for the text. Nothing of the ledger leaves."""
    agrees(programme, VERA, service=True, marketing=True)
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    provider.failing = ["gone"]
    answers(olga, chat, "Are you hurt?")
    for _ in range(3):
        all_is_done()
        time_passes()
    texts("STOP")
    all_is_done()
    told = [form for path, form in provider.heard if "/Messages.json" in path]
    posted, asked = ([each for each in told if ("Body" in each) == is_post] for is_post in (True, False))
    assert len(posted) == 3 and asked
    assert {name for each in posted for name in each} == {"To", "From", "Body", "StatusCallback"}
    assert {name for each in asked for name in each} == {"To", "DateSent>", "PageSize"}
    assert {each["To"] for each in told} == {VERA}
    rows = SmsMessage.objects.filter(direction="out")
    assert {each["Body"] for each in posted} == set(
        rows.exclude(state="refused").values_list("text", flat=True)
    )
    callbacks = {callback_of(sender, each) for each in rows}
    assert {each["StatusCallback"] for each in posted} <= callbacks
    kept = [each for each in SmsConsent.objects.all() if each.text]
    proof = {part for each in kept for part in (each.text, each.text_sha256, each.sha256, each.page_url)}
    proof |= {key_of(VERA), "203.0.113", "Firefox", *(each.uid for each in SmsConsent.objects.all())}
    everything_told = repr(provider.heard)
    assert len(proof) > 6 and not {each for each in proof if each in everything_told}


@pytest.mark.django_db(transaction=True)
def test_no_mail_to_the_firm_holds_a_number(
    site: Site, vera: VisitorPrincipal, on_duty: Operator, owen: Operator, programme: Any
) -> None:
    """R-190: mail passes through strangers' servers. A message that was left in a chat whose form has the
    number, and a request about a number that an operator has entered."""
    Department.objects.update(email="sales@acme.test")
    fields = [FieldSpec(name="phone", label="Phone", kind="phone")]
    set_site_fields(site_id=site.pk, fields=fields)
    notice = notices.current(Site.objects.select_related("account").get(pk=site.pk)).sha256
    chat = start_chat(principal=vera, ref=new_ref(), fields={"phone": VERA}, notice=notice)
    leave_message(
        principal=vera, ref=new_ref(), email="vera@post.test", notice=notice, text="Call me", chat=chat.uid
    )
    request = privacy_actions.enter(by=owen, kind="erase", phone=VERA)
    PrivacyRequest.objects.filter(pk=request.pk).update(due_at=timezone.now())
    privacy_actions.watch_deadlines()
    all_is_done()
    subjects = {each.subject for each in mail.outbox}
    assert any(each.startswith("Message from") for each in subjects), subjects
    assert any("privacy request" in each for each in subjects), subjects
    letters = "".join(str(each.message()) for each in mail.outbox)
    digits = "".join(each for each in letters if each.isdecimal())
    assert VERA.removeprefix("+1") not in digits


def test_whoever_calls_out_is_known() -> None:
    """R-190: no integration, webhook or report to a third party is there that could be given a number."""
    found = set()
    for app in ("accounts", "chatlead", "chats", "privacy", "sms", "surveys", "visitors"):
        for file in (settings.BASE_DIR / app).rglob("*.py"):
            if imported(file) & CLIENTS:
                found.add(str(file.relative_to(settings.BASE_DIR)))
    assert found == set(CALLERS)


def everything() -> Iterator[tuple[str, str]]:
    """(table.column, text) of every cell of every table."""
    with connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            columns = [each[0] for each in cursor.description or ()]
            for row in cursor.fetchall():
                for column, cell in zip(columns, row, strict=True):
                    yield f"{model._meta.db_table}.{column}", str(cell)


def imported(file: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names | {name.partition(".")[0] for name in names}
