"""A text is handed over once, whatever the provider does; and what becomes of it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Operator, OutboxItem
from chatlead.errors import NotFound
from chats.actions import accept_chat, close_idle, end_chat, lose_visitors
from chats.models import Chat
from sms import actions, wordings
from sms.models import SmsMessage, SmsProgramme, SmsSender
from tests.fake_twilio import FakeTwilio
from tests.sms.conftest import VERA, all_is_done, answers, said, states, time_passes
from tests.sms.consents import agrees

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(texts: Callable[..., Any], olga: Operator, principal_of: Any) -> Chat:
    """vera has texted, olga has accepted."""
    texts("I was in a crash")
    chat = Chat.objects.get()
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    return chat


@pytest.mark.parametrize("failure", [(503, 20503), (429, 20429), "cut", "gone", (500, 20500)])
def test_a_text_goes_once_whatever_the_provider_does(
    provider: FakeTwilio, chat: Chat, olga: Operator, failure: Any
) -> None:
    """V-7, B1-16: busy, broken before or behind the deed: tried again, and never sent twice."""
    provider.failing = [failure]
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    time_passes()
    time_passes()
    assert provider.bodies() == ["Are you hurt?"]
    assert states() == [("chat", "accepted", "")]


def test_a_worker_that_died_over_a_text_is_no_reason_to_send_it_again(
    provider: FakeTwilio, chat: Chat, olga: Operator
) -> None:
    """V-7: it stands there as being handed over; the provider is asked first."""
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    SmsMessage.objects.filter(direction="out").update(state="sending", provider_sid=None)
    OutboxItem.objects.update(state="pending", done_at=None)
    time_passes()
    assert provider.bodies() == ["Are you hurt?"]
    assert SmsMessage.objects.get(direction="out").provider_sid == provider.sent[0]["sid"]


def test_the_same_words_twice_are_two_texts_where_an_answer_is_lost(
    provider: FakeTwilio, chat: Chat, olga: Operator
) -> None:
    """V-7: the first "Yes" is not taken for the second, of which nobody knows whether it arrived."""
    answers(olga, chat, "Yes")
    all_is_done()
    answers(olga, chat, "Yes")
    provider.failing = [(500, 20500)]
    all_is_done()
    for _ in range(3):
        time_passes()
    assert provider.bodies() == ["Yes", "Yes"]
    assert states() == [("chat", "accepted", "")] * 2


def test_the_same_words_twice_are_found_again_after_a_restore(
    provider: FakeTwilio, chat: Chat, olga: Operator
) -> None:
    """V-7, V-12: both went since the backup; neither goes again, each is known by its own id."""
    for _ in range(2):
        answers(olga, chat, "Yes")
        all_is_done()
    SmsMessage.objects.filter(direction="out").update(state="queued", provider_sid=None, handed_over_at=None)
    OutboxItem.objects.update(state="pending", done_at=None)
    actions.after_restore()
    for _ in range(3):
        time_passes()
    assert provider.bodies() == ["Yes", "Yes"]
    sids = SmsMessage.objects.filter(direction="out").order_by("id").values_list("provider_sid", flat=True)
    assert list(sids) == [each["sid"] for each in provider.sent]


def test_where_the_provider_refuses_even_the_question_olga_is_told(
    provider: FakeTwilio, chat: Chat, olga: Operator
) -> None:
    """B1-18: the token was changed over a text of which nobody knows whether it went."""
    answers(olga, chat, "Are you hurt?")
    provider.failing = [(500, 20500)]
    all_is_done()
    provider.token = "changed at the provider"
    time_passes()
    assert states() == [("chat", "sending", "")]
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        time_passes()
    assert states() == [("chat", "unknown", "unclear")]
    [line] = [text for author, text in said(chat) if author == "system" and "delivered" in text]
    assert line.startswith("Perhaps not delivered by text message: “Are you hurt?”")


def test_what_waits_through_a_long_outage_is_given_up_and_says_so(
    provider: FakeTwilio, programme: SmsProgramme, sender: SmsSender
) -> None:
    """B1-18: by the last attempt of the outbox the row has its reason; nothing waits in the page for ever."""
    agrees(programme, VERA, service=True)
    actions.send(sender=sender, phone=VERA, purpose="service", text="Your papers are ready", key="1")
    provider.failing = [(503, 20503)] * 40
    at = timezone.now()
    for _ in range(16):
        with time_machine.travel(at, tick=False):
            all_is_done()
        at += timedelta(minutes=15)
    assert states() == [("welcome", "refused", "too_late"), ("service", "refused", "too_late")]
    assert not OutboxItem.objects.filter(kind="sms").exclude(state="done").exists()
    assert provider.bodies() == []


def test_after_a_restore_nobody_is_texted_before_an_admin_says_so(
    provider: FakeTwilio, chat: Chat, olga: Operator, owen: Operator
) -> None:
    """R-192, V-7: a STOP since the backup is not known here; a text that went since is not sent again."""
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    # the backup was made a moment before it went
    SmsMessage.objects.filter(direction="out").update(state="queued", provider_sid=None, handed_over_at=None)
    OutboxItem.objects.update(state="pending", done_at=None)
    assert (actions.after_restore(), actions.after_restore()) == (1, 0)
    answers(olga, chat, "Where?")
    time_passes()
    assert provider.bodies() == ["Are you hurt?"]
    assert states() == [("chat", "accepted", ""), ("chat", "refused", "paused")]
    actions.resume(operator=owen)
    answers(olga, chat, "Where did it happen?")
    time_passes()
    assert provider.bodies() == ["Are you hurt?", "Where did it happen?"]


def test_what_was_said_first_goes_first(provider: FakeTwilio, chat: Chat, olga: Operator) -> None:
    """The second waits while the first is tried again."""
    provider.failing = [(503, 20503)]
    for text in ("one", "two", "three"):
        answers(olga, chat, text)
    all_is_done()
    for _ in range(3):
        time_passes()
    assert provider.bodies() == ["one", "two", "three"]


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "queued"])))
def test_states_only_go_forward(
    provider: FakeTwilio, chat: Chat, olga: Operator, order: tuple[str, ...]
) -> None:
    """B1-17: told in any order, and told twice."""
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    for status in (*order, *order):
        assert provider.reports(provider.sent[0], status).status_code == 200
    assert states() == [("chat", "delivered", "")]
    chat.refresh_from_db()
    assert (chat.visitor_delivered, chat.visitor_read) == (chat.last_seq, 0)
    provider.reports(provider.sent[0], "undelivered", "30003")
    provider.reports(provider.sent[0], "no-such-state")
    assert states() == [("chat", "delivered", "")]
    provider.reports(provider.sent[0], "read")
    assert states() == [("chat", "read", "")]
    chat.refresh_from_db()
    assert chat.visitor_read == chat.last_seq


def test_a_state_of_a_text_that_is_not_there_is_refused(
    provider: FakeTwilio, sender: SmsSender, chat: Chat, olga: Operator
) -> None:
    """B1-17: a forged id is a 404."""
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    [sent] = provider.sent
    assert provider.reports(sent | {"sid": "SM" + "f" * 32}, "delivered").status_code == 404
    nowhere = sent["callback"].rsplit("/", 2)[0] + "/" + "x" * 22 + "/"
    assert provider.reports(sent | {"callback": nowhere}, "delivered").status_code == 404
    with pytest.raises(NotFound):
        actions.report(sender=sender, uid="", sid=sent["sid"], status="delivered")
    assert states() == [("chat", "accepted", "")]


@pytest.mark.parametrize(
    ("status", "code"), [("undelivered", "30003"), ("undelivered", "30005"), ("failed", "30008")]
)
def test_olga_reads_that_a_text_did_not_arrive_and_why(
    provider: FakeTwilio, chat: Chat, olga: Operator, status: str, code: str
) -> None:
    """B1-18: once, in the conversation, in words."""
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    for _ in range(3):
        provider.reports(provider.sent[0], status, code)
    lines = [text for author, text in said(chat) if author == "system"]
    assert lines == [f"Not delivered by text message: “Are you hurt?” {wordings.REASONS[code]}"]


@pytest.mark.parametrize("code", [21211, 21614, 21635])
def test_a_number_that_takes_no_texts_is_said_to_be_one(
    provider: FakeTwilio, chat: Chat, olga: Operator, code: int
) -> None:
    """B1-18: a refusal is final; for a landline nothing is tried again."""
    provider.failing = [(400, code)]
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    time_passes()
    assert (provider.calls, states()) == (1, [("chat", "failed", f"{code}")])
    assert wordings.REASONS[f"{code}"] in said(chat)[-1][1]
    answers(olga, chat, "Hello?")
    all_is_done()
    assert provider.calls == (2 if code == 21211 else 1)


def test_a_reply_that_waits_for_too_long_is_not_sent_and_olga_knows(
    provider: FakeTwilio, chat: Chat, olga: Operator
) -> None:
    """An answer of an hour ago would only confuse."""
    provider.failing = [(503, 1)]
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    SmsMessage.objects.filter(direction="out").update(expires_at=timezone.now() - timedelta(seconds=1))
    time_passes()
    assert (provider.sent, states()) == ([], [("chat", "refused", "too_late")])
    assert "in time" in said(chat)[-1][1]


def test_where_nobody_knows_whether_it_was_sent_olga_is_told_so(
    provider: FakeTwilio, chat: Chat, olga: Operator, settings: Any
) -> None:
    """V-7: the line broke, and the provider answers no question for an hour: it is not sent again."""
    provider.failing = ["gone"]
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    settings.TWILIO_URL = "http://127.0.0.1:9"  # nobody listens there
    time_passes()
    assert states() == [("chat", "sending", "")]
    SmsMessage.objects.filter(direction="out").update(expires_at=timezone.now() - timedelta(seconds=1))
    time_passes()
    assert states() == [("chat", "unknown", "unclear")]
    assert said(chat)[-1][1].startswith("Perhaps not delivered")
    provider.reports(provider.sent[0], "delivered")
    assert states() == [("chat", "delivered", "")]


def test_a_chat_by_text_ends_as_others_do_and_a_later_text_begins_another(
    texts: Callable[..., Any], provider: FakeTwilio, chat: Chat, olga: Operator, principal_of: Any
) -> None:
    """R-121: whoever has no browser is not looked for; what was said before the end still goes out."""
    long_ago = timezone.now() - timedelta(hours=2)
    Chat.objects.update(visitor_seen_at=long_ago)
    assert (lose_visitors(), close_idle()) == (0, 0)
    answers(olga, chat, "Good-bye")
    end_chat(principal=principal_of(olga), uid=chat.uid)
    all_is_done()
    assert provider.bodies() == ["Good-bye"]
    texts("One more thing")
    newer = Chat.objects.get(state="waiting")
    assert newer.visitor == chat.visitor
    Chat.objects.filter(pk=newer.pk).update(last_message_at=timezone.now() - timedelta(days=2))
    assert close_idle() == 1


def test_nothing_is_begun_without_a_consent_for_its_purpose(
    provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-180, R-181, R-189: no box, another purpose or another number: `consent_missing`, and no call."""
    agrees(programme, VERA, service=False, marketing=False)
    actions.send(sender=sender, phone=VERA, purpose="service", text="Hello", key="1")
    all_is_done()
    agrees(programme, VERA, service=True)
    actions.send(sender=sender, phone=VERA, purpose="marketing", text="Sale", key="2")
    actions.send(sender=sender, phone="+18135550155", purpose="service", text="Hello", key="3")
    all_is_done()
    assert [each for each in states() if each[0] != "welcome"] == [
        ("service", "refused", "consent_missing"),
        ("marketing", "refused", "consent_missing"),
        ("service", "refused", "consent_missing"),
    ]
    assert provider.bodies() == [wordings.welcome(programme)]


