"""What a browser is shown, how many questions it costs, and what every process says again and again."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import Department, Operator, Site
from chatlead.errors import Forbidden
from chatlead.realtime import pool
from chats import positions, recovery, selectors, snapshot
from chats.actions import end_chat, note_visitors
from chats.models import Chat, Message, Note
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.snapshots import console_of_one, frame_of_one
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db


@contextmanager
def questions() -> Iterator[Counter[str]]:
    """Which tables are read how often inside the block; other statements by their first word."""
    found: Counter[str] = Counter()
    with CaptureQueriesContext(connection) as captured:
        yield found
    for each in captured:
        outermost, inner = each["sql"], 1
        while inner:  # what stands in brackets is part of the same question
            outermost, inner = re.subn(r"\([^()]*\)", "", outermost)
        read = re.search(r'FROM "(\w+)"', outermost)
        verb = each["sql"].split()[0]
        found[read[1] if read and verb == "SELECT" else verb] += 1


def fill(site: Site, department: Department, olga: Operator, count: int) -> None:
    """`count` of each: waiting, olga's, missed; each with a message and a note."""
    for _ in range(count):
        for state, operator in (("waiting", None), ("active", olga), ("missed", None)):
            closed_at = timezone.now() if state == "missed" else None
            chat = make_chat(
                visitor_on(site), department, state=state, operator=operator, closed_at=closed_at,
                last_seq=2, last_staff_seq=1,
            )  # fmt: skip
            facts = {"account_id": chat.account_id, "chat": chat, "created_at": chat.started_at}
            Message.objects.create(
                **facts, seq=2, ref=new_ref(), author="visitor", kind="text", text="Hello?"
            )
            Note.objects.create(**facts, staff_seq=1, ref=new_ref(), author=olga, text="a note")


LISTS = {
    "chats_chat": 2,  # the chats, and how many their visitors have had
    "chats_message": 2,  # the logs, and how many are unread
    "chats_note": 1,
    "accounts_operator": 1,  # who wrote
}


@pytest.mark.parametrize("count", [1, 7])
def test_a_console_costs_the_same_however_much_is_on_it(
    count: int, site: Site, intake: Department, olga: Operator, principal_of: Callable[..., Any]
) -> None:
    """V-9: a constant number of queries, listed."""
    fill(site, intake, olga, count)
    principal = principal_of(olga)
    with questions() as asked:
        welcome = console_of_one(principal)
    assert (len(welcome.chats), len(welcome.missed)) == (2 * count, count)
    assert asked == Counter(LISTS) + Counter(
        {
            "chats_chat": 2,  # what was missed, and what went back to the line
            "accounts_account": 1,
            "accounts_operator": 3,  # the team; whether we were gone for long; prepared replies
            "accounts_departmentmember": 1,
            "accounts_department": 1,
            "accounts_installation": 1,
        }
    )


def test_a_frame_costs_what_it_shows(active_chat: Chat, vera: VisitorPrincipal) -> None:
    """V-9."""
    frame_of_one(vera)
    with questions() as asked:
        welcome = frame_of_one(vera)
    assert welcome.chat is not None
    assert asked == {
        "chats_chat": 1,
        "chats_message": 1,
        "accounts_site": 2,  # with firm, notice and epoch; with departments, and whether somebody is there
    }


def test_many_frames_at_once_cost_as_much_as_one_and_each_gets_its_own(
    site: Site, intake: Department, olga: Operator
) -> None:
    """V-9: a crowd that comes back reads once what it has in common, and nobody gets another's chat."""
    people = [visitor_on(site) for _ in range(4)]
    chats = [make_chat(each, intake, state="active", operator=olga) for each in people[:3]]
    frame_of_one(people[0])
    with questions() as asked:
        welcomes = snapshot.visitor_welcomes(people, snapshot.current_chats(people))
    shown = [pool.alone([each]).chat for each in welcomes]
    assert [each.uid if each else "" for each in shown] == [*(each.uid for each in chats), ""]
    assert asked == {
        "chats_chat": 1,
        "chats_message": 1,
        "accounts_site": 2,
    }
    pages = [dataclasses.replace(each, role="page", session_key="") for each in people]
    with questions() as asked:
        colors = [pool.alone([each]).color for each in snapshot.page_welcomes(pages)]
    assert colors == [site.color] * 4
    assert asked == {"accounts_site": 1}


