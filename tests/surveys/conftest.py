"""What tests of surveys share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Department, Operator, Site
from chats.actions import end_chat
from chats.models import Chat
from surveys.actions import publish_survey, send_survey
from surveys.forms import Asked
from surveys.models import Question, Response, Survey
from tests.conftest import make_chat
from tests.identifiers import new_ref
from visitors.sessions import VisitorPrincipal

ALL_KINDS = (
    Asked("score", "How did we do?"),
    Asked("choice", "How did you find us?", ("A friend", "An ad")),
    Asked("text", "What could be better?"),
    Asked("email", "Where may we write to?"),
    Asked("phone", "Where may we call?"),
    Asked("zip", "Your ZIP code"),
    Asked("age", "Your age"),
    Asked("income", "Your household's income"),
)


@pytest.fixture
def survey(site: Site) -> Survey:
    """Acme asks everything that can be asked."""
    return publish_survey(site=site, department=None, title="How was it?", intro="", asked=ALL_KINDS)


@pytest.fixture
def talk(olga: Operator, intake: Department) -> Callable[..., Chat]:
    """A chat of this visitor with olga that has ended."""

    def talked(principal: VisitorPrincipal, **changed: Any) -> Chat:
        facts: dict[str, Any] = {"state": "active", "operator": olga, "accepted_at": timezone.now()} | changed
        chat = make_chat(principal, facts.pop("department", intake), **facts)
        end_chat(principal=principal, uid=chat.uid)
        chat.refresh_from_db()
        return chat

    return talked


def answers_to(response: Response, **given: str) -> dict[str, str]:
    """By the uid of the question, from answers by its kind."""
    questions = Question.objects.filter(version=response.version, is_vendor=False)
    return {questions.get(kind=kind).uid: value for kind, value in given.items()}


def answers(principal: VisitorPrincipal, chat: Chat, **given: str) -> Response:
    """The visitor answers, by the kind of the question."""
    response = Response.objects.get(chat=chat)
    send_survey(principal=principal, uid=chat.uid, ref=new_ref(), values=answers_to(response, **given))
    response.refresh_from_db()
    return response