def test_the_first_text_confirms_the_consent_and_the_second_waits_for_it(
    provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-182, B1-10: until it is delivered, or ten minutes have passed."""
    agrees(programme, VERA, service=True)
    actions.send(sender=sender, phone=VERA, purpose="service", text="Your hearing is tomorrow", key="1")
    all_is_done()
    time_passes()
    welcome = provider.bodies()[0]
    assert provider.bodies() == [welcome]
    for wanted in (programme.name, "Message frequency varies", "Msg & data rates may apply", "HELP", "STOP"):
        assert wanted in welcome
    provider.reports(provider.sent[0], "delivered")
    time_passes()
    assert provider.bodies()[1:] == ["Your hearing is tomorrow"]
    agrees(programme, "+18135550155", service=True)
    actions.send(sender=sender, phone="+18135550155", purpose="service", text="Hello", key="2")
    all_is_done()
    SmsMessage.objects.filter(kind="welcome").update(handed_over_at=timezone.now() - timedelta(minutes=11))
    time_passes()
    assert provider.bodies()[-1] == "Hello"


def test_a_second_consent_is_not_confirmed_once_more(
    provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-182: one confirmation of a programme, whatever else is agreed to later."""
    agrees(programme, VERA, service=True)
    all_is_done()
    provider.reports(provider.sent[0], "delivered")
    agrees(programme, VERA, marketing=True)
    actions.send(sender=sender, phone=VERA, purpose="marketing", text="Come by", key="1")
    all_is_done()
    assert provider.bodies() == [wordings.welcome(programme), "Come by"]


@pytest.mark.parametrize("by_provider", [False, True])
def test_whoever_agreed_while_blocked_is_written_to_after_a_start(
    texts: Callable[..., Any], provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme,
    by_provider: bool,
) -> None:  # fmt: skip
    """R-182, R-198: the confirmation that the STOP refused comes with the START; then other texts follow."""
    texts("STOP", OptOutType="STOP")
    agrees(programme, VERA, service=True)
    all_is_done()
    assert states() == [("welcome", "refused", "stopped")]
    texts("START", **{"OptOutType": "START"} if by_provider else {})
    all_is_done()
    assert provider.bodies() == [wordings.started(programme)]
    provider.reports(provider.sent[0], "delivered")
    actions.send(sender=sender, phone=VERA, purpose="service", text="Your hearing is tomorrow", key="1")
    all_is_done()
    assert provider.bodies()[1:] == ["Your hearing is tomorrow"]


def test_a_sender_that_is_not_registered_sends_nothing(
    provider: FakeTwilio, sender: SmsSender, chat: Chat, olga: Operator
) -> None:
    """B1-22, as far as it is known here."""
    SmsSender.objects.update(is_registered=False)
    answers(olga, chat, "Hello")
    all_is_done()
    assert (provider.calls, states()) == (0, [("chat", "refused", "sender_unregistered")])


def test_without_a_provider_a_file_says_that_a_text_would_have_gone(
    provider: FakeTwilio, sender: SmsSender, chat: Chat, olga: Operator, settings: Any
) -> None:
    """R-109: neither what it says nor to whom."""
    SmsSender.objects.update(gateway="console")
    answers(olga, chat, "Are you hurt?")
    all_is_done()
    assert states() == [("chat", "delivered", "")]
    line = settings.SMS_FILE.read_text()
    assert "hurt" not in line and VERA not in line and "…00" in line
