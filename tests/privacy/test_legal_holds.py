"""acme has to keep what vera wants erased: nothing goes before the hold is lifted, then all of it (R-071)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts import audit, outbox
from accounts.erasure import Person, erase
from accounts.models import Account, Department, LegalHold, Operator, Site
from chatlead.errors import MissingField, NotFound, UnderLegalHold
from chats import actions as chats
from chats.models import Chat, Message
from privacy import actions, holding, selectors, tombstones
from privacy.models import PrivacyRequest
from privacy.tasks import watch_deadlines
from surveys.actions import publish_survey, send_survey
from surveys.models import Answer, Question, Response
from tests.chats.ended import talk
from tests.conftest import PASSWORD, visitor_on
from tests.identifiers import new_ref
from tests.privacy.conftest import EMAIL, mailed_code
from tests.surveys.conftest import ALL_KINDS
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Proved = Callable[[str], PrivacyRequest]
REASON = "Winter v. Acme, file 12"


@pytest.fixture
def said(vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Chat:
    """What vera and olga said, before she came back."""
    chat = talk(vera, intake, principal_of(olga), "I slipped", "Where?", hours=3).chat
    Visitor.objects.filter(pk=chat.visitor_id).update(email=EMAIL)
    return chat


@pytest.fixture
def hold(owen: Operator, said: Chat) -> LegalHold:
    return holding.place(by=owen, visitor_ids=[said.visitor_id], reason=REASON)


def is_there(chat: Chat) -> bool:
    there = Message.objects.filter(chat=chat, text="I slipped").exists()
    assert there == Visitor.objects.filter(pk=chat.visitor_id, email=EMAIL).exists(), "half of it"
    return there


def deeds(account: Account) -> list[str]:
    return [each.action for each in audit.entries(account).order_by("id")]


# --- a request ----------------------------------------------------------------------------------------


def test_an_erasure_waits_and_goes_on_when_the_hold_is_lifted(
    owens: Client, owen: Operator, said: Chat, proved: Proved, deliver: Work
) -> None:
    """R-071, R-151: placed at the conversation with a reason; Erase is refused with a code, the person is
    told and no more than that; shown in the queue, at the request and there; lifted by a word."""
    request = proved("erase")
    place = f"/account/privacy/holds/new/?chat={said.uid}"
    assert place in owens.get(f"/account/chats/{said.uid}/").text
    assert "Say why" in owens.post(place, {"chat": said.uid, "reason": " "}).text
    assert not LegalHold.objects.exists()
    owens.post(place, {"chat": said.uid, "reason": REASON})
    hold = LegalHold.objects.get()
    mine = f"/account/privacy/holds/{hold.uid}/"
    assert owens.get(place).headers["Location"] == mine  # there is one already

    page = f"/account/privacy/requests/{request.uid}/"
    assert mine in owens.get(page).text
    answer = owens.post(f"{page}do/", {"do": "erase", "word": "erase"})
    assert answer.status_code == 409 and UnderLegalHold.message in answer.text
    deliver()
    assert is_there(said)
    request.refresh_from_db()
    assert (request.state, request.job) == ("in_work", "")
    told = [each for each in mail.outbox if each.to == [EMAIL]][-1].body
    assert "legal claim" in told and "Winter" not in told
    assert "the person was told" in owens.get(page).text
    assert "Legal hold</span>" in owens.get("/account/privacy/").text
    assert "Legal hold</h2>" in owens.get(f"/account/chats/{said.uid}/").text
    assert REASON in owens.get(mine).text and page in owens.get(mine).text

    assert owens.post(mine, {"word": "yes"}).status_code == 400
    deliver()
    assert is_there(said)
    owens.post(mine, {"word": "lift"})
    deliver()
    assert not is_there(said)
    request.refresh_from_db()
    assert request.state == "done" and request.certificate is not None
    hold.refresh_from_db()
    assert hold.reason == "" and "Lifted" in owens.get("/account/privacy/holds/").text
    of_holds = {"privacy.hold_placed", "privacy.erasure_held", "privacy.hold_lifted"}
    assert [each for each in deeds(owen.account) if each in of_holds] == [
        "privacy.hold_placed", "privacy.erasure_held", "privacy.hold_lifted",
    ]  # fmt: skip
    assert not any("Winter" in str(each.facts) for each in audit.entries(owen.account))


def test_who_asks_reads_that_it_is_kept(
    client: Client, site: Site, owen: Operator, hold: LegalHold, deliver: Work
) -> None:
    """R-071, R-151: on the page of her request, as in the mail; and once, however often owen tries."""
    sent = client.post(
        "/privacy/requests/", {"site": site.key, "kind": "erase", "email": EMAIL, "lang": "en"}
    )
    deliver()
    client.post(sent["Location"], {"code": mailed_code()})
    [request] = selectors.queue(owen.account)
    for _ in range(2):
        with pytest.raises(UnderLegalHold):
            actions.begin(by=owen, request=request, job="erase")
        deliver()
    assert "has to keep what you want erased" in client.get(sent["Location"]).text
    assert sum("has to keep" in str(each.body) for each in mail.outbox) == 1
    hold.refresh_from_db()
    assert len(hold.waiting) == 1


def test_what_waits_may_be_refused_and_its_days_do_not_count(
    owen: Operator, hold: LegalHold, said: Chat, proved: Proved, deliver: Work
) -> None:
    """R-151: nobody is warned of what nobody may do; a refusal with a reason ends it, nothing is erased."""
    request = proved("erase")
    with pytest.raises(UnderLegalHold):
        actions.begin(by=owen, request=request, job="erase")
    deliver()
    PrivacyRequest.objects.update(due_at=request.received_at)
    assert watch_deadlines() == 0
    actions.refuse(by=owen, request=request, reason="We need it for a claim.")
    assert holding.lift(by=owen, hold=hold) == 0
    deliver()
    assert is_there(said)


def test_a_hold_that_comes_in_the_middle_keeps_the_rest(
    owen: Operator, said: Chat, proved: Proved, deliver: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-071: before the next kind of data."""
    request = proved("erase")
    actions.begin(by=owen, request=request, job="erase")
    write, placed = tombstones.write, []

    def place_meanwhile(person: Person, **more: Any) -> str:
        name = write(person, **more)
        placed.append(holding.place(by=owen, visitor_ids=[said.visitor_id], reason=REASON))
        return name

    monkeypatch.setattr(tombstones, "write", place_meanwhile)
    deliver()
    monkeypatch.undo()
    request.refresh_from_db()
    assert is_there(said) and request.state == "in_work" and len(placed) == 1
    assert holding.lift(by=owen, hold=placed[0]) == 1
    deliver()
    assert not is_there(said)


