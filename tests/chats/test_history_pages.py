"""Conversations that are over are found and read on pages of `/account/`, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Department, Operator, Site
from chats import actions, beside, history
from chats.models import Chat, Message
from tests.chats.ended import Ended, talk
from tests.conftest import make_chat, visitor_on
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/account/chats/"
LoggedIn = Callable[[Operator], Client]


@pytest.fixture
def old(folder: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Ended:
    """Vera's chat with olga, in the archive."""
    ended = talk(vera, intake, principal_of(olga), "I slipped <b>", "We can help", hours=1000)
    actions.archive_chat(ended.chat.pk)
    return ended


def find(client: Client, words: str, **more: str) -> str:
    client.get(LIST)
    token = client.cookies["cl_csrf"].value
    answer = client.post(LIST, {"csrfmiddlewaretoken": token, "words": words, **more})
    assert answer.status_code == 200
    return answer.content.decode()


def test_olga_finds_an_archived_chat_and_reads_it(old: Ended, olga: Operator, logged_in: LoggedIn) -> None:
    """R-036, R-118: listed as archived; the page tells everything, as it was said and nothing as markup."""
    client = logged_in(olga)
    listed = client.get(LIST).content.decode()
    address = f"{LIST}{old.chat.uid}/"
    assert address in listed and "Archive" in listed
    page = client.get(address).content.decode()
    for words in ("I slipped &lt;b&gt;", "We can help", "a witness is named", "Vera Winter", "Olga accepted",
                  "Began in Intake"):  # fmt: skip
        assert words in page
    assert page.index("I slipped") < page.index("We can help") < page.index("a witness is named")


