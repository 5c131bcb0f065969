"""The shortest history that still shows a fault: cut to its chat, then made smaller step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench.link import Frame
from tests.faults.checker.check import Fault, check, place_of
from tests.faults.checker.history import Act, Event, History, Screen, Shown, Sight, rows_in

Step = Act | Sight | Shown
STEPS_MAX = 400  # more than these are halved before they are tried one by one
LINES_MAX = 60


def shortest(history: History, fault: Fault) -> History:
    """A history that shows the same fault and from which no step and no row can be taken away."""
    small = _about(history, fault)
    if not _shows(small, fault):
        small = history  # it takes more than one chat to show it
    steps: list[Step] = [*small.acts, *small.sights, *small.shown]
    steps.sort(key=_time)
    small = _fewer_steps(small, steps, fault)
    return _fewer_rows(small, fault)


def _shows(history: History, fault: Fault) -> bool:
    return any(fault.is_same(other) for other in check(history))


def _about(history: History, fault: Fault) -> History:
    """Only what is about the chat of the fault; all of it where the fault is about no chat."""
    uid = fault.chat
    if not uid:
        return history
    kept = [act for act in history.acts if act.chat == uid]
    return replace(
        history,
        acts=kept,
        sights=[sight for sight in history.sights if _mentions(sight.frame, uid)],
        shown=[shown for shown in history.shown if shown.chat == uid],
        screens=[screen for screen in history.screens if screen.who in fault.about],
        transcripts={key: value for key, value in history.transcripts.items() if key == uid},
    )


def _mentions(value: Any, uid: str) -> bool:
    if isinstance(value, dict):
        return any(_mentions(part, uid) for part in value.values())
    if isinstance(value, list):
        return any(_mentions(part, uid) for part in value)
    return bool(value == uid)


def _time(step: Step) -> float:
    return step.began if isinstance(step, Act) else step.at


def _with(history: History, steps: Sequence[Step]) -> History:
    return replace(
        history,
        acts=[step for step in steps if isinstance(step, Act)],
        sights=[step for step in steps if isinstance(step, Sight)],
        shown=[step for step in steps if isinstance(step, Shown)],
    )


def _fewer_steps(history: History, steps: list[Step], fault: Fault) -> History:
    """Take away pieces, large ones first, as long as the fault is still there (delta debugging)."""
    size = max(1, len(steps) // 2)
    while True:
        at, changed = 0, False
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if _shows(_with(history, fewer), fault):
                steps, changed = fewer, True
            else:
                at += size
        if size == 1 and (not changed or len(steps) > STEPS_MAX):
            return _with(history, steps)
        size = max(1, size // 2)


def _fewer_rows(history: History, fault: Fault) -> History:
    """Of the transcripts, only the rows without which the fault cannot be seen."""
    for uid, transcript in list(history.transcripts.items()):
        without = {key: value for key, value in history.transcripts.items() if key != uid}
        if _shows(replace(history, transcripts=without), fault):
            history = replace(history, transcripts=without)
            continue
        for name in ("own", "notes", "rows"):
            rows = getattr(transcript, name)
            for row in reversed(rows):
                fewer = tuple(each for each in getattr(transcript, name) if each is not row)
                changes: dict[str, Any] = {name: fewer}
                smaller = replace(transcript, **changes)
                changed = replace(history, transcripts={**history.transcripts, uid: smaller})
                if _shows(changed, fault):
                    transcript, history = smaller, changed
    return history


def told(history: History, fault: Fault, seed: int) -> str:
    """The fault, its seed and its shortest history, for a person to read."""
    small = shortest(history, fault)
    lines: list[tuple[float, str]] = []
    for act in small.acts:
        lines.append((act.began, f"{act.who} asks: {_asked(act)}"))
        if act.outcome != "unknown":
            lines.append(
                (act.ended, f"{act.who} hears: {act.outcome} {act.code} {act.seq or ''} ({act.what})")
            )
    lines += [(sight.at, f"{sight.who} sees: {_in_short(sight.frame)}") for sight in small.sights]
    lines += [(shown.at, f"{shown.who}'s screen shows {shown.seq}") for shown in small.shown]
    lines += [(event.at, f"*** {event.what}") for event in _between(history.events, lines)]
    start = min((at for at, _ in lines), default=0.0)
    story = [f"  {at - start:8.3f}  {text}" for at, text in sorted(lines)][:LINES_MAX]
    for transcript in small.transcripts.values():
        for row in (*transcript.rows, *transcript.notes):
            story.append(f"    stored  {place_of(row)}: {_in_short(row)}")
    story += [_of_screen(screen) for screen in small.screens if screen.who in fault.about]
    head = f"{fault.rule}: {fault.says}\n  seed {seed}, chat {fault.chat or '-'}, {len(story)} steps"
    return "\n".join([head, *story])


def _between(events: Sequence[Event], lines: list[tuple[float, str]]) -> list[Event]:
    if not lines:
        return list(events)
    first, last = min(at for at, _ in lines), max(at for at, _ in lines)
    return [event for event in events if first <= event.at <= last]


def _asked(act: Act) -> str:
    parts = [act.what, repr(act.text) if act.text else "", f"of {act.target}" if act.target else "", act.ref]
    return " ".join(part for part in parts if part)


def _in_short(frame: Frame) -> str:
    rows = [f"{place_of(row)}={row['type']}:{row.get('text', '')!r}" for row in rows_in(frame)]
    if frame.get("type") in ("message_posted", "note_added") or not rows:
        return str({key: value for key, value in frame.items() if key not in ("at", "name")})[:200]
    return f"{frame.get('type')} with {', '.join(rows)}"[:300]


def _of_screen(screen: Screen) -> str:
    return f"    screen  {screen.who}: believed and fresh differ"
