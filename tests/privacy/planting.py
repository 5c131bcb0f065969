"""Two people who have done all that can be done here, each with canaries of their own; and where a canary is.

Runs inside an installation of its own (tests/vault/copies.py), so that what is looked through is a whole one:
every table, every file of the data folder, every key of Redis.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import erasure, logins, notices, outbox
from accounts.models import Account, Department, Installation, Operator, OperatorRole, OutboxItem, Site
from chatlead.keys import Unreadable, decrypted_bytes
from chatlead.personal import declaration_of
from chats import actions as chats
from chats import archive, journal
from chats.models import Chat
from privacy import actions as privacy
from privacy import exports, holding, importing, mails, selectors
from privacy.models import PrivacyRequest
from sms import actions as sms
from sms import wordings
from sms.models import SmsProgramme, SmsSender
from surveys.actions import publish_survey, send_survey
from surveys.forms import Asked
from surveys.models import Question, Response
from tests.conftest import goes_online, make_operator, make_site, visitor_on
from tests.contracts.test_personal import columns
from tests.identifiers import new_ref
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

# By the person: a word, a telephone number, a network, a clock, a ZIP code.
CANARIES = {
    "vera": ("canary-of-vera", "+18135550142", "198.18.77.", "Indian/Cocos", "ZZ142 9QX"),
    "nick": ("canary-of-nick", "+18135550177", "198.18.99.", "Indian/Chagos", "ZZ177 9QX"),
}
FORM = [
    {"name": "name", "label": "Name", "kind": "text", "required": True},
    {"name": "email", "label": "Email", "kind": "email", "required": True},
    {"name": "story", "label": "What happened?", "kind": "textarea"},
]
# What stands here is kept when somebody is erased; each has its reason in an app's `erasure.py`.
KEPT = {
    "accounts.CannedReply.shortcut", "accounts.CannedReply.text", "accounts.Consent.visitor_uid",
    "accounts.Department.email", "accounts.Operator.name", "accounts.Picture.png", "accounts.User.email",
    "chats.Message.facts", "sms.SmsConsent.ip", "sms.SmsConsent.note", "sms.SmsConsent.page_url",
    "sms.SmsConsent.user_agent", "sms.SmsSuppression.note",
}  # fmt: skip
MAILED = "mail"  # of a development machine: what was sent, as it would be with somebody else by now


def email_of(name: str) -> str:
    return f"{CANARIES[name][0]}@post.test"


def deliver() -> None:
    """The workers do all that waits, and what follows from it."""
    for _ in range(5):
        for item_id in outbox.due_ids():
            outbox.carry_out(item_id)


# --- planting -----------------------------------------------------------------------------------------


def plant() -> None:
    """acme, its people, and both visitors."""
    Installation.objects.get_or_create(pk=1)
    acme = Account.objects.create(name="Acme Law")
    intake = Department.objects.create(account=acme, name="Intake", email="intake@acme.test", position=1)
    site = make_site(acme, "acme.test", ["acme.test"], [intake])
    Site.objects.filter(pk=site.pk).update(fields=FORM)
    owen = make_operator(acme, "Owen", OperatorRole.OWNER)
    olga = make_operator(acme, "Olga", OperatorRole.OPERATOR, intake)
    goes_online(olga)
    kinds = ("choice", "text", "email", "phone", "zip")
    asked = [
        Asked(kind, f"Your {kind}?", ("A friend", "An ad") if kind == "choice" else ()) for kind in kinds
    ]
    publish_survey(site=site, department=None, title="How was it?", intro="", asked=asked)
    programme = sms.add_programme(
        account=acme,
        name="Acme Law texts",
        contact="call 800-555-0100",
        terms_url="https://acme.test/terms",
    )
    sender = sms.add_sender(
        account=acme, programme=programme, site=site, department=intake, gateway="console", kind="long_code",
        number="+18135550199", is_registered=True,
    )  # fmt: skip
    site = Site.objects.select_related("account").get(pk=site.pk)
    ended = {}
    for name in CANARIES:
        ended[name] = _writes(name, site, olga)
        _texts(name, sender, programme, olga)
        _asks(name, owen)
        _holds(name, owen)
    notice = notices.current(site).sha256
    for name, (
        principal,
        chat,
    ) in ended.items():  # no worker has sent them yet: an address goes with its mail
        wanted = {"email": email_of(name), "zone": CANARIES[name][3], "notice": notice}
        chats.mail_transcript(principal=principal, uid=chat.uid, ref=new_ref(), **wanted)


def _writes(name: str, site: Site, olga: Operator) -> tuple[VisitorPrincipal, Chat]:
    """Three chats: one that is archived, one with a survey, which is returned, one that is open."""
    word, _, network, _, _ = CANARIES[name]
    ended: list[tuple[VisitorPrincipal, Chat]] = []
    for what in ("archived", "ended", "open"):
        facts = {
            "ip": f"{network}7",
            "user_agent": f"Firefox {word}",
            "page_url": f"https://acme.test/{word}",
        }
        principal = visitor_on(site, **facts)
        notice = notices.current(site).sha256
        fields = {"name": word, "email": email_of(name), "story": f"{word} fell"}
        chat = chats.start_chat(
            principal=principal, ref=new_ref(), fields=fields, notice=notice, text=f"{word} one"
        )
        at_desk = logins.principal_of(olga, olga.departments.values_list("id", flat=True), "")
        chats.accept_chat(principal=at_desk, uid=chat.uid)
        for kind in ("text", "note"):
            _says(chat, olga, kind, f"{word} {kind}")
        if what == "open":
            continue
        chats.end_chat(principal=principal, uid=chat.uid)
        if what == "ended":
            _answers(word, name, principal, chat)
            ended.append((principal, chat))
        else:
            before = timezone.now() - timedelta(days=40)
            Chat.objects.filter(pk=chat.pk).update(started_at=before, closed_at=before)
            assert chats.archive_chat(chat.pk)
    return ended[0]


def _says(chat: Chat, olga: Operator, kind: Any, text: str) -> None:
    entry = journal.Entry(
        chat_id=chat.pk, account_id=chat.account_id, author="operator", author_id=olga.pk, kind=kind,
        rights_epoch=olga.rights_epoch, name=olga.name, author_uid=olga.uid, ref=new_ref(), text=text,
    )  # fmt: skip
    with transaction.atomic():
        [outcome] = journal.append([entry])
    assert outcome.status == "stored"


def _answers(word: str, name: str, principal: VisitorPrincipal, chat: Chat) -> None:
    response = Response.objects.get(chat=chat)
    given = {"choice": "An ad", "text": word, "email": email_of(name), "phone": CANARIES[name][1]}
    given["zip"] = CANARIES[name][4]
    asked = Question.objects.filter(version=response.version, kind__in=given)
    choices = {each.kind: each for each in asked}
    values = {choices[kind].uid: value for kind, value in given.items()}
    send_survey(principal=principal, uid=chat.uid, ref=new_ref(), values=values)


def _texts(name: str, sender: SmsSender, programme: SmsProgramme, olga: Operator) -> None:
    """A text comes in, and olga's answer goes out."""
    word, phone, *_ = CANARIES[name]
    box = (wordings.sha256(wordings.consent_text(programme, "service")), True)
    shown = sms.Shown(page_url="https://acme.test/contact", ip="203.0.113.77", user_agent="Firefox")
    sms.give_consent(programme=programme, phone=phone, boxes={"service": box}, shown=shown)
    sms.receive(sender=sender, form={"MessageSid": f"SM{name}", "From": phone, "Body": f"{word} texts"})
    chat = Chat.objects.filter(sms_thread__contact__number=phone).get()
    at_desk = logins.principal_of(olga, olga.departments.values_list("id", flat=True), "")
    chats.accept_chat(principal=at_desk, uid=chat.uid)
    _says(chat, olga, "text", f"{word} is answered")
    sms.follow_chats()


