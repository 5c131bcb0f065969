"""No question that is asked all the time reads a whole table of chats, messages or visitors (performance)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts import outbox
from accounts import selectors as accounts
from accounts.models import Department, Operator, Site
from chats import actions, keeping, positions, recovery, sealing, selectors, welcomes
from chats.models import Chat, RetentionLimit
from sms import actions as texts
from sms.actions.sending import contact_of, follow_chats
from sms.models import SmsSender, SmsThread
from surveys import selectors as surveys
from tests.conftest import make_chat, visitor_on
from tests.snapshots import console_of_one
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db

BIG = (
    "chats_chat", "chats_message", "chats_note", "visitors_visitor", "visitors_visitorsession",
    "accounts_consent", "chats_chatseal", "chats_archivedchat", "sms_smsmessage", "sms_smsthread",
    "surveys_response", "surveys_answer", "chats_keepingrun",
)  # fmt: skip
# All that it ever had: for the only firm on a server, the whole table. Looked for on SQLite, which plans
# without a look at the rows; to PostgreSQL every index of a table with three is the same.
OF_AN_ACCOUNT = "chat_account"
# indexes of what is open, was missed or came back: as small as the present, however long the past
OF_THE_PRESENT = re.compile(
    r"chat_(waiting|active|missed|open|open_once|returned|unsealed)|sms_thread_open|sms_queued"
    r"|keeping_run_open_once"
)


def whole_reads(sql: str) -> list[str]:
    """What a statement would read all of, among the big tables."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # it would rightly read all of a table with three rows; where it still does, there is no index
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            return list(_nodes_reading_all(cursor.fetchone()[0][0]["Plan"]))
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        lines = [row[-1] for row in cursor.fetchall()]
    scan = re.compile(
        r"(?P<how>SCAN|SEARCH) (?:TABLE )?(?P<table>\w+)(?: USING (?:COVERING )?INDEX (?P<index>\w+))?"
    )
    found = [(line, scan.match(line)) for line in lines]
    return [
        line
        for line, part in found
        if part
        and part["table"] in BIG
        and (
            part["index"] == OF_AN_ACCOUNT
            or (part["how"] == "SCAN" and not OF_THE_PRESENT.fullmatch(part["index"] or ""))
        )
    ]


def _nodes_reading_all(plan: dict[str, Any]) -> Iterator[str]:
    table, index = plan.get("Relation Name", ""), plan.get("Index Name", "")
    narrowed = "Index Cond" in plan or "Bitmap" in plan["Node Type"] or "TID Cond" in plan
    if table in BIG and "Scan" in plan["Node Type"] and not narrowed and not OF_THE_PRESENT.fullmatch(index):
        yield f"{plan['Node Type']} of {table} {index}"
    for each in plan.get("Plans", ()):
        yield from _nodes_reading_all(each)


@contextmanager
def no_whole_reads() -> Iterator[None]:
    """Every statement inside is explained afterwards."""
    with CaptureQueriesContext(connection) as captured:
        yield
    statements = [each["sql"] for each in captured if re.match(r"SELECT|UPDATE|DELETE", each["sql"])]
    assert statements
    assert [(sql, read) for sql in statements for read in whole_reads(sql)] == []


@pytest.fixture
def busy(site: Site, intake: Department, olga: Operator, vera: VisitorPrincipal) -> Chat:
    """Vera's active chat, and others that wait or were missed."""
    make_chat(visitor_on(site), intake)
    return make_chat(vera, intake, state="active", operator=olga)


def test_coming_in(
    busy: Chat, site: Site, olga: Operator, vera: VisitorPrincipal, principal_of: Callable[..., Any]
) -> None:
    """V-9: accept, authenticate, snapshot."""
    with no_whole_reads():
        accounts.sites_by_key([site.key])
        welcomes.welcome_visitors([vera, visitor_on(site)])
        console_of_one(principal_of(olga))
        selectors.find_handle(busy.account_id, busy.uid)


