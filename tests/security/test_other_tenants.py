"""R-112, the half in code: whatever a stranger names, it is as if it were not there, and nothing happens.

Every command × every attack of attacks.py × everybody who is not concerned; every route × every method.
"Not there" means the same answer as for an invented uid, but for the uid itself.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts import notices
from accounts.models import Account, Department, Operator, Site, new_uid
from accounts.selectors import epoch
from chatlead.realtime import commands
from chatlead.realtime.commands import Command
from chatlead.realtime.events import wire_name
from chats.models import Chat, Message, Note
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.security.attacks import ATTACKS, Things
from tests.security.routes import METHODS, PUBLIC, Route, filled, routes
from tests.sockets import PAGE, Line, console_of, frame_of, hello_as_page, line
from visitors.models import VisitorSession
from visitors.sessions import session_key_of

OURS = {"accounts", "visitors", "chats"}
UNANSWERED = (commands.SetTyping, commands.Mark)
CHANGING = {"lease_until", "visitor_seen_at", "team_version", "last_login"}  # by being there, not by asking


def everything_of(account: Account) -> dict[str, list[dict[str, Any]]]:
    """All rows of a tenant, as they are now."""
    found = {}
    for model in apps.get_models():
        if model._meta.app_label in OURS and "account" in {field.name for field in model._meta.fields}:
            rows = model._default_manager.filter(account=account).order_by("pk").values()
            found[model._meta.label] = [
                {name: value for name, value in row.items() if name not in CHANGING} for row in rows
            ]
    return found


def test_every_command_has_its_attacks() -> None:
    """R-112: a new command without a line in attacks.py fails here."""
    assert set(ATTACKS) == {*commands.VISITOR, *commands.OPERATOR}
    named = {field for command, attacks in ATTACKS.items() if attacks for field in command.__struct_fields__}
    harmless = {
        "id", "ref", "text", "target", "on", "delivered", "read", "after", "staff_after", "before",
        "fields", "name", "email", "language", "zone", "shortcut", "work",  # whose work it was: test_work.py
    }  # fmt: skip
    wanted = {"chat", "department", "operator", "positions", "epoch", "notice", "canned", "answers"}
    wanted |= {"older_than"}
    assert named - harmless == wanted


@pytest.fixture
def talk(active_chat: Chat, olga: Operator) -> Chat:
    """Vera's chat with olga: a message of each (rows 3 and 4) and a note."""
    now = timezone.now()
    said = ((3, "visitor", 0, "canary of vera"), (4, "operator", olga.pk, "canary of olga"))
    for seq, author, author_id, text in said:
        Message.objects.create(
            account_id=active_chat.account_id, chat=active_chat, seq=seq, ref=new_ref(), author=author,
            author_id=author_id, kind="text", text=text, created_at=now,
        )  # fmt: skip
    Note.objects.create(
        account_id=active_chat.account_id, chat=active_chat, staff_seq=1, ref=new_ref(), author=olga,
        text="canary of a note", created_at=now,
    )  # fmt: skip
    Chat.objects.filter(pk=active_chat.pk).update(last_seq=4, last_staff_seq=1)
    return active_chat


@pytest.fixture
def acmes(talk: Chat, intake: Department, olga: Operator, acme: Account, site: Site) -> Things:
    """What belongs to acme and is no stranger's business."""
    mine = {"account": acme, "shortcut": "fee", "text": "canary of a prepared reply"}
    canned = olga.canned_replies.create(**mine).uid
    notice = notices.current(site).sha256
    return Things(talk.uid, intake.uid, olga.uid, acme.uid, epoch(), notice, canned=canned)


@pytest.fixture
def nobodys() -> Things:
    """What never was."""
    return Things(new_uid(), new_uid(), new_uid(), new_uid(), epoch(), "0" * 64, canned=new_uid())


def masked(frame: dict[str, Any], *targets: Things) -> str:
    """A frame as text, without what the sender chose or the clock."""
    kept = {name: value for name, value in frame.items() if name not in ("ref", "id", "at")}
    text = json.dumps(kept, sort_keys=True)
    for target in targets:
        for name in ("chat", "department", "operator", "account", "canned"):
            text = text.replace(getattr(target, name), f"<{name}>")
    return text


