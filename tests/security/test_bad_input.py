"""Every field of every command and form × what does not belong there: a clear error, and no harm."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import notices
from accounts.models import Department, Operator, OutboxItem, Site
from chatlead.errors import BadField, ChatLeadError, UnknownField
from chatlead.realtime import commands
from chatlead.realtime.commands import Command
from chatlead.realtime.events import wire_name
from chatlead.realtime.frames import CommandDecoder
from chats.models import Chat
from tests.conftest import PASSWORD
from tests.identifiers import new_ref
from tests.sockets import OURS, PAGE, Closed, console_of, frame_of, line
from visitors import tickets
from visitors.models import Visitor

UID = "A" * 22
WRONG: list[Any] = [[], ["x"], {}, {"$gt": ""}, 7, -1, 1.5, True, False, None, 2**80]
TEXTS = ["x\r\nX-Evil: 1", "\x00", "x" * 70000, "../../etc/passwd", "' OR 1=1 --", "{{7*7}}", "\ud800"]

# What is valid, so that one field at a time can be wrong.
GOOD: dict[str, Any] = {
    "protocol": 1, "role": "chat", "site": UID, "ticket": "x", "embedder": PAGE, "session": "", "browser": "",
    "page_url": "", "account": "", "chat": UID, "after": 0, "staff_after": 0, "epoch": "e", "target": 1,
    "ref": "0192f0c1-2345-7abc-8def-0123456789ab", "text": "hello", "on": True, "delivered": 1, "read": 1,
    "before": 0, "department": UID, "fields": {}, "notice": "", "name": "", "email": "a@b.test",
    "online": True, "operator": "", "positions": {}, "id": 1, "work": "", "canned": UID, "shortcut": "hello",
    "older_than": UID, "answers": {}, "language": "en", "zone": "Europe/Paris",
}  # fmt: skip
ENDPOINTS = {"visitor": commands.VISITOR, "operator": commands.OPERATOR}
CASES = [
    (endpoint, command, field.name)
    for endpoint, each in ENDPOINTS.items()
    for command in each
    for field in msgspec.structs.fields(command)
]


def frame_for(command: type[Command], **changed: Any) -> dict[str, Any]:
    """A valid frame of this command, with some fields as they should not be."""
    named = {field.name for field in msgspec.structs.fields(command)}
    kind = "hello" if command is commands.OperatorHello else wire_name(command.__name__)
    return {"type": kind} | {name: GOOD[name] for name in named} | changed


def fault(endpoint: str, frame: object) -> ChatLeadError | None:
    """What the decoder of an endpoint says about a frame; None where it takes it."""
    try:
        CommandDecoder(ENDPOINTS[endpoint]).decode(frame if isinstance(frame, str) else json.dumps(frame))
    except ChatLeadError as error:
        return error
    return None


@pytest.mark.once
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_valid_is_taken(endpoint: str) -> None:
    """The rest of this file would prove nothing otherwise."""
    for command in ENDPOINTS[endpoint]:
        assert fault(endpoint, frame_for(command)) is None


@pytest.mark.once
@pytest.mark.parametrize(("endpoint", "command", "field"), CASES)
def test_a_value_of_another_kind_is_refused_by_name(
    endpoint: str, command: type[Command], field: str
) -> None:
    """P-4, P-23, P-29: 0, true, [], null, {}, numbers: never taken for what they look like."""
    good = GOOD[field]
    for wrong in WRONG:
        same_kind = type(wrong) is type(good) and not (isinstance(wrong, int) and not 0 <= wrong < 2**31)
        if same_kind and not (field == "protocol" or isinstance(wrong, dict)):
            continue
        if field == "protocol" and type(wrong) is int:
            continue  # another version is refused by name at the hello
        if isinstance(good, dict) and (
            wrong == {} or (field in ("fields", "answers") and isinstance(wrong, dict))
        ):
            continue  # names of fields are the site's: looked up, not interpreted
        error = fault(endpoint, frame_for(command, **{field: wrong}))
        assert isinstance(error, BadField), f"{field} = {wrong!r} gave {error!r}"
        assert error.field == field
        assert (error.code, error.status) == ("bad_field", 400)


@pytest.mark.once
@pytest.mark.parametrize(("endpoint", "command", "field"), CASES)
def test_a_text_that_does_not_fit_is_refused_or_is_only_a_text(
    endpoint: str, command: type[Command], field: str
) -> None:
    """P-23: in ids it never fits; in what people write it is taken as it is."""
    if not isinstance(GOOD[field], str):
        return
    free = {"text", "name", "email", "embedder", "page_url", "ticket", "account", "department", "operator"}
    free |= {"epoch", "notice"}  # compared with what is stored, never used as anything else
    free |= {"language", "zone"}  # looked up among those that there are; another one is as none
    for text in TEXTS:
        error = fault(endpoint, frame_for(command, **{field: text}))
        if "\x00" in text or len(text) > 60000 or field not in free:
            assert isinstance(error, ChatLeadError), f"{field} took {text[:20]!r}"
            assert error.code in ("bad_field", "bad_frame")


@pytest.mark.once
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "field",
    ["sender", "author", "author_id", "operator_uid", "visitor", "tenant", "account_id", "role_", "seq",
     "staff_seq", "at", "created_at", "state", "rights_epoch", "session_key", "__class__", "topic", "type_"],
)  # fmt: skip
def test_nobody_can_say_who_they_are_or_when_it_was(endpoint: str, field: str) -> None:
    """P-17, ASVS 15.3.3: a field that is not asked for is refused by name, in every command."""
    for command in ENDPOINTS[endpoint]:
        error = fault(endpoint, frame_for(command, **{field: 1}))
        assert isinstance(error, UnknownField)
        assert error.field == field


@pytest.mark.once
@pytest.mark.parametrize(("endpoint", "command", "field"), CASES)
def test_what_is_required_is_missed_by_name(endpoint: str, command: type[Command], field: str) -> None:
    """P-23."""
    required = {each.name for each in msgspec.structs.fields(command) if each.required}
    frame = frame_for(command)
    del frame[field]
    error = fault(endpoint, frame)
    if field in required:
        assert isinstance(error, BadField)
        assert (error.code, error.field) == ("missing_field", field)
    else:
        assert error is None


NO_FRAMES = [
    "", " ", "null", "true", "0", "[]", '""', "{}", "{", "[" * 5000, '{"a":' * 5000, '{"type":null}',
    '{"type":"no_such_command"}', '{"type":["send_message"]}', '{"type":"message_posted"}', "NaN",
    '{"type":"ping","id":NaN}', '{"type":"ping","id":1,"id":2}', '{"type":"ping","type":"ping"}', "\ufeff{}",
    '{"type":"ping"}{"type":"ping"}', "{'type':'ping'}", '{"type":"ping",}', '{"type":"ping"}\x00',
]  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("text", NO_FRAMES)
def test_what_is_no_command_is_a_bad_frame(endpoint: str, text: str) -> None:
    """D-3, P-23."""
    error = fault(endpoint, text)
    assert error is not None
    assert error.code in ("bad_frame", "bad_field")


# --- through the socket -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["visitor", "operator"])
async def test_the_socket_of_an_honest_client_survives_its_mistakes(
    who: str, site: Site, olga: Operator, active_chat: Chat
) -> None:
    """Every mistake is answered with its code, id and ref, and the next good frame is carried out."""
    opened = frame_of(site) if who == "visitor" else console_of(olga)
    async with opened as mine:
        await mine.rest()
        for command in ENDPOINTS[who][1:20]:
            frame = frame_for(command, id=901)
            first = next(iter(set(frame) - {"type", "id"}), None)
            if first is None:
                continue
            frame[first] = ["wrong"]
            await mine.say(frame)
            answer = await mine.hear()
            assert (answer["type"], answer["id"]) == ("failed", 901)
            assert (answer["code"], answer["field"]) == ("bad_field", first)
            if first != "ref" and "ref" in frame:
                assert answer["ref"] == GOOD["ref"]
        for text in ("{", "[]", '{"type":"nonsense"}'):
            await mine.say(text)
            assert (await mine.hear())["code"] == "bad_frame"
        await mine.say(b"\x00\x01")
        assert (await mine.hear())["code"] == "bad_frame"
        assert (await mine.ask(type="ping"))["type"] == "pong"
    await active_chat.arefresh_from_db()
    assert (active_chat.state, active_chat.last_seq) == ("active", 2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", [0, True, [], None, {}, 4711], ids=str)
async def test_a_hello_of_another_kind_is_no_hello(site: Site, wrong: Any) -> None:
    """P-4: a session or a ticket that is 0, true, [], null or {} opens nothing."""
    for field in ("site", "ticket", "embedder", "session", "browser", "role", "page_url"):
        hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "embedder": PAGE}
        hello |= {"ticket": tickets.issue(site, PAGE), field: wrong}
        async with line("/ws/v1/visitor", origin=OURS) as opened:
            await opened.say(hello)
            with pytest.raises(Closed) as closed:
                await opened.hear()
        assert closed.value.code == 4400


COOKIES = ["0", "true", "null", "[]", "{}", "1" * 10000, "x" * 44, "=", "%00" * 14 + "x", "\"' OR 1=1"]


@pytest.mark.django_db(transaction=True)
async def test_a_cookie_that_is_none_of_ours_opens_nothing(
    site: Site, olga: Operator, active_chat: Chat
) -> None:
    """P-4: the visitor is new, the operator is a stranger."""
    for cookie in COOKIES:
        async with frame_of(site, token=cookie) as vera:
            assert "chat" not in vera.welcome
            assert len(vera.welcome["session"]) == 43
        async with line("/ws/v1/operator", cookies={"cl_login": cookie}) as opened:
            await opened.say({"type": "hello", "protocol": 1})
            assert await opened.close_code() == 4401


def test_a_cookie_with_a_nul_is_no_cookie(olga: Operator) -> None:
    """P-23: PostgreSQL refuses to look for it, which is nobody's fault but the sender's."""
    for value in ('"\\000aaaaaaaaaaaa"', '"aaaaaaaaaaaa\\000"'):
        client = Client(
            raise_request_exception=False, headers={"Cookie": f"cl_login={value}; cl_csrf={value}"}
        )
        assert client.get("/console/").status_code == 302
        assert client.get("/console/login/").status_code == 200
        seen = client.get("/console/").wsgi_request
        assert seen.COOKIES == {}


LEFT_WRONG = [
    *((field, wrong) for field in ("name", "email") for wrong in ("a\r\nBcc: x@evil.test", "a\nb", "\x00")),
    *(("email", wrong) for wrong in ("", " ", "no address", "a@b", "a@b.test, c@d.test", "<a@b.test>")),
    *(("email", f'"{each}{each}x"@b.test') for each in "\x01\x0b\x0c\x1c\x1d\x1e\x7f\x85\u2028"),
    ("email", "a" * 300),
    ("text", ""),
    ("name", "x" * 201),
]


@pytest.mark.django_db(transaction=True)
async def test_a_left_message_cannot_carry_headers_or_other_recipients(
    site: Site, intake: Department
) -> None:
    """P-23, osTicket 7c5c584f9: refused by name, and neither a row nor a mail comes of it."""
    sha256 = await sync_to_async(lambda: notices.current(site).sha256)()
    good = {"email": "vera@example.org", "name": "Vera", "text": "Call me", "notice": sha256}
    async with frame_of(site) as vera:
        for field, wrong in LEFT_WRONG:
            sent = good | {field: wrong, "department": intake.uid}
            answer = await vera.ask(type="leave_message", ref=new_ref(), **sent)
            assert answer["type"] == "failed", sent
            assert answer["code"] in ("bad_field", "missing_field")
            assert answer["field"] == field
    assert not await Chat.objects.aexists()
    assert not await Visitor.objects.aexists()
    assert not await OutboxItem.objects.aexists()


# --- the form for logging in (P-29) -----------------------------------------------------------------------


URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("field", ["username", "password", "next"])
@pytest.mark.parametrize(
    "wrong",
    ["", "0", "true", "null", "[]", '{"$gt": ""}', "a\r\nX-Evil: 1", "x" * 100_000, "\U0001f600", "\x00"],
)
def test_the_log_in_form_takes_nothing_for_what_it_is_not(olga: Operator, field: str, wrong: str) -> None:
    """P-29, P-23: the form comes back, nobody is logged in, nothing leaks into a header."""
    sent = {"username": "olga@acme.test", "password": "wrong", "next": "/console/"} | {field: wrong}
    answer = Client().post("/console/login/", sent)
    assert answer.status_code == 200
    assert "X-Evil" not in str(answer.headers)
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"username": {"$gt": ""}, "password": {"$gt": ""}}', "application/json"),
        ("username[$ne]=x&password[$ne]=x", URLENCODED),
        ("username[]=olga@acme.test&password[]=x", URLENCODED),
        (f"username=x&username=olga@acme.test&password={PASSWORD}&password=x", URLENCODED),
        ("username=%ff%fe&password=%ed%a0%80", URLENCODED),
        ("<a/>", "text/xml"),
        ("\x00\xff", "application/octet-stream"),
        ("x=1&" * 2000, URLENCODED),
        ('--b\r\nContent-Disposition: form-data; name="username"', "multipart/form-data; boundary=b"),
        ("x", "multipart/form-data"),
    ],
)
def test_a_log_in_by_another_road_is_refused(olga: Operator, body: str, kind: str) -> None:
    """P-29: operators, lists, other bodies and a thousand fields."""
    answer = Client(raise_request_exception=False).generic("POST", "/console/login/", body, content_type=kind)
    assert answer.status_code in (200, 400)
    assert not Session.objects.exists()
