"""Words that are changed or taken back: what becomes of them in the log, through both doors."""

from __future__ import annotations

import pytest

from accounts.models import Operator
from chats.models import Chat, Message
from tests.chats.journal_hands import (
    Door,
    by_operator,
    by_visitor,
    check_gapless,
    end,
    one,
    statuses,
    texts,
    through,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_edit_is_a_row_and_changes_its_target(active_chat: Chat, door: Door) -> None:
    """R-035."""
    said = one(door, by_visitor(active_chat, "I fell of a ladder"))
    changed = one(door, by_visitor(active_chat, "I fell off a ladder", kind="edit", target=said.seq))
    assert (changed.status, changed.seq) == ("stored", 4)
    target, edit = Message.objects.filter(chat=active_chat, seq__gte=3).order_by("seq")
    assert (target.text, target.text_state) == ("I fell off a ladder", "edited")
    assert (edit.kind, edit.target, edit.text) == ("edit", 3, "I fell off a ladder")
    assert check_gapless(active_chat) == 4


def test_a_deletion_leaves_no_text_behind(active_chat: Chat, olga: Operator, door: Door) -> None:
    """R-035: neither in the row nor in its edits."""
    said = one(door, by_operator(active_chat, olga, "My number is 555-0100"))
    one(door, by_operator(active_chat, olga, "My number is 555-0199", kind="edit", target=said.seq))
    gone = by_operator(active_chat, olga, kind="deletion", target=said.seq)
    assert one(door, gone).status == "stored"
    rows = Message.objects.filter(chat=active_chat, seq__gte=3).order_by("seq")
    assert [(row.kind, row.text, row.text_state) for row in rows] == [
        ("text", "", "deleted"),
        ("edit", "", ""),
        ("deletion", "", ""),
    ]
    assert one(door, gone).status == "known"
    assert check_gapless(active_chat) == 5


def test_an_older_version_is_gone_after_the_next_edit(active_chat: Chat, door: Door) -> None:
    said = one(door, by_visitor(active_chat, "one"))
    for text in ("two", "three"):
        one(door, by_visitor(active_chat, text, kind="edit", target=said.seq))
    assert texts(active_chat)[2:] == ["three", "three", "three"]


def test_only_ones_own_text_can_be_changed(active_chat: Chat, olga: Operator, door: Door) -> None:
    vera_said = one(door, by_visitor(active_chat, "Hello?")).seq
    olga_said = one(door, by_operator(active_chat, olga, "Yes?")).seq
    edited = one(door, by_visitor(active_chat, "Hello!", kind="edit", target=vera_said)).seq
    tries = [
        by_visitor(active_chat, "x", kind="edit", target=olga_said),
        by_operator(active_chat, olga, "x", kind="edit", target=vera_said),
        by_visitor(active_chat, kind="deletion", target=1),  # a row of the system
        by_operator(active_chat, olga, kind="deletion", target=2),  # her own, but no text
        by_visitor(active_chat, kind="deletion", target=edited),  # an edit is no text
        by_visitor(active_chat, kind="deletion", target=99),
        by_visitor(active_chat, kind="deletion"),
    ]
    assert statuses(through(door, *tries)) == ["no_target"] * len(tries)
    assert texts(active_chat)[2:] == ["Hello!", "Yes?", "Hello!"]
    assert check_gapless(active_chat) == 5


def test_what_is_deleted_stays_deleted(active_chat: Chat, door: Door) -> None:
    said = one(door, by_visitor(active_chat, "Hello?")).seq
    results = through(
        door,
        by_visitor(active_chat, kind="deletion", target=said),
        by_visitor(active_chat, "Hello again", kind="edit", target=said),
        by_visitor(active_chat, kind="deletion", target=said),
        by_visitor(active_chat, "Still there"),
    )
    assert statuses(results) == ["stored", "no_target", "no_target", "stored"]
    assert [result.seq for result in results] == [4, 0, 0, 5]
    assert texts(active_chat)[2:] == ["", "", "Still there"]


def test_an_edit_sent_again_changes_nothing(active_chat: Chat, door: Door) -> None:
    """V-1: a resend that comes late does not undo a later edit."""
    said = one(door, by_visitor(active_chat, "one")).seq
    second = by_visitor(active_chat, "two", kind="edit", target=said)
    one(door, second)
    one(door, by_visitor(active_chat, "three", kind="edit", target=said))
    assert one(door, second).status == "known"
    assert texts(active_chat)[2] == "three"


def test_a_closed_chat_keeps_its_words(active_chat: Chat, door: Door) -> None:
    said = one(door, by_visitor(active_chat, "Hello?")).seq
    end(active_chat)
    assert one(door, by_visitor(active_chat, kind="deletion", target=said)).status == "closed"
