"""Somebody asks about their own data, proves who they are, and is answered in time (R-150, R-151)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client

from accounts import audit
from accounts.models import Account, Department, Operator, Site
from chatlead.errors import MissingField, NotFound
from chats.models import Chat, Message
from privacy import actions, selectors
from privacy.models import PrivacyRequest
from privacy.tasks import watch_deadlines
from tests.conftest import make_chat, visitor_on
from tests.privacy.conftest import EMAIL, mailed_code
from visitors.languages import public
from visitors.models import Visitor
from visitors.sessions import COOKIE, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Proved = Callable[[str], PrivacyRequest]


def test_vera_asks_proves_it_and_is_erased(
    client: Client, site: Site, owen: Operator, known_vera: Chat, deliver: Work
) -> None:
    """R-151, R-176: form, code, queue, Erase, certificate, mail; nothing of her is left."""
    Message.objects.create(
        account_id=known_vera.account_id, chat=known_vera, seq=2, ref="0190c0de-0000-7000-8000-000000000001",
        author="visitor", kind="text", text="I was in a crash", created_at=known_vera.started_at,
    )  # fmt: skip
    Chat.objects.filter(pk=known_vera.pk).update(last_seq=2)
    form = client.get(f"/privacy/requests/?site={site.key}")
    assert "Acme Law" in form.text
    sent = client.post(
        "/privacy/requests/", {"site": site.key, "kind": "erase", "email": EMAIL, "lang": "en"}
    )
    assert sent.status_code == 302
    deliver()
    assert [each.to for each in mail.outbox] == [[EMAIL]]
    there = client.post(sent["Location"], {"code": mailed_code()}, follow=True)
    assert "Your request is confirmed. Acme Law answers until" in there.text
    deliver()
    assert sorted(each.to[0] for each in mail.outbox[1:]) == sorted([EMAIL, owen.user.email])

    client.force_login(owen.user)
    [request] = selectors.queue(owen.account)
    page = f"/account/privacy/requests/{request.uid}/"
    assert request.get_kind_display() in client.get("/account/privacy/").text
    assert "Erase" in client.get(page).text
    refused = client.post(f"{page}do/", {"do": "erase", "word": "yes"})
    assert "Nothing was erased" in refused.text
    client.post(f"{page}do/", {"do": "erase", "word": "erase"})
    deliver()
    request.refresh_from_db()
    assert request.state == "done"
    assert {each["kind"]: (each["found"], each["left"]) for each in (request.certificate or {})["kinds"]}[
        "chats"
    ] == (1, 0)
    assert "Certificate of erasure" in client.get(page).text
    assert client.get(f"{page}certificate.json").json()["request"] == request.uid
    assert "has erased what it kept about you" in mail.outbox[-1].body
    assert (request.email, request.details) == ("", "")  # told, then forgotten
    assert not Visitor.objects.exclude(name="", email="").exists()
    assert set(Message.objects.filter(chat=known_vera, kind="text").values_list("text", flat=True)) == {""}
    assert [each.action for each in audit.entries(owen.account).order_by("id")] == [
        "privacy.verified", "privacy.erase_begun", "privacy.erased",
    ]  # fmt: skip


def test_nobody_learns_anything_before_it_is_proved(
    client: Client, site: Site, owen: Operator, known_vera: Chat, deliver: Work
) -> None:
    """R-150, B2-2: a known address and an unknown one are answered alike, and the firm hears of neither."""
    answers = []
    for email in (EMAIL, "nobody@post.test"):
        sent = client.post("/privacy/requests/", {"site": site.key, "kind": "access", "email": email})
        page = client.get(sent["Location"])
        answers.append((sent.status_code, page.status_code, page.text.split("</h1>")[1].split("<form")[0]))
    assert answers[0] == answers[1]
    deliver()
    assert len(mail.outbox) == 2 and {len(each.body) for each in mail.outbox} == {len(mail.outbox[0].body)}
    assert not selectors.queue(owen.account).exists()
    never = client.get("/privacy/requests/AAAAAAAAAAAAAAAAAAAAAA/")
    assert never.status_code == 200 and "Look into your mail" in never.text


def test_eve_cannot_guess_the_code(known_vera: Chat, deliver: Work) -> None:
    """B2-2: five tries, then even the right one is none; it is good once."""
    asked = actions.receive(kind="access", email=EMAIL, language="en", account=known_vera.account)
    deliver()
    for guess in ("00000000", "11111111", "", "x", "22222222"):
        with pytest.raises(actions.WrongCode):
            actions.prove(uid=asked.uid, code=guess)
    with pytest.raises(actions.WrongCode):
        actions.prove(uid=asked.uid, code=mailed_code())
    actions.resend_code(uid=asked.uid)
    deliver()
    assert actions.prove(uid=asked.uid, code=mailed_code()).state == "verified"
    with pytest.raises(actions.WrongCode):
        actions.prove(uid=asked.uid, code=mailed_code())


def test_a_code_grows_old(known_vera: Chat, deliver: Work) -> None:
    """B2-2."""
    asked = actions.receive(kind="access", email=EMAIL, language="en", account=known_vera.account)
    deliver()
    with time_machine.travel(asked.received_at + timedelta(minutes=31)), pytest.raises(actions.WrongCode):
        actions.prove(uid=asked.uid, code=mailed_code())


def test_a_request_to_the_whole_service_reaches_both_firms(
    known_vera: Chat, acme: Account, owen: Operator, rival_site: Site, rival_sales: Department, eve: Operator,
    deliver: Work,
) -> None:  # fmt: skip
    """R-150: both get a task, she is told, and neither learns of the other."""
    there = make_chat(visitor_on(rival_site), rival_sales)
    Visitor.objects.filter(pk=there.visitor_id).update(email=EMAIL.upper())
    asked = actions.receive(kind="confirm", email=EMAIL, language="de")
    deliver()
    actions.prove(uid=asked.uid, code=mailed_code())
    deliver()
    [at_acme], [at_rival] = selectors.queue(acme), selectors.queue(eve.account)
    assert (at_acme.state, at_rival.state) == ("verified", "verified")
    [told] = [each for each in mail.outbox if "Acme Law" in each.body and each.to == [EMAIL]]
    assert "Rival & Co" in told.body and "Diese Firmen" in told.body
    for mails in mail.outbox:
        if mails.to != [EMAIL]:
            assert "Acme" not in mails.body and "Rival" not in mails.body
    asked.refresh_from_db()
    assert asked.state == "done" and asked.email == ""


def test_owen_refuses_only_with_a_reason(proved: Proved, owen: Operator, deliver: Work) -> None:
    """R-151."""
    request = proved("erase")
    for reason in ("", "  \n"):
        with pytest.raises(MissingField):
            actions.refuse(by=owen, request=request, reason=reason)
    actions.refuse(by=owen, request=request, reason="The law makes us keep it.")
    deliver()
    assert "The law makes us keep it." in mail.outbox[-1].body
    for step in ("begin", "refuse", "finish"):
        with pytest.raises(actions.IllegalStep, match="refused cannot become"):
            given = {"begin": {"job": "erase"}, "refuse": {"reason": "again"}, "finish": {}}[step]
            getattr(actions, step)(by=owen, request=request, **given)


@pytest.mark.parametrize("actual", PrivacyRequest.State.values)
@pytest.mark.parametrize("wanted", PrivacyRequest.State.values)
def test_only_legal_steps_are_taken(proved: Proved, actual: str, wanted: str) -> None:
    """R-151: received -> verified -> in work -> done or refused."""
    request = proved("erase")
    PrivacyRequest.objects.update(state=actual)
    request.refresh_from_db()
    if wanted in actions.LEGAL[PrivacyRequest.State(actual)]:
        actions._step(request, wanted)
        request.refresh_from_db()
        assert request.state == wanted
    else:
        with pytest.raises(actions.IllegalStep, match=f"{actual} cannot become {wanted}"):
            actions._step(request, wanted)


def test_the_clock_warns_and_escalates_once_each(proved: Proved, owen: Operator, deliver: Work) -> None:
    """R-151: day 25 warns, day 30 escalates."""
    request = proved("erase")
    mail.outbox.clear()
    for days, subjects in (
        (24, []),
        (26, ["A privacy request is due soon"]),
        (31, ["A privacy request is late"]),
    ):
        mail.outbox.clear()
        with time_machine.travel(request.received_at + timedelta(days=days), tick=False):
            watch_deadlines()
            watch_deadlines()
            deliver()
        assert [each.subject for each in mail.outbox if each.to == [owen.user.email]] == [
            each for each in ["A privacy request waits"] if days == 24
        ] + subjects
        assert all(EMAIL not in each.body for each in mail.outbox if each.to != [EMAIL])


def test_more_time_is_taken_once_in_time_and_told(proved: Proved, owen: Operator, deliver: Work) -> None:
    """B2-1."""
    request = proved("access")
    with time_machine.travel(request.due_at + timedelta(hours=1)), pytest.raises(actions.IllegalStep):
        actions.extend(by=owen, request=request, reason="too much")
    actions.extend(by=owen, request=request, reason="Your chats fill a cellar.")
    deliver()
    assert any("Your chats fill a cellar." in each.body and each.to == [EMAIL] for each in mail.outbox)
    request.refresh_from_db()
    assert (request.due_at - request.received_at).days == 90
    with pytest.raises(actions.IllegalStep):
        actions.extend(by=owen, request=request, reason="again")


def test_eve_and_olga_reach_none_of_it(proved: Proved, client: Client, eve: Operator, olga: Operator) -> None:
    """R-112, R-175: another firm's owner finds nothing, an operator without the right is refused."""
    request = proved("erase")
    paths = ["", "certificate.json"]
    with pytest.raises(NotFound):
        actions.begin(by=eve, request=request, job="erase")
    assert not selectors.find(eve.account_id, email=EMAIL).visitor_ids
    for operator, status in ((eve, 404), (olga, 403)):
        client.force_login(operator.user)
        for path in paths:
            assert client.get(f"/account/privacy/requests/{request.uid}/{path}").status_code == status
        for path in ("do/", "copy/"):
            answer = client.post(
                f"/account/privacy/requests/{request.uid}/{path}", {"do": "erase", "word": "erase"}
            )
            assert answer.status_code == status
    request.refresh_from_db()
    assert request.state == "verified"


