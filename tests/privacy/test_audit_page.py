"""owen reads who did what in acme, and nobody else's (R-111, B2-18, R-112)."""

from __future__ import annotations

import ast
import csv
import io
import re
from pathlib import Path

import pytest
from django.test import Client

from accounts import audit
from accounts.models import Account, Operator
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, TABLE = "/account/audit/", "/account/audit/audit.csv"
ROOT = Path(__file__).parents[2]


def read(answer: object) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_owen_reads_what_was_done_in_words(owens: Client, owen: Operator, nina: Operator) -> None:
    """R-111: by person, kind and day, and as a table."""
    assert "Nothing here yet" in owens.get(PAGE).text
    audit.note("survey.published", account=owen.account, by=nina, facts={"questions": 3})
    audit.note("privacy.searched", account=owen.account, by=owen, facts={"found": 0})
    audit.note("privacy.erased", account=owen.account, by=None, facts={"reason": "=under_age"})
    shown = owens.get(PAGE).text
    for words in ("Published a survey", "questions: 3", "Looked for a person", "ChatLead, by itself"):
        assert words in shown
    by_nina = owens.get(PAGE, {"who": nina.uid}).text
    assert "Published a survey" in by_nina and "Looked for a person" not in by_nina
    of_privacy = owens.get(PAGE, {"kind": "privacy", "who": "service"}).text
    assert "Erased a person" in of_privacy and "Looked for a person" not in of_privacy
    assert "Nothing found" in owens.get(PAGE, {"until": "2001-01-01"}).text
    assert "Published a survey" in owens.get(PAGE, {"since": "2001-01-01", "until": "9999-12-31"}).text
    rows = read(owens.get(TABLE, {"kind": "survey"}))
    assert [row[1:4] for row in rows[1:]] == [["Nina", "Published a survey", "survey.published"]]


def test_a_page_goes_on_where_the_last_one_ended(owens: Client, owen: Operator) -> None:
    """R-111: each entry once."""
    for number in range(120):
        audit.note("privacy.searched", account=owen.account, by=owen, facts={"found": number})
    address, seen = PAGE, []
    while address:
        shown = owens.get(address).text
        seen += [int(each) for each in re.findall(r"found: (\d+)", shown)]
        older = re.search(r'href="\?([^"]+)">Older', shown)
        address = f"{PAGE}?{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == list(range(119, -1, -1))
    assert len(read(owens.get(TABLE))) == 121


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "since=0000-00-00", "until=9999-13-99", "kind=%00"]
)
def test_what_makes_no_sense_chooses_nothing(owens: Client, owen: Operator, query: str) -> None:
    """R-112: an answer all the same."""
    audit.note("privacy.searched", account=owen.account, by=owen)
    assert "Looked for a person" in owens.get(f"{PAGE}?{query}").text


def test_eve_sees_nothing_of_acmes_nor_olga_anything(
    owen: Operator, eve: Operator, olga: Operator, nina: Operator, acme: Account
) -> None:
    """R-112: with acme's ids neither; and only admins."""
    audit.note("privacy.searched", account=acme, by=owen, facts={"found": 77})
    eves = Client()
    eves.login(username=eve.user.email, password=PASSWORD)
    for query in ({}, {"who": owen.uid}):
        shown = eves.get(PAGE, query).text
        assert "found: 77" not in shown and "Owen" not in shown
        assert len(read(eves.get(TABLE, query))) == 1
    for somebody in (olga, nina):
        theirs = Client()
        theirs.login(username=somebody.user.email, password=PASSWORD)
        assert [theirs.get(each).status_code for each in (PAGE, TABLE)] == [403, 403]


NOTES = {"note", "_note", "_write"}  # what an action is given to


def test_every_action_has_words() -> None:
    """R-111: an action that the code notes is in the table, and nothing else is."""
    spoken: set[str] = set()
    shape = re.compile(r"[a-z]+\.[a-z0-9_]+")
    for app in ("accounts", "visitors", "chats", "surveys", "sms", "privacy", "chatlead"):
        for file in (ROOT / app).rglob("*.py"):
            for function in ast.walk(ast.parse(file.read_text())):
                if not isinstance(function, ast.FunctionDef):
                    continue
                inside = list(ast.walk(function))
                if not any(isinstance(each, ast.Call) and _name(each) in NOTES for each in inside):
                    continue
                literals = {
                    each.value
                    for each in inside
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
                spoken |= {each for each in literals if shape.fullmatch(each)}
    # put together: privacy.actions.begin, and the page of backups
    spoken |= {"privacy.export_begun", "privacy.erase_begun", "backup.asked", "proof.asked"}
    assert spoken == set(audit.WORDS)
    assert {each.partition(".")[0] for each in spoken} == set(audit.KINDS)


def _name(call: ast.Call) -> str:
    named = call.func
    return named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
