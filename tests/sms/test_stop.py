"""Whoever says STOP gets nothing more, from that moment on; HELP and START do what they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import outbox
from accounts.models import Operator
from chats.actions import accept_chat
from chats.models import Chat
from sms import actions, ledger, selectors, wordings
from sms.models import SmsConsent, SmsMessage, SmsProgramme, SmsSender, SmsSuppression
from sms.numbers import key_of
from tests.at_once import at_once
from tests.fake_twilio import FakeTwilio
from tests.sms.conftest import VERA, all_is_done, answers, said, states, time_passes
from tests.sms.consents import agrees

pytestmark = pytest.mark.django_db(transaction=True)
Texts = Callable[..., Any]


@pytest.fixture
def chat(texts: Texts, olga: Operator, principal_of: Any) -> Chat:
    """vera has texted, olga has accepted."""
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    return chat


def test_a_stop_blocks_at_once_and_is_confirmed_once(
    texts: Texts, provider: FakeTwilio, chat: Chat, olga: Operator, sender: SmsSender
) -> None:
    """R-194, R-195, B1-6: five STOPs in a minute are one text in total, without an address or an offer."""
    answers(olga, chat, "Are you hurt?")
    actions.follow_chats()  # it waits to be handed over
    for spelling in ("STOP", "stop", "Stop.", "STOP 🛑", "cancel"):
        texts(spelling)
    all_is_done()
    time_passes()
    assert provider.bodies() == [wordings.stopped(sender.programme)]
    assert "http" not in provider.bodies()[0] and len(provider.bodies()[0]) <= 160
    assert states() == [("chat", "cancelled", "stopped"), ("stop", "accepted", "")]
    answers(olga, chat, "Hello?")
    all_is_done()
    assert len(provider.sent) == 1
    assert states()[-1] == ("chat", "refused", "stopped")
    author, line = said(chat)[-1]
    assert author == "system"
    assert "“Hello?”" in line and "STOP" in line
    assert SmsSuppression.objects.get().word == "stop"


def test_a_confirmation_that_is_late_is_never_sent(
    texts: Texts, provider: FakeTwilio, sender: SmsSender
) -> None:
    """B1-6: within five minutes or never."""
    provider.failing = [(503, 20503)]
    texts("STOP")
    all_is_done()
    assert provider.sent == []
    SmsMessage.objects.filter(kind="stop").update(expires_at=timezone.now() - timedelta(seconds=1))
    time_passes()
    assert (provider.sent, states()) == ([], [("stop", "refused", "too_late")])
    assert SmsSuppression.objects.filter(lifted_at=None).count() == 1


@pytest.mark.parametrize(
    ("kind", "text", "more", "is_confirmed"),
    [
        ("long_code", "STOP", {}, False),
        ("long_code", "STOP.", {}, True),  # which the provider does not take for a STOP
        ("long_code", "STOP.", {"OptOutType": "STOP"}, False),
        ("toll_free", "stop", {}, False),
        ("toll_free", "CANCEL", {}, True),
        ("long_code", "I like cake", {"OptOutType": "STOP"}, False),
    ],
)
def test_who_answers_a_stop_is_said_of_the_sender(
    texts: Texts, provider: FakeTwilio, sender: SmsSender, kind: str, text: str, more: Any, is_confirmed: bool
) -> None:
    """R-194, B1-2, B1-14: none of ours where the provider has confirmed it; blocked in every case."""
    SmsSender.objects.update(kind=kind, answers_stop="gateway")
    texts(text, **more)
    all_is_done()
    assert len(provider.sent) == is_confirmed
    assert selectors.is_suppressed(key_of(VERA), sender.programme)


def test_a_sentence_with_stop_in_it_is_said_to_the_operator(texts: Texts, provider: FakeTwilio) -> None:
    """R-193: it is neither obeyed nor dropped."""
    texts("stop by the office at 5")
    all_is_done()
    [chat] = Chat.objects.all()
    assert said(chat) == [("visitor", "stop by the office at 5")]
    assert (provider.sent, SmsSuppression.objects.count()) == ([], 0)


def test_help_is_answered_for_anybody_once_a_minute(
    texts: Texts, provider: FakeTwilio, sender: SmsSender
) -> None:
    """R-187, R-197, B1-9: also for somebody who is blocked, and consents stay as they are."""
    texts("STOP")
    texts("HELP")
    texts("info")
    all_is_done()
    assert provider.bodies()[1:] == [wordings.helping(sender.programme)]
    assert "call 800-555-0100" in provider.bodies()[1] and "STOP" in provider.bodies()[1]
    assert SmsConsent.objects.count() == 0 and SmsSuppression.objects.count() == 1
    texts("help", number="+18135550155")
    all_is_done()
    assert len(provider.sent) == 3


def test_start_brings_back_what_had_been_agreed_to_and_nothing_else(
    texts: Texts, provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-198, B1-8: the same number and programme with an earlier consent, in a new entry of the ledger."""
    agrees(programme, VERA, service=True)
    texts("STOP")
    assert ledger.standing(programme.pk, key_of(VERA), "service").deed == "withdrawn"  # type: ignore[union-attr]
    texts("yes")  # nobody has asked anything
    assert selectors.is_suppressed(key_of(VERA), programme)
    texts("Start")
    assert not selectors.is_suppressed(key_of(VERA), programme)
    newest = ledger.standing(programme.pk, key_of(VERA), "service")
    assert newest is not None and (newest.deed, newest.source) == ("granted", "start")
    assert not selectors.has_consent(programme.pk, key_of(VERA), "marketing")
    texts("START", number="+18135550155")
    assert not SmsConsent.objects.filter(number_key=key_of("+18135550155")).exists()
    assert ledger.check(programme.account_id) is None


