"""An operator who is lost gives their chats back to the line, whatever else happens in the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random  # noqa: TID251 - repeatable races
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts import actions as accounts
from accounts import selectors
from accounts.models import Account, Department, Installation, Operator, Site
from chatlead.errors import ChatLeadError
from chats import selectors as of_chats
from chats import snapshot
from chats.actions import (
    accept_chat,
    end_chat,
    return_lost_chats,
    transfer_chat,
)
from chats.models import Chat, Message
from tests.at_once import at_once
from tests.chats.journal_hands import by_operator, by_visitor, check_gapless, one, ref, statuses, through
from tests.conftest import goes_online, make_chat, visitor_on
from tests.identifiers import new_ref
from tests.sockets import console_of, frame_of
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


def is_lost(operator: Operator, *, seconds: float = 0.0) -> None:
    """Nothing was heard for `seconds` (else just long enough), and it was noticed."""
    silent = timedelta(seconds=(seconds or settings.RETURN_SECONDS + 1) - settings.LEASE_SECONDS)
    Operator.objects.filter(pk=operator.pk).update(lease_until=timezone.now() - silent)
    assert accounts.expire_leases() == 1


def accepted(site: Site, department: Department, principal: Any, **session: str) -> Chat:
    chat = make_chat(visitor_on(site, **session), department)
    accept_chat(principal=principal, uid=chat.uid)
    return chat


def kinds(chat: Chat) -> list[str]:
    return list(Message.objects.filter(chat=chat).order_by("seq").values_list("kind", flat=True))


# --- what happens ---------------------------------------------------------------------------------------


def test_the_chats_of_a_lost_operator_wait_again_in_their_old_places(
    olga: Operator, site: Site, intake: Department, principal_of
) -> None:
    """V-14: in front of who came later; a row of the public log says why."""
    goes_online(olga)
    first = accepted(site, intake, principal_of(olga))
    second = accepted(site, intake, principal_of(olga))
    later = make_chat(visitor_on(site), intake)
    is_lost(olga)
    assert return_lost_chats() == 2
    assert return_lost_chats() == 0
    line = list(Chat.objects.filter(state="waiting").order_by("id"))
    assert line == [first, second, later]
    for chat in line[:2]:
        row = Message.objects.filter(chat=chat).latest("seq")
        assert (row.kind, row.author) == ("returned", "system")
        assert row.facts == {"operator": olga.uid, "name": "Olga", "reason": "lost"}
        assert (chat.operator_id, chat.returned_from, chat.returned_at) == (None, olga, row.created_at)
        check_gapless(chat)


def test_an_operator_who_is_back_in_time_keeps_the_chats(
    olga: Operator, site: Site, intake: Department, principal_of
) -> None:
    """R-121: the same operator; gone for colleagues and visitors meanwhile, but no chat went."""
    goes_online(olga)
    chat = accepted(site, intake, principal_of(olga))
    is_lost(olga, seconds=settings.LEASE_SECONDS + 1)
    assert selectors.online_departments(site_id=site.pk) == []
    assert return_lost_chats() == 0
    accounts.renew_leases([olga.pk])
    assert return_lost_chats() == 0
    chat.refresh_from_db()
    assert (chat.state, chat.operator) == ("active", olga)
    assert selectors.online_departments(site_id=site.pk) == [intake.uid]


def test_the_chats_of_others_stay_where_they_are(
    everybody: SimpleNamespace, intake: Department, billing: Department, rival_sales: Department, principal_of
) -> None:
    """R-112."""
    site = everybody.site
    for each in (everybody.olga, everybody.nina, everybody.eve):
        goes_online(each)
    ninas = accepted(site, billing, principal_of(everybody.nina))
    eves = accepted(everybody.rival_site, rival_sales, principal_of(everybody.eve))
    olgas = accepted(site, intake, principal_of(everybody.olga))
    is_lost(everybody.olga)
    assert return_lost_chats() == 1
    assert set(Chat.objects.filter(state="active")) == {ninas, eves}
    assert Chat.objects.get(state="waiting") == olgas


def test_a_chat_that_was_handed_to_somebody_who_is_not_there_waits_again(
    olga: Operator, sam: Operator, site: Site, intake: Department, principal_of
) -> None:
    """V-14: sam has gone home; nobody would ever answer it."""
    goes_online(olga)
    chat = accepted(site, intake, principal_of(olga))
    transfer_chat(principal=principal_of(olga), uid=chat.uid, operator=sam.uid)
    assert return_lost_chats() == 1
    assert kinds(chat) == ["opened", "accepted", "transferred", "returned"]


@pytest.mark.parametrize("ending", ["suspended", "taken off the department"])
def test_who_may_not_answer_any_more_gives_the_chats_back_at_once(
    ending: str, olga: Operator, site: Site, intake: Department, billing: Department, principal_of
) -> None:
    """V-14, R-112: in the transaction that takes the right away. Other departments' chats stay."""
    accounts.set_departments(
        account_id=olga.account_id, operator_id=olga.pk, department_uids=[intake.uid, billing.uid]
    )
    of_intake = accepted(site, intake, principal_of(olga))
    of_billing = accepted(site, billing, principal_of(olga))
    if ending == "suspended":
        accounts.suspend_operator(account_id=olga.account_id, operator_id=olga.pk)
    else:
        accounts.set_departments(
            account_id=olga.account_id, operator_id=olga.pk, department_uids=[billing.uid]
        )
    of_intake.refresh_from_db()
    of_billing.refresh_from_db()
    assert (of_intake.state, of_intake.operator) == ("waiting", None)
    row = Message.objects.filter(chat=of_intake).latest("seq")
    assert row.facts is not None and row.facts["reason"] == "withdrawn"
    assert of_billing.state == ("waiting" if ending == "suspended" else "active")


