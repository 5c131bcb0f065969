"""Many write at once: threads, both doors, processes, and a process that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Department, Operator, Site
from chats import journal
from chats.journal import Entry, Outcome
from chats.models import Chat, Message
from tests.at_once import at_once
from tests.chats.journal_hands import by_operator, by_visitor, check_gapless, one, statuses, through
from tests.conftest import make_chat, visitor_on
from tests.servers import OURS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd(site: Site, intake: Department) -> Callable[[int], list[Chat]]:
    return lambda count: [make_chat(visitor_on(site), intake) for _ in range(count)]


def appended(entry: Entry) -> Outcome:
    with transaction.atomic():
        return journal.append([entry])[0]


def test_both_doors_at_once_leave_no_gap(active_chat: Chat, olga: Operator) -> None:
    """R-035: six threads on one chat, half of them through each door, notes among them."""

    def talk(number: int) -> Callable[[], list[Outcome]]:
        def work() -> list[Outcome]:
            entries = [
                by_operator(active_chat, olga, f"{number}.{turn}", kind="note" if turn % 5 == 0 else "text")
                for turn in range(20)
            ]
            if number % 2:
                return [appended(entry) for entry in entries]
            return [one("submit", entry) for entry in entries]

        return work

    told = at_once(*(talk(number) for number in range(6)))
    outcomes = [outcome for share in told for outcome in share]
    assert set(statuses(outcomes)) == {"stored"}
    assert check_gapless(active_chat) == 2 + 6 * 16
    assert active_chat.last_staff_seq == 6 * 4
    places = {(outcome.entry.kind, outcome.seq) for outcome in outcomes}
    assert len(places) == 6 * 20
    for outcome in outcomes:
        if outcome.entry.kind == "text":
            assert Message.objects.get(chat=active_chat, seq=outcome.seq).text == outcome.entry.text


def test_the_same_ref_twenty_times_is_one_row(active_chat: Chat) -> None:
    """V-1: over two connections at once, through both doors."""
    entry = by_visitor(active_chat, "Hello?")

    def many(door: str) -> Callable[[], list[Outcome]]:
        if door == "append":
            return lambda: [appended(entry) for _ in range(10)]
        return lambda: through("submit", *[entry] * 10)

    told = at_once(many("append"), many("submit"))
    outcomes = [outcome for share in told for outcome in share]
    assert sorted(statuses(outcomes)) == ["known"] * 19 + ["stored"]
    assert {outcome.seq for outcome in outcomes} == {3}
    assert Message.objects.filter(chat=active_chat, ref=entry.ref).count() == 1
    Chat.objects.update(state="closed")
    assert [(one(door, entry).status, one(door, entry).seq) for door in ("append", "submit")] == [
        ("known", 3),
        ("known", 3),
    ]


def meanwhile(action: Callable[[], object], entry: Entry) -> Outcome:
    """`entry` comes from a socket while an action holds the chat; the action commits, then it is its turn."""
    held, may_end = threading.Event(), threading.Event()

    def act() -> None:
        with transaction.atomic():
            action()
            held.set()
            assert may_end.wait(20)
        connection.close()

    def send() -> Outcome:
        assert held.wait(20)
        threading.Timer(0.2, may_end.set).start()
        return one("submit", entry)

    return at_once(act, send)[1]  # type: ignore[return-value]


def test_an_action_may_store_the_same_ref_first(active_chat: Chat) -> None:
    """V-1: the socket's statement has begun before the action's row was to be seen."""
    entry = by_visitor(active_chat, "Hello?")
    outcome = meanwhile(lambda: journal.append([by_visitor(active_chat, "before"), entry]), entry)
    assert (outcome.status, outcome.seq) == ("known", 4)
    assert check_gapless(active_chat) == 4


def test_who_waits_for_an_action_sees_what_it_has_done(
    active_chat: Chat, olga: Operator, nina: Operator
) -> None:
    """Rights and state count as they are when the row gets its number."""
    chat = Chat.objects.filter(pk=active_chat.pk)
    to_nina = meanwhile(lambda: chat.update(operator=nina), by_operator(active_chat, nina, "I take over."))
    assert (to_nina.status, to_nina.seq, to_nina.operator_id) == ("stored", 3, nina.pk)
    too_late = meanwhile(lambda: chat.update(operator=olga), by_operator(active_chat, nina, "And now"))
    assert too_late.status == "refused"
    ended = meanwhile(lambda: chat.update(state="closed"), by_visitor(active_chat, "One more thing"))
    assert (ended.status, ended.state) == ("closed", "closed")
    assert check_gapless(active_chat) == 3


# --- processes ---------------------------------------------------------------------------------------


def database_url() -> str:
    """The test's own database, as another process is told of it."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    return f"postgres://{told['USER']}:{quote(told['PASSWORD'])}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