def test_a_stop_ends_every_programme_of_the_firm_and_a_start_brings_back_one(
    texts: Texts, sender: SmsSender, programme: SmsProgramme, settings: Settings
) -> None:
    """B1-7: the scope is a setting; by default the whole firm."""
    other = actions.add_programme(
        account=programme.account, name="News", contact="call us", terms_url="https://acme.test/terms"
    )
    texts("STOP")
    assert selectors.is_suppressed(key_of(VERA), other)
    texts("START")
    assert selectors.is_suppressed(key_of(VERA), other)
    assert not selectors.is_suppressed(key_of(VERA), programme)
    texts("STOP")
    assert selectors.is_suppressed(key_of(VERA), programme)
    settings.SMS_REVOKE_SCOPE = "programme"
    number = "+18135550155"
    texts("STOP", number=number)
    assert selectors.is_suppressed(key_of(number), programme)
    assert not selectors.is_suppressed(key_of(number), other)


def test_ten_of_the_same_at_once_are_one_row_and_one_answer(sender: SmsSender, provider: FakeTwilio) -> None:
    """B1-16: the provider repeats itself, to several processes at a time."""
    path = f"/webhooks/twilio/{sender.uid}/inbound/"
    stop, hello = provider.form(VERA, "STOP"), provider.form(VERA, "Hello")
    found = at_once(
        *[lambda: provider.post(path, stop).status_code] * 5,
        *[lambda: provider.post(path, hello).status_code] * 5,
    )
    assert found == [200] * 10
    all_is_done()
    assert SmsMessage.objects.filter(direction="in").count() == 2
    assert (len(provider.sent), Chat.objects.count(), SmsSuppression.objects.count()) == (1, 1, 1)


def test_a_stop_by_phone_is_one_as_well(
    provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme, owen: Operator
) -> None:
    """R-196: the same effect, with its source and a note."""
    agrees(programme, VERA, service=True)
    done = actions.opt_out(
        operator=owen, programme=programme, phone="(813) 555-0100", source="phone", note="called at noon"
    )
    assert done
    assert not actions.opt_out(operator=owen, programme=programme, phone=VERA, source="email")
    actions.send(sender=sender, phone=VERA, purpose="service", text="Your hearing is tomorrow", key="1")
    all_is_done()
    assert provider.sent == []
    newest = ledger.standing(programme.pk, key_of(VERA), "service")
    assert newest is not None and (newest.deed, newest.source, newest.note) == (
        "withdrawn",
        "phone",
        "called at noon",
    )


def test_the_provider_knows_of_a_stop_that_we_do_not(
    texts: Texts, provider: FakeTwilio, chat: Chat, olga: Operator, sender: SmsSender
) -> None:
    """B1-18: error 21610 becomes a block of ours; nothing is tried again, and olga reads why."""
    provider.failing = [(400, 21610)]
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    time_passes()
    assert (provider.calls, states()) == (1, [("chat", "refused", "21610")])
    assert SmsSuppression.objects.get().source == "gateway"
    answers(olga, chat, "Hello?")
    all_is_done()
    assert provider.calls == 1
    assert "STOP" in said(chat)[-1][1]


def test_the_switch_stops_all_but_the_answers(
    texts: Texts, provider: FakeTwilio, chat: Chat, olga: Operator, owen: Operator, sender: SmsSender
) -> None:
    """R-186: what waits is cancelled; STOP is still taken down and answered, and so is HELP."""
    answers(olga, chat, "Are you hurt?")
    actions.follow_chats()
    assert actions.pause(operator=owen) == 1
    answers(olga, chat, "Hello?")
    texts("HELP")
    texts("STOP")
    all_is_done()
    assert provider.bodies() == [wordings.helping(sender.programme), wordings.stopped(sender.programme)]
    assert SmsSuppression.objects.count() == 1
    actions.resume(operator=owen)
    assert not selectors.is_paused(sender.programme)


def test_of_a_thousand_that_wait_none_goes_after_the_switch(
    provider: FakeTwilio, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-186: what was handed over before has gone, and nothing more; the switch is one statement."""
    agrees(programme, VERA, service=True)
    all_is_done()
    provider.reports(provider.sent[0], "delivered")
    for number in range(20):
        actions.send(sender=sender, phone=VERA, purpose="service", text=f"{number}", key=f"{number}")
    waits = SmsMessage.objects.filter(state="queued")
    like = waits.values("account_id", "sender_id", "contact_id", "direction", "kind", "state", "text")[0]
    SmsMessage.objects.bulk_create(SmsMessage(**like, key=f"more {number}") for number in range(980))
    before, after = outbox.due_ids()[:5], outbox.due_ids()[5:]
    for pk in before:
        outbox.carry_out(pk)
    assert actions.pause(operator=owen) == 995
    for pk in after:
        outbox.carry_out(pk)
    assert len(provider.sent) == 1 + 5 and not waits.exists()
