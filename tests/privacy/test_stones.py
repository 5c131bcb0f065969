"""Who is known by an address in a survey alone stays erased; who is told what was done is told the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts.models import Operator
from chats.models import Chat
from privacy import actions, mails, selectors, tombstones
from privacy.models import PrivacyRequest
from surveys.models import Answer, Response, Survey
from tests.surveys.conftest import answers, survey, talk  # noqa: F401 - fixtures
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
FRIEND = "friend@post.test"


def test_an_address_in_a_survey_alone_does_not_come_back_with_a_restore(
    survey: Survey,  # noqa: F811
    talk: Callable[..., Chat],  # noqa: F811
    vera: VisitorPrincipal,
    owen: Operator,
    deliver: Work,
) -> None:
    """B2-6, R-175: no visitor leads to it; the stone of the address does."""
    response = answers(vera, talk(vera), score="4", email=FRIEND, text="canary")
    assert not selectors.find(owen.account_id, email=FRIEND).visitor_ids
    yesterday = list(Answer.objects.filter(response=response, score=None))
    asked = actions.enter(by=owen, kind="erase", email=FRIEND)
    actions.confirm_identity(by=owen, request=asked)
    actions.begin(by=owen, request=asked, job="erase")
    deliver()
    asked.refresh_from_db()
    assert asked.state == "done" and not Answer.objects.filter(score=None).exists()
    Answer.objects.bulk_create(yesterday)  # as a restore does
    Response.objects.filter(pk=response.pk).update(visitor_number=response.visitor_number)
    assert tombstones.reapply()["survey_answers"] == 1
    assert [answer.score for answer in Answer.objects.all()] == [4]
    assert tombstones.reapply()["people"] == 0


@pytest.mark.parametrize("certificate", [None, {"kinds": []}])
def test_nobody_is_told_that_all_is_erased_without_a_certificate(
    proved: Callable[[str], PrivacyRequest], certificate: Any
) -> None:
    """R-176: not by the kind of the request, whatever has closed it."""
    request = proved("erase")
    PrivacyRequest.objects.filter(pk=request.pk).update(state="done", certificate=certificate)
    mail.outbox.clear()
    mails.mail_closed({"request": request.pk}, "key")
    [sent] = mail.outbox
    assert ("has erased what it kept" in sent.body) is (certificate is not None)