def test_owen_enters_what_came_by_phone(owens: Client, owen: Operator, known_vera: Chat) -> None:
    """R-151, R-175: found by the visitor's id; it begins unproved, and the firm says how it was proved."""
    found = owens.post("/account/privacy/search/", {"email": EMAIL})
    assert "Found 1 visitor" in found.text
    assert (
        "You keep nothing of this person"
        in owens.post("/account/privacy/search/", {"email": "x@y.test"}).text
    )
    entered = owens.post(
        "/account/privacy/search/", {"visitor": known_vera.visitor.uid, "kind": "erase", "enter": "1"}
    )
    uid = entered["Location"].split("/")[-2]
    request = PrivacyRequest.objects.get(uid=uid)
    assert (request.state, request.origin) == ("received", "staff")
    with pytest.raises(actions.IllegalStep):
        actions.begin(by=owen, request=request, job="erase")
    owens.post(f"{entered['Location']}do/", {"do": "confirm"})
    request.refresh_from_db()
    assert (request.state, request.proof) == ("verified", "staff")
    assert selectors.person_of(request).visitor_ids == {known_vera.visitor_id}


def test_vera_is_found_by_the_telephone_number_she_gave(acme: Account, known_vera: Chat) -> None:
    """R-175: however it is written."""
    Chat.objects.update(answers=[{"name": "phone", "label": "Phone", "value": "(813) 555-0123"}])
    for phone in ("+1 813 555 0123", "8135550123", "001-813-555-0123"):
        assert selectors.find(acme.pk, phone=phone).visitor_ids == {known_vera.visitor_id}
    assert not selectors.find(acme.pk, phone="+1 813 555 0124").visitor_ids


