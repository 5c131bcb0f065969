"""A programme asks the phone itself before a consent counts; without a question a YES is a word like any
other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Operator
from chats.actions import accept_chat
from chats.models import Chat
from sms import actions, ledger, selectors, wordings
from sms.models import SmsConsent, SmsMessage, SmsProgramme, SmsSender
from sms.numbers import key_of
from tests.fake_twilio import FakeTwilio
from tests.sms.conftest import VERA, all_is_done, answers, said, states, time_passes
from tests.sms.consents import agrees
from tests.sms.test_pages import posts

pytestmark = pytest.mark.django_db(transaction=True)
Texts = Callable[..., Any]


@pytest.fixture
def asking(sender: SmsSender, programme: SmsProgramme, owen: Operator) -> SmsProgramme:
    """acme's programme asks for a YES."""
    assert actions.ask_for_yes(operator=owen, programme=programme, on=True)
    programme.refresh_from_db()
    return programme


def deeds(purpose: str = "service") -> list[tuple[str, str]]:
    """(deed, source) of all entries about vera's number and a purpose, in order."""
    mine = SmsConsent.objects.filter(number_key=key_of(VERA), purpose=purpose).order_by("position")
    return list(mine.values_list("deed", "source"))


def test_what_somebody_ticked_counts_when_the_phone_has_said_yes(
    texts: Texts, provider: FakeTwilio, sender: SmsSender, asking: SmsProgramme
) -> None:
    """B1-8, B1-11, R-182: the first text asks and holds what a first text must; before the YES nothing else
    goes; the ledger has the words that were ticked and the id of the YES."""
    [pending, _] = sorted(agrees(asking, VERA, service=True, marketing=False), key=lambda each: each.deed)[
        ::-1
    ]
    actions.send(sender=sender, phone=VERA, purpose="service", text="Too early", key="1")
    all_is_done()
    assert provider.bodies() == [wordings.question(asking)]
    for wanted in (asking.name, "YES", "Message frequency varies", "Msg & data rates", "HELP", "STOP"):
        assert wanted in provider.bodies()[0]
    assert states()[1] == ("service", "refused", "consent_missing")
    texts("Yes!", MessageSid="SM" + "1" * 32)
    assert deeds() == [("pending", "form"), ("granted", "yes")]
    assert deeds("marketing") == [("no_consent", "form")]
    newest = ledger.standing(asking.pk, key_of(VERA), "service")
    assert newest is not None
    assert (newest.provider_sid, newest.text) == ("SM" + "1" * 32, pending.text)
    assert newest.text_sha256 == pending.text_sha256 == wordings.sha256(pending.text)
    all_is_done()
    provider.reports(provider.sent[1], "delivered")
    actions.send(sender=sender, phone=VERA, purpose="service", text="Your hearing is tomorrow", key="2")
    all_is_done()
    assert provider.bodies()[1:] == [wordings.welcome(asking), "Your hearing is tomorrow"]
    assert ledger.check(asking.account_id) is None and not Chat.objects.exists()


@pytest.mark.parametrize("more", [{}, {"OptOutType": "START"}])
@pytest.mark.parametrize("text", ["YES", "yes.", "Start", "UNSTOP"])
def test_whoever_was_not_asked_agrees_to_nothing(
    texts: Texts, provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme, text: str, more: Any
) -> None:
    """B1-8, R-198: in a normal chat it is an answer that olga reads, whatever the provider takes it for."""
    texts("Can you help me?")
    texts(text, **more)
    all_is_done()
    assert said(Chat.objects.get())[1:] == [("visitor", text)]
    assert not SmsConsent.objects.exists() and provider.sent == []


@pytest.mark.parametrize("more", [{}, {"OptOutType": "START"}])
def test_a_yes_lifts_no_stop(
    texts: Texts, provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme, more: Any
) -> None:
    """B1-8: nobody has asked anything; it takes a START."""
    agrees(programme, VERA, service=True)
    texts("STOP")
    texts("YES", **more)
    assert selectors.is_suppressed(key_of(VERA), programme)
    assert deeds()[-1] == ("withdrawn", "sms")
    texts("START", **more)
    assert not selectors.is_suppressed(key_of(VERA), programme)
    assert deeds()[-1] == ("granted", "start")


