"""The checker itself: what it says of small histories written by hand (V-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker.check import check
from tests.faults.checker.history import (
    Act,
    History,
    Outcome,
    Person,
    Screen,
    Shown,
    Sight,
    Transcript,
)
from tests.faults.checker.shortest import shortest, told

pytestmark = pytest.mark.faults

CHAT, OTHER = "chat-of-vera-00000", "chat-of-walt-00000"
VERA, OLGA, EVE = (
    Person("vera", "acme", "visitor"),
    Person("olga", "acme", "operator"),
    Person("eve", "rival", "operator"),
)


def row(seq: int, ref: str, text: str, **more: Any) -> dict[str, Any]:
    facts = {"type": "message_posted", "chat": CHAT, "seq": seq, "ref": ref, "author": "visitor"}
    return facts | {"text": text} | more


OPENED = {"type": "chat_opened", "chat": CHAT, "seq": 1, "author": "system"}
HELLO = row(2, "ref-a", "acme/hello")
MORE = row(3, "ref-b", "acme/more")


def said(number: int, ref: str, text: str, seq: int, *, outcome: Outcome = "ok", at: float = 0.0) -> Act:
    began = at or float(number)
    return Act(
        number, "vera", "send_message", began, CHAT, ref, text, ended=began + 0.5, outcome=outcome, seq=seq
    )


def good() -> History:
    """Vera said two things, and all is as it should be."""
    rows = (OPENED, HELLO, MORE)
    return History(
        people={each.name: each for each in (VERA, OLGA, EVE)},
        acts=[said(1, "ref-a", "acme/hello", 2), said(2, "ref-b", "acme/more", 3)],
        sights=[Sight(1.6, "olga", HELLO), Sight(2.6, "olga", MORE)],
        shown=[Shown(1.6, "olga", CHAT, 2), Shown(2.6, "olga", CHAT, 3)],
        screens=[Screen("olga", {"chats": {CHAT: 3}}, {"chats": {CHAT: 3}})],
        transcripts={CHAT: Transcript(CHAT, "acme", "vera", rows, (), rows)},
    )


def stored(history: History, *rows: dict[str, Any], notes: tuple[dict[str, Any], ...] = ()) -> History:
    return replace(history, transcripts={CHAT: Transcript(CHAT, "acme", "vera", rows, notes, rows)})


def rules(history: History) -> set[str]:
    return {fault.rule for fault in check(history)}


def test_a_good_history_has_no_fault() -> None:
    """V-5."""
    assert check(good()) == []


def test_an_acknowledged_message_that_is_gone_is_lost() -> None:
    """V-5 a, R-035."""
    assert "lost" in rules(stored(good(), OPENED, HELLO))


def test_a_chat_that_is_nowhere_loses_all_that_was_said_in_it() -> None:
    """V-5 a."""
    assert "lost" in rules(replace(good(), transcripts={}))


def test_an_acknowledged_message_at_another_place_is_lost() -> None:
    """V-5 a: the `ack` names the place."""
    assert "lost" in rules(
        stored(good(), OPENED, row(2, "ref-b", "acme/more"), row(3, "ref-a", "acme/hello"))
    )


@pytest.mark.parametrize("ref", ["ref-a", "ref-c"])
def test_the_same_words_twice_are_doubled_whatever_their_ref(ref: str) -> None:
    """V-5 b."""
    assert "doubled" in rules(stored(good(), OPENED, HELLO, MORE, row(4, ref, "acme/hello")))


def test_what_was_never_answered_may_be_there_once_or_not_at_all() -> None:
    """V-5 e."""
    unanswered = said(3, "ref-c", "acme/well", 0, outcome="unknown")
    history = replace(good(), acts=[*good().acts, unanswered])
    assert check(history) == []
    assert check(stored(history, OPENED, HELLO, MORE, row(4, "ref-c", "acme/well"))) == []


def test_what_was_refused_may_not_be_there() -> None:
    """docs/protocol.md: `failed` says that nothing was stored."""
    refused = said(3, "ref-c", "acme/well", 0, outcome="fail")
    history = replace(good(), acts=[*good().acts, refused])
    assert "refused" in rules(stored(history, OPENED, HELLO, MORE, row(4, "ref-c", "acme/well")))


def test_words_that_nobody_said_are_made_up() -> None:
    """V-5."""
    assert "made_up" in rules(stored(good(), OPENED, HELLO, MORE, row(4, "ref-z", "acme/who?")))


def test_a_missing_number_is_a_gap() -> None:
    """R-035."""
    history = good()
    history.acts[1] = replace(history.acts[1], seq=4)
    assert rules(replace(stored(history, OPENED, HELLO, row(4, "ref-b", "acme/more")), sights=[])) == {"gap"}


def test_a_row_seen_at_a_place_where_another_is_stored_is_out_of_order() -> None:
    """V-5 c: one order for all."""
    history = good()
    history.sights.append(Sight(3.0, "vera", row(3, "ref-x", "acme/ghost")))
    assert rules(history) == {"order"}


def test_visitor_and_staff_read_the_same_transcript() -> None:
    """V-5 c."""
    history = good()
    history.transcripts[CHAT] = replace(history.transcripts[CHAT], own=(OPENED, HELLO))
    assert rules(history) == {"order"}


def test_a_screen_that_skips_a_row_shows_a_hole() -> None:
    """V-3: no hole is ever shown."""
    assert rules(replace(good(), shown=[Shown(1.0, "olga", CHAT, 1), Shown(2.6, "olga", CHAT, 3)])) == {
        "hole"
    }


def test_what_was_acknowledged_first_stands_first() -> None:
    """V-5 c: the order is that of real time where one ended before the other began."""
    acts = [said(1, "ref-b", "acme/more", 3), said(2, "ref-a", "acme/hello", 2)]
    assert rules(replace(good(), acts=acts)) == {"real_time"}
    together = [said(1, "ref-b", "acme/more", 3), said(2, "ref-a", "acme/hello", 2, at=1.2)]
    assert check(replace(good(), acts=together)) == []


def test_a_message_reads_as_its_last_edit_left_it() -> None:
    """R-035: the text of an edited row is replaced in the same statement."""
    edit = Act(
        3, "vera", "edit_message", 3.0, CHAT, "ref-e", "acme/hi", target=2, ended=3.5, outcome="ok", seq=4
    )
    history = replace(good(), acts=[*good().acts, edit])
    edited = row(4, "ref-e", "acme/hi", type="message_edited", target=2)
    assert rules(stored(history, OPENED, HELLO, MORE, edited)) == {"text"}
    new = row(2, "ref-a", "acme/hi", state="edited")
    assert rules(replace(stored(history, OPENED, new, MORE, edited), sights=[])) == set()


def test_another_tenants_words_are_foreign() -> None:
    """R-112, V-5 d."""
    history = good()
    history.sights.append(Sight(3.0, "eve", {"type": "typing_changed", "chat": CHAT, "side": "visitor"}))
    assert rules(history) == {"foreign"}
    history.sights[-1] = Sight(3.0, "eve", {"type": "chat_listed", "chat": {"uid": OTHER, "name": "acme/w"}})
    assert rules(history) == {"foreign"}


def test_another_visitors_chat_is_foreign_to_a_visitor() -> None:
    """V-5 d: inside a firm, too."""
    history = good()
    history.people["walt"] = Person("walt", "acme", "visitor")
    history.sights.append(Sight(3.0, "walt", HELLO))
    assert rules(history) == {"foreign"}


def test_a_note_is_nothing_for_a_visitor() -> None:
    """design §3: notes are in a log of their own."""
    note: dict[str, Any] = {
        "type": "note_added",
        "chat": CHAT,
        "staff_seq": 1,
        "ref": "ref-n",
        "text": "staff/acme/hm",
    }
    act = Act(3, "olga", "add_note", 3.0, CHAT, "ref-n", note["text"], ended=3.5, outcome="ok", seq=1)
    history = stored(replace(good(), acts=[*good().acts, act]), OPENED, HELLO, MORE, notes=(note,))
    history.sights.append(Sight(3.6, "olga", note))
    assert check(history) == []
    history.sights.append(Sight(3.7, "vera", note))
    assert rules(history) == {"note"}


def test_of_two_who_accept_one_wins() -> None:
    """R-121: assignment."""
    accepted = {"type": "chat_accepted", "chat": CHAT, "seq": 4, "operator": "uid-olga", "author": "operator"}
    told_what: dict[str, Outcome] = {"olga": "ok", "nina": "fail"}
    acts = [
        Act(5, who, "accept_chat", 5.0, CHAT, text=f"uid-{who}", ended=5.5, outcome=outcome)
        for who, outcome in told_what.items()
    ]
    won = stored(replace(good(), acts=[*good().acts, *acts]), OPENED, HELLO, MORE, accepted)
    assert check(won) == []
    both = replace(won, acts=[replace(act, outcome="ok") for act in won.acts])
    assert rules(both) == {"winners"}
    twice = stored(won, OPENED, HELLO, MORE, accepted, accepted | {"seq": 5, "operator": "uid-nina"})
    assert rules(twice) == {"winners"}


def test_a_screen_that_is_not_what_a_fresh_one_shows_has_not_healed() -> None:
    """R-121, V-3: the waiting list, marks and who is online, too."""
    wrong = Screen("olga", {"chats": {CHAT: {"unread": 2}}}, {"chats": {CHAT: {"unread": 0}}})
    [fault] = check(replace(good(), screens=[wrong]))
    assert (fault.rule, fault.chat, fault.about) == ("unhealed", CHAT, ("olga", "chats", CHAT, "unread"))


def test_a_fault_is_told_by_the_shortest_history_that_shows_it() -> None:
    """V-5: of a hundred steps one is left, and the two rows that contradict each other."""
    history = good()
    rows = [OPENED, HELLO, MORE]
    for number in range(4, 54):
        history.acts.append(said(number, f"ref-{number}", f"acme/{number}", number))
        rows.append(row(number, f"ref-{number}", f"acme/{number}"))
        history.sights.append(Sight(number + 0.6, "olga", rows[-1]))
    doubled = row(54, "ref-20", "acme/20")
    history = stored(history, *rows, doubled)
    fault = next(each for each in check(history) if each.rule == "doubled")
    small = shortest(history, fault)
    assert (small.acts, small.sights, small.shown) == ([], [], []) or len(small.acts) == 1
    [transcript] = small.transcripts.values()
    assert [each["seq"] for each in transcript.rows] == [20, 54]
    text = told(history, fault, 4711)
    assert "seed 4711" in text
    assert len(text.splitlines()) < 10
