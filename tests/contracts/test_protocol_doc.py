"""docs/protocol.md names everything that goes over the wire, and nothing that does not exist."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings

from accounts.actions import CANNED_MAX
from chatlead import errors
from chatlead.realtime import commands, events, replies, shapes
from chatlead.realtime.codes import CloseCode, may_return
from chatlead.realtime.events import wire_name
from chatlead.realtime.refusals import REFUSALS

pytestmark = pytest.mark.once

DOC = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text()
QUOTED = " ".join(re.findall(r"`([^`]+)`", DOC.replace("```", "")))  # not the fences
NAMED = set(re.findall(r"[a-z][a-z_]+", QUOTED))

COMMANDS = {wire_name(each.__name__) for each in (*commands.VISITOR, *commands.OPERATOR)}
COMMANDS = COMMANDS - {"operator_hello"}
EVENTS = {wire_name(each.__name__) for each in events.EVENTS}
REPLIES = {wire_name(each.__name__) for each in replies.REPLIES}


def error_codes() -> set[str]:
    """Codes that a client can read: those of errors that never become a close code."""
    found, todo = set(), list(errors.ChatLeadError.__subclasses__())
    while todo:
        one = todo.pop()
        if one.__module__.startswith(("chatlead", "visitors", "accounts", "chats")) and one not in REFUSALS:
            found.add(one.code)
        todo += one.__subclasses__()
    return found


def test_every_frame_is_described() -> None:
    """docs/protocol.md is enough to write a client from: each command, event and reply is named there."""
    assert sorted((COMMANDS | EVENTS | REPLIES) - NAMED) == []


def test_every_error_is_described() -> None:
    """A client can look up every code that it may be told."""
    assert sorted(error_codes() - NAMED) == []


@pytest.mark.parametrize("code", CloseCode, ids=lambda code: code.name)
def test_every_close_code_says_whether_to_come_back(code: CloseCode) -> None:
    """Number, name and advice as the server means them."""
    [(name, advice)] = re.findall(rf"^\| {int(code)} \| (\w+) \| (\w+)", DOC, re.MULTILINE)
    assert (name, advice) == (code.name.lower(), "yes" if may_return(code) else "no")


def test_nothing_is_described_that_is_not_there() -> None:
    """The table of commands, and the lists of events, name only what the classes have."""
    rows = re.findall(r"^\| (`[a-z_]+.*?`) \| (?:both|visitor|operator)", DOC, re.MULTILINE)
    told = {match for row in rows for match in re.findall(r"`([a-z_]+)", row)}
    assert told == COMMANDS - {"hello"}
    fields = set(chain.from_iterable(
        each.__struct_fields__
        for module in (commands, events, replies, shapes)
        for each in vars(module).values()
        if isinstance(each, type) and hasattr(each, "__struct_fields__")
    ))  # fmt: skip
    braced = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"\{([^}`]*)\}", QUOTED))))
    prose = {"or", "error", "a", "of", "ping", "place", "type"}  # of HTTP, and words between the names
    assert sorted(braced - fields - prose) == []


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("1 to 4,000 characters", commands.TEXT_MAX == 4000),
        ("name 200", commands.NAME_MAX == 200),
        ("12 form fields of 2,000 characters", (commands.FIELDS_MAX, commands.FIELD_MAX) == (12, 2000)),
        ("shortcut of a prepared reply 32, 200 of them", (commands.SHORTCUT_MAX, CANNED_MAX) == (32, 200)),
        ("The first frame is `hello` (within 5 s)", settings.HELLO_SECONDS == 5),
        ("a first frame within 5 s", settings.HELLO_SECONDS == 5),
        ("The transcript of one chat is mailed 5 times", settings.TRANSCRIPTS_PER_CHAT == 5),
    ],
)
def test_the_limits_are_those_of_the_code(number: str, value: bool) -> None:
    """What is written is what is enforced."""
    assert number in DOC
    assert value
