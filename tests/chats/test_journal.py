"""What may enter the logs of a chat, and what it is answered with: the same through both doors."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Operator
from chatlead.errors import BadField
from chats import journal
from chats.models import Chat, Message, Note
from chats.rows import in_ms
from tests.chats.journal_hands import (
    Door,
    by_operator,
    by_system,
    by_visitor,
    check_gapless,
    end,
    one,
    ref,
    statuses,
    submitted,
    texts,
    through,
)

pytestmark = pytest.mark.django_db(transaction=True)


def raise_epoch(operator: Operator) -> None:
    Operator.objects.filter(pk=operator.pk).update(rights_epoch=F("rights_epoch") + 1)


def test_messages_get_the_next_numbers_in_order(active_chat: Chat, olga: Operator, door: Door) -> None:
    """R-035."""
    results = through(
        door,
        by_visitor(active_chat, "Hello?"),
        by_operator(active_chat, olga, "Good morning."),
        by_visitor(active_chat, "I fell off a ladder."),
    )
    assert statuses(results) == ["stored"] * 3
    assert [result.seq for result in results] == [3, 4, 5]
    assert texts(active_chat)[2:] == ["Hello?", "Good morning.", "I fell off a ladder."]
    assert check_gapless(active_chat) == 5


def test_the_outcome_tells_what_is_stored_and_where_it_goes(
    active_chat: Chat, olga: Operator, door: Door
) -> None:
    outcome = one(door, by_visitor(active_chat, "Hello?"))
    row = Message.objects.get(chat=active_chat, seq=outcome.seq)
    assert (row.kind, row.author, row.author_id, row.text_state) == ("text", "visitor", 0, "")
    assert (row.ref, row.account_id) == (outcome.entry.ref, active_chat.account_id)
    assert in_ms(row.created_at) == outcome.at
    assert (outcome.chat_uid, outcome.state) == (active_chat.uid, "active")
    assert (outcome.department_id, outcome.operator_id) == (active_chat.department_id, olga.pk)
    assert outcome.session_key == active_chat.session_key


def test_a_message_says_when_something_happened_last(active_chat: Chat, olga: Operator, door: Door) -> None:
    """The visitor's message also says that they are there; the operator's does not."""
    past = timezone.now() - timedelta(minutes=10)
    Chat.objects.update(last_message_at=past, visitor_seen_at=past)
    answered = one(door, by_operator(active_chat, olga, "Good morning."))
    active_chat.refresh_from_db()
    assert in_ms(active_chat.last_message_at) == answered.at
    assert active_chat.visitor_seen_at == past
    asked = one(door, by_visitor(active_chat, "Hello?"))
    active_chat.refresh_from_db()
    assert in_ms(active_chat.last_message_at) == in_ms(active_chat.visitor_seen_at) == asked.at


def test_what_is_sent_again_is_the_same_row(active_chat: Chat, olga: Operator, door: Door) -> None:
    """V-1: also when the chat has ended since, and when the operator has lost the right since."""
    asked, answered = by_visitor(active_chat, "Hello?"), by_operator(active_chat, olga, "Yes?")
    first = through(door, asked, answered)
    assert statuses(first) == ["stored", "stored"]
    raise_epoch(olga)
    end(active_chat)
    for other in ("append", "submit"):
        again = through(other, answered, asked)
        assert statuses(again) == ["known", "known"]
        assert [(result.seq, result.at) for result in again] == [(r.seq, r.at) for r in reversed(first)]
    assert check_gapless(active_chat) == 4


def test_one_batch_may_hold_one_ref_many_times(active_chat: Chat, door: Door) -> None:
    """V-1."""
    entry = by_visitor(active_chat, "Hello?")
    results = through(door, entry, by_visitor(active_chat, "Anybody?"), entry, entry)
    assert statuses(results) == ["stored", "stored", "known", "known"]
    assert [result.seq for result in results] == [3, 4, 3, 3]
    assert check_gapless(active_chat) == 4


def test_the_ref_of_somebody_else_is_another_intent(active_chat: Chat, olga: Operator, door: Door) -> None:
    """Refs are seen by both sides, so one side must not be able to use up those of the other."""
    mine = by_operator(active_chat, olga, "Good morning.")
    assert one(door, mine).seq == 3
    assert one(door, by_visitor(active_chat, "Hello?", ref=mine.ref)).seq == 4


def test_another_session_is_refused(active_chat: Chat, door: Door) -> None:
    """R-124: with a known ref too."""
    entry = by_visitor(active_chat, "Hello?")
    through(door, entry)
    stranger = by_visitor(active_chat, "Hello?", ref=entry.ref, session_key="0" * 64)
    assert statuses(through(door, stranger)) == ["refused"]
    assert statuses(through(door, by_visitor(active_chat, "Boo", session_key=""))) == ["refused"]
    assert check_gapless(active_chat) == 3


def test_only_the_assigned_operator_may_write(
    active_chat: Chat, nina: Operator, sam: Operator, eve: Operator, door: Door
) -> None:
    """R-112."""
    entries = [by_operator(active_chat, operator, "Hello.") for operator in (nina, sam, eve)]
    results = through(door, *entries)
    assert statuses(results) == ["refused"] * 3
    assert [(result.seq, result.chat_uid) for result in results] == [(0, "")] * 3
    assert check_gapless(active_chat) == 2


def test_who_lost_a_right_is_refused_at_once(active_chat: Chat, olga: Operator, door: Door) -> None:
    """What a socket still believes does not count: the statement compares the rights."""
    entry = by_operator(active_chat, olga, "Hello.")
    raise_epoch(olga)
    assert one(door, entry).status == "refused"
    olga.refresh_from_db()
    assert one(door, by_operator(active_chat, olga, "Hello.")).status == "stored"
    Operator.objects.filter(pk=olga.pk).update(suspended_at=timezone.now())
    assert one(door, by_operator(active_chat, olga, "Hello?")).status == "refused"


def test_a_chat_that_is_not_there_is_refused_like_a_foreign_one(
    active_chat: Chat, olga: Operator, eve: Operator, door: Door
) -> None:
    """R-112: no difference."""
    missing = by_operator(active_chat, olga, "Hello.", chat_id=active_chat.pk + 1000)
    foreign = by_operator(active_chat, olga, "Hello.", account_id=eve.account_id)
    results = through(door, missing, foreign)
    assert statuses(results) == ["refused", "refused"]
    assert [(result.chat_uid, result.state) for result in results] == [("", "")] * 2


@pytest.mark.parametrize("state", ["closed", "missed"])
def test_a_chat_that_has_ended_takes_no_message(active_chat: Chat, door: Door, state: str) -> None:
    end(active_chat, state)
    outcome = one(door, by_visitor(active_chat, "One more thing"))
    assert (outcome.status, outcome.seq, outcome.state) == ("closed", 0, state)
    assert check_gapless(active_chat) == 2


def test_rows_of_the_system_may_follow_the_end(active_chat: Chat) -> None:
    with transaction.atomic():
        end(active_chat)
        (outcome,) = journal.append([by_system(active_chat, "closed", state="closed", reason="ended")])
    assert (outcome.status, outcome.seq, outcome.state) == ("stored", 3, "closed")
    assert Message.objects.get(chat=active_chat, seq=3).facts == {"state": "closed", "reason": "ended"}


def test_a_row_of_an_action_keeps_the_operators_name(chat: Chat, olga: Operator) -> None:
    """Accepting, closing and passing on have been checked by their actions; the name is as it was then."""
    with transaction.atomic():
        (outcome,) = journal.append([by_operator(chat, olga, kind="accepted")])
    assert outcome.status == "stored"
    assert Message.objects.get(chat=chat, seq=2).facts == {"operator": olga.uid, "name": "Olga"}


# --- notes ------------------------------------------------------------------------------------------


def test_notes_have_a_log_of_their_own(active_chat: Chat, olga: Operator, door: Door) -> None:
    """The visitor's log shows no gap that would tell that something was said about them."""
    past = timezone.now() - timedelta(minutes=10)
    Chat.objects.update(last_message_at=past, visitor_seen_at=past)
    results = through(
        door,
        by_operator(active_chat, olga, "Sounds upset", kind="note"),
        by_operator(active_chat, olga, "Good morning."),
        by_operator(active_chat, olga, "Call back at nine", kind="note"),
    )
    assert statuses(results) == ["stored"] * 3
    assert [result.seq for result in results] == [1, 3, 2]
    assert check_gapless(active_chat) == 3
    notes = Note.objects.filter(chat=active_chat).order_by("staff_seq")
    assert [(note.text, note.author_id) for note in notes] == [
        ("Sounds upset", olga.pk),
        ("Call back at nine", olga.pk),
    ]


