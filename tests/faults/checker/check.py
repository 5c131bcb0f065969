"""The checker: what must be true of every history, whatever was done to the machine (V-5).

`check(history)` is a pure function; it returns every fault it finds. The rules, by their names:

lost          what was acknowledged is in the transcript, at the place that the `ack` named (R-035)
doubled       nothing is in the transcript twice, neither by `ref` nor by its words (V-1)
refused       what was answered by `failed` is not stored
made_up       every row of a person was asked for by that person
gap           a transcript is 1, 2, 3 …, in both logs (R-035)
order         who saw a row saw it at its one place; visitor and staff read the same transcript
hole          rows come onto a screen in turn, none is left out
real_time     what was acknowledged before something was asked for stands before it
text          a message reads as its last edit or deletion left it
foreign       nobody hears of another tenant, no visitor of another visitor's chat (R-112)
note          no visitor hears of a note
winners       a waiting chat is accepted once, and only by who was told so
unhealed      in the end every screen is what a fresh snapshot says (R-121, V-3)
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.link import Frame
from tests.faults.checker.history import Act, History, Transcript, rows_in

SAID = ("send_message", "edit_message", "delete_message")
WRITTEN = (*SAID, "add_note", "start_chat")
BY_PEOPLE = ("message_posted", "message_edited", "message_deleted", "note_added")
STAFF_MARK = "staff/"  # in front of the text of every note
_uids = re.compile(r'"(?:chat|uid)": "([A-Za-z0-9_-]{16,32})"')


@dataclass(frozen=True)
class Fault:
    """One broken promise. `about` are the refs, or the name of the screen, that it is about."""

    rule: str
    chat: str
    about: tuple[str, ...]
    says: str

    def is_same(self, other: Fault) -> bool:
        return (self.rule, self.chat, self.about) == (other.rule, other.chat, other.about)


def check(history: History) -> list[Fault]:
    """Every fault of the history; an empty list is a good one."""
    return [fault for rule in RULES for fault in rule(history)]


def place_of(row: Frame) -> int:
    return int(row["staff_seq"] if row["type"] == "note_added" else row["seq"])


def _by_ref(transcript: Transcript) -> dict[str, list[Frame]]:
    found: dict[str, list[Frame]] = defaultdict(list)
    for row in (*transcript.rows, *transcript.notes):
        if row["type"] in BY_PEOPLE and row.get("ref"):
            found[row["ref"]].append(row)
    return found


def _written(history: History) -> dict[str, dict[str, list[Act]]]:
    """{chat: {ref: acts}}; the same `ref` may have been asked for several times."""
    found: dict[str, dict[str, list[Act]]] = defaultdict(lambda: defaultdict(list))
    for act in history.acts:
        if act.what in WRITTEN and act.what != "start_chat":
            found[act.chat][act.ref].append(act)
    return found


def stored(history: History) -> Iterator[Fault]:
    """lost, doubled, refused, made_up."""
    written = _written(history)
    for uid in sorted(written.keys() | history.transcripts.keys()):
        transcript = history.transcripts.get(uid)
        rows = _by_ref(transcript) if transcript else {}
        for ref, acts in written.get(uid, {}).items():
            yield from _one_intent(uid, ref, acts, rows.get(ref, []))
        if transcript:
            firsts = {act.ref for act in history.acts if act.what == "start_chat" and act.text}
            yield from _nothing_else(history, transcript, rows, written.get(uid, {}), firsts)
    for act in history.acts:
        if act.what == "start_chat" and act.outcome == "ok" and act.chat not in history.transcripts:
            yield Fault("lost", act.chat, (act.ref,), f"{act.who}'s chat was begun and is nowhere")


def _one_intent(uid: str, ref: str, acts: list[Act], rows: list[Frame]) -> Iterator[Fault]:
    acked = [act for act in acts if act.outcome == "ok"]
    places = {place_of(row) for row in rows}
    if len(rows) > 1:
        yield Fault("doubled", uid, (ref,), f"{acts[0].text!r} is stored {len(rows)} times, at {places}")
    if acked and not rows:
        yield Fault("lost", uid, (ref,), f"{acts[0].text!r} was acknowledged at {acked[0].seq}, and is gone")
    for act in acked:
        if rows and act.seq not in places:
            told = f"{acts[0].text!r} was acknowledged at {act.seq} and stands at {places}"
            yield Fault("lost", uid, (ref,), told)
    if rows and all(act.outcome == "fail" for act in acts):
        yield Fault("refused", uid, (ref,), f"{acts[0].text!r} was refused ({acts[0].code}) and is stored")


def _nothing_else(
    history: History, transcript: Transcript, rows: dict[str, list[Frame]], written: dict[str, list[Act]],
    firsts: set[str],
) -> Iterator[Fault]:  # fmt: skip
    for ref, found in rows.items():
        if ref not in written and ref not in firsts:
            is_first = found[0]["seq"] == 2 if "seq" in found[0] else False
            if not (is_first and found[0]["author"] == "visitor"):
                yield Fault("made_up", transcript.chat, (ref,), f"nobody asked for {found[0]}")
    words = Counter(
        row["text"] for row in transcript.rows if row["type"] == "message_posted" and row.get("text")
    )
    for text, count in words.items():
        if count > 1:
            refs = tuple(row["ref"] for row in transcript.rows if row.get("text") == text)
            yield Fault("doubled", transcript.chat, refs, f"{text!r} is there {count} times")


def gapless(history: History) -> Iterator[Fault]:
    """gap."""
    for uid, transcript in history.transcripts.items():
        for name, rows in (("public", transcript.rows), ("staff", transcript.notes)):
            places = [place_of(row) for row in rows]
            if places != list(range(1, len(places) + 1)):
                yield Fault("gap", uid, (name,), f"the {name} log is {places}")


def one_order(history: History) -> Iterator[Fault]:
    """order, hole."""
    truth: dict[tuple[str, bool, int], tuple[str, str]] = {}
    for uid, transcript in history.transcripts.items():
        for row in (*transcript.rows, *transcript.notes):
            truth[uid, row["type"] == "note_added", place_of(row)] = (row["type"], row.get("ref", ""))
        own = [(row["seq"], row["type"], row.get("ref", "")) for row in transcript.own]
        staff = [(row["seq"], row["type"], row.get("ref", "")) for row in transcript.rows]
        if transcript.own and own != staff:
            yield Fault("order", uid, (transcript.owner,), "visitor and staff read two transcripts")
    told: set[tuple[str, str, int]] = set()
    for sight in history.sights:
        for row in rows_in(sight.frame):
            key = (row["chat"], row["type"] == "note_added", place_of(row))
            seen = (row["type"], row.get("ref", ""))
            if key[0] not in history.transcripts or truth.get(key) == seen:
                continue
            if (sight.who, key[0], key[2]) not in told:
                told.add((sight.who, key[0], key[2]))
                says = f"{sight.who} saw {seen} at {key[2]}, where {truth.get(key)} is stored"
                yield Fault("order", key[0], (seen[1],), says)
    last: dict[tuple[str, str], int] = {}
    for shown in history.shown:
        before = last.get((shown.who, shown.chat), 0)
        if before and shown.seq > before + 1:
            says = f"{shown.who}'s screen went from {before} to {shown.seq}"
            yield Fault("hole", shown.chat, (shown.who,), says)
        last[shown.who, shown.chat] = shown.seq


def real_time(history: History) -> Iterator[Fault]:
    """real_time: both logs, each by itself."""
    logs: dict[tuple[str, bool], dict[str, Act]] = defaultdict(dict)
    for act in history.acts:
        if act.what in WRITTEN and act.outcome == "ok" and act.seq:
            first = logs[act.chat, act.what == "add_note"].get(act.ref)
            if first is None or act.ended < first.ended:
                logs[act.chat, act.what == "add_note"][act.ref] = act
    begun: dict[str, float] = {}
    for act in history.acts:
        begun.setdefault(act.ref, act.began)
    for (uid, _), by_ref in logs.items():
        acts = sorted(by_ref.values(), key=lambda act: begun[act.ref])
        done = sorted(by_ref.values(), key=lambda act: act.ended)
        highest, turn = None, 0
        for act in acts:
            while turn < len(done) and done[turn].ended < begun[act.ref]:
                if highest is None or done[turn].seq > highest.seq:
                    highest = done[turn]
                turn += 1
            if highest is not None and highest.seq > act.seq:
                says = (
                    f"{highest.text!r} ({highest.seq}) was acknowledged before {act.text!r} ({act.seq}) began"
                )
                yield Fault("real_time", uid, (highest.ref, act.ref), says)


def texts(history: History) -> Iterator[Fault]:
    """text: by what was asked for, since an edit's own row is rewritten by the next."""
    asked = {act.ref: act for act in history.acts if act.ref}
    for uid, transcript in history.transcripts.items():
        should: dict[int, tuple[str, str]] = {}
        for row in transcript.rows:
            act = asked.get(row.get("ref", ""))
            if act is None:
                continue
            if row["type"] == "message_posted":
                should[row["seq"]] = (act.text, "")
            elif row["type"] == "message_edited" and act.target in should:
                should[act.target] = (act.text, "edited")
            elif row["type"] == "message_deleted" and act.target in should:
                should[act.target] = ("", "deleted")
        for row in transcript.rows:
            wanted = should.get(row["seq"])
            if wanted and row["type"] == "message_posted":
                found = (row.get("text", ""), row.get("state", ""))
                if found != wanted:
                    yield Fault("text", uid, (row["ref"],), f"reads {found} and should read {wanted}")