def test_the_page_is_the_same_wherever_the_chat_lies(
    folder: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any
) -> None:
    """R-118: moving it changes nothing that is read."""
    ended = talk(vera, intake, principal_of(olga), "Hello", "Good day", hours=1000)
    Message.objects.filter(chat=ended.chat, seq=3).update(text="", text_state="deleted")
    before = history.conversation(ended.again())
    actions.archive_chat(ended.chat.pk)
    after = history.conversation(ended.again())
    in_ms = [line._replace(at=line.at.replace(microsecond=line.at.microsecond // 1000 * 1000))
             for line in before.lines]  # fmt: skip
    assert (after.answers, after.page_url) == (before.answers, before.page_url)
    assert [line for line in after.lines if line.kind != "system"] == [
        line for line in in_ms if line.kind != "system"
    ]
    assert [line.text for line in after.lines] == [line.text for line in before.lines]


@pytest.mark.parametrize("words", ["ver", "VERA", "vera@post", "1", "#1", "visitor 1"])
def test_a_chat_is_found_by_name_address_or_number(
    old: Ended, olga: Operator, logged_in: LoggedIn, words: str
) -> None:
    """R-118: archived chats stay findable by their tenant."""
    Visitor.objects.filter(pk=old.chat.visitor_id).update(email="vera@post.test", number=1)
    client = logged_in(olga)
    assert old.chat.uid in find(client, words)
    assert old.chat.uid in client.get(f"{LIST}?visitor={old.chat.visitor.uid}").content.decode()
    assert old.chat.uid not in find(client, "somebody else")


def test_who_may_see_what(
    old: Ended, chat_of_billing: Chat, olga: Operator, sam: Operator, nina: Operator, owen: Operator,
    eve: Operator, logged_in: LoggedIn,
) -> None:  # fmt: skip
    """R-112: one's own; from supervisor on those of one's departments, from admin on all; eve finds nothing,
    and gets 404."""
    address = f"{LIST}{old.chat.uid}/"
    for who, sees in ((olga, True), (nina, True), (owen, True), (sam, False), (eve, False)):
        client = logged_in(who)
        assert (client.get(address).status_code, old.chat.uid in client.get(LIST).content.decode()) == (
            (200, True) if sees else (404, False)
        )
        assert (old.chat.uid in find(client, "vera")) is sees
    assert Client().get(address).status_code == 302
    assert logged_in(olga).get(f"{LIST}nobodys-uid-at-all/").status_code == 404


@pytest.fixture
def chat_of_billing(site: Site, billing: Department) -> Chat:
    """Somebody waits in billing."""
    return make_chat(visitor_on(site), billing)


def test_an_open_chat_is_listed_for_those_who_may_see_it(
    chat_of_billing: Chat, sam: Operator, olga: Operator, logged_in: LoggedIn
) -> None:
    """R-036, R-112"""
    page = logged_in(sam).get(LIST).content.decode()
    assert chat_of_billing.uid in page and "<td>Waiting</td>" in page
    assert "Nothing here yet" in logged_in(olga).get(LIST).content.decode()


@pytest.fixture
def recent(site: Site, intake: Department, olga: Operator, principal_of: Any) -> Ended:
    """Somebody's chat with olga of an hour ago, in the database."""
    return talk(visitor_on(site), intake, principal_of(olga), "A piano fell on me", "Poor you")


def test_a_chat_is_found_by_what_is_known_of_it(
    old: Ended, recent: Ended, chat_of_billing: Chat, owen: Operator, olga: Operator, sam: Operator,
    logged_in: LoggedIn,
) -> None:  # fmt: skip
    """R-118: by days, department, operator and state, and by words that were said but in the archive."""
    client = logged_in(owen)
    a, b, c = old.chat, recent.chat, chat_of_billing
    day = recent.again().started_at.date()
    for asked, expected in (
        ({}, (a, b, c)),
        ({"since": f"{day}"}, (b, c)),
        ({"until": f"{old.again().started_at.date()}"}, (a,)),
        ({"department": c.department.uid}, (c,)),
        ({"operator": olga.uid}, (a, b)),
        ({"operator": sam.uid}, ()),
        ({"state": "waiting"}, (c,)),
        ({"state": "closed"}, (a, b)),
        ({"state": "archived"}, (a,)),
        ({"said": "PIANO fell"}, (b,)),
        ({"said": "slipped"}, ()),
        ({"said": "piano", "state": "waiting"}, ()),
    ):  # fmt: skip
        page = find(client, "", **asked)
        assert [each.uid for each in (a, b, c) if f"{LIST}{each.uid}/" in page] == [
            each.uid for each in expected
        ], asked
        assert ("Nothing is like that" in page or "this was said" in page) is (not expected)
    assert "In the archive what was said is encrypted" in find(client, "", said="slipped")


def test_a_day_is_a_day_where_olga_is(recent: Ended, olga: Operator, logged_in: LoggedIn) -> None:
    """R-118: the evening of the 22nd in New York is the 23rd in UTC; no name of a zone is a fault."""
    Chat.objects.filter(pk=recent.chat.pk).update(started_at=datetime(2026, 11, 23, 2, 5, tzinfo=UTC))
    client, new_york = logged_in(olga), "America/New_York"
    for day, zone, is_found in (
        ("2026-11-22", new_york, True),
        ("2026-11-23", new_york, False),
        ("2026-11-22", "", False),
        ("2026-11-23", "", True),
        ("2026-11-23", "../../etc/passwd", True),
        ("2026-11-23", "Nowhere/Atall", True),
    ):
        page = find(client, "", since=day, until=day, zone=zone)
        assert (f"{LIST}{recent.chat.uid}/" in page) is is_found, (day, zone)
    token = client.cookies["cl_csrf"].value
    for asked in ({"until": "9999-12-31"}, {"since": "0001-01-01"}):
        answer = client.post(LIST, {"csrfmiddlewaretoken": token, "zone": new_york, **asked})
        assert answer.status_code == 400 and "Write a" in answer.text


def test_nobody_finds_what_is_not_theirs(
    old: Ended, recent: Ended, eve: Operator, sam: Operator, logged_in: LoggedIn
) -> None:
    """R-112: by no word and no filter; the filters name nobody of another firm."""
    for who in (eve, sam):
        client = logged_in(who)
        for asked in ({}, {"said": "piano"}, {"state": "closed"}, {"since": "2020-01-01"}):
            page = find(client, "", **asked)
            assert recent.chat.uid not in page and old.chat.uid not in page
    client = logged_in(eve)
    assert recent.chat.department.uid not in client.get(LIST).content.decode()
    token = client.cookies["cl_csrf"].value
    asked = {"csrfmiddlewaretoken": token, "department": recent.chat.department.uid}
    answer = client.post(LIST, asked)
    assert answer.status_code == 400 and recent.chat.uid not in answer.content.decode()


def test_what_makes_no_sense_is_said_at_its_field(old: Ended, olga: Operator, logged_in: LoggedIn) -> None:
    """R-118: and looked for is nothing."""
    client = logged_in(olga)
    client.get(LIST)
    token = client.cookies["cl_csrf"].value
    for name, value in (("said", "ab"), ("since", "soon"), ("state", "lost"), ("words", "x" * 101)):
        answer = client.post(LIST, {"csrfmiddlewaretoken": token, name: value})
        assert answer.status_code == 400 and old.chat.uid not in answer.content.decode()


def test_a_search_reads_a_bounded_part_and_offers_to_go_on(
    folder: Path, site: Site, intake: Department, olga: Operator, principal_of: Any, logged_in: LoggedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """P: however many chats a firm has; nothing is passed over between two pages, and the days find their
    place by halving."""
    for name, value in (("STEP", 2), ("STEPS", 2), ("SAID_STEP", 1)):
        monkeypatch.setattr(history, name, value)
    at_desk = principal_of(olga)
    days = [60, 50, 40, 30, 20, 10]
    chats = [talk(visitor_on(site), intake, at_desk, f"It was day {day} after", "Well", hours=day * 24)
             for day in days]  # fmt: skip
    uids = [each.chat.uid for each in chats]
    client = logged_in(olga)
    page = find(client, "", said="day 60 after")
    assert "Nothing found so far" in page and "Looked back to" in page and "Look further back" in page
    found, before = [], ""
    while True:
        answer = history.find_chats(at_desk, history.Wanted(said="day"), before=before)
        found += [chat.uid for chat in answer.chats]
        if not (before := answer.next):
            break
    assert found == uids[::-1]
    until = chats[1].again().started_at.date()
    assert [each.uid for each in history.find_chats(at_desk, history.Wanted(until=until)).chats] == [
        uids[1], uids[0]
    ]  # fmt: skip
    since = chats[4].again().started_at.date()
    assert [each.uid for each in history.find_chats(at_desk, history.Wanted(since=since)).chats] == [
        uids[5], uids[4]
    ]  # fmt: skip


def test_a_store_that_is_away_is_said_on_the_page(
    old: Ended, folder: Path, olga: Operator, logged_in: LoggedIn
) -> None:
    """R-118: the chat stays listed, and the page says what to do."""
    folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    client = logged_in(olga)
    assert old.chat.uid in client.get(LIST).content.decode()
    page = client.get(f"{LIST}{old.chat.uid}/")
    assert page.status_code == 503 and "in the archive, which does not answer" in page.content.decode()


def test_older_ones_come_by_pages(
    folder: Path, site: Site, intake: Department, olga: Operator, principal_of: Any, logged_in: LoggedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """R-036: each once, the latest first."""
    monkeypatch.setattr(history, "PAGE", 2)
    at_desk = principal_of(olga)
    uids = [talk(visitor_on(site), intake, at_desk, "Hello", "Good day").chat.uid for _ in range(3)]
    client = logged_in(olga)
    first = client.get(LIST).content.decode()
    assert [uid in first for uid in uids] == [False, True, True]
    second = find(client, "", before=uids[1])
    assert [f"{LIST}{uid}/" in second for uid in uids] == [True, False, False]


def test_other_parts_are_told_beside_it(
    old: Ended, olga: Operator, logged_in: LoggedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-044: what a survey has to say stands beside the transcript; what is no template's is escaped."""
    monkeypatch.setattr(beside, "PARTS", [lambda chat: "", lambda chat: f"<i>{chat.visitor.number}</i>"])
    page = logged_in(olga).get(f"{LIST}{old.chat.uid}/").content.decode()
    assert f"&lt;i&gt;{old.chat.visitor.number}&lt;/i&gt;" in page