def _asks(name: str, owen: Operator) -> None:
    """By the form, with a code that was mailed; and by the telephone. One has its copy, one is answered."""
    word, phone, *_ = CANARIES[name]
    public = Client(REMOTE_ADDR="203.0.113.9", SERVER_NAME="127.0.0.1")
    site = Site.objects.get(account=owen.account)
    form = {"kind": "access", "email": email_of(name), "details": f"all of {word}", "site": site.key}
    answer = public.post("/privacy/requests/", form)
    assert answer.status_code == 302, answer.content
    asked = PrivacyRequest.objects.get(email=email_of(name))
    deliver()
    asked.refresh_from_db()
    public.post(f"/privacy/requests/{asked.uid}/", {"code": mails.code_of(asked)})
    privacy.begin(by=owen, request=asked, job="export", with_internal=True)
    deliver()
    told = privacy.enter(by=owen, kind="correct", email=email_of(name), phone=phone, details=word)
    privacy.confirm_identity(by=owen, request=told)
    privacy.extend(by=owen, request=told, reason=f"{word} waits")
    firm = Client(REMOTE_ADDR="203.0.113.9", SERVER_NAME="127.0.0.1")
    firm.force_login(owen.user)
    found = firm.post("/account/privacy/search/", {"email": email_of(name), "phone": phone})
    assert b"Chats" in found.content


def _holds(name: str, owen: Operator) -> None:
    """Had to be kept for a while."""
    whose = Visitor.objects.filter(email=email_of(name)).values_list("pk", flat=True)
    hold = holding.place(by=owen, visitor_ids=list(whose), reason=f"{CANARIES[name][0]} sues Acme")
    holding.lift(by=owen, hold=hold)


