"""What a visitor answers, checked against the questions that were asked. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from chatlead.errors import BadField, UnknownField
from chats import prechat
from surveys.models import AGES, INCOMES, MINOR, UNSAID, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Question.Kind
SCORES = ("1", "2", "3", "4", "5")
TEXT_MAX = 2000
ZIP_MAX = 12

_zip = re.compile(r"[A-Za-z0-9][A-Za-z0-9 \-]{1,11}")


class Given(NamedTuple):
    """One answer as it is stored: exactly one of the three says something."""

    question: Question
    score: int | None = None
    value: str = ""
    text: str = ""


def options_of(question: Question) -> list[str]:
    """What may be chosen: the firm's own texts, or the codes of the bands, the last of which is UNSAID."""
    if question.kind == Kind.CHOICE:
        return [str(each) for each in question.options]
    bands = {
        Kind.SCORE: SCORES,
        Kind.AGE: (*AGES, UNSAID),
        Kind.INCOME: (*INCOMES, UNSAID),
        Kind.ZIP: (UNSAID,),
    }
    return list(bands.get(Kind(question.kind), ()))


def check(questions: Iterable[Question], values: Mapping[str, str]) -> list[Given]:
    """The answers in the order of the questions, by their uid; blank ones are left out, because every
    question may be skipped (R-041). Raises UnknownField and BadField, with the uid as `field`."""
    known = {each.uid: each for each in questions}
    for uid in values:
        if uid not in known:
            raise UnknownField(field=uid)
    return [_checked(each, values[uid].strip()) for uid, each in known.items() if values.get(uid, "").strip()]


def is_minor(given: Iterable[Given]) -> bool:
    """Whether somebody says that she is under 18 (R-043)."""
    return any(each.question.kind == Kind.AGE and each.value == MINOR for each in given)


def _checked(question: Question, raw: str) -> Given:
    value = prechat.check_plain(raw, question.uid, TEXT_MAX)
    kind = Kind(question.kind)
    if kind == Kind.TEXT:
        return Given(question, text=value)
    if kind == Kind.EMAIL:
        return Given(question, text=prechat.check_email(value, question.uid))
    if kind == Kind.PHONE:
        return Given(question, text=prechat.check_phone(value, question.uid))
    options = options_of(question)
    if kind == Kind.ZIP:
        if value != UNSAID and _zip.fullmatch(value) is None:
            raise BadField("This is no ZIP code.", field=question.uid)
        return Given(question, value=value if value == UNSAID else value.upper())
    chosen = next((each for each in options if unicodedata.normalize("NFC", each) == value), None)
    if chosen is None:
        raise BadField("Choose one of the answers.", field=question.uid)
    return Given(question, score=int(chosen)) if kind == Kind.SCORE else Given(question, value=chosen)
