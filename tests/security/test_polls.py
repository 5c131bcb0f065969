"""What only polls have: passes instead of tickets, bodies of their own, and forms of other websites."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.actions import set_departments, suspend_operator
from accounts.models import Account, Department, Operator, Site
from chatlead.realtime import hub as hubs
from chatlead.realtime.codes import CloseCode
from chats import positions
from chats.models import Chat
from tests.conftest import make_chat, visitor_on
from tests.polls import JSON, Poller, polling
from tests.realtime.kit import until
from tests.realtime.test_poll import console_poller, poller_of
from tests.sockets import PAGE
from visitors import passes
from visitors.sessions import new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


# --- the pass -------------------------------------------------------------------------------------------


async def entered(site: Site, token: str = "") -> Poller:
    """A frame that was let in and holds a pass."""
    vera = await poller_of(site, token)
    await vera.enter()
    assert vera.pass_
    return vera


async def knock(vera: Poller, **changed: Any) -> int:
    """The close code of the next poll; 0 where it is answered."""
    return (await vera.poll("news", **changed)).close


async def test_a_pass_lets_in_again_and_again_and_is_renewed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket is good once, a conversation goes on for an hour."""
    real = time.time
    async with polling():
        vera = await entered(site, new_token())
        for minutes in range(5):
            monkeypatch.setattr("visitors.passes.time.time", lambda now=minutes: real() + 60 * now)
            assert await knock(vera) == 0
        monkeypatch.setattr("visitors.passes.time.time", lambda: real() + 60 * 5 + passes.SECONDS)
        assert await knock(vera) == CloseCode.FORBIDDEN


async def test_a_pass_without_the_cookie_that_it_came_with_opens_nothing(site: Site) -> None:
    """R-124: a script that reads the pass cannot carry it away."""
    async with polling():
        vera = await entered(site, new_token())
        thief = await poller_of(site)
        other = await poller_of(site, new_token())
        for each in (thief, other):
            each.pass_ = vera.pass_
            assert await knock(each) == CloseCode.FORBIDDEN
        assert await knock(vera) == 0


async def test_where_no_cookie_comes_back_the_pass_stands_for_the_session(
    site: Site, intake: Department
) -> None:
    """R-125: as the token does that was handed out with the welcome."""
    async with polling():
        vera = await entered(site)
        assert vera.welcome["session"]
        chat = await sync_to_async(make_chat)(
            visitor_on(site, session_key=session_key_of(site.key, vera.welcome["session"])),
            intake,
        )
        news = await vera.poll("news", at={"epoch": vera.welcome["epoch"]}, wait=5)
        assert news.frames[0]["own"]["uid"] == chat.uid


async def test_a_pass_is_good_for_its_site_and_its_page_only(
    acme: Account, site: Site, rival_site: Site
) -> None:
    async with polling():
        vera = await entered(site, new_token())
        good, hello = vera.pass_, vera.hello
        for changed in ({"site": rival_site.key}, {"embedder": "https://acme.test"}, {"role": "page"}):
            vera.hello, vera.pass_ = hello | changed, good
            assert await knock(vera) == CloseCode.FORBIDDEN
        vera.hello, vera.pass_ = hello, good
        assert await knock(vera) == 0


async def test_a_forged_pass_is_refused(site: Site) -> None:
    """Whatever is changed in it, and whatever is none at all."""
    async with polling():
        vera = await entered(site, new_token())
        expiry, kept, session, mac = vera.pass_.split(".")
        forged = [
            f"{int(expiry) + 1}.{kept}.{session}.{mac}",
            f"{expiry}.0.{session}.{mac}",
            f"{expiry}.{kept}.{session[::-1]}.{mac}",
            f"{expiry}.{kept}.{session}.{'0' * 64}",
            f"{vera.pass_} ",
            f"{vera.pass_}\n",
            "x",
            "...",
        ]
        for text in forged:
            vera.pass_ = text
            assert await knock(vera) == CloseCode.FORBIDDEN