def process(entries: Sequence[Entry], seed: int) -> subprocess.Popen[bytes]:
    env = {key: value for key, value in os.environ.items() if key not in OURS}
    env |= {"DATABASE_URL": database_url(), "CHATLEAD_DATA_DIR": str(settings.DATA_DIR)}
    env |= {"DJANGO_SETTINGS_MODULE": "chatlead.settings"}
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.chats.journal_process"],
        cwd=Path(__file__).parents[2],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert started.stdin is not None
    started.stdin.write(json.dumps({"seed": seed, "entries": msgspec.to_builtins(entries)}).encode())
    started.stdin.close()
    started.stdin = None
    return started


def acks(output: bytes) -> list[tuple[str, str]]:
    lines = output.decode().split("\n")[:-1]  # the last may be half a line
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_three_processes_share_forty_chats(crowd: Callable[[int], list[Chat]]) -> None:
    """R-035, V-1: everybody sends every message twice and in another order; each is stored once, and
    everybody is told the same place. Meanwhile an action writes to the same chats."""
    chats = crowd(40)
    entries = [by_visitor(chat, f"message {number}") for chat in chats for number in range(6)]
    running = [process([*entries, *entries], seed) for seed in range(3)]
    for chat in chats:
        assert appended(by_visitor(chat, "from an action")).status == "stored"
    places: dict[str, set[str]] = defaultdict(set)
    for each in running:
        out, err = each.communicate(timeout=100)
        assert (each.returncode, err.decode()) == (0, "")
        told = acks(out)
        assert len(told) == 2 * len(entries)
        for name, place in told:
            places[name].add(place)
    stored = {str(row.ref): str(row.seq) for row in Message.objects.filter(kind="text")}
    assert {name: {stored[name]} for name in places} == places
    assert len(places) == len(entries)
    for chat in chats:
        assert check_gapless(chat) == 1 + 6 + 1


@pytest.mark.parametrize("after", [1, 40, 150])
def test_what_a_killed_process_acknowledged_is_there(crowd: Callable[[int], list[Chat]], after: int) -> None:
    """R-035: kill -9 right after an ack: nothing acknowledged is missing, no gap, no repeat; and what was
    not acknowledged is sent again and stored once."""
    chats = crowd(8)
    entries = [by_visitor(chat, f"message {number}") for number in range(400) for chat in chats]
    victim = process(entries, seed=after)
    assert victim.stdout is not None
    seen = b""
    while seen.count(b"\n") < after:
        piece = os.read(victim.stdout.fileno(), 4096)
        assert piece, victim.communicate()[1]
        seen += piece
    victim.kill()
    rest, _ = victim.communicate(timeout=20)
    promised = acks(seen + rest)
    assert after <= len(promised) < len(entries)
    stored = {str(row.ref): str(row.seq) for row in Message.objects.filter(kind="text")}
    assert {name: stored.get(name) for name, _ in promised} == dict(promised)
    for chat in chats:
        check_gapless(chat)
    again = through("submit", *entries[:400])
    assert set(statuses(again)) <= {"known", "stored"}
    assert statuses(again).count("known") >= sum(1 for e in entries[:400] if str(e.ref) in dict(promised))
    for chat in chats:
        check_gapless(chat)