def test_a_note_alone_does_not_touch_the_public_log(active_chat: Chat, olga: Operator, door: Door) -> None:
    past = timezone.now() - timedelta(minutes=10)
    Chat.objects.update(last_message_at=past, visitor_seen_at=past)
    one(door, by_operator(active_chat, olga, "Sounds upset", kind="note"))
    active_chat.refresh_from_db()
    assert (active_chat.last_seq, active_chat.last_staff_seq) == (2, 1)
    assert active_chat.last_message_at == active_chat.visitor_seen_at == past


def test_the_department_may_note_while_the_chat_waits(
    chat: Chat, olga: Operator, nina: Operator, sam: Operator, eve: Operator, door: Door
) -> None:
    by_all = [by_operator(chat, operator, "Hm", kind="note") for operator in (olga, nina, sam, eve)]
    assert statuses(through(door, *by_all)) == ["stored", "stored", "refused", "refused"]
    Chat.objects.filter(pk=chat.pk).update(state="active", operator=olga)
    assert one(door, by_operator(chat, nina, "Hm!", kind="note")).status == "refused"
    assert one(door, by_operator(chat, olga, "Hm!", kind="note")).seq == 3
    raise_epoch(olga)
    assert one(door, by_operator(chat, olga, "Hm?", kind="note")).status == "refused"


