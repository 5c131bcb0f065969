"""What happened, as the people at both ends saw it: what they asked for, what was answered, what they saw.

Times are `time.monotonic()` of the one process in which all clients live. A history is plain data: the
checker is a function of it, and a fault is told by the shortest part of it that still shows the fault.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bench.chat_log import ROWS
from bench.link import Frame

Outcome = Literal["ok", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a client: of which firm, on which side."""

    name: str
    firm: str
    side: Literal["visitor", "operator"]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody asked for. `ended` is 0.0 while there is no answer; then the outcome is
    `unknown`: it happened once, or not at all. `fail` says that nothing was stored."""

    number: int
    who: str
    what: str
    began: float
    chat: str = ""
    ref: str = ""
    text: str = ""
    target: int = 0
    ended: float = 0.0
    outcome: Outcome = "unknown"
    code: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame that reached somebody."""

    at: float
    who: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a public log that came onto somebody's screen, in the order of the screen."""

    at: float
    who: str
    chat: str
    seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """What was done to the machine."""

    at: float
    what: str


@dataclass(frozen=True, slots=True)
class Screen:
    """What somebody's client believes at the end, and what a fresh one is told at the same time."""

    who: str
    kept: dict[str, Any]
    fresh: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A chat as it is stored at the end, read by a fresh connection of the firm's supervisor (`rows`,
    `notes`) and by one of the visitor (`own`)."""

    chat: str
    firm: str
    owner: str
    rows: tuple[Frame, ...]
    notes: tuple[Frame, ...] = ()
    own: tuple[Frame, ...] = ()


@dataclass
class History:
    """All of it. `began` and `ended` are for the clients, the rest is read."""

    people: dict[str, Person] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    screens: list[Screen] = field(default_factory=list)
    transcripts: dict[str, Transcript] = field(default_factory=dict)
    # until when (in seconds after the last word) some screen was wrong, and what was wrong there
    still_wrong: tuple[float, list[str]] = (0.0, [])
    is_over: bool = False  # what comes after the transcripts were read is not written down

    def began(self, who: str, command: Frame) -> int:
        """Somebody asks for something; the number names it for `ended`."""
        number = len(self.acts)
        self.acts.append(
            Act(
                number, who, command["type"], time.monotonic(), command.get("chat", ""),
                command.get("ref", ""), command.get("text", ""), command.get("target", 0),
            )
        )  # fmt: skip
        return number

    def ended(self, number: int, outcome: Outcome, *, answer: Frame | None = None) -> None:
        """The answer to it has come (or never will: `unknown`)."""
        answer = answer or {}
        self.acts[number] = replace(
            self.acts[number], ended=time.monotonic(), outcome=outcome, code=answer.get("code", ""),
            seq=answer.get("seq", 0), chat=self.acts[number].chat or _chat_of(answer),
        )  # fmt: skip

    def messages(self) -> int:
        """How many were acknowledged."""
        return sum(act.outcome == "ok" and act.what == "send_message" for act in self.acts)

    def saw(self, who: str, frame: Frame) -> None:
        if not self.is_over:
            self.sights.append(Sight(time.monotonic(), who, frame))

    def showed(self, who: str, chat: str, seq: int) -> None:
        if not self.is_over:
            self.shown.append(Shown(time.monotonic(), who, chat, seq))

    def happened(self, what: str) -> None:
        self.events.append(Event(time.monotonic(), what))


def _chat_of(answer: Frame) -> str:
    chat = answer.get("chat", "")
    return str(chat["uid"]) if isinstance(chat, dict) else str(chat)


def rows_in(value: Any) -> Iterator[Frame]:
    """Every row of a log, notes included, that a frame holds at any depth."""
    if isinstance(value, dict):
        if value.get("type") in ROWS or value.get("type") == "note_added":
            yield value
        else:
            for part in value.values():
                if isinstance(part, dict | list):
                    yield from rows_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from rows_in(part)