def test_two_holds_are_both_to_be_lifted(
    owen: Operator, hold: LegalHold, said: Chat, proved: Proved, deliver: Work
) -> None:
    """R-071."""
    other = holding.place(by=owen, visitor_ids=[said.visitor_id], reason="The tax office")
    with pytest.raises(UnderLegalHold):
        actions.begin(by=owen, request=proved("erase"), job="erase")
    deliver()
    for each, is_kept in ((hold, True), (other, False)):
        each.refresh_from_db()
        holding.lift(by=owen, hold=each)
        deliver()
        assert is_there(said) == is_kept


# --- a child, an address, an account ------------------------------------------------------------------


def test_a_child_under_hold_is_erased_later(
    owen: Operator, hold: LegalHold, vera: VisitorPrincipal, said: Chat, known_vera: Chat, olga: Operator,
    principal_of: Any, deliver: Work,
) -> None:  # fmt: skip
    """R-071, R-070: each chat of hers ends, nothing more is collected; olga reads why nothing is erased."""
    with pytest.raises(UnderLegalHold) as refused:
        chats.report_minor(principal=principal_of(olga), uid=known_vera.uid)
    assert refused.value.code == "legal_hold" and "has ended" in refused.value.message
    deliver()
    assert is_there(said)
    assert not Chat.objects.filter(visitor_id=said.visitor_id, closed_at=None).exists()
    holding.lift(by=owen, hold=LegalHold.objects.get())
    deliver()
    assert not is_there(said)
    assert "privacy.erased" in deeds(owen.account)


def test_an_address_that_leads_to_her_is_held_too(
    site: Site, owen: Operator, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any
) -> None:
    """R-071: one that she gave in a survey alone, where no visitor is known by it."""
    publish_survey(site=site, department=None, title="How was it?", intro="", asked=ALL_KINDS)
    chat = talk(vera, intake, principal_of(olga), "I slipped", "Where?").chat
    question = Question.objects.get(version=Response.objects.get(chat=chat).version, kind="email")
    send_survey(principal=vera, uid=chat.uid, ref=new_ref(), values={question.uid: "elsewhere@post.test"})
    holding.place(by=owen, visitor_ids=[chat.visitor_id], reason=REASON)
    person = Person(owen.account_id, emails=frozenset({"elsewhere@post.test"}))
    with pytest.raises(UnderLegalHold):
        erase(person)
    assert Answer.objects.filter(question=question).exists()


def test_other_people_are_erased_as_before(
    site: Site, owen: Operator, hold: LegalHold, intake: Department, olga: Operator, principal_of: Any
) -> None:
    """R-071: the hold is on vera."""
    other = talk(visitor_on(site), intake, principal_of(olga), "I fell", "Where?").chat
    erase(Person(owen.account_id, visitor_ids=frozenset({other.visitor_id})))
    assert not Message.objects.filter(text="I fell").exists()