def test_many_consoles_at_once_cost_as_much_as_one_and_each_gets_its_own(
    site: Site, intake: Department, billing: Department, olga: Operator, sam: Operator, nina: Operator,
    eve: Operator, principal_of: Callable[..., Any],
) -> None:  # fmt: skip
    """V-9, R-112: a team that comes back is read once; each hears what is theirs, as if they came alone."""
    fill(site, intake, olga, 2)
    fill(site, billing, sam, 1)
    lost = make_chat(visitor_on(site), intake)
    Chat.objects.filter(pk=lost.pk).update(returned_from=olga, returned_at=timezone.now())
    Operator.objects.filter(pk=sam.pk).update(
        availability="away", gone_at=timezone.now(), lease_until=timezone.now()
    )
    everybody = [principal_of(each) for each in (olga, sam, nina, eve)]
    gone = dataclasses.replace(everybody[0], operator_id=0, operator_uid="x")
    alone = [console_of_one(each) for each in everybody]
    with questions() as asked:
        *together, nobody = snapshot.operator_welcomes([*everybody, everybody[0], gone])
    assert together == [*alone, alone[0]]
    assert isinstance(nobody, Forbidden)
    assert [(len(each.chats), len(each.missed)) for each in alone] == [(5, 2), (2, 1), (4, 3), (0, 0)]
    assert [each.chat for each in alone[0].returned] == [lost.uid]
    assert [bool(each.away_since) for each in alone] == [False, True, False, False]
    assert len({each.account.uid for each in alone}) == 2
    assert asked["accounts_operator"] == 4  # the teams, who was gone for long, who wrote, prepared replies
    assert asked["chats_message"] == 2


@pytest.mark.parametrize("count", [1, 5])
def test_resume_costs_the_same_however_much_was_missed(
    count: int, active_chat: Chat, olga: Operator, principal_of: Callable[..., Any]
) -> None:
    """V-9."""
    for seq in range(3, 3 + count):
        Message.objects.create(
            account_id=active_chat.account_id, chat=active_chat, seq=seq, ref=new_ref(), author="operator",
            author_id=olga.pk, kind="text", text="x", created_at=timezone.now(),
        )  # fmt: skip
    Chat.objects.update(last_seq=2 + count)
    principal, epoch = principal_of(olga), accounts.epoch()
    with questions() as asked:
        recovery.resumed(principal, uid=active_chat.uid, after=2, staff_after=0, epoch=epoch)
    assert asked == {
        "accounts_installation": 1,
        "chats_chat": 1,
        "chats_message": 1,
        "accounts_operator": 1,
    }


def test_a_console_shows_what_its_operator_may_see(
    site: Site, intake: Department, billing: Department, olga: Operator, sam: Operator, nina: Operator,
    eve: Operator, principal_of: Callable[..., Any],
) -> None:  # fmt: skip
    """R-112: waiting and missed chats of the own departments, and the own active ones."""
    here = make_chat(visitor_on(site), intake)
    there = make_chat(visitor_on(site), billing)
    olgas = make_chat(visitor_on(site), intake, state="active", operator=olga)

    def shown(operator: Operator) -> set[str]:
        return {each.uid for each in console_of_one(principal_of(operator)).chats}

    assert shown(olga) == {here.uid, olgas.uid}
    assert shown(sam) == {there.uid}
    assert shown(nina) == {here.uid, there.uid}
    assert shown(eve) == set()


def test_who_may_read_which_log(
    site: Site, intake: Department, olga: Operator, sam: Operator, nina: Operator, eve: Operator,
    vera: VisitorPrincipal, principal_of: Callable[..., Any],
) -> None:  # fmt: skip
    """A closed chat: whose it was, and supervisors of the department."""
    chat = make_chat(vera, intake, state="closed", operator=olga, closed_at=timezone.now())
    everybody = {"olga": olga, "sam": sam, "nina": nina, "eve": eve}
    people = {name: principal_of(operator) for name, operator in everybody.items()}
    people |= {"vera": vera, "stranger": visitor_on(site)}

    def may() -> set[str]:
        query = Chat.objects.filter(uid=chat.uid)
        return {name for name, who in people.items() if query.filter(selectors.within_reach(who)).exists()}

    assert may() == {"olga", "nina", "vera"}
    Chat.objects.update(state="missed", operator=None)
    assert may() == {"olga", "nina", "vera"}
    Chat.objects.update(state="active", operator=sam)
    assert may() == {"sam", "nina", "vera"}


