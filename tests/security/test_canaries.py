"""P-30: many at once, each with words of their own; nobody ever gets a word of somebody else."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async

from accounts.models import Account, Department, Operator, OperatorRole, Site
from tests.conftest import make_operator
from tests.identifiers import new_ref
from tests.sockets import Line, console_of, frame_of, log_in
from visitors.sessions import new_token

VISITORS = 100  # of each firm
MESSAGES = 2
PATIENCE = 120.0  # two hundred starts at once take their time on a small machine
CANARY = re.compile(r"canary-[a-z]+-\d+")


async def visit(site: Site, page: str, name: str) -> list[str]:
    """A visitor who says what only the own operator may read, and hears it repeated. All frames heard."""
    heard: list[str] = []
    async with frame_of(site, token=new_token(), browser=new_token(), page=page) as vera:
        heard.append(json.dumps(vera.welcome))
        notice = vera.welcome["site"]["notice"]["sha256"]
        started = await vera.ask(type="start_chat", ref=new_ref(), fields={"name": name}, notice=notice)
        assert started["type"] == "started", started
        uid = started["chat"]["uid"]
        answered = 0
        for number in range(MESSAGES):
            said = {"chat": uid, "ref": new_ref(), "text": f"{name} says {number}"}
            await vera.say({"type": "send_message"} | said)
        while answered < MESSAGES:
            frame = await vera.hear()
            heard.append(json.dumps(frame))
            answered += frame["type"] == "message_posted"
        heard += [json.dumps(frame) for frame in await vera.rest()]
    return heard


async def serve(console: Line, expected: int) -> list[str]:
    """An operator who accepts every chat and repeats what is said. All frames heard."""
    heard: list[str] = [json.dumps(console.welcome)]
    repeated = 0
    pending: dict[str, list[str]] = {}
    accepted: set[str] = set()

    async def repeat(chat: str, text: str) -> None:
        nonlocal repeated
        said = {"chat": chat, "ref": new_ref(), "text": f"you said: {text}"}
        await console.say({"type": "send_message"} | said)
        repeated += 1

    while repeated < expected:
        frame: dict[str, Any] = await console.hear()
        heard.append(json.dumps(frame))
        if frame["type"] == "chat_listed":
            await console.say({"type": "accept_chat", "chat": frame["chat"]["uid"]})
        elif frame["type"] == "chat_accepted":
            accepted.add(frame["chat"])
            for text in pending.pop(frame["chat"], []):
                await repeat(frame["chat"], text)
        elif frame["type"] == "message_posted":
            if frame["chat"] in accepted:
                await repeat(frame["chat"], frame["text"])
            else:
                pending.setdefault(frame["chat"], []).append(frame["text"])
    heard += [json.dumps(each) for each in await console.rest()]
    return heard


async def browse(operator: Operator, key: str, rounds: int) -> None:
    """The same person's plain requests in between: the page of the own log-in, every time."""
    from chatlead.asgi import application

    transport = httpx.ASGITransport(app=application)
    cookies = {"cl_login": key}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=cookies) as client:
        for _ in range(rounds):
            page, stranger = await asyncio.gather(client.get("/console/"), client.get("/console/login/"))
            assert re.findall(r'data-operator="([^"]+)"', page.text) == [operator.uid]
            assert stranger.status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_nobody_gets_a_word_of_somebody_else(
    site: Site, intake: Department, olga: Operator, rival_site: Site, rival_sales: Department, eve: Operator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """P-30: 200 visitors of two firms, their operators, HTTP in between, all at the same time."""
    monkeypatch.setattr("tests.sockets.SECONDS", PATIENCE)
    await Account.objects.aupdate(is_unlimited=True)  # they all come from one address
    second = await sync_to_async(make_operator)(eve.account, "Ruth", OperatorRole.OPERATOR)
    firms = [("acme", site, "https://www.acme.test", olga), ("rival", rival_site, "https://rival.test", eve)]
    keys = {operator.pk: await sync_to_async(log_in)(operator) for operator in (olga, eve, second)}
    async with console_of(olga) as olgas, console_of(eve) as eves:
        for console in (olgas, eves):
            assert (await console.ask(type="set_availability", online=True))["type"] == "done"
            await console.rest()
        names = {firm: [f"canary-{firm}-{number}" for number in range(VISITORS)] for firm, *_ in firms}
        serving = [asyncio.create_task(serve(each, VISITORS * MESSAGES)) for each in (olgas, eves)]
        browsing = [asyncio.create_task(browse(each, keys[each.pk], 6)) for each in (olga, eve, second)]
        visiting = {
            name: asyncio.create_task(visit(where, page, name))
            for firm, where, page, _ in firms
            for name in names[firm]
        }
        await asyncio.gather(*visiting.values(), *serving, *browsing)
    for name, task in visiting.items():
        assert set(CANARY.findall(" ".join(task.result()))) == {name}
    for (firm, *_), task in zip(firms, serving, strict=True):
        assert set(CANARY.findall(" ".join(task.result()))) == set(names[firm])
