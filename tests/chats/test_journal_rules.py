"""The journal against a model of its rules: any mixture of rows, refs, doors and endings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Department, Operator, Site
from chats import journal
from chats.journal import Entry
from chats.models import Chat, Message, Note
from tests.chats.journal_hands import by_operator, by_system, by_visitor, check_gapless, ref, through
from tests.conftest import make_chat, visitor_on

pytestmark = pytest.mark.django_db(transaction=True)

Who = Literal["vera", "stranger", "olga", "nina", "sam"]


@dataclass(frozen=True)
class Say:
    """Somebody sends something; `name` stands for its ref."""

    who: Who
    kind: Literal["text", "edit", "deletion", "note"]
    name: int
    target: int = 0


@dataclass(frozen=True)
class Turn:
    """Chat `state` and operator are set, then all of `says` come through `door` at once."""

    door: Literal["append", "submit"]
    state: Literal["", "active", "closed", "missed"]
    says: tuple[Say, ...]


says = st.builds(
    Say,
    who=st.sampled_from(["vera", "vera", "olga", "olga", "stranger", "nina", "sam"]),
    kind=st.sampled_from(["text", "text", "text", "edit", "deletion", "note"]),
    name=st.integers(0, 11),
    target=st.integers(0, 8),
)
turns = st.lists(
    st.builds(
        Turn,
        door=st.sampled_from(["append", "submit"]),
        state=st.sampled_from(["", "", "", "active", "closed", "missed"]),
        says=st.lists(says, min_size=1, max_size=10).map(tuple),
    ),
    min_size=1,
    max_size=5,
)


@dataclass
class Model:
    """What the chat should look like. Rows are [author, kind, target, text, state]."""

    state: str = "waiting"
    operator: str = ""
    rows: list[list[Any]] = field(default_factory=lambda: [["system", "opened", None, "", ""]])
    notes: list[tuple[str, str]] = field(default_factory=list)
    places: dict[tuple[str, bool, int], int] = field(default_factory=dict)

    def told(self, say: Say, text: str) -> tuple[str, int]:
        if say.who == "stranger" or (say.kind == "note" and say.who == "vera"):
            return "refused", 0
        key = (say.who, say.kind == "note", say.name)
        if key in self.places:
            return "known", self.places[key]
        if say.kind == "note":
            may = say.who == self.operator or (self.state == "waiting" and say.who in ("olga", "nina"))
        else:
            may = say.who in ("vera", self.operator)
        if not may:
            return "refused", 0
        if self.state not in ("waiting", "active"):
            return "closed", 0
        if say.kind == "note":
            self.notes.append((say.who, text))
            self.places[key] = len(self.notes)
        elif say.kind == "text":
            self.rows.append([say.who, "text", None, text, ""])
            self.places[key] = len(self.rows)
        else:
            at = say.target - 1
            target = self.rows[at] if 0 <= at < len(self.rows) else ["", "", None, "", ""]
            if target[:2] != [say.who, "text"] or target[4] == "deleted":
                return "no_target", 0
            new = text if say.kind == "edit" else ""
            for row in self.rows:
                if row[1] == "edit" and row[2] == say.target:
                    row[3] = new
            target[3:] = [new, "edited" if say.kind == "edit" else "deleted"]
            self.rows.append([say.who, say.kind, say.target, new, ""])
            self.places[key] = len(self.rows)
        return "stored", self.places[key]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=turns)
def test_every_story_ends_as_the_rules_say(
    site: Site, intake: Department, olga: Operator, nina: Operator, sam: Operator, story: list[Turn]
) -> None:
    """R-035, V-1: statuses, numbers and stored rows, whatever comes in whatever company."""
    chat = make_chat(visitor_on(site), intake)
    people = {"olga": olga, "nina": nina, "sam": sam}
    refs = [ref() for _ in range(12)]
    model = Model()

    def entry(say: Say, text: str) -> Entry:
        facts: dict[str, Any] = {"kind": say.kind, "ref": refs[say.name], "target": say.target or None}
        if say.who in people:
            return by_operator(chat, people[say.who], text, **facts)
        if say.who == "stranger":
            facts["session_key"] = "f" * 64
        return by_visitor(chat, text, **facts)

    for number, turn in enumerate(story):
        if turn.state and model.state in ("waiting", "active"):
            with transaction.atomic():
                Chat.objects.filter(pk=chat.pk).update(
                    state=turn.state, operator=None if turn.state == "missed" else olga
                )
                if turn.state != "active":
                    journal.append([by_system(chat, "closed", state=turn.state, reason="ended")])
                    model.rows.append(["system", "closed", None, "", ""])
            model = replace(model, state=turn.state, operator="" if turn.state == "missed" else "olga")
        # an edit without words is no edit, a deletion has none
        said = [(say, f"{number}/{index}") for index, say in enumerate(turn.says)]
        results = through(
            turn.door, *(entry(say, "" if say.kind == "deletion" else text) for say, text in said)
        )
        expected = [model.told(say, text) for say, text in said]
        assert [(result.status, result.seq) for result in results] == expected

    names = {olga.pk: "olga", nina.pk: "nina", sam.pk: "sam"}
    rows = Message.objects.filter(chat=chat).order_by("seq")
    assert [
        [names.get(row.author_id, {"visitor": "vera"}.get(row.author, row.author)), row.kind, row.target,
         row.text, row.text_state]
        for row in rows
    ] == model.rows  # fmt: skip
    notes = Note.objects.filter(chat=chat).order_by("staff_seq")
    assert [(names[note.author_id], note.text) for note in notes] == model.notes
    check_gapless(chat)
