"""D-2: while a site or a network is flooded, browsers do some work before they begin something."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from time import time
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from accounts import limits as counting
from accounts import work
from accounts.models import Operator, Site
from chatlead.errors import RateLimited
from chats.models import Chat
from tests.conftest import visitor_on
from tests.identifiers import new_ref
from tests.polls import polling
from tests.realtime.test_poll import poller_of
from tests.security.test_floods import begins, leaves, limits
from tests.sockets import frame_of
from visitors.sessions import VisitorPrincipal, new_token

__all__ = ["limits"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at the beginning of what is counted together, and can be set."""
    began = time() // counting.WINDOW_SECONDS * counting.WINDOW_SECONDS
    with time_machine.travel(datetime.fromtimestamp(began + 1, tz=UTC)) as traveller:
        yield traveller


def worked(task: str) -> str:
    """What a browser does for a task (docs/protocol.md)."""
    bits = int(task.split(".")[1])
    for number in count():
        answer = f"{task}.{number}"
        if int(hashlib.sha256(answer.encode()).hexdigest(), 16) >> (256 - bits) == 0:
            return answer
    raise AssertionError


def with_work(begin: Any, principal: VisitorPrincipal) -> Chat:
    """Begins once work was asked for and done."""
    ref = new_ref()
    with pytest.raises(RateLimited) as asked:
        begin(principal, ref=ref)
    made: Chat = begin(principal, ref=ref, answer=worked(asked.value.work))
    return made


def flood(site: Site, begin: Any, networks: int = 6) -> None:
    """Ten networks of somebody who wants nothing: all that the site gives away without work."""
    for number in range(networks):
        begin(visitor_on(site, is_unlimited=False, ip=f"10.{number}.0.1"))


@pytest.mark.parametrize("begin", [leaves, begins])
def test_strangers_who_use_up_a_site_lock_nobody_out(
    site: Site, on_duty: Operator, limits: Settings, begin: Any
) -> None:
    """D-2: whoever does some work for it begins all the same; the same ref again is the same chat."""
    flood(site, begin)
    vera, ref = visitor_on(site, is_unlimited=False, ip="203.0.113.5"), new_ref()
    with pytest.raises(RateLimited) as refused:  # what a client that knows of no work is told
        begin(vera, ref=ref)
    assert refused.value.code == "rate_limited"
    assert 0 < (refused.value.retry_after_ms or 0) <= 600_000
    assert refused.value.work
    answer = worked(refused.value.work)
    assert begin(vera, ref=ref, answer=answer) == begin(vera, ref=ref, answer=answer)
    assert Chat.objects.filter(session_key=vera.session_key).count() == 1


@pytest.mark.parametrize("begin", [leaves, begins])
def test_a_stranger_in_her_own_network_locks_vera_out_neither(
    site: Site, on_duty: Operator, limits: Settings, begin: Any
) -> None:
    """D-2: a hotel, or a whole country behind one address."""
    for _ in range(4):
        begin(visitor_on(site, is_unlimited=False, ip="198.51.100.7"))
    with_work(begin, visitor_on(site, is_unlimited=False, ip="198.51.100.9"))


@pytest.mark.parametrize("begin", [leaves, begins])
def test_work_has_its_bounds_too(site: Site, on_duty: Operator, limits: Settings, begin: Any) -> None:
    """D-2: so many on a site; for no session more than it may, and then what others share is not less."""
    flood(site, begin)
    vera = visitor_on(site, is_unlimited=False, ip="203.0.113.5")
    with_work(begin, vera)
    with_work(begin, vera)
    for _ in range(3):
        with pytest.raises(RateLimited, match="too often"):
            with_work(begin, vera)
    with_work(begin, visitor_on(site, is_unlimited=False, ip="203.0.114.5"))
    ref, sam = new_ref(), visitor_on(site, is_unlimited=False, ip="203.0.115.5")
    with pytest.raises(RateLimited) as asked:
        begin(sam, ref=ref)
    with pytest.raises(RateLimited) as refused:
        begin(sam, ref=ref, answer=worked(asked.value.work))
    assert not refused.value.work


def test_work_is_good_for_what_it_was_asked_for(
    site: Site, on_duty: Operator, limits: Settings, clock: time_machine.Traveller
) -> None:
    """D-2: not for another ref, session or deed, not changed, not later, not half done."""
    flood(site, begins)
    flood(site, leaves)
    vera, mallory = (visitor_on(site, is_unlimited=False, ip=f"203.0.{n}.5") for n in (113, 114))
    ref = new_ref()
    with pytest.raises(RateLimited) as asked:
        begins(vera, ref=ref)
    task = asked.value.work
    answer = worked(task)
    easier = worked(task.replace(".6.", ".1."))
    undone = next(
        f"{task}.{n}" for n in count() if not work.is_done(f"{task}.{n}", f"start|{vera.session_key}|{ref}")
    )
    for begin, who, told in (
        (begins, vera, {"ref": new_ref(), "answer": answer}),
        (begins, mallory, {"ref": ref, "answer": answer}),
        (leaves, vera, {"ref": ref, "answer": answer}),
        *((begins, vera, {"ref": ref, "answer": each}) for each in (easier, undone, task, "", answer + "x")),
    ):
        with pytest.raises(RateLimited):
            begin(who, **told)
    clock.shift(work.SECONDS + 1)
    with pytest.raises(RateLimited):
        begins(vera, ref=ref, answer=answer)
    clock.shift(-work.SECONDS - 1)
    begins(vera, ref=ref, answer=answer)


def test_the_more_come_the_more_work_it_is(site: Site, on_duty: Operator, limits: Settings) -> None:
    """D-2: a flood pays for itself."""
    limits.STARTS = limits.STARTS | {"worked": 8}
    flood(site, begins)
    asked = []
    for number in range(8):
        ref, who = new_ref(), visitor_on(site, is_unlimited=False, ip=f"203.0.{number}.5")
        with pytest.raises(RateLimited) as refused:
            begins(who, ref=ref)
        asked.append(int(refused.value.work.split(".")[1]))
        begins(who, ref=ref, answer=worked(refused.value.work))
    assert asked == [6, 6, 7, 7, 8, 8, 9, 9]


async def test_a_frame_is_asked_for_work_and_begins_with_it(
    site: Site, on_duty: Operator, settings: Settings
) -> None:
    """D-2: over a socket as without one, as docs/protocol.md says it; one command, one chat."""
    settings.STARTS = {"session": 9, "address": 9, "site": 0, "worked": 2}
    settings.WORK_BITS = 8
    start = {"type": "start_chat", "ref": str(new_ref()), "fields": {}}
    async with frame_of(site) as vera:
        asked = await vera.ask(**start)
        assert (asked["type"], asked["code"], asked["ref"]) == ("failed", "rate_limited", start["ref"])
        assert asked["retry_after_ms"] > 0
        begun = await vera.ask(**start, work=worked(asked["work"]))
        assert begun["type"] == "started"
        assert (await vera.ask(**start))["chat"]["uid"] == begun["chat"]["uid"]
    async with polling():
        sam, start = await poller_of(site, new_token()), start | {"ref": str(new_ref())}
        await sam.enter()
        [asked] = (await sam.poll("answers", start)).frames
        [begun] = (await sam.poll("answers", start | {"work": worked(asked["work"])})).frames
        assert begun["type"] == "started"