def test_nobody_waits_while_somebody_is_looked_for(
    proved: Proved, known_vera: Chat, owen: Operator, deliver: Work
) -> None:
    """Performance: who reads all forms that were ever filled in holds no lock; on SQLite none could write."""
    read: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        whole = re.search(r'FROM "(chats_chat|surveys_answer)"', sql) and not re.search(
            r'WHERE[^;]*"(visitor_id|session_id|id|chat_id|uid|response_id)" (=|IN)', sql
        )
        if connection.in_atomic_block and whole:
            read.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        everywhere = actions.receive(kind="access", email=EMAIL, language="en")
        deliver()
        actions.prove(uid=everywhere.uid, code=mailed_code())
        assert selectors.queue(owen.account).count() == 1
        asked = proved("erase")
        actions.begin(by=owen, request=asked, job="erase")
        deliver()
        actions.finish(by=owen, request=proved("correct"))
    assert read == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_whole_page_speaks_her_language(client: Client, site: Site, language: str) -> None:
    """R-151, R-125: from the link that skips to the foot, in her direction; a button says that it works."""
    said = public(language)
    sent = client.post(
        "/privacy/requests/", {"kind": "access", "email": EMAIL, "lang": language, "site": site.key}
    )
    for page in (client.get(f"/privacy/requests/?lang={language}"), client.get(sent["Location"])):
        direction = "rtl" if language == "ar" else "ltr"
        assert f'<html lang="{language}" dir="{direction}">' in page.text
        for name in ("toContent", "about", "yourData", "sending"):
            assert said[name] in page.text
        assert f'data-busy="{said["sending"]}"' in page.text and "pages.js" in page.text
        if language == "ar":
            assert "Skip to" not in page.text and "live chat on" not in page.text