def strangers(history: History) -> Iterator[Fault]:
    """foreign, note."""
    firms = sorted({person.firm for person in history.people.values()})
    owner = {uid: transcript.owner for uid, transcript in history.transcripts.items()}
    firm_of = {uid: transcript.firm for uid, transcript in history.transcripts.items()}
    note_refs = {act.ref for act in history.acts if act.what == "add_note"}
    for sight in history.sights:
        person = history.people[sight.who]
        raw = json.dumps(sight.frame)
        uids = set(_uids.findall(raw))
        for firm in firms:
            if firm != person.firm and f"{firm}/" in raw:
                says = f"{sight.who} of {person.firm} heard words of {firm}: {raw[:200]}"
                yield Fault("foreign", _chat_in(sight.frame), (sight.who,), says)
        for uid in sorted(uids & firm_of.keys()):
            if firm_of[uid] != person.firm:
                says = f"{sight.who} of {person.firm} heard of a chat of {firm_of[uid]}"
                yield Fault("foreign", uid, (sight.who,), says)
            elif person.side == "visitor" and owner[uid] != sight.who:
                yield Fault("foreign", uid, (sight.who,), f"{sight.who} heard of the chat of {owner[uid]}")
        if person.side == "visitor" and _tells_of_notes(raw, note_refs):
            says = f"{sight.who} heard of a note: {raw[:200]}"
            yield Fault("note", _chat_in(sight.frame), (sight.who,), says)


