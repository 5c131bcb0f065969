"""Telling sockets something: only those who may hear it, and only what is committed."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from django.db import transaction

from chatlead.realtime import events, pool, topics
from chatlead.realtime import hub as hubs
from chatlead.realtime.events import EVENTS, AvailabilityChanged, Event, NoteAdded, TypingChanged
from chatlead.realtime.hub import Hub
from chatlead.realtime.publish import AudienceMismatch, publish, publish_committed
from chatlead.realtime.topics import Audience, Topic
from tests.realtime.test_hub import Ear

SITE = topics.site(1)
TOPICS = [
    topics.operators_of(1),
    topics.operator(1),
    topics.team(1),
    topics.session("v" * 64),
    topics.site(1),
]


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = await hubs.here()
    yield made
    await made.stop()


@pytest.fixture
def vera(hub: Hub) -> Ear:
    ear = Ear()
    hub.join(ear, [SITE])
    return ear


def online(*uids: str) -> AvailabilityChanged:
    return AvailabilityChanged(online=list(uids))


def heard(ear: Ear) -> list[list[str]]:
    return [json.loads(text)["online"] for text in ear.heard]


def made_up(cls: type[Any]) -> Any:
    """An instance with any values: only the class matters here."""
    return cls(**dict.fromkeys(cls.__struct_fields__, ""))


def test_the_matrix_knows_every_topic() -> None:
    makers = [
        name
        for name, maker in inspect.getmembers(topics, callable)
        if not inspect.isclass(maker)
        and maker.__module__ == topics.__name__
        and inspect.signature(maker).return_annotation == "Topic"
    ]
    assert len(makers) == len(TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name[:1])
@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.__name__)
async def test_no_event_goes_to_anybody_who_may_not_hear_it(cls: type[Event], topic: Topic, hub: Hub) -> None:
    """A note cannot leak through a forgotten condition: the classes say who may hear them."""
    ear = Ear()
    hub.join(ear, [topic])
    may = cls.audience == Audience.BOTH or cls.audience == topic.audience
    for door in (lambda event: publish(event, topic), lambda event: publish_committed(event, [topic])):
        if may:
            door(made_up(cls))
        else:
            with pytest.raises(AudienceMismatch, match=f"{cls.__name__} must not go to"):
                door(made_up(cls))
    assert len(ear.heard) == (2 if may else 0)


async def test_one_wrong_topic_stops_all() -> None:
    note = NoteAdded(chat="c", staff_seq=1, at=1, ref="r", operator="o", name="Olga", text="rude")
    with pytest.raises(AudienceMismatch):
        publish(note, topics.operator(1), topics.session("v"))


def test_what_visitors_may_hear_holds_nothing_of_the_staffs() -> None:
    """The classes that a visitor's socket may carry have no place for notes, answers or addresses."""
    staff_only = {"staff_seq", "notes", "answers", "email", "unread_count", "rights_epoch"}
    for cls in EVENTS:
        if Audience.VISITOR in cls.audience:
            schema = json.dumps(msgspec.json.schema(cls))
            assert not [word for word in staff_only if f'"{word}"' in schema], cls


@pytest.mark.django_db(transaction=True)
async def test_it_is_sent_after_the_commit_in_the_order_of_the_calls(hub: Hub, vera: Ear) -> None:
    def action() -> None:
        with transaction.atomic():
            publish(online("1"), SITE)
            with transaction.atomic():
                publish(online("2"), SITE)
            assert vera.heard == []

    await pool.run(action)
    assert heard(vera) == [["1"], ["2"]]


@pytest.mark.django_db(transaction=True)
async def test_what_is_rolled_back_is_never_sent(hub: Hub, vera: Ear) -> None:
    def action() -> None:
        with transaction.atomic():
            publish(online("kept"), SITE)
            try:
                with transaction.atomic():
                    publish(online("savepoint"), SITE)
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
        with transaction.atomic():
            publish(online("all of it"), SITE)
            transaction.set_rollback(True)

    await pool.run(action)
    assert heard(vera) == [["kept"]]


@pytest.mark.django_db(transaction=True)
async def test_outside_a_transaction_it_is_sent_at_once(hub: Hub, vera: Ear) -> None:
    await pool.run(publish, online("1"), SITE)
    assert heard(vera) == [["1"]]
    publish(online("2"), SITE)  # on the loop
    assert heard(vera) == [["1"], ["2"]]
    publish(online("3"), SITE, skip=vera)
    assert len(vera.heard) == 2


@pytest.mark.django_db
def test_without_a_hub_and_without_redis_nothing_happens(settings: Any) -> None:
    settings.REDIS_URL = ""
    assert hubs.current() is None
    publish(online(), SITE)


@pytest.mark.django_db
def test_a_redis_that_does_not_answer_fails_nobodys_action(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    publish(online(), SITE)


def test_typing_carries_no_text() -> None:
    """B2-14: no unsent text leaves the browser, so the event has no place for it."""
    assert set(TypingChanged.__struct_fields__) == {"chat", "side", "on"}
    assert events.wire_name("TypingChanged") == "typing_changed"