def test_a_yes_to_olgas_question_is_no_consent(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme, olga: Operator, principal_of: Any
) -> None:
    """B1-8: ours was asked, then hers: the YES answers hers, which nobody could tell otherwise."""
    agrees(asking, VERA, service=True)
    all_is_done()
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    texts("Yes")
    assert said(chat)[-1] == ("visitor", "Yes")
    assert deeds() == [("pending", "form")]


def test_a_help_between_question_and_yes_changes_nothing(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme
) -> None:
    """B1-8, R-197: who asks what this is may agree afterwards; twice is once."""
    agrees(asking, VERA, service=True)
    all_is_done()
    texts("HELP")
    all_is_done()
    for _ in range(2):
        texts("YES")
        all_is_done()
    assert deeds() == [("pending", "form"), ("granted", "yes")]
    asked = wordings.question(asking)
    assert provider.bodies() == [asked, wordings.helping(asking), wordings.welcome(asking)]


def test_a_yes_that_comes_after_a_day_answers_nothing(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme
) -> None:
    """B1-8: the question is forgotten; whoever ticks again is asked again, and within a day is not."""
    agrees(asking, VERA, service=True)
    agrees(asking, VERA, service=True)
    all_is_done()
    assert (len(provider.sent), deeds()) == (1, [("pending", "form")])
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=True):
        texts("YES")
        assert deeds() == [("pending", "form")]
        agrees(asking, VERA, service=True)
        all_is_done()
        texts("YES")
    assert deeds() == [("pending", "form"), ("pending", "form"), ("granted", "yes")]


def test_a_question_that_never_left_is_answered_by_nothing(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme
) -> None:
    """B1-8: it waits, or was refused: nobody has read it."""
    agrees(asking, VERA, service=True)
    texts("YES")
    provider.failing = [(400, 21211)]
    all_is_done()
    texts("YES")
    assert (deeds(), states()) == ([("pending", "form")], [("question", "failed", "21211")])


def test_a_stop_in_place_of_a_yes_leaves_nothing_to_come_back_to(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme
) -> None:
    """B1-8, R-198: the number was entered by somebody else; its owner's later START agrees to nothing."""
    agrees(asking, VERA, service=True, marketing=True)
    all_is_done()
    texts("STOP", OptOutType="STOP")
    texts("YES")
    texts("START", OptOutType="START")
    all_is_done()
    assert deeds() == deeds("marketing") == [("pending", "form"), ("no_consent", "sms")]
    assert provider.bodies() == [wordings.question(asking)]


def test_what_was_ticked_for_a_blocked_number_is_asked_for_after_the_start(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme
) -> None:
    """B1-8, R-198: no question reaches who has said STOP; their START is no YES to what others ticked."""
    texts("STOP", OptOutType="STOP")
    agrees(asking, VERA, marketing=True)
    all_is_done()
    assert (provider.sent, states()) == ([], [("question", "refused", "stopped")])
    texts("START")
    time_passes()
    assert provider.bodies() == [wordings.question(asking)]
    assert deeds("marketing") == [("pending", "form")]
    texts("START")
    assert deeds("marketing") == [("pending", "form"), ("granted", "yes")]


def test_the_yes_of_one_number_is_none_to_another(
    texts: Texts, provider: FakeTwilio, asking: SmsProgramme
) -> None:
    """R-189: vera was asked; somebody else says YES."""
    agrees(asking, VERA, service=True)
    all_is_done()
    texts("YES", number="+18135550155")
    assert deeds() == [("pending", "form")]
    assert SmsMessage.objects.get(direction="in").kind == "chat"


def test_owen_chooses_whether_a_consent_needs_a_yes(
    logged_in: Callable[[Operator], Client],
    owen: Operator,
    eve: Operator,
    programme: SmsProgramme,
) -> None:
    """B1-8, R-191: for each programme, by an admin of its account, and audited."""
    path = "/account/sms/yes/"
    client = logged_in(owen)
    shown = posts(client, path, programme=programme.uid, on="yes").text
    assert "counts when the phone has answered YES" in shown and "After a YES by text" in shown
    posts(client, path, programme=programme.uid, on="yes")
    assert posts(logged_in(eve), path, programme=programme.uid, on="no").status_code == 404
    programme.refresh_from_db()
    assert programme.asks_yes
    assert "At once" in posts(client, path, programme=programme.uid, on="no").text
    noted = AuditEntry.objects.filter(action="sms.yes_changed").order_by("id")
    assert [each.facts["on"] for each in noted] == [True, False]
