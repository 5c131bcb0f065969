"""Who hears of a row, and when: only after its commit, and never the visitor of a note."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from accounts.models import Department, Operator
from chatlead.realtime import hub as hubs
from chatlead.realtime.events import encode
from chatlead.realtime.hub import Hub
from chatlead.realtime.topics import operator, operators_of, session
from chats import journal
from chats.journal import Entry, Outcome
from chats.models import Chat, Message, Note
from chats.rows import event_of_message, event_of_note
from tests.chats.journal_hands import by_operator, by_system, by_visitor, ref, submitted

pytestmark = pytest.mark.django_db(transaction=True)


class Listener:
    """A socket that writes down what it is sent."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def deliver(self, text: str) -> None:
        self.heard.append(json.loads(text))

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.heard]


class Ears:
    """The visitor's frame, olga's console, a console of intake and one of billing."""

    def __init__(self, hub: Hub, chat: Chat, olga: Operator, intake: int, billing: int) -> None:
        self.hub = hub
        self.vera, self.olga, self.intake, self.billing = Listener(), Listener(), Listener(), Listener()
        hub.join(self.vera, [session(chat.session_key)])
        hub.join(self.olga, [operator(olga.pk)])
        hub.join(self.intake, [operators_of(intake)])
        hub.join(self.billing, [operators_of(billing)])

    def types(self) -> dict[str, list[str]]:
        ears = {"vera": self.vera, "olga": self.olga, "intake": self.intake, "billing": self.billing}
        return {name: listener.types() for name, listener in ears.items() if listener.heard}


Listening = Callable[[], AbstractAsyncContextManager[Ears]]


@pytest.fixture
def listening(active_chat: Chat, olga: Operator, billing: Department) -> Listening:
    @asynccontextmanager
    async def open_ears() -> AsyncIterator[Ears]:
        hub = await hubs.here()
        try:
            yield Ears(hub, active_chat, olga, active_chat.department_id, billing.pk)
        finally:
            await hub.stop()

    return open_ears


def appended(*entries: Entry) -> list[Outcome]:
    try:
        with transaction.atomic():
            return journal.append(entries)
    finally:
        connection.close()


in_pool = sync_to_async(appended, thread_sensitive=False)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_message_goes_to_the_visitor_and_the_operator(
    active_chat: Chat, olga: Operator, listening: Listening
) -> None:
    async def scene() -> dict[str, list[str]]:
        async with listening() as ears:
            await submitted([by_visitor(active_chat, "Hello?"), by_operator(active_chat, olga, "Yes?")])
            await in_pool(by_visitor(active_chat, "It is about a fall"))
            await settle()
            return ears.types()

    posted = ["message_posted"] * 3
    assert asyncio.run(scene()) == {"vera": posted, "olga": posted}


def test_while_nobody_has_accepted_the_department_hears(active_chat: Chat, listening: Listening) -> None:
    Chat.objects.update(state="waiting", operator=None)

    async def scene() -> dict[str, list[str]]:
        async with listening() as ears:
            await submitted([by_visitor(active_chat, "Hello?")])
            await in_pool(by_visitor(active_chat, "Anybody?"))
            await settle()
            return ears.types()

    assert asyncio.run(scene()) == {"vera": ["message_posted"] * 2, "intake": ["message_posted"] * 2}


def test_a_note_never_reaches_the_visitor(active_chat: Chat, olga: Operator, listening: Listening) -> None:
    async def scene() -> tuple[dict[str, list[str]], dict[str, Any]]:
        async with listening() as ears:
            await submitted([by_operator(active_chat, olga, "Sounds upset", kind="note")])
            await in_pool(by_operator(active_chat, olga, "Call back", kind="note"))
            await settle()
            return ears.types(), ears.olga.heard[0]

    heard, note = asyncio.run(scene())
    assert heard == {"olga": ["note_added"] * 2}
    assert (note["staff_seq"], note["name"], note["text"]) == (1, "Olga", "Sounds upset")


def test_those_who_could_see_it_before_hear_it_too(
    active_chat: Chat, olga: Operator, billing: Department, listening: Listening
) -> None:
    """A transfer goes to old and new; `also` names the others, and each socket hears it once."""
    entry = by_operator(
        active_chat, olga, kind="transferred",
        facts={"department": "Billing", "department_uid": billing.uid, "state": "waiting"},
    )  # fmt: skip

    def transfer() -> None:
        with transaction.atomic():
            Chat.objects.update(state="waiting", operator=None, department=billing)
            journal.append([entry], [operator(olga.pk), operator(olga.pk)])
        connection.close()

    async def scene() -> dict[str, list[str]]:
        async with listening() as ears:
            await sync_to_async(transfer, thread_sensitive=False)()
            await settle()
            return ears.types()

    moved = ["chat_transferred"]
    assert asyncio.run(scene()) == {"vera": moved, "olga": moved, "billing": moved}


