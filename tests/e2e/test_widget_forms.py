"""The form before a chat as a visitor meets it: what is asked, what is missing, what she agrees to."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.exchange import Staff
from tests.e2e.people import Desk, Visitor, until
from tests.servers import Server

FIRM = "Harbor & Lane"
INTAKE_FORM: list[dict[str, Any]] = [
    {"name": "name", "label": "Name", "kind": "text"},
    {"name": "email", "label": "Email", "kind": "email", "required": True},
    {"name": "matter", "label": "What is it about?", "kind": "select", "options": ["A crash", "A divorce"],
     "required": True},
    {"name": "adult", "label": "I am of age", "kind": "checkbox", "required": True},
    {"name": "story", "label": "In a few words", "kind": "textarea", "hint": "No names, please."},
]  # fmt: skip


@pytest.fixture
def olga(answering: Staff) -> Staff:
    """Her console is not what these tests look at."""
    return answering


class Firm:
    """The demo firm's settings, as somebody changes them while visitors look at the form."""

    def __init__(self, server: Server) -> None:
        self.file = server.data_dir / "db.sqlite3"

    def asks(self, fields: list[dict[str, Any]]) -> None:
        self.run("UPDATE accounts_site SET fields = ? WHERE name = ?", json.dumps(fields), FIRM)

    def is_called(self, legal_name: str) -> None:
        self.run("UPDATE accounts_account SET legal_name = ? WHERE name = ?", legal_name, FIRM)

    def wants_to_text(self) -> None:
        """Where its form asks for a phone number, it has the boxes of a programme, too."""
        programme = (
            "INSERT INTO sms_smsprogramme"
            " (account_id, uid, name, contact, frequency, terms_url, asks_yes, created_at)"
            " SELECT id, ?, 'Harbor texts', 'call us', 'Rarely', '', 0, CURRENT_TIMESTAMP"
            " FROM accounts_account WHERE name = ?"
        )
        self.run(programme, secrets.token_urlsafe(16), FIRM)
        self.run(
            "INSERT INTO sms_smsform (account_id, site_id, programme_id, created_at)"
            " SELECT p.account_id, s.id, p.id, CURRENT_TIMESTAMP FROM sms_smsprogramme p"
            " JOIN accounts_site s ON s.account_id = p.account_id WHERE p.name = ? AND s.name = ?",
            "Harbor texts",
            FIRM,
        )

    def texts_agreed_to(self) -> list[tuple[Any, ...]]:
        """(purpose, what was done, the text beside the box) of the ledger."""
        return self.run("SELECT purpose, deed, text FROM sms_smsconsent ORDER BY purpose")

    def run(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file, timeout=20)) as database, database:
            return database.execute(statement, values).fetchall()

    def consents(self, name: str) -> list[tuple[Any, ...]]:
        """(purpose, text shown, address) of a visitor's consents."""
        return self.run(
            "SELECT c.purpose, n.text, c.ip FROM accounts_consent c"
            " JOIN accounts_notice n ON n.id = c.notice_id"
            " JOIN visitors_visitor v ON v.uid = c.visitor_uid WHERE v.name = ?",
            name,
        )

    def answers(self, name: str) -> list[Any]:
        found = self.run(
            "SELECT c.answers FROM chats_chat c JOIN visitors_visitor v ON v.id = c.visitor_id"
            " WHERE v.name = ?",
            name,
        )
        return [json.loads(answers) for (answers,) in found]


@pytest.fixture
def firm(server: Server) -> Iterator[Firm]:
    """Whatever was changed is as before afterwards."""
    found = Firm(server)
    ((fields, legal_name),) = found.run(
        "SELECT s.fields, a.legal_name FROM accounts_site s JOIN accounts_account a ON a.id = s.account_id"
        " WHERE s.name = ?",
        FIRM,
    )
    yield found
    found.asks(json.loads(fields))
    found.is_called(legal_name)
    found.run("DELETE FROM sms_smsform")


def field(vera: Visitor, name: str) -> Locator:
    return vera.frame.get_by_label(name)


def start(vera: Visitor) -> Locator:
    return vera.frame.get_by_role("button", name="Start chat")


