"""One chat as a client knows it: rows in order, early rows held, gaps filled. Follows docs/protocol.md."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

from bench.link import Frame

HOLD_SECONDS = 0.3
MARKS = ("visitor_delivered", "visitor_read", "operator_delivered", "operator_read")
ROWS = frozenset(
    (
        "chat_opened",
        "message_posted",
        "message_edited",
        "message_deleted",
        "chat_accepted",
        "chat_transferred",
        "chat_returned",
        "chat_closed",
    )
)


def uuid7() -> str:
    """A fresh `ref`: 48 bits of milliseconds, then chance (RFC 9562)."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Chat:
    """The two logs, the marks and the state of one chat.

    `rows` are the public rows by `seq`, as they stand (an edit has replaced its target's text); `notes` those
    of the staff log. `missing` is called when a gap stays open; `changed` after every row that was applied.
    """

    def __init__(
        self, uid: str, missing: Callable[[Chat], None], changed: Callable[[Chat, Frame], None]
    ) -> None:
        self.uid = uid
        self.seq = self.staff_seq = 0
        self.state = "waiting"
        self.department = self.operator = ""
        self.presence, self.gone_at = "here", 0  # of the visitor, as a console is told
        self.rows: dict[int, Frame] = {}
        self.notes: dict[int, Frame] = {}
        self.marks = dict.fromkeys(MARKS, 0)
        self.resuming = False
        self._held: dict[int, Frame] = {}
        self._held_notes: dict[int, Frame] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._missing, self._changed = missing, changed
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def holds_back(self) -> bool:
        """True while rows are held because an earlier one is missing."""
        return bool(self._held or self._held_notes)

    @property
    def marks_sum(self) -> int:
        return sum(self.marks.values())

    def texts(self) -> list[tuple[str, str]]:
        """(author, text) of the messages that are known, in the order of the log."""
        rows = (self.rows[seq] for seq in sorted(self.rows))
        return [(row["author"], row["text"]) for row in rows if row["type"] == "message_posted"]

    async def reach(self, seq: int) -> None:
        """Return once every row up to `seq` was applied."""
        if self.seq >= seq:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((seq, future))
        await future

    def snapshot(self, view: Frame, *, anew: bool = False) -> None:
        """Take a whole view over; `anew` forgets what was there (another epoch, or a reset)."""
        if anew:
            self.seq = self.staff_seq = 0
            self.rows, self.notes = {}, {}
            self.marks = dict.fromkeys(MARKS, 0)
        self.grow(view["marks"])
        department = view["department"]  # an operator's view names it whole, a visitor's by its name
        self.is_there(view.get("presence", "here"), view.get("gone_at", 0))
        if view["seq"] >= self.seq:
            if view.get("log") and view["log"][0]["seq"] > self.seq + 1:
                self.rows = {}  # older ones, with a hole behind them
            for row in view.get("log", ()):
                self._apply(row, silently=row["seq"] <= self.seq)
            self.seq = view["seq"]
            self.state, self.operator = view["state"], view.get("operator", "")
            self.department = department["uid"] if isinstance(department, dict) else ""
        staff_seq = view.get("staff_seq", 0)
        if staff_seq >= self.staff_seq:
            self.notes |= {note["staff_seq"]: note for note in view.get("notes", ())}
            self.staff_seq = staff_seq
        self._settle()

    def take(self, row: Frame) -> None:
        """A row of the public log, from whichever frame: known ones are ignored, early ones held."""
        if row["seq"] > self.seq:
            self._held[row["seq"]] = row
            self._settle()

    def take_note(self, note: Frame) -> None:
        """The same for the staff log."""
        if note["staff_seq"] > self.staff_seq:
            self._held_notes[note["staff_seq"]] = note
            self._settle()

    def grow(self, marks: Frame) -> None:
        """Marks only grow."""
        for name in MARKS:
            self.marks[name] = max(self.marks[name], marks.get(name, 0))

    def mark_changed(self, frame: Frame) -> None:
        side = frame["side"]
        self.grow({f"{side}_delivered": frame["delivered"], f"{side}_read": frame["read"]})

    def is_there(self, presence: str, at: int) -> None:
        """`presence` is that of the visitor since `at`."""
        self.presence, self.gone_at = presence, 0 if presence == "here" else at

    def resumed(self) -> None:
        """The answer to a `resume` was applied; whatever is still held waits for another."""
        self.resuming = False
        self._settle()

    def _settle(self) -> None:
        while (row := self._held.pop(self.seq + 1, None)) is not None:
            self.seq = row["seq"]
            self._apply(row)
        while (note := self._held_notes.pop(self.staff_seq + 1, None)) is not None:
            self.staff_seq = note["staff_seq"]
            self.notes[self.staff_seq] = note
        self._held = {seq: row for seq, row in self._held.items() if seq > self.seq}
        self._held_notes = {seq: note for seq, note in self._held_notes.items() if seq > self.staff_seq}
        if self.holds_back and self._timer is None and not self.resuming:
            self._timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._overdue)
        elif not self.holds_back and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            for seq, future in self._waiting:
                if seq <= self.seq and not future.done():
                    future.set_result(None)
            self._waiting = [(seq, future) for seq, future in self._waiting if not future.done()]

    def _overdue(self) -> None:
        self._timer = None
        if self.holds_back and not self.resuming:
            self._missing(self)

    def _apply(self, row: Frame, silently: bool = False) -> None:
        kind = row["type"]
        self.rows[row["seq"]] = row
        if silently:
            return
        if kind == "message_posted" and row["author"] == "visitor" and row["at"] > self.gone_at:
            self.is_there("here", 0)  # who writes is
        target = self.rows.get(row.get("target", 0))
        if kind == "message_edited" and target is not None:
            self.rows[target["seq"]] = {**target, "text": row["text"], "state": "edited"}
        elif kind == "message_deleted" and target is not None:
            self.rows[target["seq"]] = {**target, "text": "", "state": "deleted"}
        elif kind == "chat_accepted":
            self.state, self.operator = "active", row.get("operator", "")
        elif kind == "chat_transferred":
            self.state, self.operator = row["state"], row.get("to_operator", "")
            self.department = row["department_uid"]
        elif kind == "chat_returned":
            self.state, self.operator = "waiting", ""
        elif kind == "chat_closed":
            self.state = row["state"]
        self._changed(self, row)