def test_a_flood_of_forms_is_stopped(client: Client, site: Site, settings: object) -> None:
    """D-2: a mailbox is not filled by strangers."""
    told = [
        client.post("/privacy/requests/", {"site": site.key, "kind": "access", "email": EMAIL}).status_code
        for _ in range(5)
    ]
    assert told == [302, 302, 302, 429, 429]


def test_vera_asks_from_her_live_chat_without_an_address(
    client: Client, site: Site, intake: Department, deliver: Work, owen: Operator
) -> None:
    """R-151: on the site's page here the chat's session proves who she is; it is her own data alone, whatever
    address she gives for the answer."""
    token = new_token()
    chat = make_chat(visitor_on(site, session_key=session_key_of(site.key, token)), intake)
    stranger = make_chat(visitor_on(site), intake)
    Visitor.objects.filter(pk=stranger.visitor_id).update(email=EMAIL)
    client.cookies[COOKIE] = token
    assert "You ask from your chat" in client.get(f"/privacy/requests/?site={site.key}").text
    sent = client.post("/privacy/requests/", {"site": site.key, "kind": "erase", "email": EMAIL}, follow=True)
    assert "Your request is confirmed" in sent.text
    [request] = selectors.queue(owen.account)
    assert (request.proof, request.origin) == ("session", "chat")
    assert selectors.person_of(request).visitor_ids == {chat.visitor_id}
    actions.begin(by=owen, request=request, job="erase")
    deliver()
    stranger.visitor.refresh_from_db()
    assert stranger.visitor.email == EMAIL
    assert not Visitor.objects.filter(pk=chat.visitor_id).exclude(name="").exists()
    other = Client()
    other.cookies[COOKIE] = new_token()
    assert "You ask from your chat" not in other.get(f"/privacy/requests/?site={site.key}").text
