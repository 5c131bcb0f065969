"""What owen is told while he builds a survey."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import audit
from accounts.models import Operator, Site
from surveys.actions import switch_survey
from surveys.models import INTRO_MAX, Survey, SurveyVersion
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def published(client: Client, site: Site, **changed: str) -> tuple[int, str]:
    """The status and the page after "Publish"."""
    draft = {"title": "How was it?", "intro": "", "count": "1", "kind-0": "score", "label-0": "Well?"}
    sent = draft | changed | {"do": "publish"}
    page = client.post(f"/account/surveys/build/{site.uid}/", sent, follow=True)
    return page.status_code, page.text


@pytest.mark.parametrize(
    "intro", ["x" * (INTRO_MAX + 1), "Be\x00fore"], ids=["too long", "a control character"]
)
def test_owen_sees_that_the_sentence_above_the_questions_is_refused(
    intro: str, site: Site, owen: Operator, client: Client
) -> None:
    """R-044: what is wrong is marked, said beside it, and has the focus."""
    client.force_login(owen.user)
    status, page = published(client, site, intro=intro)
    assert (status, Survey.objects.count()) == (400, 0)
    assert "Please look at what is marked" in page and page.count('aria-invalid="true"') == 1
    control = page.partition('id="intro"')[2].partition(">")[0]
    marks = ('aria-invalid="true"', 'aria-describedby="intro-error"', "autofocus")
    assert [each in control for each in marks] == [True] * 3
    assert page.partition('id="intro-error">')[2].partition("<")[0].strip()


def test_owen_is_told_that_nobody_is_asked_while_the_survey_is_off(
    survey: Survey, site: Site, owen: Operator, client: Client
) -> None:
    """R-044: a version may be published for later; once the survey is on it is asked at once."""
    client.force_login(owen.user)
    switch_survey(survey=survey, on=False)
    assert "Version 2 is what visitors are asked once the survey is on." in published(client, site)[1]
    switch_survey(survey=survey, on=True)
    told = published(client, site, title="Another?")[1]
    assert "Version 3 is what visitors are asked from now on." in told


def test_a_button_that_is_pressed_twice_publishes_once(site: Site, owen: Operator) -> None:
    """R-044: also where both presses come at the same time."""

    def press() -> int:
        client = Client()
        client.force_login(owen.user)
        return published(client, site)[0]

    assert at_once(press, press) == [200, 200]
    assert list(SurveyVersion.objects.values_list("number", "questions__label")) == [(1, "Well?")]
    assert [each.action for each in audit.entries(owen.account_id)] == ["survey.published"]