def test_the_sender_hears_the_answer_and_no_event(active_chat: Chat, listening: Listening) -> None:
    """The event goes out before the answer, and what was known before is no news."""

    async def scene() -> tuple[dict[str, list[str]], list[str]]:
        async with listening() as ears:
            order: list[str] = []
            entry = by_visitor(active_chat, "Hello?")
            for _ in range(2):
                answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

                def told(outcome: Any, answer: asyncio.Future[Any] = answer) -> None:
                    order.append(f"{outcome.status} after {len(ears.olga.heard)}")
                    answer.set_result(None)

                journal.submit(entry, told, ears.vera)
                await asyncio.wait_for(answer, 20)
            return ears.types(), order

    heard, order = asyncio.run(scene())
    assert heard == {"olga": ["message_posted"]}
    assert order == ["stored after 1", "known after 1"]


def test_refused_rows_are_no_news(active_chat: Chat, sam: Operator, listening: Listening) -> None:
    async def scene() -> dict[str, list[str]]:
        async with listening() as ears:
            await submitted(
                [by_operator(active_chat, sam, "Hello."), by_visitor(active_chat, session_key="x")]
            )
            await in_pool(by_operator(active_chat, sam, "Hello."))
            await settle()
            return ears.types()

    assert asyncio.run(scene()) == {}


def test_nothing_is_heard_before_the_commit(active_chat: Chat, listening: Listening) -> None:
    written, may_end = threading.Event(), threading.Event()

    def slowly(fails: bool) -> None:
        with transaction.atomic():
            journal.append([by_visitor(active_chat, "Hello?")])
            written.set()
            assert may_end.wait(20)
            transaction.set_rollback(fails)
        connection.close()

    async def scene(fails: bool) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        written.clear()
        may_end.clear()
        async with listening() as ears:
            work = asyncio.ensure_future(sync_to_async(slowly, thread_sensitive=False)(fails))
            assert await asyncio.to_thread(written.wait, 20)
            await settle()
            before = ears.types()
            may_end.set()
            await work
            await settle()
            return before, ears.types()

    assert asyncio.run(scene(fails=True)) == ({}, {})
    posted = ["message_posted"]
    assert asyncio.run(scene(fails=False)) == ({}, {"vera": posted, "olga": posted})


def test_a_socket_waits_for_the_transaction_of_an_action(active_chat: Chat, listening: Listening) -> None:
    """R-035: an action holds the chat; what is submitted meanwhile gets the number after it."""
    held, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            journal.append([by_visitor(active_chat, "first")])
            held.set()
            assert may_end.wait(20)
        connection.close()

    async def scene() -> tuple[dict[str, list[str]], int, list[int]]:
        async with listening() as ears:
            work = asyncio.ensure_future(sync_to_async(slowly, thread_sensitive=False)())
            assert await asyncio.to_thread(held.wait, 20)
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            journal.submit(by_visitor(active_chat, "second"), answer.set_result)
            await asyncio.sleep(0.15)
            assert not answer.done()
            early = ears.types()
            may_end.set()
            outcome = await asyncio.wait_for(answer, 20)
            await work
            await settle()
            return early, outcome.seq, sorted(frame["seq"] for frame in ears.olga.heard)

    assert asyncio.run(scene()) == ({}, 4, [3, 4])


def test_the_event_is_the_row(active_chat: Chat, olga: Operator, listening: Listening) -> None:
    """V-2: what was heard live is, frame by frame, what the stored rows say in a snapshot."""
    said = by_visitor(active_chat, "Hello?")
    noted = by_operator(active_chat, olga, "Hm", kind="note")
    entries = [
        said,
        by_operator(active_chat, olga, "Yes?"),
        by_operator(active_chat, olga, "Yes, please?", kind="edit", target=4),
        by_operator(active_chat, olga, kind="accepted"),
        by_system(active_chat, "opened", department="Intake"),
        by_operator(
            active_chat, olga, kind="transferred", ref=ref(),
            facts={"department": "Billing", "department_uid": "b", "to_operator": "s", "to_name": "Sam",
                   "state": "active"},
        ),
        by_visitor(active_chat, kind="deletion", target=3),
        by_system(active_chat, "closed", state="closed", reason="idle"),
        noted,
    ]  # fmt: skip

    async def scene() -> list[dict[str, Any]]:
        async with listening() as ears:
            await in_pool(*entries)
            await settle()
            return list(ears.olga.heard)

    heard = asyncio.run(scene())
    known = {olga.pk: (olga.uid, olga.name)}
    rows = Message.objects.filter(chat=active_chat, seq__gte=3).order_by("seq")
    stored = [json.loads(encode(event_of_message(row, known, active_chat.uid))) for row in rows]
    stored += [json.loads(encode(event_of_note(row, known, active_chat.uid))) for row in Note.objects.all()]
    # rows whose text has changed since say so
    assert (stored[0].pop("state"), stored[0]["text"]) == ("deleted", "")
    assert (stored[1].pop("state"), stored[1]["text"]) == ("edited", "Yes, please?")
    stored[0]["text"], stored[1]["text"] = "Hello?", "Yes?"
    assert heard == stored
    assert heard[0]["ref"] == str(said.ref)
    assert heard[3]["name"] == "Olga"