async def test_a_site_that_closes_or_gives_up_the_domain_ends_its_passes(site: Site) -> None:
    """Looked up with every poll."""
    async with polling():
        vera = await entered(site, new_token())
        good = vera.pass_
        await Site.objects.filter(pk=site.pk).aupdate(allowed_domains=["elsewhere.test"])
        assert await knock(vera) == CloseCode.FORBIDDEN
        await Site.objects.filter(pk=site.pk).aupdate(allowed_domains=["*.acme.test"])
        vera.pass_ = good
        assert await knock(vera) == 0
        await Site.objects.filter(pk=site.pk).aupdate(is_enabled=False)
        assert await knock(vera) == CloseCode.NOT_FOUND


# --- rights ---------------------------------------------------------------------------------------------


async def test_a_held_poll_ends_with_the_right_to_it(everybody, acme: Account) -> None:
    """As a socket: within five seconds, and the next one is not let in."""
    async with polling():
        olga = await console_poller(everybody.olga)
        await olga.enter()
        held = asyncio.create_task(olga.poll("news", wait=20))
        await until(lambda: (hub := hubs.current()) and hub.members)
        await sync_to_async(suspend_operator)(account_id=acme.pk, operator_id=everybody.olga.pk)
        hub = hubs.current()
        assert hub is not None
        await positions.check_rights(hub)
        async with asyncio.timeout(5):
            answer = await held
            if answer.frames:  # the news of it was quicker than the look at her rights
                answer = await olga.poll("news", wait=20)
        assert (answer.status, answer.close) == (403, CloseCode.FORBIDDEN)
        assert await knock(olga) == CloseCode.FORBIDDEN


async def test_a_department_that_was_taken_away_is_not_in_the_next_poll(
    everybody, acme: Account, chat: Chat, billing: Department
) -> None:
    """The rights are read with each poll."""
    async with polling():
        olga = await console_poller(everybody.olga)
        welcome = await olga.enter()
        assert [each["uid"] for each in welcome["chats"]] == [chat.uid]
        departments = [billing.uid]
        await sync_to_async(set_departments)(
            account_id=acme.pk, operator_id=everybody.olga.pk, department_uids=departments
        )
        at = {"positions": {chat.uid: (1, 0, 0)}, "epoch": welcome["epoch"]}
        synced = (await olga.poll("news", at=at, wait=5)).frames[0]
        assert (synced["gone"], synced["chats"]) == ([chat.uid], [])
        accept = {"type": "accept_chat", "chat": chat.uid}
        assert [f["code"] for f in (await olga.poll("answers", accept)).frames] == ["not_found"]


# --- other websites, and odd bodies ---------------------------------------------------------------------