async def answers(opened: Line, command: type[Command], attack: Any, target: Things) -> list[dict[str, Any]]:
    """Everything that a command brings: its answer, and what the socket hears after it."""
    frame = {"type": wire_name(command.__name__)} | attack(target)
    heard = []
    if command in UNANSWERED:
        await asyncio.sleep(0.25)  # signs of typing are passed on five times a second
        await opened.say(frame)
    else:
        heard.append(await opened.ask(**frame))
    return [each for each in [*heard, *await opened.rest()] if each["type"] != "position"]


async def compare(
    opened: Line, allowed: tuple[type[Command], ...], acmes: Things, nobodys: Things
) -> list[str]:
    """The commands by which the two can be told apart, or which answer with something."""
    told_apart = []
    for command in allowed:
        for number, attack in enumerate(ATTACKS[command]):
            foreign = await answers(opened, command, attack, acmes)
            missing = await answers(opened, command, attack, nobodys)
            seen = [masked(frame, acmes, nobodys) for frame in foreign]
            if seen != [masked(frame, acmes, nobodys) for frame in missing]:
                told_apart.append(f"{command.__name__} {number}: {foreign} is not {missing}")
            if "canary" in str(foreign):
                told_apart.append(f"{command.__name__} {number} shows {foreign}")
    return told_apart


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "who", ["eve", "sam", "a visitor of rival", "another visitor", "a page", "a page of rival"]
)
async def test_what_is_not_theirs_is_not_there(
    who: str, acmes: Things, nobodys: Things, talk: Chat, eve: Operator, sam: Operator, olga: Operator,
    acme: Account, site: Site, rival_site: Site, rival_sales: Department,
) -> None:  # fmt: skip
    """R-112, P-4, P-16, P-17: eve has another account, sam another department, the others other browsers."""
    async with AsyncExitStack() as stack:
        olgas = await stack.enter_async_context(console_of(olga))
        await Operator.objects.filter(pk=eve.pk).aupdate(availability="online")
        allowed = commands.VISITOR
        if who in ("eve", "sam"):
            me = eve if who == "eve" else sam
            own = await sync_to_async(own_chat_of)(me, rival_site if who == "eve" else site)
            acmes, nobodys = acmes._replace(own_chat=own), nobodys._replace(own_chat=own)
            allowed = commands.OPERATOR
            if who == "sam":  # a colleague may hand his own chat to olga, and knows the departments
                fake = nobodys
                acmes = acmes._replace(department=fake.department, operator=fake.operator)
            attacker = await stack.enter_async_context(console_of(me))
        elif who.startswith("a page"):
            mine, page = (site, PAGE) if who == "a page" else (rival_site, "https://rival.test")
            attacker = await stack.enter_async_context(line("/ws/v1/visitor", origin=page))
            assert (await hello_as_page(attacker, mine, page))["type"] == "page_welcome"
        else:
            mine, page = (rival_site, "https://rival.test") if "rival" in who else (site, PAGE)
            attacker = await stack.enter_async_context(frame_of(mine, page=page))
            if who == "another visitor":  # the departments are there for everybody
                acmes = acmes._replace(department=nobodys.department, notice=nobodys.notice)
        await attacker.rest()
        await olgas.rest()
        before = await sync_to_async(everything_of)(acme)
        assert await compare(attacker, allowed, acmes, nobodys) == []
        assert await sync_to_async(everything_of)(acme) == before
        heard = {frame["type"] for frame in await olgas.rest()}
        assert heard <= {"position", "operator_changed"}


def own_chat_of(operator: Operator, site: Site) -> str:
    """A chat that is active with this operator."""
    department = operator.departments.get()
    facts = {"state": "active", "operator": operator, "accepted_at": timezone.now()}
    return make_chat(visitor_on(site), department, **facts).uid