def test_what_was_said_before_is_stored_and_what_comes_after_is_refused(
    olga: Operator, site: Site, intake: Department, principal_of
) -> None:
    """R-035: the same `ref` is known still; a new one finds the chat gone."""
    goes_online(olga)
    chat = accepted(site, intake, principal_of(olga))
    said = ref()
    assert one("append", by_operator(chat, olga, "before", ref=said)).status == "stored"
    is_lost(olga)
    return_lost_chats()
    assert one("append", by_operator(chat, olga, "before", ref=said)).status == "known"
    assert one("append", by_operator(chat, olga, "after")).status == "refused"
    assert one("append", by_visitor(chat, "hello?")).status == "stored"


async def test_the_returning_operator_is_told_what_went_and_why_the_words_did_not_go(
    olga: Operator, nina: Operator, eve: Operator, site: Site, intake: Department,
    principal_of: Callable[[Operator], Any],
) -> None:  # fmt: skip
    """V-14: no silent steal, and a code of its own. Nobody else is told more than `not_found`."""
    token = new_token()
    key = session_key_of(site.key, token)
    chat = await sync_to_async(lambda: accepted(site, intake, principal_of(olga), session_key=key))()
    async with frame_of(site, token=token) as vera, console_of(nina) as ninas, console_of(eve) as eves:
        async with console_of(olga):
            pass
        await ninas.rest()
        await sync_to_async(is_lost)(olga)
        assert await sync_to_async(return_lost_chats)() == 1
        told = [each for each in await vera.rest() if each["type"] == "chat_returned"]
        assert [(each["name"], each["reason"]) for each in told] == [("Olga", "lost")]
        types = [each["type"] for each in await ninas.rest()]
        assert types.index("chat_returned") < types.index("chat_listed")
        async with console_of(olga) as olgas:
            [lost] = olgas.welcome["returned"]
            assert (lost["chat"], lost["name"]) == (chat.uid, "Vera")
            send = {"type": "send_message", "chat": chat.uid, "text": "sorry"}
            refused = await olgas.ask(**send, ref=new_ref())
            assert (refused["type"], refused["code"]) == ("failed", "chat_returned")
            assert (await ninas.ask(**send, ref=new_ref()))["code"] == "not_found"
            assert (await eves.ask(**send, ref=new_ref()))["code"] == "not_found"
            await olgas.ask(type="accept_chat", chat=chat.uid)
            assert (await olgas.ask(**send, ref=new_ref()))["type"] == "ack"
        async with console_of(olga) as again:
            assert "returned" not in again.welcome


@pytest.mark.parametrize("change", ["off the department", "another role", "suspended"])
def test_who_lost_the_right_hears_no_more_of_the_names(
    change: str, olga: Operator, site: Site, intake: Department, billing: Department, principal_of
) -> None:
    """R-112: what she lost an hour ago is judged by what she may now, by a console that is open still as by
    a new one; sam never had it, and what she has of her other department she keeps."""
    accounts.set_departments(
        account_id=olga.account_id, operator_id=olga.pk, department_uids=[intake.uid, billing.uid]
    )
    lost = [accepted(site, department, principal_of(olga)) for department in (intake, billing)]
    is_lost(olga)
    return_lost_chats()
    before = principal_of(olga)
    assert {each.chat for each in snapshot.returned(before)} == {each.uid for each in lost}
    assert [of_chats.was_returned_from(before, each.uid) for each in lost] == [True, True]
    if change == "off the department":
        ids = {"account_id": olga.account_id, "operator_id": olga.pk}
        accounts.set_departments(**ids, department_uids=[billing.uid])
        now = principal_of(olga)
        assert [each.chat for each in snapshot.returned(now)] == [lost[1].uid]
        assert [of_chats.was_returned_from(now, each.uid) for each in lost] == [False, True]
    elif change == "another role":
        Operator.objects.filter(pk=olga.pk).update(role="supervisor", rights_epoch=F("rights_epoch") + 1)
    else:
        accounts.suspend_operator(account_id=olga.account_id, operator_id=olga.pk)
    assert snapshot.returned(before) == []
    assert not any(of_chats.was_returned_from(before, each.uid) for each in lost)