async def test_a_form_of_another_website_cannot_poll(olga: Operator) -> None:
    """CSRF: a form sends no JSON, and a script elsewhere has another Origin."""
    async with polling():
        mine = await console_poller(olga)
        body = json.dumps({"hello": mine.hello, "want": "welcome"})
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"):
            answer = await mine.post(body, headers=[("content-type", kind)])
            assert (answer.status, answer.body["error"]["code"]) == (415, "bad_request")
        assert (await mine.post(body, headers=())).status == 415
        assert (await mine.post(body, headers=(JSON, ("content-type", "text/plain")))).status == 415
        for origin in ("https://evil.test", "null", None):
            theirs = await console_poller(olga, origin=origin)
            assert (await theirs.post(body)).close == CloseCode.FORBIDDEN


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_poll_is_a_post(site: Site, method: str) -> None:
    async with polling():
        answer = await (await poller_of(site)).post(b"", method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_nobody_keeps_an_answer_or_guesses_its_kind(site: Site) -> None:
    async with polling():
        answer = await (await poller_of(site)).poll("welcome")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == "application/json"


NOT_A_POLL = [
    "", "hello", "[]", "null", "{}", "{", '{"want":"welcome"}', '{"hello":1,"want":"welcome"}',
    '{"hello":{"type":"ping"},"want":"welcome"}', '{"hello":HELLO,"want":"everything"}',
    '{"hello":HELLO,"want":"welcome","tenant":1}', '{"hello":HELLO,"want":"welcome","wait":-1}',
    '{"hello":HELLO,"want":"welcome","wait":1e99}', '{"hello":HELLO,"want":"welcome","wait":NaN}',
    '{"hello":HELLO,"want":"welcome","commands":{}}', '{"hello":HELLO,"hello":HELLO,"want":"welcome"}',
    '{"hello":HELLO,"want":"welcome","want":"welcome"}', '{"hello":HELLO,"want":"news","at":[]}',
    '{"hello":HELLO,"want":"news","at":{"seq":-1}}', '{"hello":HELLO,"want":"news","at":{"chat":"../.."}}',
    '{"hello":HELLO,"want":"news","at":{"account":1}}', '{"hello":HELLO,"want":"welcome"}x',
    '{"hello":HELLO,"want":"welcome","commands":[' + ",".join(["{}"] * 65) + "]}",
    '{"hello":HELLO,"want":"news","at":' + "[" * 9000 + "]" * 9000 + "}",
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_A_POLL, ids=range(len(NOT_A_POLL)))
async def test_what_is_no_poll_is_said_to_be_none(site: Site, body: str) -> None:
    """D-3."""
    async with polling():
        vera = await poller_of(site)
        answer = await vera.post(body.replace("HELLO", json.dumps(vera.hello)))
        assert (answer.status, answer.close) == (400, CloseCode.BAD_HELLO)
        assert (await vera.poll("welcome")).status == 200  # the ticket was not used up


async def test_bytes_that_are_no_text_are_no_poll(site: Site) -> None:
    async with polling():
        vera = await poller_of(site)
        for body in (b"\xff\xfe", json.dumps({"hello": vera.hello}).encode("utf-16")):
            assert (await vera.post(body)).close == CloseCode.BAD_HELLO


ODD_COMMANDS = [
    ('{"type":"nonsense"}', "bad_frame"), ("1", "bad_frame"), ("[]", "bad_frame"), ("null", "bad_frame"),
    ('{"type":"end_chat"}', "missing_field"), ('{"type":"end_chat","chat":"x"}', "bad_field"),
    ('{"type":"end_chat","chat":"CHAT","account":1}', "unknown_field"),
    ('{"type":"end_chat","chat":"CHAT","chat":"CHAT"}', "bad_frame"),
    ('{"type":"send_message","chat":"CHAT","ref":"0190c0de-0000-7000-8000-000000000000","text":"a\\u0000b"}',
     "bad_field"),
    ('{"type":"hello","protocol":1,"role":"chat","site":"SITE"}', "hello_repeated"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "code"), ODD_COMMANDS, ids=range(len(ODD_COMMANDS)))
async def test_an_odd_command_fails_and_those_beside_it_do_not(
    site: Site, chat: Chat, command: str, code: str
) -> None:
    """D-3: as on a socket, one answer each."""
    async with polling():
        vera = await entered(site, new_token())
        odd = command.replace("CHAT", chat.uid).replace("SITE", site.key)
        body = json.dumps({"hello": vera.hello, "want": "answers", "pass": vera.pass_})
        good = '{"type":"ping","id":7}'
        answer = await vera.post(f'{body[:-1]},"commands":[{good},{odd},{good}]}}')
        assert answer.status == 200
        assert [frame.get("code", frame["type"]) for frame in answer.frames] == ["pong", code, "pong"]


async def test_a_frame_above_the_limit_and_a_body_above_it_are_not_read(site: Site) -> None:
    """D-3: 64 KiB a frame, as on a socket; 256 KiB a poll."""
    async with polling():
        vera = await entered(site, new_token())
        answer = await vera.poll("answers", {"type": "ping", "x": "y" * 65_536})
        assert (answer.status, answer.close) == (413, CloseCode.TOO_BIG)
        answer = await vera.post(b" " * (4 * 65_536 + 1))
        assert (answer.status, answer.close) == (413, CloseCode.TOO_BIG)


async def test_a_page_polls_by_its_origin_and_gets_no_pass(site: Site) -> None:
    """The loader's hello: nothing to open, nothing to hand out."""
    async with polling():
        hello = {"type": "hello", "protocol": 1, "role": "page", "site": site.key}
        page = Poller("/poll/v1/visitor", hello, origin=PAGE)
        assert (await page.enter())["type"] == "page_welcome"
        assert page.pass_ == ""
        assert await knock(page) == 0
        stranger = Poller("/poll/v1/visitor", hello, origin="https://evil.test")
        assert await knock(stranger) == CloseCode.FORBIDDEN