def test_the_archive_moves_what_is_held_and_loses_none(
    hold: LegalHold, said: Chat, settings: Settings, tmp_path: Path
) -> None:
    """R-071, R-118."""
    assert chats.archive_chat(said.pk)
    with pytest.raises(UnderLegalHold):
        erase(Person(said.account_id, visitor_ids=frozenset({said.visitor_id})))
    assert not Chat.objects.get(pk=said.pk).archived_file.erased_at


def test_an_account_with_a_hold_is_not_deleted(acme: Account, hold: LegalHold, said: Chat) -> None:
    """R-071: nothing of it goes."""
    with pytest.raises(CommandError, match="legal hold"):
        call_command("delete_account", "--name", acme.name, "--", acme.subscriber_id)
    assert is_there(said) and Account.objects.filter(pk=acme.pk).exists()


# --- a restore ----------------------------------------------------------------------------------------


def test_a_hold_that_the_backup_did_not_know_is_placed_again(
    owen: Operator, hold: LegalHold, said: Chat, deliver: Work
) -> None:
    """R-071, B2-6: with its reason and with what waits for it, and it stands against an older stone."""
    outbox.add(
        "erase_visitors", {"account": said.account_id, "visitors": [said.visitor_id], "reason": "x"}, "x"
    )
    deliver()
    tombstones.write(Person(said.account_id, visitor_ids=frozenset({said.visitor_id})))
    LegalHold.objects.all().delete()  # as a restore of yesterday's backup does
    counts = tombstones.reapply()
    assert counts["holds_placed"] == 1 and is_there(said)
    again = LegalHold.objects.get()
    assert (again.uid, again.reason, again.placed_by) == (hold.uid, REASON, owen)
    assert tombstones.reapply()["holds_placed"] == 0
    assert holding.lift(by=owen, hold=again) == 1
    deliver()
    assert not is_there(said)


def test_a_hold_that_was_lifted_since_the_backup_stays_lifted(
    owen: Operator, hold: LegalHold, said: Chat, deliver: Work, tmp_path: Path
) -> None:
    """R-071, B2-6: the stone of what was erased then is carried out again, and the reason is in no file."""
    holding.lift(by=owen, hold=hold)
    tombstones.write(Person(said.account_id, visitor_ids=frozenset({said.visitor_id})))
    assert not any('"reason": "g' in path.read_text() for path in tmp_path.rglob("holds/*.json"))
    LegalHold.objects.update(lifted_at=None, lifted_by=None)  # as in yesterday's backup
    assert tombstones.reapply()["holds_lifted"] == 1
    assert not is_there(said)


def test_where_nothing_can_be_written_down_no_hold_is_placed_or_lifted(
    owens: Client, owen: Operator, hold: LegalHold, said: Chat, settings: Settings, tmp_path: Path
) -> None:
    """B2-6: and the page says so; nothing can be erased then either."""
    (tmp_path / "file").write_text("where a folder should be")
    settings.TOMBSTONES = (tmp_path / "file" / "stones").as_uri()
    answer = owens.post(f"/account/privacy/holds/{hold.uid}/", {"word": "lift"})
    assert answer.status_code == 503 and "Nothing was changed" in answer.text
    hold.refresh_from_db()
    assert hold.lifted_at is None


# --- who may ------------------------------------------------------------------------------------------


def test_only_owners_and_admins_of_the_account_may(
    hold: LegalHold, said: Chat, known_vera: Chat, nina: Operator, eve: Operator, proved: Proved
) -> None:
    """R-112: nina is refused; eve finds nothing, with the right ids either."""
    request = proved("erase")
    pages = [
        f"/account/privacy/holds/{hold.uid}/",
        f"/account/privacy/holds/new/?chat={said.uid}",
        f"/account/privacy/holds/new/?request={request.uid}",
    ]
    for who, status in ((nina, 403), (eve, 404)):
        client = Client()
        client.login(username=who.user.email, password=PASSWORD)
        for page in pages:
            assert client.get(page).status_code == status
            given = {"word": "lift", "reason": "mine", "chat": said.uid}
            assert client.post(page, given).status_code == status
    assert "Winter" not in Client().get(pages[0]).text
    with pytest.raises(NotFound):
        holding.place(by=eve, visitor_ids=[said.visitor_id], reason="mine")
    with pytest.raises(MissingField):
        holding.place(by=eve, visitor_ids=[said.visitor_id], reason=" ")
    hold.refresh_from_db()
    assert hold.lifted_at is None and LegalHold.objects.count() == 1