def _tells_of_notes(raw: str, refs: set[str]) -> bool:
    return STAFF_MARK in raw or "note_added" in raw or "staff_seq" in raw or any(ref in raw for ref in refs)


def _chat_in(frame: Frame) -> str:
    chat = frame.get("chat", "")
    return str(chat.get("uid", "")) if isinstance(chat, dict) else str(chat)


def winners(history: History) -> Iterator[Fault]:
    """winners: one wait, one `chat_accepted`; who was told `done` has it, or was given it."""
    for uid, transcript in history.transcripts.items():
        is_waiting, taken_by = True, set[str]()
        for row in transcript.rows:
            if row["type"] == "chat_accepted":
                if not is_waiting:
                    yield Fault("winners", uid, (str(row["seq"]),), f"accepted again at {row['seq']}")
                is_waiting = False
                taken_by.add(row.get("operator", ""))
            elif row["type"] == "chat_returned":
                is_waiting = True
            elif row["type"] == "chat_transferred":
                is_waiting = row["state"] == "waiting"
                taken_by.add(row.get("to_operator", ""))
        for act in history.acts:
            told_done = act.what == "accept_chat" and act.chat == uid and act.outcome == "ok"
            if told_done and act.text not in taken_by:  # `text` of an accept is the uid of who accepts
                yield Fault("winners", uid, (act.who,), f"{act.who} was told `done` and has no row")


def healed(history: History) -> Iterator[Fault]:
    """unhealed."""
    for screen in history.screens:
        for path, kept, fresh in differences(screen.kept, screen.fresh):
            chat = next((part for part in path if part in history.transcripts), "")
            says = f"{screen.who} believes {'.'.join(path)} is {kept!r}, and it is {fresh!r}"
            yield Fault("unhealed", chat, (screen.who, *path), says)


def differences(
    one: Any, other: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, left, right) of every leaf in which two trees differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys(), key=str):
            yield from differences(one.get(key), other.get(key), (*path, str(key)))
    elif one != other:
        yield path, one, other


Rule = Callable[[History], Iterator[Fault]]
RULES: tuple[Rule, ...] = (stored, gapless, one_order, real_time, texts, strangers, winners, healed)