def test_a_note_sent_again_is_the_same_note(active_chat: Chat, olga: Operator, door: Door) -> None:
    """V-1."""
    note = by_operator(active_chat, olga, "Sounds upset", kind="note")
    first = one(door, note)
    end(active_chat)
    assert one(door, by_operator(active_chat, olga, "Late", kind="note")).status == "closed"
    raise_epoch(olga)
    again = one(door, note)
    assert (again.status, again.seq, again.at) == ("known", first.seq, first.at)


def test_a_visitor_writes_no_notes(active_chat: Chat, door: Door) -> None:
    assert one(door, by_visitor(active_chat, "Psst", kind="note")).status == "refused"
    assert check_gapless(active_chat) == 2


# --- the doors themselves -----------------------------------------------------------------------------


async def test_the_sockets_door_is_closed_inside_a_transaction(active_chat_id: int) -> None:
    chat = Chat(pk=active_chat_id, account_id=1, session_key="0" * 64)
    connection = transaction.get_connection()
    connection.in_atomic_block = True  # as inside atomic(), without a database on the loop
    try:
        with pytest.raises(RuntimeError, match="append"):
            journal.submit(by_visitor(chat, "Hello?"), print)
    finally:
        connection.in_atomic_block = False


@pytest.fixture
def active_chat_id(active_chat: Chat) -> int:
    return active_chat.pk


def test_the_actions_door_is_closed_outside_of_one(active_chat: Chat) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        journal.append([by_visitor(active_chat, "Hello?")])
    assert check_gapless(active_chat) == 2


async def test_rows_of_actions_do_not_come_from_sockets(active_chat_id: int) -> None:
    entry = by_system(Chat(pk=active_chat_id, account_id=1), "closed", state="closed", reason="ended")
    with pytest.raises(ValueError, match="closed"):
        journal.submit(entry, print)


def test_what_is_rolled_back_has_never_been(active_chat: Chat) -> None:
    entry = by_visitor(active_chat, "Hello?")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert journal.append([entry])[0].seq == 3
        raise ZeroDivisionError
    assert check_gapless(active_chat) == 2
    assert one("submit", entry).seq == 3


def test_a_bad_row_does_not_fail_its_neighbours(active_chat: Chat, caplog) -> None:
    """What cannot be stored is told to its sender, named in the log by its class, and costs nobody else."""
    bad = by_visitor(active_chat, "half a character: \ud800")
    results = through("submit", by_visitor(active_chat, "one"), bad, by_visitor(active_chat, "two"))
    assert statuses(results) == ["stored", "bad_field", "stored"]
    assert isinstance(results[1], BadField)
    assert texts(active_chat)[2:] == ["one", "two"]
    assert check_gapless(active_chat) == 4
    assert "half a character" not in caplog.text


def test_a_callback_that_fails_is_not_its_neighbours_fault(active_chat: Chat, caplog) -> None:
    async def scene() -> object:
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def fall_over(_: object) -> None:
            raise ZeroDivisionError

        journal.submit(by_visitor(active_chat, "one"), fall_over)
        journal.submit(by_visitor(active_chat, "two"), answer.set_result)
        return await asyncio.wait_for(answer, 20)

    assert statuses([asyncio.run(scene())]) == ["stored"]  # type: ignore[list-item]
    assert check_gapless(active_chat) == 4
    assert "ZeroDivisionError" in caplog.text


def test_many_chats_share_a_commit(site, intake, door: Door) -> None:
    """Each keeps its own count, whatever the order of arrival."""
    from tests.conftest import make_chat, visitor_on

    chats = [make_chat(visitor_on(site), intake) for _ in range(12)]
    entries = [by_visitor(chat, f"{number}") for number in range(5) for chat in reversed(chats)]
    assert set(statuses(through(door, *entries))) == {"stored"}
    for chat in chats:
        assert texts(chat)[1:] == ["0", "1", "2", "3", "4"]
        assert check_gapless(chat) == 6


def test_the_journal_starts_again_after_its_end(active_chat: Chat) -> None:
    async def twice() -> list[str]:
        first = await submitted([by_visitor(active_chat, "one", ref=ref())])
        journal.stop()
        return statuses(first + await submitted([by_visitor(active_chat, "two")]))

    assert asyncio.run(twice()) == ["stored", "stored"]