ENDING = (
    commands.EditMessage, commands.DeleteMessage, commands.EndChat, commands.TransferChat,
    commands.ReportMinor,
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
async def test_the_attacks_work_for_those_who_may(acmes: Things, talk: Chat, olga: Operator) -> None:
    """An attack that could never succeed would prove nothing."""
    async with console_of(olga) as opened:
        works = []
        for command in commands.OPERATOR:
            for attack in ATTACKS[command]:
                if command in ENDING:
                    continue
                frames = await answers(opened, command, attack, acmes)
                if not any(frame["type"] == "failed" for frame in frames):
                    works.append(command.__name__)
        last = [
            await opened.ask(type="edit_message", chat=talk.uid, ref=new_ref(), target=4, text="new"),
            await opened.ask(type="delete_message", chat=talk.uid, ref=new_ref(), target=4),
            await opened.ask(type="transfer_chat", chat=talk.uid, department=acmes.department),
            await opened.ask(type="report_minor", chat=talk.uid),
        ]
        assert [answer["type"] for answer in last] == ["ack", "ack", "done", "done"]
    said = {"SendMessage", "SetTyping", "Mark", "AddNote", "AcceptChat"}
    assert set(works) == said | {
        "Resume", "LoadMessages", "LoadEarlier", "Sync", "SaveCannedReply", "DeleteCannedReply",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
async def test_vera_herself_gets_what_others_do_not(acmes: Things, talk: Chat, site: Site) -> None:
    """The same frames from the session whose chat it is. P-17: and from no other."""
    token = "T" * 43
    key = session_key_of(site.key, token)
    await Chat.objects.filter(pk=talk.pk).aupdate(session_key=key)
    await VisitorSession.objects.filter(pk=talk.session_id).aupdate(key=key)
    async with frame_of(site, token=token) as vera:
        assert "canary of vera" in str(vera.welcome)
        assert "canary of a note" not in str(vera.welcome)
        seen = await answers(vera, commands.Resume, ATTACKS[commands.Resume][0], acmes)
        assert "canary of olga" in str(seen)
        assert "note" not in str(seen)
        edit = {"type": "edit_message", "chat": talk.uid, "text": "x"}
        assert (await vera.ask(**edit, ref=new_ref(), target=3))["type"] == "ack"
        assert (await vera.ask(**edit, ref=new_ref(), target=4))["code"] == "not_found"


@pytest.mark.django_db(transaction=True)
async def test_a_talk_is_heard_by_those_two_and_nobody_else(
    acmes: Things, talk: Chat, olga: Operator, sam: Operator, eve: Operator, site: Site, rival_site: Site
) -> None:
    """P-17, R-005: topics come from rights; whoever has none hears nothing, and vera never hears a note."""
    token = "T" * 43
    key = session_key_of(site.key, token)
    await Chat.objects.filter(pk=talk.pk).aupdate(session_key=key)
    await VisitorSession.objects.filter(pk=talk.session_id).aupdate(key=key)
    async with AsyncExitStack() as stack:
        olgas, sams, eves = [await stack.enter_async_context(console_of(each)) for each in (olga, sam, eve)]
        vera = await stack.enter_async_context(frame_of(site, token=token))
        others = [await stack.enter_async_context(frame_of(site)), sams, eves]
        for where, page in ((site, PAGE), (rival_site, "https://rival.test")):
            others.append(await stack.enter_async_context(line("/ws/v1/visitor", origin=page)))
            await hello_as_page(others[-1], where, page)
        for each in (olgas, vera, *others):
            await each.rest()
        frames: list[dict[str, Any]] = [
            {"type": "send_message", "text": "canary of a message"},
            {"type": "add_note", "text": "canary of another note"},
            {"type": "set_typing", "on": True},
            {"type": "mark", "delivered": 4, "read": 4},
            {"type": "edit_message", "target": 4, "text": "canary of an edit"},
            {"type": "transfer_chat", "operator": olga.uid},
            {"type": "end_chat"},
        ]
        for frame in frames:
            frame |= {"chat": talk.uid} | ({"ref": new_ref()} if "text" in frame else {})
            if frame["type"] in ("set_typing", "mark"):
                await olgas.say(frame)
            else:
                assert (await olgas.ask(**frame))["type"] in ("ack", "done")
        await asyncio.sleep(1.2)  # marks are written once a second
        heard = str(await vera.rest())
        assert "canary of a message" in heard
        assert "canary of an edit" in heard
        assert "note" not in heard
        assert "staff_seq" not in heard
        for each in others:
            assert {frame["type"] for frame in await each.rest()} <= {"position", "operator_changed"}


# --- routes ---------------------------------------------------------------------------------------------

# The key of a site is public: it stands in the page of every visitor. That it is refused on another domain
# with 403 instead of 404 is R-002, tested with visitors.
BY_PUBLIC_KEY = {
    "widget/v1/site/<str:key>", "widget/v1/ticket", "widget/v1/frame", "chat/<str:key>/",
    "widget/v1/picture/<str:uid>.png",
}  # fmt: skip
# By a signature, or by the log-in of the account: tests/surveys tries both with eve's.
BY_SIGNATURE = {"survey/<str:token>/"}
OF_AN_ACCOUNT = {
    "account/surveys/responses/<uid:uid>/", "account/surveys/build/<uid:site>/",
    "account/surveys/build/<uid:site>/<uid:department>/", "account/surveys/<uid:uid>/switch/",
}  # fmt: skip
# By a mailed code, or by the log-in of the account: tests/privacy tries eve on each.
OF_A_REQUEST = {
    "privacy/proof/<str:token>/",
    "privacy/requests/<str:uid>/", "privacy/requests/<str:uid>/code/", "privacy/requests/<str:uid>/copy/",
    "account/privacy/requests/<uid:uid>/", "account/privacy/requests/<uid:uid>/do/",
    "account/privacy/requests/<uid:uid>/copy/", "account/privacy/requests/<uid:uid>/certificate.json",
    "account/privacy/holds/<uid:uid>/",
}  # fmt: skip
OF_NOBODY = {"demo/<slug:page>/", "widget/v1/loader.<version>.js"}
# Pages of an account: chats/test_history_pages.py has eve get 404
OF_MEMBERS = {"account/chats/<uid:uid>/"}
# eve tries these in tests/sms/test_webhooks.py and tests/sms/test_pages.py
OF_TEXTS = {
    "sms/<str:key>/", "webhooks/twilio/<str:key>/inbound/", "webhooks/twilio/<str:key>/status/<str:uid>/",
    "account/sms/senders/<uid:uid>/", "account/sms/senders/<uid:uid>/prove/",
    "account/sms/numbers/<uid:uid>/",
}  # fmt: skip


def test_every_route_that_names_something_is_known() -> None:
    """R-112: a new route with an argument needs a case here. Those of the admin are tried below."""
    naming = {route.pattern for route in routes() if route.names and not route.pattern.startswith("admin/")}
    known = BY_PUBLIC_KEY | BY_SIGNATURE | OF_AN_ACCOUNT | OF_A_REQUEST | OF_NOBODY | OF_MEMBERS | OF_TEXTS
    assert naming <= known


MODELS: dict[str, type[Model]] = {model._meta.model_name or "": model for model in apps.get_models()}
ADMIN = [route for route in routes() if "object_id" in route.names]


@pytest.mark.parametrize("route", ADMIN, ids=[route.pattern for route in ADMIN])
def test_eve_cannot_tell_what_is_there_from_what_is_not(
    route: Route, acmes: Things, site: Site, acme: Account, eve: Operator
) -> None:
    """R-112: the same bytes for acme's row as for none, for every method, and nothing changes."""
    client = Client()
    client.force_login(eve.user)
    before = everything_of(acme)
    model = MODELS.get(route.pattern.split("/")[2], Account)
    row = model._default_manager.order_by("pk").first()
    there = str(row.pk) if row is not None else "1"
    values = {"content_type_id": "77777"}
    for method in METHODS:
        for query in ("", "?_to_field=id&_popup=1"):
            foreign = client.generic(method, filled(route, values | {"object_id": there}) + query)
            missing = client.generic(method, filled(route, values | {"object_id": "999999"}) + query)
            assert foreign.status_code == missing.status_code
            assert foreign.content == missing.content
            place = foreign.get("Location", "").replace(f"/{there}/", "/999999/")
            assert place == missing.get("Location", "")
    assert everything_of(acme) == before


@pytest.mark.parametrize("method", METHODS)
def test_no_public_route_changes_anything(
    method: str, acmes: Things, site: Site, acme: Account, eve: Operator
) -> None:
    """R-112, R-110: looking at a widget, or trying methods that are not there, leaves no row."""
    client = Client()
    client.force_login(eve.user)
    before = everything_of(acme)
    values = {"key": site.key, "page": "index", "version": "0" * 12, "uid": "A" * 22, "token": "x"}
    for route in routes():
        if route.pattern in PUBLIC:
            client.generic(
                method, f"{filled(route, values)}?site={site.key}", data=json.dumps({"site": site.key}),
                content_type="text/plain", headers={"Origin": PAGE},
            )  # fmt: skip
    assert everything_of(acme) == before
