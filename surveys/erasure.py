"""What somebody has answered to a survey, when they ask for it or want it gone (R-042)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.erasure import Person
from surveys.models import Answer, Question, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

Kind = Question.Kind


class SurveyAnswers:
    """Scores stay, without the visitor; whatever else was answered goes, a band too, because age, income and
    ZIP code together may tell who somebody is."""

    name = "survey_answers"
    columns = frozenset({"surveys.Answer.value", "surveys.Answer.text"})
    is_internal = False

    def count(self, person: Person) -> int:
        return theirs(person).count()

    def export(self, person: Person) -> Iterator[dict[str, Any]]:
        found = Answer.objects.filter(response__in=theirs(person)).select_related(
            "question__version__survey__department", "response__chat", "response__site"
        )
        ordered = found.order_by("response__offered_at", "response_id", "question__position")
        for each in ordered.iterator(chunk_size=500):
            response, version = each.response, each.question.version
            of = version.survey.department
            yield {
                "response": response.uid,
                "chat": response.chat.uid if response.chat else None,
                "site": response.site.name,
                "survey": version.title,
                "survey_of": of.name if of else "",
                "version": version.number,
                "number": each.question.position,
                "question": each.question.label,
                "kind": each.question.kind,
                "answer": each.score if each.score is not None else each.text or each.value,
                "offered_at": response.offered_at.isoformat(),
                "answered_at": response.done_at.isoformat() if response.done_at else None,
            }

    def erase(self, person: Person) -> int:
        # looked for before the transaction: that decrypts every address of the account
        ids = list(theirs(person).order_by("id").values_list("pk", flat=True))
        with transaction.atomic():
            # whoever is answering is waited for; who answers later finds no visitor
            list(Response.objects.select_for_update().filter(pk__in=ids).order_by("id").values_list("pk"))
            Answer.objects.filter(response__in=ids, score=None).delete()
            Response.objects.filter(pk__in=ids).update(visitor_number=None, chat=None)
        return len(ids)

    def visitors(self, person: Person) -> Iterable[int]:
        """Of the answers in which one of their addresses or numbers stands, too."""
        known = theirs(person).exclude(visitor_number=None)
        return {each for each in known.values_list("visitor_number", flat=True) if each is not None}

    def emails(self, account_id: int) -> Iterable[str]:
        """Every address that was given as an answer."""
        return _written(account_id, Kind.EMAIL)

    def phones(self, account_id: int) -> Iterable[str]:
        """Every number that was given as an answer, as it was written."""
        return _written(account_id, Kind.PHONE)


def _written(account_id: int, kind: str) -> Iterable[str]:
    found = Answer.objects.filter(account_id=account_id, question__kind=kind)
    return (each.text for each in found.iterator(chunk_size=500) if each.text)


def theirs(person: Person) -> QuerySet[Response]:
    """Of their chats, and of whoever has given one of their addresses as an answer."""
    mine = Response.objects.filter(account_id=person.account_id)
    visited = mine.filter(visitor_number__in=person.visitor_ids)
    if not person.emails and not person.phones:
        return visited
    written = Answer.objects.filter(account_id=person.account_id, question__kind__in=(Kind.EMAIL, Kind.PHONE))
    named = {
        each.response_id
        for each in written.iterator(chunk_size=500)
        if each.text.casefold() in person.emails or _digits(each.text) in {_digits(p) for p in person.phones}
    }
    return visited | mine.filter(pk__in=named)


def _digits(phone: str) -> str:
    """The last ten, because people leave the country away."""
    return "".join(each for each in phone if each.isdigit())[-10:]