def erase(name: str) -> dict[str, Any]:
    """owen answers, and erases: the certificate."""
    owen = Operator.objects.select_related("account").get(role="owner")
    word, phone, *_ = CANARIES[name]
    for each in PrivacyRequest.objects.filter(email=email_of(name), state="verified"):
        privacy.finish(by=owen, request=each, answer=f"{word} is right now")
    request = privacy.enter(by=owen, kind="erase", email=email_of(name), phone=phone, details=word)
    privacy.confirm_identity(by=owen, request=request)
    privacy.begin(by=owen, request=request, job="erase")
    deliver()
    request.refresh_from_db()
    assert request.state == "done", OutboxItem.objects.exclude(state="done").values("kind", "last_error")
    return request.certificate or {}


# --- seeking ------------------------------------------------------------------------------------------


@cache
def canaries(name: str) -> re.Pattern[str]:
    word, phone, *others = CANARIES[name]
    return re.compile("|".join(map(re.escape, (word, phone[-10:], *others))), re.I)


def personal_columns() -> set[str]:
    """The registry (R-014), as it is."""
    return {str(each) for each in columns() if (found := declaration_of(each)) and found.purpose}


def opened(value: Any) -> Iterator[str]:
    """All that can be read out of a value: itself, what it hides, the files in it."""
    data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    yield data.decode("latin-1")
    if data.startswith(b"gAAAA"):
        try:
            inner = decrypted_bytes(data)
        except Unreadable:
            return
        yield from opened(inner)
    elif data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            for each in files.namelist():
                yield files.read(each).decode("utf-8", "replace")
    elif data.startswith(b"age-encryption.org/"):
        yield json.dumps(archive.opened(data), ensure_ascii=False)


def places(name: str) -> set[str]:
    """Where somebody's canary is: "table.column", a file's path, a key of Redis."""
    sought = canaries(name)
    return {where for where, value in _everything() if any(sought.search(text) for text in opened(value))}


def _everything() -> Iterator[tuple[str, Any]]:
    yield from _tables()
    for path in sorted(Path(settings.DATA_DIR).rglob("*")):
        where = path.relative_to(settings.DATA_DIR)
        if path.is_file() and where.parts[0] not in (MAILED, "backups", "archive"):
            yield str(where.parent / path.suffix), path.read_bytes()
    store = archive.store()
    for file in store.list():
        yield "the archive", store.get(file.name)
    if settings.REDIS_URL:
        yield from _redis()


def _tables() -> Iterator[tuple[str, Any]]:
    names = {
        (model._meta.db_table, field.column): str(field)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
    }
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for column, value in zip(cursor.description, row, strict=True):
                    if value is not None:
                        yield names.get((table, column[0]), f"{table}.{column[0]}"), value


def _redis() -> Iterator[tuple[str, Any]]:
    import redis

    with redis.Redis.from_url(settings.REDIS_URL) as there:
        for key in there.scan_iter():
            kind = there.type(key).decode()
            read = {
                "string": lambda key: [there.get(key)],
                "list": lambda key: there.lrange(key, 0, -1),
                "set": there.smembers,
                "zset": lambda key: there.zrange(key, 0, -1),
                "hash": lambda key: [part for pair in there.hgetall(key).items() for part in pair],
                "stream": lambda key: [part for _, row in there.xrange(key) for part in row.values()],
            }[kind]
            for value in [key, *(read(key) or ())]:
                yield f"redis {kind}", value


def planted(name: str) -> dict[str, list[str]]:
    """Where a canary is; and the columns of the registry, kept ones apart, in which there is none."""
    there = places(name)
    keys = Visitor.objects.filter(email=email_of(name)).exclude(browser_key=None)
    if keys.exists():  # a hash, in which nothing can be planted: it is its own canary
        there.add("visitors.Visitor.browser_key")
    missing = personal_columns() - KEPT - there
    return {"there": sorted(there), "missing": sorted(missing), "kept": sorted(erasure.kept())}


def left(name: str) -> list[str]:
    return sorted(places(name))


def say(what: Any) -> None:
    """The last line of the program's output."""
    print(json.dumps(what))


# --- copies -------------------------------------------------------------------------------------------


def copy_of(name: str, to: str = "") -> dict[str, Any]:
    """What a copy with the firm's notes says of somebody; `to` names a file for the whole ZIP."""
    acme = Account.objects.get(name="Acme Law")
    person = selectors.find(acme.pk, email=email_of(name), phone=CANARIES[name][1])
    told = {"firm": acme.name, "made_at": "today"}
    with exports.collect(person, with_internal=True) as found:
        if to:
            with Path(to).open("wb") as out:
                exports.write_zip(found, out, **told)
        whole = b"".join(exports.json_parts(found, **told)).decode()
    return {"data": whole, "counts": found.counts}


def comes_from(file: str) -> dict[str, Any]:
    """Another installation, in which acme has nobody yet, reads somebody's copy."""
    Installation.objects.get_or_create(pk=1)
    acme = Account.objects.create(name="Acme Law")
    importing.read_back(acme, Path(file))
    mailed, sent = outbox.due_ids(), sms.follow_chats()
    return copy_of("vera") | {"to_do": len(list(mailed)), "sent": sent}
