"""Surveys are built and read under /account/surveys/."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import Department, Operator, Site
from chats.models import Chat
from surveys import results
from surveys.actions import publish_survey, send_survey
from surveys.forms import Asked
from surveys.models import Answer, Question, Response, Survey
from tests.conftest import visitor_on
from tests.identifiers import new_ref
from tests.surveys.conftest import answers
from visitors.actions import release_visitors, restrict_visitors
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

Talk = Callable[..., Chat]


def at(operator: Operator) -> Client:
    client = Client()
    client.force_login(operator.user)
    return client


def downloaded(client: Client, query: str) -> str:
    """The file of all answers, which comes in parts."""
    return b"".join(client.get(f"/account/surveys/results.csv{query}")).decode()


def next_month() -> datetime:
    """When the present month is over and nobody can answer its surveys any more."""
    first = (timezone.now().replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0)
    return first + timedelta(days=7, minutes=1)


def draft(*asked: tuple[str, str, str], do: str, title: str = "How was it?") -> dict[str, str]:
    """What the page of the builder sends."""
    told = {"title": title, "intro": "", "count": str(len(asked)), "do": do}
    for place, (kind, label, options) in enumerate(asked):
        told |= {f"kind-{place}": kind, f"label-{place}": label, f"options-{place}": options}
    return told


def test_owen_builds_a_survey_without_scripts(
    site: Site, owen: Operator, talk: Talk, vera: VisitorPrincipal
) -> None:
    """R-044: add, reorder, remove, edit, look, publish; nothing is stored before."""
    owens, address = at(owen), f"/account/surveys/build/{site.uid}/"
    assert "How satisfied are you" in owens.get(address).text
    two = (("score", "One?", ""), ("choice", "Two?", "Yes\nNo"))
    page = owens.post(address, draft(*two, do="up-1")).text
    assert page.index('value="Two?"') < page.index('value="One?"')
    assert 'data-unsaved="changed"' in page and '<span dir="auto">Yes</span>' in page
    assert owens.post(address, draft(*two, do="remove-0")).text.count("builder-question") == 1
    assert owens.post(address, draft(*two, do="add")).text.count("builder-question") == 3
    for deed in ("remove-9", "up-99", "down-x", "drop", ""):
        assert owens.post(address, draft(*two, do=deed)).status_code == 200
    assert not Survey.objects.exists()
    done = owens.post(address, draft(*two, do="publish"), follow=True)
    assert "Version 1 is what visitors are asked from now on." in done.text
    talk(vera)
    assert [each.label for each in Question.objects.all()] == ["One?", "Two?"]
    entry = audit.entries(owen.account_id).get()
    assert (entry.action, entry.actor_uid, entry.facts["version"]) == ("survey.published", owen.uid, 1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [((), "at least one question"), ((("score", " ", ""),), "Write the question"),
     ((("choice", "Which?", "One"),), "at least two answers"),
     ((("choice", "Which?", "A\nA"),), "are the same"),
     ((("score", "x" * 301, ""),), "At most 300 characters")],
)  # fmt: skip
def test_what_cannot_be_asked_is_not_published(
    asked: tuple[tuple[str, str, str], ...], told: str, site: Site, owen: Operator
) -> None:
    page = at(owen).post(f"/account/surveys/build/{site.uid}/", draft(*asked, do="publish"))
    assert (page.status_code, Survey.objects.count()) == (400, 0)
    assert told in page.text and "Nothing was published yet" in page.text


def test_who_may_what(
    survey: Survey, site: Site, billing: Department, nina: Operator, olga: Operator, eve: Operator,
    talk: Talk, vera: VisitorPrincipal,
) -> None:  # fmt: skip
    """R-112: supervisors read, admins build, operators do neither, and eve finds nothing."""
    response = answers(vera, talk(vera), score="5")
    reading = ["/account/surveys/", "/account/surveys/results/",
               f"/account/surveys/results/?survey={survey.uid}",
               "/account/surveys/results.csv", f"/account/surveys/responses/{response.uid}/"]  # fmt: skip
    building = [f"/account/surveys/build/{site.uid}/", f"/account/surveys/build/{site.uid}/{billing.uid}/"]
    assert [at(nina).get(each).status_code for each in reading + building] == [200] * 5 + [403] * 2
    assert {at(olga).get(each).status_code for each in reading + building} == {403}
    eves = at(eve)
    named = [
        each
        for each in reading + building
        if any(uid in each for uid in (survey.uid, response.uid, site.uid))
    ]
    assert {eves.get(each).status_code for each in named} == {404}
    assert eves.post(f"/account/surveys/{survey.uid}/switch/", {"on": "no"}).status_code == 404
    assert "acme" not in eves.get("/account/surveys/").text.lower()
    assert downloaded(eves, "").count("\n") == 1
    assert at(nina).post(f"/account/surveys/{survey.uid}/switch/", {"on": "no"}).status_code == 403
    assert Survey.objects.get().is_enabled


def test_nina_knows_of_her_departments_only(
    survey: Survey, intake: Department, nina: Operator, owen: Operator, vera: VisitorPrincipal, talk: Talk
) -> None:
    response = answers(vera, talk(vera), score="5")
    nina.departments.remove(intake)
    assert results.results(nina, None, 30).now.offered == 0
    assert results.results(owen, None, 30).now.offered == 1
    assert at(nina).get(f"/account/surveys/responses/{response.uid}/").status_code == 404


def test_the_numbers_are_those_of_the_answers(
    survey: Survey, site: Site, billing: Department, sam: Operator, owen: Operator, talk: Talk
) -> None:
    """R-046: in all, by operator, department and site; beside the period before."""
    for score in "12245":
        vera = visitor_on(site)
        answers(vera, talk(vera), score=score, choice="An ad", text="=1+1", phone="813 555 0100")
    talk(visitor_on(site))  # says nothing
    other = visitor_on(site)
    answers(other, talk(other, department=billing, operator=sam), score="5", choice="A friend")
    older = Response.objects.order_by("id").first()
    assert older
    Response.objects.filter(pk=older.pk).update(offered_at=F("offered_at") - timedelta(days=40))
    found = results.results(owen, survey, 30)
    assert (found.now.offered, found.now.answered, found.now.skipped) == (6, 5, 1)
    assert (found.before.offered, found.before.average) == (1, 1.0)
    scores = next(each for each in found.questions if each.kind == "score")
    assert [bar.shown for bar in scores.bars] == ["0", "2", "0", "1", "2"]
    assert (scores.total, scores.average, scores.average_before) == ("5", 3.6, 1.0)
    assert sum(part.offered for _, part in found.over_time) == 6
    for _, rows in found.groups:
        assert sum(row.now.answered for row in rows) == 5
    people = {row.name: row for row in dict(found.groups)["Operators"]}
    assert (people["Sam"].now.average, people["Olga"].now.offered) == (5.0, 5)
    shown = at(owen).get(f"/account/surveys/results/?survey={survey.uid}&days=30").text
    assert "3.60" in shown and "=1+1" in shown
    lines = list(csv.reader(io.StringIO(downloaded(at(owen), "?days=30").lstrip("\ufeff"))))
    assert len(lines) == 1 + 6
    assert sum(row[2] == "answered" for row in lines) == 5
    assert "'=1+1" in lines[1] and not any(cell.startswith("=") for row in lines for cell in row)


def test_nobody_is_told_from_the_others_by_a_number(
    survey: Survey, site: Site, owen: Operator, talk: Talk
) -> None:
    """R-043: cells under five are not shown, nor is what would give them away; no page shows them of one."""
    later = next_month()
    for number in range(10):
        vera = visitor_on(site)
        response = answers(vera, talk(vera), score="5", age="25-34" if number < 6 else "65+", zip="33602")
    ages = next(each for each in results.results(owen, None, 30, later).questions if each.kind == "age")
    told = {bar.label: (bar.shown, bar.width) for bar in ages.bars}
    assert told["25 to 34"] == ("5 to 9", 100)
    assert told["65 or over"] == told["18 to 24"] == ("<5", 0)
    assert ages.total == "" and "Under 18" not in told
    page = at(owen).get(f"/account/surveys/responses/{response.uid}/").text
    assert "5 of 5" in page and "65" not in page and "33602" not in page
    assert "33602" not in downloaded(at(owen), "")


def test_what_is_hidden_cannot_be_taken_from_a_sum(
    survey: Survey, site: Site, billing: Department, sam: Operator, owen: Operator, talk: Talk
) -> None:
    """R-043: whatever the survey and the period that are looked at, there is one number of a month, and none
    before the month is over and its links are."""
    theirs = publish_survey(
        site=site, department=billing, title="B", intro="", asked=[Asked("age", "Your age")]
    )
    for number in range(7):
        vera = visitor_on(site)
        where = {"department": billing, "operator": sam} if number < 2 else {}
        answers(vera, talk(vera, **where), age="25-34")
    now, later = timezone.now(), next_month()

    def told(of: Survey | None, days: int, at: datetime) -> list[tuple[str, str]]:
        found = [each for each in results.results(owen, of, days, at).questions if each.kind == "age"]
        return [(bar.shown, bar.before) for each in found for bar in each.bars if bar.label == "25 to 34"]

    assert [told(of, days, now) for of in (None, survey, theirs) for days in results.PERIODS] == [[]] * 12
    assert [told(of, days, later) for of in (None, survey, theirs) for days in results.PERIODS] == [
        [("5 to 9", "<5")]
    ] * 12
    assert "Of all surveys" not in at(owen).get("/account/surveys/results/?days=7").text


def test_our_own_question_comes_with_consent_only(
    site: Site, owen: Operator, vera: VisitorPrincipal, talk: Talk
) -> None:
    """R-045: off until it is switched on, and with the next version."""
    asked = [Asked("text", "So?")]
    publish_survey(site=site, department=None, title="Hm", intro="", asked=asked)
    assert not Question.objects.filter(is_vendor=True).exists()
    at(owen).post("/account/surveys/vendor/", {"on": "yes"})
    publish_survey(site=site, department=None, title="Hm", intro="", asked=asked)
    assert [each.kind for each in Question.objects.filter(is_vendor=True)] == ["score"]
    page = at(owen).get(f"/account/surveys/build/{site.uid}/").text
    assert page.count("builder-question") == 1  # nobody edits ours
    chat = talk(vera)
    ours, theirs = (Question.objects.get(version__number=2, is_vendor=flag) for flag in (True, False))
    told = {ours.uid: "4", theirs.uid: "Secret words"}
    send_survey(principal=vera, uid=chat.uid, ref=new_ref(), values=told)
    assert results.vendor_report() == [(ours.label, 1, 4.0)]
    said = io.StringIO()
    call_command("survey_report", stdout=said)
    assert "4.00" in said.getvalue() and "Secret" not in said.getvalue() and "So?" not in said.getvalue()


def test_erasing_vera_leaves_her_score(survey: Survey, vera: VisitorPrincipal, talk: Talk) -> None:
    """R-042: by her number, or by an address that she gave as an answer; an export holds it all."""
    from accounts.erasure import Person
    from surveys.erasure import SurveyAnswers

    chat = talk(vera)
    answers(
        vera, chat, score="4", email="Vera@post.test", phone="+1 813 555 0100", zip="33602", choice="An ad"
    )
    kind, account = SurveyAnswers(), chat.account_id
    by_mail = Person(account, emails=frozenset({"vera@post.test"}))
    by_phone = Person(account, phones=frozenset({"+18135550100"}))
    herself = Person(account, visitor_ids=frozenset({chat.visitor_id}))
    assert [kind.count(each) for each in (by_mail, by_phone, herself)] == [1, 1, 1]
    assert kind.count(Person(account + 1, herself.visitor_ids, by_mail.emails, by_phone.phones)) == 0
    told = {row["question"]: row["answer"] for row in kind.export(herself)}
    assert (
        told["How did we do?"] == 4 and told["Where may we write to?"] == "Vera@post.test" and len(told) == 5
    )
    assert (kind.erase(herself), kind.erase(herself), kind.count(by_mail)) == (1, 0, 0)
    left = Answer.objects.get()
    assert (left.score, left.response.chat_id, left.response.visitor_number) == (4, None, None)


def test_what_was_answered_stands_beside_the_transcript(
    survey: Survey, nina: Operator, vera: VisitorPrincipal, talk: Talk, site: Site
) -> None:
    """R-046, R-043: the score and what was written, and not what tells who she is."""
    chat = talk(vera)
    other = talk(visitor_on(site))
    response = answers(vera, chat, score="4", text="More tea.", age="25-34", zip="33602")
    page = at(nina).get(f"/account/chats/{chat.uid}/").text
    assert "More tea." in page and "4</bdi> of 5" in page and "33602" not in page and "25 to 34" not in page
    assert "More tea." not in at(nina).get(f"/account/chats/{other.uid}/").text
    assert f"/account/chats/{chat.uid}/" in at(nina).get(f"/account/surveys/responses/{response.uid}/").text


def test_answers_of_several_versions_stand_under_their_own_words(
    site: Site, owen: Operator, talk: Talk
) -> None:
    """R-044, R-046: what is asked again in the same words is one number, what was reworded is two, and the
    words of each are those that were read; on the page, in the file and beside each answer."""
    first = (Asked("score", "Well?"), Asked("choice", "Whence?", ("A friend", "An ad")))
    second = (Asked("score", "Well?"), Asked("choice", "Whence, then?", ("An ad", "The radio")))
    given = []
    for asked, whence in ((first, "A friend"), (second, "The radio")):
        survey = publish_survey(site=site, department=None, title="How?", intro="", asked=asked)
        vera = visitor_on(site)
        given.append(answers(vera, talk(vera), score="4", choice=whence))
    assert survey.current is not None and survey.current.number == 2
    figures = {each.label: each for each in results.results(owen, survey, 30).questions}
    assert {label: each.total for label, each in figures.items()} == {
        "Well?": "2", "Whence?": "1", "Whence, then?": "1",
    }  # fmt: skip
    assert {bar.label: bar.shown for bar in figures["Whence?"].bars} == {"A friend": "1", "An ad": "0"}
    head, *rows = csv.reader(io.StringIO(downloaded(at(owen), "").lstrip("\ufeff")))
    assert [dict(zip(head, row, strict=True))["Whence?"] for row in rows] == ["A friend", ""]
    assert [dict(zip(head, row, strict=True))["Whence, then?"] for row in rows] == ["", "The radio"]
    for response, version in zip(given, "12", strict=True):
        page = at(owen).get(f"/account/surveys/responses/{response.uid}/").text
        assert ("Whence, then?" in page) == (version == "2")


def test_a_chart_is_a_table_to_who_cannot_see_it(
    survey: Survey, site: Site, owen: Operator, vera: VisitorPrincipal, talk: Talk
) -> None:
    """R-046: each bar has its number beside it, in a table with a name; the drawing says nothing more."""
    answers(vera, talk(vera), score="4", choice="An ad")
    page = at(owen).get("/account/surveys/results/").text
    assert page.count("<table") == page.count("<caption") > 3
    assert page.count('<svg class="bar"') == page.count('<td class="bar-cell" aria-hidden="true">') > 5
    assert "How did we do?: how often each answer was given" in page
    row = page[page.index('<th scope="row" dir="auto">An ad</th>') :].partition("</tr>")[0]
    assert row.count('<td class="number">') == 2 and '<td class="number">1</td>' in row


@pytest.mark.parametrize("words", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1", "\uff1d1", "=1\n=2"])
def test_no_cell_of_the_file_is_a_formula(
    site: Site, owen: Operator, olga: Operator, vera: VisitorPrincipal, talk: Talk, words: str
) -> None:
    """R-046, CWE-1236: of whoever has written it: the visitor, the firm, or olga in her name."""
    asked = (Asked("text", f"{words.strip()}?"), Asked("choice", "Which?", (words.strip(), "None")))
    publish_survey(site=site, department=None, title="How?", intro="", asked=asked)
    Operator.objects.filter(pk=olga.pk).update(name=words)
    Site.objects.filter(pk=site.pk).update(name=words)
    answers(vera, talk(vera), text=words, choice=words.strip())
    for row in csv.reader(io.StringIO(downloaded(at(owen), "").lstrip("\ufeff"))):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d")), cell


def test_of_who_is_restricted_no_result_is_shown(
    survey: Survey, site: Site, owen: Operator, nina: Operator, vera: VisitorPrincipal, talk: Talk
) -> None:
    """B2-7, R-046: neither in numbers nor in words nor by an address that somebody has kept; all of it is
    there again afterwards."""
    other = visitor_on(site)
    answers(other, talk(other), score="1", text="Not hers")
    chat = talk(vera)
    response = answers(vera, chat, score="5", text="Canary words", email="vera@post.test")

    def told() -> list[bool]:
        address = f"/account/surveys/responses/{response.uid}/"
        return [
            any("Canary words" in at(who).get("/account/surveys/results/").text for who in (owen, nina)),
            any("Canary words" in downloaded(at(who), "") for who in (owen, nina)),
            any(at(who).get(address).status_code == 200 for who in (owen, nina)),
            results.results(owen, None, 30).now.answered == 2,
            results.results(owen, survey, 30).now.average == 3.0,
        ]

    assert told() == [True] * 5
    restrict_visitors(account_id=chat.account_id, visitor_ids=[chat.visitor_id])
    assert told() == [False] * 5
    release_visitors(account_id=chat.account_id, visitor_ids=[chat.visitor_id])
    assert told() == [True] * 5
