"""What an admin fills in to build a survey. A page holds all of it and is sent whole, so that it works by
keyboard and without scripts; nothing of a draft is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chatlead.errors import BadField
from chats import prechat
from surveys.models import INTRO_MAX, LABEL_MAX, OPTION_MAX, TITLE_MAX, Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import QueryDict

    from surveys.models import SurveyVersion

QUESTIONS_MAX = 10  # our own come on top, and a command may hold 12 answers
OPTIONS_MAX = 12
Kind = Question.Kind

_deed = re.compile(r"(up|down|remove)-([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is built. `options` are the texts of a choice, else empty."""

    kind: str
    label: str
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """A survey that is being built. `errors` are by the name of the control; `focus` is the name of the one
    that what was just done is about."""

    title: str = ""
    intro: str = ""
    asked: list[Asked] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    focus: str = ""
    is_changed: bool = False


def first_draft(version: SurveyVersion | None, questions: Iterable[Question]) -> Draft:
    """What is asked now, or where a new survey begins."""
    if version is None:
        return Draft("How was your chat?", "", [Asked(Kind.SCORE, "How satisfied are you with this chat?")])
    asked = [Asked(each.kind, each.label, tuple(each.options)) for each in questions]
    return Draft(version.title, version.intro, asked)


def read(data: QueryDict) -> Draft:
    """The draft that a page has sent, whatever is in it; unknown kinds become free text."""
    count = min(_number(data.get("count", "")), QUESTIONS_MAX)
    asked = []
    for place in range(count):
        kind = data.get(f"kind-{place}", "")
        options = tuple(
            line.strip() for line in data.get(f"options-{place}", "").splitlines() if line.strip()
        )
        asked.append(
            Asked(
                kind if kind in Kind.values else Kind.TEXT,
                data.get(f"label-{place}", "").strip(),
                options if kind == Kind.CHOICE else (),
            )
        )
    return Draft(data.get("title", "").strip(), data.get("intro", "").strip(), asked, is_changed=True)


def change(draft: Draft, deed: str) -> None:
    """One more question, or one of them moved or removed; anything else leaves it as it is."""
    found = _deed.fullmatch(deed)
    if deed == "add" and len(draft.asked) < QUESTIONS_MAX:
        draft.asked.append(Asked(Kind.SCORE, ""))
        draft.focus = f"label-{len(draft.asked) - 1}"
    if found is None or int(found[2]) >= len(draft.asked):
        return
    what, place = found[1], int(found[2])
    taken = draft.asked.pop(place)
    if what == "remove":
        draft.focus = f"label-{min(place, len(draft.asked) - 1)}" if draft.asked else "title"
        return
    to = max(0, place - 1) if what == "up" else min(len(draft.asked), place + 1)
    draft.asked.insert(to, taken)
    draft.focus = f"label-{to}"


def check(draft: Draft) -> bool:
    """Whether it may be published; what is wrong stands in `errors`. Texts are in NFC afterwards."""
    draft.title = _line(draft, "title", draft.title, TITLE_MAX, "Give the survey a title.")
    draft.intro = _line(draft, "intro", draft.intro, INTRO_MAX, "")
    if not draft.asked:
        draft.errors["add"] = "A survey needs at least one question."
    for place, each in enumerate(draft.asked):
        label = _line(draft, f"label-{place}", each.label, LABEL_MAX, "Write the question, or remove it.")
        options = tuple(_line(draft, f"options-{place}", one, OPTION_MAX, "") for one in each.options)
        draft.asked[place] = replace(each, label=label, options=options)
        if each.kind == Kind.CHOICE:
            _check_options(draft, place, options)
    draft.focus = next(iter(draft.errors), draft.focus)
    return not draft.errors


def _check_options(draft: Draft, place: int, options: tuple[str, ...]) -> None:
    if len(options) < 2:
        draft.errors[f"options-{place}"] = "Write at least two answers, one in each line."
    elif len(options) > OPTIONS_MAX:
        draft.errors[f"options-{place}"] = f"At most {OPTIONS_MAX} answers."
    elif len(set(options)) < len(options):
        draft.errors[f"options-{place}"] = "Two answers are the same."


def _line(draft: Draft, name: str, value: str, longest: int, missing: str) -> str:
    try:
        value = prechat.check_plain(value, name, longest)
    except BadField as error:
        draft.errors[name] = error.message
        return value.replace("\x00", "")[:longest]
    if missing and not value:
        draft.errors[name] = missing
    return value


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
