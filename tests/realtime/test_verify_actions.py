"""Snapshot before + events as delivered, reduced by the browsers' own code = snapshot after.

For every command and every action (V-2), played by tests/realtime/scenes.py and those beside it.
One that has no scene there fails `test_nothing_is_left_out`.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

import accounts.actions
import chats.actions
import surveys.actions
import visitors.actions
from chatlead.realtime import commands
from tests.realtime import (  # noqa: F401 - they register their scenes
    scenes_of_canned,
    scenes_of_presence,
    scenes_of_privacy,
    scenes_of_surveys,
    scenes_of_texts,
    scenes_of_the_archive,
    scenes_of_the_firm,
)
from tests.realtime.reducers import Reducers
from tests.realtime.scenes import CASES, COVERED, World
from tests.sockets import Line, console_of, frame_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _archive_of_its_own(tmp_path: Path, settings: Settings) -> None:
    settings.ARCHIVE_STORE = (tmp_path / "store").as_uri()
    settings.ARCHIVE_IDENTITY_FILE = tmp_path / "identity"


# What the sender makes of its own ack (docs/protocol.md), by the command.
OWN_EVENTS = {
    "send_message": "message_posted",
    "edit_message": "message_edited",
    "delete_message": "message_deleted",
    "add_note": "note_added",
}


class Screen(Line):
    """A line that keeps all that it has heard, and makes events of the acks of what it wrote itself."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.heard: list[dict[str, Any]] = []
        self.wrote: dict[str, dict[str, Any]] = {}  # by ref

    async def hear(self, **named: Any) -> dict[str, Any]:
        frame = await super().hear(**named)
        self.heard.append(self.own_event(frame) if frame["type"] == "ack" else frame)
        return frame

    async def say(self, frame: Any) -> None:
        if isinstance(frame, dict) and frame.get("type") in OWN_EVENTS:
            self.wrote[str(frame["ref"])] = frame
        await super().say(frame)

    def own_event(self, ack: dict[str, Any]) -> dict[str, Any]:
        said = self.wrote[ack["ref"]]
        kept = {name: said[name] for name in ("text", "target") if name in said}
        event = {"type": OWN_EVENTS[said["type"]], "chat": ack["chat"], "at": ack["at"], "ref": ack["ref"]}
        number = "staff_seq" if said["type"] == "add_note" else "seq"
        me = self.welcome.get("me")
        author = {"operator": me["uid"], "name": me["name"]} if me else {}
        if number == "seq":
            author["author"] = "operator" if me else "visitor"
        return event | kept | author | {number: ack["seq"]}


def side_of(who: str) -> Any:
    return "visitor" if who.startswith("vera") else "operator"


@contextlib.asynccontextmanager
async def opened(world: World, who: str) -> AsyncIterator[Line]:
    if who.startswith("vera"):
        async with frame_of(world.cast.site, token=world.token) as line:
            yield line
    else:
        async with console_of(getattr(world.cast, who.rstrip("2"))) as line:
            yield line


PEOPLE = ("vera", "vera2", "olga", "olga2", "nina", "sam", "eve")


@pytest.mark.parametrize("name", CASES)
async def test_events_lead_where_a_new_snapshot_begins(
    name: str, world: World, reducers: Reducers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V-2."""
    monkeypatch.setattr("tests.sockets.Line", Screen)
    arranged = CASES[name](world)
    await anext(arranged)
    async with contextlib.AsyncExitStack() as stack:
        for who in PEOPLE:
            world.lines[who] = await stack.enter_async_context(opened(world, who))
        for line in world.lines.values():
            await line.rest()  # that the others have come
        with pytest.raises(StopAsyncIteration):
            await anext(arranged)
        for line in world.lines.values():
            await line.rest()
        for who, line in world.lines.items():
            assert isinstance(line, Screen)
            if any(frame["type"] == "position" for frame in line.heard):
                await caught_up(line, reducers)
            async with opened(world, who) as again:
                await line.rest()  # somebody who comes may be news
                told = reducers.known(side_of(who), line.heard)
                shown = reducers.known(side_of(who), [again.welcome])
            assert told == shown, f"{who} knows something else"
            assert told.get("digest") == again.welcome.get("digest")


async def caught_up(line: Screen, reducers: Reducers) -> None:
    """A console that hears a digest which is not its own asks for the differences, as consoles do."""
    known = reducers.known("operator", line.heard)
    [position] = [frame for frame in line.heard if frame["type"] == "position"][-1:]
    if position["digest"] != known["digest"] or position.get("version", 0) != known["version"]:
        await line.ask(type="sync", positions=known["positions"], epoch=known["epoch"])


def test_nothing_is_left_out() -> None:
    """V-2: every command and every action has a case."""
    wanted = {f"{each.__module__}.{each.__name__}" for each in (*commands.VISITOR, *commands.OPERATOR)}
    wanted -= {"chatlead.realtime.commands.Hello", "chatlead.realtime.commands.OperatorHello"}
    for module in (chats.actions, accounts.actions, surveys.actions, visitors.actions):
        package = module.__name__
        for name, member in inspect.getmembers(module):
            ours = getattr(member, "__module__", "").startswith(package)
            if ours and callable(member) and not name.startswith("_"):
                wanted.add(f"{member.__module__}.{member.__name__}")
    wanted -= HELPERS
    assert wanted == set(COVERED), wanted ^ set(COVERED)


# parts of other actions
HELPERS = {
    "accounts.actions.next_version",
    "chats.actions.presence.is_to_be_noted",
    "visitors.actions.one_line",
}
