"""When a chat has ended its visitor is asked once, and may say no."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import audit, outbox
from accounts.models import Department, Operator, OutboxItem, Site
from chatlead.errors import BadField, ChatNotOver, NotFound, SurveyOver, UnknownField
from chats.actions import close_idle, end_chat
from chats.models import Chat, Message
from surveys import links
from surveys.actions import publish_survey, send_by_link, send_survey, show_survey, skip_survey, switch_survey
from surveys.forms import Asked
from surveys.models import Answer, Question, Response, Survey
from tests.at_once import at_once
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.surveys.conftest import answers, answers_to
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

Talk = Callable[..., Chat]


def test_whoever_ends_a_chat_it_is_offered_once(
    survey: Survey, site: Site, intake: Department, olga: Operator, principal_of: Any, settings: Settings
) -> None:
    """R-040: by the visitor, by the operator, by silence."""
    veras = [visitor_on(site) for _ in range(3)]
    chats = [make_chat(vera, intake, state="active", operator=olga) for vera in veras]
    end_chat(principal=veras[0], uid=chats[0].uid)
    end_chat(principal=principal_of(olga), uid=chats[1].uid)
    end_chat(principal=veras[0], uid=chats[0].uid)  # again: nothing happens
    silent = timedelta(minutes=settings.IDLE_MINUTES + 1)
    Chat.objects.filter(pk=chats[2].pk).update(last_message_at=F("last_message_at") - silent)
    close_idle()
    assert sorted(Response.objects.values_list("chat_id", flat=True)) == sorted(each.pk for each in chats)
    for vera, chat in zip(veras, chats, strict=True):
        ref = new_ref()
        assert show_survey(principal=vera, uid=chat.uid, ref=ref)
        assert show_survey(principal=vera, uid=chat.uid, ref=ref)  # its answer was lost on the way
        assert show_survey(principal=vera, uid=chat.uid, ref=new_ref()) is None  # the page was loaded again
    assert Response.objects.get(chat=chats[0]).offered_at == Chat.objects.get(pk=chats[0].pk).closed_at


def test_who_was_not_answered_is_not_asked(survey: Survey, vera: VisitorPrincipal, chat: Chat) -> None:
    with pytest.raises(ChatNotOver):
        show_survey(principal=vera, uid=chat.uid, ref=new_ref())
    end_chat(principal=vera, uid=chat.uid)  # she leaves the line
    assert show_survey(principal=vera, uid=chat.uid, ref=new_ref()) is None
    assert not Response.objects.exists()


def test_vera_answers_once_whatever_the_line_does(survey: Survey, vera: VisitorPrincipal, talk: Talk) -> None:
    """R-044: answers point at the version; the same ref again stores nothing."""
    chat = talk(vera)
    response, ref = Response.objects.get(chat=chat), new_ref()
    values = answers_to(response, score="4", text="More tea.", age="none", zip=" 33602 ")
    for _ in range(2):
        send_survey(principal=vera, uid=chat.uid, ref=ref, values=values)
    with pytest.raises(SurveyOver):
        send_survey(principal=vera, uid=chat.uid, ref=new_ref(), values=values)
    kept = {each.question.kind: each for each in response.answers.select_related("question")}
    assert set(kept) == {"score", "text", "age", "zip"}
    assert (kept["score"].score, kept["zip"].value, kept["text"].text) == (4, "33602", "More tea.")
    response.refresh_from_db()
    assert (response.state, response.version) == ("answered", survey.current)


def test_of_two_tabs_that_answer_at_once_one_does(survey: Survey, vera: VisitorPrincipal, talk: Talk) -> None:
    chat = talk(vera)
    values = answers_to(Response.objects.get(chat=chat), score="1")

    def send() -> str:
        try:
            send_survey(principal=vera, uid=chat.uid, ref=new_ref(), values=values)
        except SurveyOver:
            return "over"
        return "kept"

    assert sorted(at_once(send, send)) == ["kept", "over"]
    assert Answer.objects.count() == 1


def test_vera_skips_and_may_still_answer_by_the_link(
    survey: Survey, vera: VisitorPrincipal, talk: Talk, settings: Settings
) -> None:
    """R-040, R-041: nothing is stored; the link is good for seven days, and once."""
    chat = talk(vera)
    response = Response.objects.get(chat=chat)
    skip_survey(principal=vera, uid=chat.uid)
    assert not Answer.objects.exists()
    with pytest.raises(SurveyOver):
        answers(vera, chat, score="3")
    path = links.path_of(response.uid)
    client = Client(enforce_csrf_checks=True)
    assert "How did we do?" in client.get(path).text
    question = Question.objects.get(kind="score")
    token = {"csrfmiddlewaretoken": client.cookies[settings.CSRF_COOKIE_NAME].value}
    sent = client.post(path, {question.uid: "5"} | token)
    assert (sent.status_code, Answer.objects.get().score) == (302, 5)
    assert "Thank you" in client.get(sent["Location"]).text
    assert "This survey is over" in client.post(path, {question.uid: "1"} | token, follow=True).text
    assert Answer.objects.get().score == 5


def test_a_link_that_is_old_or_made_up_opens_nothing(
    survey: Survey, vera: VisitorPrincipal, talk: Talk, client: Client
) -> None:
    talk(vera)
    response = Response.objects.get()
    path = links.path_of(response.uid)
    assert client.get(path[:-3] + "x/").status_code == 404
    assert client.get(f"/survey/{response.uid}/").status_code == 404
    Response.objects.update(offered_at=timezone.now() - links.LIFETIME)
    assert client.get(path).status_code == 404
    with pytest.raises(NotFound):
        send_by_link(token=path.split("/")[2], values={})


@pytest.mark.parametrize(
    ("kind", "value"),
    [("score", "6"), ("score", "-1"), ("choice", "A foe"), ("email", "vera"), ("phone", "x"),
     ("zip", "<script>"), ("age", "17"), ("income", "rich"), ("text", "a\x00b"), ("text", "x" * 2001)],
)  # fmt: skip
def test_what_is_no_answer_is_refused_and_nothing_is_kept(
    kind: str, value: str, survey: Survey, vera: VisitorPrincipal, talk: Talk
) -> None:
    chat = talk(vera)
    with pytest.raises(BadField) as refused:
        answers(vera, chat, **{kind: value})
    assert refused.value.field == Question.objects.get(kind=kind).uid
    assert Response.objects.get().state == "offered" and not Answer.objects.exists()
    with pytest.raises(UnknownField):
        send_survey(principal=vera, uid=chat.uid, ref=new_ref(), values={"x" * 22: "1"})


def test_all_questions_may_be_skipped(survey: Survey, vera: VisitorPrincipal, talk: Talk) -> None:
    """R-041."""
    assert answers(vera, talk(vera)).state == "skipped"


def test_contact_answers_cannot_be_read_in_a_dump(survey: Survey, vera: VisitorPrincipal, talk: Talk) -> None:
    """R-042."""
    answers(vera, talk(vera), email="vera@post.test", phone="813 555 0100", text="It was fine.", score="5")
    with connection.cursor() as cursor:
        cursor.execute("select text from surveys_answer")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert not any(each in stored for each in ("vera", "555", "fine"))
    assert Answer.objects.get(question__kind="email").text == "vera@post.test"


def test_a_department_may_ask_something_else(
    survey: Survey, site: Site, billing: Department, sam: Operator, vera: VisitorPrincipal, talk: Talk
) -> None:
    """R-044: its own survey goes before that of the site; switched off, nobody is asked."""
    theirs = publish_survey(
        site=site, department=billing, title="Billing", intro="", asked=[Asked("text", "So?")]
    )
    talk(vera, department=billing, operator=sam)
    assert Response.objects.get().version == theirs.current
    for each in (survey, theirs):
        assert switch_survey(survey=each, on=False)
    talk(visitor_on(site))
    assert Response.objects.count() == 1


def test_an_edit_leaves_old_answers_their_wording(
    survey: Survey, site: Site, vera: VisitorPrincipal, talk: Talk
) -> None:
    """R-044: and whoever was offered the old one answers the old one."""
    old = talk(vera)
    again = publish_survey(
        site=site, department=None, title="New", intro="", asked=[Asked("score", "New words?")]
    )
    assert (again.pk, again.current and again.current.number) == (survey.pk, 2)
    same = publish_survey(
        site=site, department=None, title="New", intro="", asked=[Asked("score", "New words?")]
    )
    assert same.current == again.current
    answers(vera, old, score="2")
    kept = Answer.objects.get()
    assert (kept.question.label, kept.response.version.number) == ("How did we do?", 1)


def test_sam_and_strangers_cannot_answer_for_vera(
    survey: Survey, vera: VisitorPrincipal, site: Site, talk: Talk
) -> None:
    """R-112."""
    chat = talk(vera)
    for act in (
        lambda who: show_survey(principal=who, uid=chat.uid, ref=new_ref()),
        lambda who: send_survey(principal=who, uid=chat.uid, ref=new_ref(), values={}),
        lambda who: skip_survey(principal=who, uid=chat.uid),
    ):
        with pytest.raises(NotFound):
            act(visitor_on(site))


def test_a_child_is_forgotten(survey: Survey, vera: VisitorPrincipal, talk: Talk) -> None:
    """R-071, R-043: none of her answers is kept, all that was said and known of her is erased, and the record
    says no more than that it happened."""
    chat = talk(vera)
    response = answers(vera, chat, score="5", text="I am twelve.", email="vera@post.test", age="u18")
    assert response.state == "skipped" and not Answer.objects.exists()
    for item in OutboxItem.objects.filter(kind="erase_visitors"):
        outbox.carry_out(item.pk)
    assert not Visitor.objects.exclude(name="").exists()
    assert not Message.objects.exclude(text="").exists()
    response.refresh_from_db()
    assert (response.visitor_number, response.chat_id) == (None, None)
    noted = {each.action: str(each.facts) for each in audit.entries(chat.account_id)}
    assert {"survey.closed_under_18", "privacy.erased"} <= set(noted)
    assert not any("vera" in each.lower() or "twelve" in each for each in noted.values())
    with pytest.raises(SurveyOver):
        send_by_link(token=links.path_of(response.uid).split("/")[2], values={})


def test_a_child_is_asked_nothing_more_while_she_is_not_erased_yet(
    survey: Survey, vera: VisitorPrincipal, talk: Talk, client: Client
) -> None:
    """R-071: not by the link of the chat after which she said so, nor by that of another, nor in the frame;
    also where what erases her has failed for good."""
    first, second = talk(vera), talk(vera)
    response = answers(vera, first, age="u18", email="vera@post.test")
    other = Response.objects.get(chat=second)
    OutboxItem.objects.filter(kind="erase_visitors").update(state=OutboxItem.State.DEAD)
    for each in (response, other):
        path = links.path_of(each.uid)
        assert "<form" not in client.get(path).text
        client.post(path, answers_to(each, age="18-24", email="vera@post.test"))
        with pytest.raises(SurveyOver):
            send_by_link(token=path.split("/")[2], values=answers_to(each, text="I am twelve."))
    assert show_survey(principal=vera, uid=second.uid, ref=new_ref()) is None
    with pytest.raises(SurveyOver):
        answers(vera, second, age="18-24")
    assert not Answer.objects.exists()