def test_a_week_of_missed_chats_twenty_at_most(
    site: Site, intake: Department, olga: Operator, principal_of: Callable[..., Any]
) -> None:
    """The newest first, by when they were missed."""
    now = timezone.now()
    ages = [timedelta(days=8), *(timedelta(hours=n) for n in range(25, 0, -1))]
    missed = [make_chat(visitor_on(site), intake, state="missed", closed_at=now - age) for age in ages]
    welcome = console_of_one(principal_of(olga))
    assert [each.uid for each in welcome.missed] == [each.uid for each in missed[:-21:-1]]


# --- again and again ----------------------------------------------------------------------------------------


def test_positions_are_those_of_the_welcome(
    site: Site, intake: Department, billing: Department, olga: Operator, sam: Operator, nina: Operator,
    principal_of: Callable[..., Any],
) -> None:  # fmt: skip
    """V-3: one answer for each, four queries for all."""
    fill(site, intake, olga, 3)
    fill(site, billing, sam, 2)
    principals = [principal_of(each) for each in (olga, sam, nina)]
    with questions() as asked:
        told = positions.operator_positions(principals)
    assert asked == {
        "accounts_installation": 1,
        "accounts_operator": 1,
        "chats_chat": 1,  # where the logs end
        "accounts_department": 1,  # the newest missed of each
    }
    for principal in principals:
        welcome = console_of_one(principal)
        position = told[principal]
        assert (position.digest, position.version) == (welcome.digest, welcome.version)
    assert len({each.digest for each in told.values()}) == 3


def test_the_digest_is_that_of_the_document() -> None:
    """docs/protocol.md: CRC-32 of the sorted lines and the newest missed chat."""
    assert snapshot.digest([], "") == "36660842"
    assert snapshot.digest([("b", 2, 0, 1), ("a", 1, 3, 0)], "c") == snapshot.digest(
        [("a", 1, 3, 0), ("b", 2, 0, 1)], "c"
    )
    assert snapshot.digest([("a", 1, 0, 0)], "") != snapshot.digest([("a", 1, 0, 1)], "")


def test_visitors_in_a_chat_hear_where_it_stands(
    site: Site, intake: Department, vera: VisitorPrincipal, olga: Operator
) -> None:
    """V-3, R-034: the end of the log, and the place in line; three queries for all."""
    make_chat(visitor_on(site), intake)
    chat = make_chat(vera, intake, visitor_read=1)
    with questions() as asked:
        told = positions.visitor_positions({vera.session_key, "nobody"})
    assert asked == {"accounts_installation": 1, "chats_chat": 2}
    [(session_key, position, place, minutes)] = told
    assert (session_key, position.chat, position.seq, position.marks) == (vera.session_key, chat.uid, 1, 1)
    assert (place, minutes) == (2, 0)


def test_who_is_there_is_not_idle(vera: VisitorPrincipal, chat: Chat, site: Site, intake: Department) -> None:
    """R-121: the visitor's socket keeps the chat alive, another's does not."""
    away = make_chat(visitor_on(site), intake)
    long_ago = timezone.now() - timedelta(minutes=29)
    Chat.objects.update(visitor_seen_at=long_ago)
    note_visitors([vera.session_key])
    chat.refresh_from_db()
    away.refresh_from_db()
    assert timezone.now() - chat.visitor_seen_at < timedelta(seconds=10)
    assert away.visitor_seen_at == long_ago


def test_an_ended_chat_is_stated_for_a_while(vera: VisitorPrincipal, chat: Chat) -> None:
    """V-3: who missed the end hears of it by the position; then it is the past."""
    end_chat(principal=vera, uid=chat.uid)
    [(_, position, place, _)] = positions.visitor_positions({vera.session_key})
    assert (position.chat, position.seq, place) == (chat.uid, 2, 0)
    Chat.objects.update(closed_at=timezone.now() - timedelta(minutes=5))
    assert positions.visitor_positions({vera.session_key}) == []