def test_what_is_told_again_and_again(
    busy: Chat, olga: Operator, vera: VisitorPrincipal, principal_of: Callable[..., Any]
) -> None:
    """V-3: positions of both sides, and who is there."""
    with no_whole_reads():
        positions.operator_positions([principal_of(olga)])
        positions.lately_missed([principal_of(olga)])
        positions.visitor_positions({vera.session_key})
        actions.note_visitors([vera.session_key])


def test_catching_up(
    busy: Chat, olga: Operator, vera: VisitorPrincipal, principal_of: Callable[..., Any]
) -> None:
    """V-9: a resume is one indexed question."""
    epoch, principal = accounts.epoch(), principal_of(olga)
    with no_whole_reads():
        for each in (vera, principal):
            recovery.resumed(each, uid=busy.uid, after=0, staff_after=0, epoch=epoch)
            recovery.page(each, uid=busy.uid, before=0)
        recovery.synced(principal, positions={busy.uid: (0, 0, 0)}, epoch=epoch)


def test_ending_and_sweeping(
    busy: Chat, olga: Operator, vera: VisitorPrincipal, principal_of: Callable[..., Any]
) -> None:
    """R-121: what a task looks through every minute."""
    progress = actions.Progress(busy.pk, "visitor", 1, 1, vera.session_key, 0)
    with no_whole_reads():
        actions.close_idle()
        actions.lose_visitors()
        actions.return_lost_chats()
        actions.set_marks([progress])
        actions.end_chat(principal=principal_of(olga), uid=busy.uid)


def sender_of(chat: Chat) -> SmsSender:
    """A number of the firm's, whose texts go into a file."""
    programme = texts.add_programme(
        account=chat.account,
        name="Acme Law texts",
        contact="800-555-0100",
        terms_url="https://acme.test/terms",
    )
    return texts.add_sender(
        account=chat.account, programme=programme, site=chat.site, department=chat.department,
        gateway="console", kind="long_code", number="+18135550199", is_registered=True,
    )  # fmt: skip


def test_what_tasks_ask_again_and_again(busy: Chat, site: Site, olga: Operator) -> None:
    """R-111, R-118, R-180: every minute, every two; however many have ended."""
    sender, contact = sender_of(busy), contact_of(site.account_id, "+12025550123")
    SmsThread.objects.create(account_id=site.account_id, chat=busy, contact=contact, sender=sender)
    RetentionLimit.objects.create(account=site.account, site=site, days=30)
    with no_whole_reads():
        follow_chats()
        actions.seal_ended()
        actions.verify_asked()
        keeping.due(site.account_id, [7], 50)
        keeping.due_everywhere()
        outbox.due_ids()


def test_the_end_of_a_chat_that_is_sealed_and_asked_about(
    busy: Chat, vera: VisitorPrincipal, olga: Operator, principal_of: Callable[..., Any]
) -> None:
    """R-040, R-111: what comes after the end looks at this chat alone."""
    with no_whole_reads():
        actions.end_chat(principal=principal_of(olga), uid=busy.uid)
        surveys.response_of(vera, busy.uid)
        sealing.seal(busy.pk)


def test_what_a_text_message_asks(busy: Chat, settings: Settings, tmp_path: Path) -> None:
    """R-180, R-195: a text that comes in, one that goes out, and its state."""
    settings.SMS_FILE = tmp_path / "sent.log"
    sender = sender_of(busy)
    come = {"From": "+12025550123", "Body": "Hello"}
    with no_whole_reads():
        texts.receive(sender=sender, form={**come, "MessageSid": "SM1"})
        texts.receive(sender=sender, form={**come, "MessageSid": "SM2", "Body": "STOP"})
        for item_id in outbox.due_ids():
            outbox.carry_out(item_id)


def test_a_plan_that_reads_everything_is_found(busy: Chat) -> None:
    """Else the tests above would prove nothing."""
    with pytest.raises(AssertionError), no_whole_reads():
        Chat.objects.filter(page_url="https://www.acme.test/").first()