# --- races: the database decides --------------------------------------------------------------------------


def nearly_at_once(work: Sequence[Callable[[], object]], chance: Random) -> list[object]:
    """All in threads of their own, some a little later than others; results, or why it was refused."""

    def act(what: Callable[[], object], delay: float) -> object:
        time.sleep(delay)
        try:
            return what()
        except ChatLeadError as error:
            return error.code

    return at_once(*[partial(act, what, chance.uniform(0, 0.02)) for what in work])


@pytest.mark.parametrize("seed", range(12))
def test_giving_back_accepting_ending_sending_and_coming_back_at_once(
    seed: int, acme: Account, olga: Operator, nina: Operator, site: Site, intake: Department, principal_of
) -> None:
    """V-14, B: whatever the order, the log says what the chat is, and no word lies on the wrong side.

    A property: the state is that of the last row that changes it, all operators' words stand while they had
    the chat, and what was refused is nowhere.
    """
    chance = Random(seed)
    goes_online(olga)
    goes_online(nina)  # or what she takes would wait again as well, since she is not there
    chats = [accepted(site, intake, principal_of(olga)) for _ in range(3)]
    vera = visitor_on(site, session_key=chats[0].session_key)
    is_lost(olga)
    ninas, olgas = principal_of(nina), principal_of(olga)
    olga.refresh_from_db()
    words = [[by_operator(chat, olga, f"{chat.pk}-{n}") for n in range(4)] for chat in chats]

    def say(number: int) -> Callable[[], object]:
        return lambda: [statuses(through("append", entry))[0] for entry in words[number]]

    work: list[Callable[[], object]] = [
        return_lost_chats,
        return_lost_chats,  # a second process that believes that it has the turn
        lambda: accounts.renew_leases([olga.pk]),
        lambda: end_chat(principal=vera, uid=chats[0].uid),
        lambda: accept_chat(principal=ninas, uid=chats[1].uid),
        lambda: transfer_chat(principal=olgas, uid=chats[2].uid, operator=nina.uid),
        *(say(number) for number in range(3)),
    ]
    order = list(range(len(work)))
    chance.shuffle(order)
    results = dict(zip(order, nearly_at_once([work[number] for number in order], chance), strict=True))

    returned = sum(kinds(chat).count("returned") for chat in chats)
    assert returned == (results[0] or 0) + (results[1] or 0)  # type: ignore[operator]
    for number, chat in enumerate(chats):
        check_gapless(chat)
        holder: int | None = olga.pk
        state = "active"
        for row in Message.objects.filter(chat=chat, seq__gt=2).order_by("seq"):
            if row.kind == "text":
                assert row.author_id == holder, "words of somebody who did not have the chat"
            elif row.kind == "returned":
                assert holder == olga.pk
                holder, state = None, "waiting"
            elif row.kind == "accepted":
                assert (state, row.author_id) == ("waiting", nina.pk)
                holder, state = nina.pk, "active"
            elif row.kind == "transferred":
                holder, state = nina.pk, "active"
            elif row.kind == "closed":
                assert row.facts is not None
                state = row.facts["state"]
        chat.refresh_from_db()
        if state in ("waiting", "active"):
            assert (chat.state, chat.operator_id) == (state, holder)
        assert chat.state == state
        stored = set(Message.objects.filter(chat=chat, kind="text").values_list("text", flat=True))
        told = results[6 + number]
        assert isinstance(told, list)
        said = {entry.text for entry, status in zip(words[number], told, strict=True) if status == "stored"}
        assert stored == said
    # all of hers that were open, or none: she is back either with them or without
    went = [chat for chat in chats[1:] if "returned" in kinds(chat)]
    free = [chat for chat in chats[1:] if "transferred" not in kinds(chat)]
    assert not went or {chat.pk for chat in free} <= {chat.pk for chat in went}


@pytest.mark.parametrize("_again", range(5))
def test_of_many_processes_one_at_a_time_says_who_has_gone(_again: int, olga: Operator) -> None:
    """V-14: five ask at once, one has the turn; and everybody is told once."""
    goes_online(olga)
    long_ago = timezone.now() - timedelta(hours=1)
    first = accounts.keep_watch(began_at=long_ago)
    assert first is not None and not first.may_judge
    Installation.objects.update(watched_since=long_ago, watched_at=timezone.now() - timedelta(seconds=5))
    ask = partial(accounts.keep_watch, began_at=long_ago)
    turns = [turn for turn in at_once(*[ask] * 5) if turn is not None]
    assert [turn.may_judge for turn in turns] == [True]


def test_a_visitor_of_the_returned_chat_may_leave_it(
    olga: Operator, vera: VisitorPrincipal, chat: Chat, principal_of
) -> None:
    """It is missed, as any chat that nobody has; it was answered once, though."""
    goes_online(olga)
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    is_lost(olga)
    return_lost_chats()
    end_chat(principal=vera, uid=chat.uid)
    chat.refresh_from_db()
    assert (chat.state, chat.operator) == ("missed", None)