def at_the_form(visitor: Callable[..., Visitor]) -> Visitor:
    vera = visitor(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    vera.visits()
    vera.opens_chat()
    expect(start(vera)).to_be_visible()
    return vera


def test_vera_is_told_at_each_field_what_is_missing_and_what_she_filled_in_arrives(
    console: Desk, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-031: text, e-mail, select, checkbox and a long text; required and optional. R-180: beside the phone
    number a box for each purpose of texts, empty, with its whole text, and none of them needed."""
    firm.asks([*INTAKE_FORM, {"name": "phone", "label": "Phone", "kind": "phone"}])
    firm.wants_to_text()
    vera = at_the_form(visitor)
    start(vera).click()
    for words in ("Please fill in: Email", "Please choose one.", "Please tick this to go on."):
        expect(vera.frame.get_by_text(words)).to_be_visible()
    expect(vera.frame.locator(".field-error")).to_have_count(3)
    expect(field(vera, "Email")).to_be_focused()
    field(vera, "Name").fill("Vera Fields")
    field(vera, "Email").fill("not an address")
    field(vera, "What is it about?").select_option("A divorce")
    field(vera, "I am of age").check()
    field(vera, "In a few words").fill("He moved out.\nI did not.")
    field(vera, "Phone").fill("813-555-0100")
    boxes = vera.frame.get_by_role("checkbox", name="I agree to receive")
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        expect(box).not_to_be_checked()
    boxes.first.check()
    start(vera).click()
    expect(vera.frame.locator(".field-error")).to_have_count(1)
    expect(vera.frame.get_by_text("does not look like an email")).to_be_visible()
    field(vera, "Email").fill("vera@example.test")
    start(vera).click()
    expect(vera.log).to_be_visible()
    assert [
        [(each["name"], each["value"]) for each in answers] for answers in firm.answers("Vera Fields")
    ] == [
        [
            ("matter", "A divorce"),
            ("adult", "yes"),
            ("story", "He moved out.\nI did not."),
            ("phone", "813-555-0100"),
        ]
    ]
    until(vera.page, lambda: len(firm.texts_agreed_to()) == 2, "the boxes are taken down")
    (marketing, no, _), (service, yes, text) = firm.texts_agreed_to()
    assert [(marketing, no), (service, yes)] == [("marketing", "no_consent"), ("service", "granted")]
    assert text.startswith("I agree to receive text messages") and "not a condition of a chat" in text
    console.accepts("Vera Fields")
    expect(console.region("Visitor").get_by_text("vera@example.test")).to_be_visible()
    expect(console.region("Visitor").get_by_text("A divorce")).to_be_visible()
    vera.ends_chat()


def test_who_is_under_18_is_told_whom_to_call_and_leaves_nothing(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-070: where the site asks; by the widget as it is, and after a reload, too."""
    hint = "Under 18? Call 813 555 0199."
    asked = {"name": "of_age", "label": "How old are you?", "kind": "select", "required": True, "hint": hint}
    firm.asks([INTAKE_FORM[0], asked | {"options": ["18 or older", "Under 18"]}])
    vera = at_the_form(visitor)
    expect(vera.frame.get_by_text(hint)).to_be_visible()
    field(vera, "Name").fill("Vera Toosoon")
    field(vera, "How old are you?").select_option("Under 18")
    start(vera).click()
    expect(vera.frame.get_by_role("heading", name="This chat is for adults")).to_be_visible()
    expect(vera.frame.get_by_text(hint)).to_be_visible()
    expect(start(vera)).to_have_count(0)
    assert firm.run("SELECT 1 FROM visitors_visitor WHERE name = ?", "Vera Toosoon") == []
    vera.page.reload()
    vera.opens_chat()
    expect(vera.frame.get_by_role("heading", name="This chat is for adults")).to_be_visible()


def test_what_only_the_server_can_tell_is_said_at_its_field_and_nothing_is_stored(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-031: an address that looks like one and is none."""
    firm.asks(INTAKE_FORM)
    vera = at_the_form(visitor)
    field(vera, "Name").fill("Vera Refused")
    field(vera, "Email").fill("vera@nowhere")
    field(vera, "What is it about?").select_option("A crash")
    field(vera, "I am of age").check()
    start(vera).click()
    expect(field(vera, "Email")).to_have_attribute("aria-invalid", "true")
    expect(field(vera, "Email")).to_be_focused()
    expect(field(vera, "Email")).to_have_value("vera@nowhere")
    assert firm.answers("Vera Refused") == []
    assert firm.consents("Vera Refused") == []


def test_a_field_that_the_firm_took_away_meanwhile_is_refused_and_the_form_is_shown_as_it_is_now(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-031: unknown fields are refused; vera is told, keeps the rest, and needs no reload."""
    firm.asks([*INTAKE_FORM[:2], {"name": "budget", "label": "Budget", "kind": "text"}])
    vera = at_the_form(visitor)
    field(vera, "Name").fill("Vera Unknown")
    field(vera, "Email").fill("vera@example.test")
    field(vera, "Budget").fill("canary 5,000")
    firm.asks(INTAKE_FORM[:2])
    start(vera).click()
    expect(vera.frame.get_by_role("alert")).to_contain_text("The form has changed")
    expect(field(vera, "Budget")).to_have_count(0)
    assert firm.answers("Vera Unknown") == []
    expect(field(vera, "Name")).to_have_value("Vera Unknown")
    start(vera).click()
    expect(vera.log).to_be_visible()
    assert firm.answers("Vera Unknown") == [[]]
    vera.ends_chat()


def test_a_field_that_became_required_meanwhile_is_asked_for(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-031."""
    firm.asks(INTAKE_FORM[:1])
    vera = at_the_form(visitor)
    field(vera, "Name").fill("Vera Required")
    firm.asks(INTAKE_FORM[:2])
    start(vera).click()
    expect(vera.frame.get_by_role("alert")).to_contain_text("The form has changed")
    field(vera, "Email").fill("vera@example.test")
    start(vera).click()
    expect(vera.log).to_be_visible()
    vera.ends_chat()


def test_without_a_form_the_chat_begins_with_no_question_and_no_consent_is_made_up(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-031, R-032: a chat without personal data makes no consent row."""
    before = firm.run("SELECT count(*) FROM accounts_consent")
    firm.asks([])
    vera = at_the_form(visitor)
    expect(vera.frame.get_by_role("textbox")).to_have_count(0)
    start(vera).click()
    expect(vera.log).to_be_visible()
    vera.ends_chat()
    assert firm.run("SELECT count(*) FROM accounts_consent") == before


def test_the_notice_stands_beside_the_button_and_names_the_firm_and_us(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-032, R-033: in full, not behind a link; what was shown is kept as proof."""
    vera = at_the_form(visitor)
    notice = vera.frame.locator(".notice")
    expect(notice).to_contain_text("Harbor & Lane LLP")
    expect(notice).to_contain_text("ChatLead")
    above, below = notice.bounding_box(), start(vera).bounding_box()
    assert above is not None
    assert below is not None
    assert 0 <= below["y"] - (above["y"] + above["height"]) <= 24
    field(vera, "Name").fill("Vera Notice")
    shown = notice.inner_text().removesuffix("Your data").strip()  # a link that is none of its words
    start(vera).click()
    expect(vera.log).to_be_visible()
    ((purpose, text, ip),) = firm.consents("Vera Notice")
    assert (purpose, text) == ("chat", shown)
    assert ip == "127.0.0.0"
    vera.ends_chat()


def test_a_notice_that_changed_while_vera_read_it_is_shown_anew_before_anything_is_stored(
    olga: Staff, visitor: Callable[..., Visitor], firm: Firm
) -> None:
    """R-032: the proof is of the text that she saw."""
    vera = at_the_form(visitor)
    field(vera, "Name").fill("Vera Newer")
    firm.is_called("Harbor, Lane & Daughters")
    start(vera).click()
    expect(vera.frame.get_by_role("alert")).to_contain_text("The privacy notice has changed")
    expect(vera.frame.locator(".notice")).to_contain_text("Harbor, Lane & Daughters")
    assert firm.consents("Vera Newer") == []
    start(vera).click()
    expect(vera.log).to_be_visible()
    ((_, text, _),) = firm.consents("Vera Newer")
    assert "Harbor, Lane & Daughters" in text
    vera.ends_chat()
