"""Entry of a server under test: `python planted.py manage.py serve …` is `manage.py serve …` that can be
told, while it runs, to misbehave or to believe in another time.

The file that TEST_PLANTED names holds a JSON object, read again whenever it changes:
`drop` (share of published frames that are lost), `clock` (seconds by which this machine's clock is off),
`bugs` (names of BUGS: faults that somebody might build in by mistake). Nothing of this is in the product.
"""

from __future__ import annotations

import contextlib
import json
import os
import random  # noqa: TID251 - repeatable faults
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(os.environ["TEST_PLANTED"])
ROOT = Path(__file__).resolve().parents[2]


class Orders:
    """What the file says now."""

    def __init__(self) -> None:
        self._read_at = 0
        self.drop = 0.0
        self.clock = 0.0
        self.bugs: frozenset[str] = frozenset()
        self.chance = random.Random(0)

    def look(self) -> Orders:
        changed_at = FILE.stat().st_mtime_ns
        if changed_at != self._read_at:
            told = json.loads(FILE.read_text())
            self._read_at = changed_at
            self.drop, self.clock = told.get("drop", 0.0), told.get("clock", 0.0)
            self.bugs = frozenset(told.get("bugs", ()))
            self.chance = random.Random(told.get("seed", 0))
        return self

    def has(self, bug: str) -> bool:
        return bug in self.look().bugs


orders = Orders()


def lose_hints() -> None:
    """A share of what is published reaches nobody; some bugs are in who hears what, too."""
    from chatlead.realtime.hub import Hub

    deliver = Hub.deliver

    def losing(self: Any, topics: Sequence[Any], text: str, skip: Any = None) -> None:
        now = orders.look()
        if now.drop and now.chance.random() < now.drop:
            return
        if "lost_waiting" in now.bugs and text.startswith('{"type":"chat_listed"'):
            return
        if "lost_presence" in now.bugs and text.startswith('{"type":"presence_changed"'):
            return
        deliver(self, topics, text, skip)
        if "foreign" in now.bugs and text.startswith('{"type":"message_posted"'):
            for member in list(self.members):
                member.deliver(text)
        if "note_leak" in now.bugs and text.startswith('{"type":"note_added"'):
            for member in list(self.members):
                if hasattr(member.principal, "session_key"):
                    member.deliver(text)

    Hub.deliver = losing  # type: ignore[method-assign]


def move_clock() -> None:
    """time.time and everything of Django's and ours that tells the time of day; never the monotonic clock."""
    import datetime as plain

    from django.utils import timezone

    from accounts import outbox
    from chats.journal import entries

    true_time = time.time
    true_now = timezone.now

    class Shifted(plain.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return plain.datetime.now(tz) + plain.timedelta(seconds=orders.look().clock)

    def shifted_now() -> Any:
        return true_now() + plain.timedelta(seconds=orders.look().clock)

    time.time = lambda: true_time() + orders.look().clock
    timezone.now = shifted_now
    vars(entries)["datetime"] = Shifted
    assert vars(outbox)["timezone"].now is shifted_now


def look_often() -> None:
    """What ends chats that nobody is in looks each second, so that it looks at the wrong moment, too."""
    from chatlead.celery import app

    app.conf.beat_schedule["chats that nobody is in"]["schedule"] = 1.0


def nobody_says_who_is_gone() -> None:
    """`lost_presence`: neither the news of a coming or going reaches anybody, nor do the positions say it."""
    from chats import positions

    tell = positions.operator_positions

    def silent(principals: Any) -> Any:
        told = tell(principals)
        if not orders.has("lost_presence"):
            return told
        return {who: msgspec.structs.replace(position, gone=None) for who, position in told.items()}

    vars(positions)["operator_positions"] = silent


def no_positions() -> None:
    """`lost_waiting` also silences what would heal it."""
    from chatlead.realtime import hub
    from chats import positions

    for work in hub._registered:
        if work.job in (positions.tell_operators, positions.tell_visitors):
            work.job = _unless("lost_waiting", work.job)


def _unless(bug: str, job: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def run(hub: Any) -> None:
        if not orders.has(bug):
            await job(hub)

    return run


def ack_first() -> None:
    """`ack_first`: everybody is told what will be stored, and it is stored with what comes next."""
    from django.db import transaction

    from chats.journal import writer
    from chats.journal.entries import now_in_ms
    from chats.journal.plain import write

    class Undone(Exception):
        """Nothing of the dry run stays."""

    store = writer.SqliteLink.store
    owed: list[Any] = []

    def too_early(self: Any, entries: Sequence[Any], *, together: bool) -> list[Any]:
        if owed:
            store(self, owed, together=False)
            owed.clear()
        if not orders.has("ack_first"):
            return store(self, entries, together=together)
        outcomes: list[Any] = []
        with contextlib.suppress(Undone), transaction.atomic():
            cursor = self._wrapper.connection.cursor()
            outcomes = write(cursor, self._tongue, entries, now_in_ms())
            raise Undone
        owed.extend(entries)
        return outcomes

    writer.SqliteLink.store = too_early  # type: ignore[method-assign]


def deaf_resume() -> None:
    """`deaf_resume`: whoever asks what was missed hears that nothing was."""
    from chats import recovery

    after = recovery._after

    def nothing(chat: Any, seq: int, staff_seq: int) -> Any:
        return ([], []) if orders.has("deaf_resume") else after(chat, seq, staff_seq)

    vars(recovery)["_after"] = nothing


def double_ref() -> None:
    """`double_ref`: a message that comes again is stored again. The table has lost its constraint, too."""
    from chats.journal import plain, sqlite
    from chats.journal.plain import STATEMENTS

    if not orders.has("double_ref"):  # from the start of the process, or never
        return
    sqlite.IS_ABLE = False
    for statements in STATEMENTS.values():
        statements.insert = statements.insert.partition("ON CONFLICT")[0]
    assert plain.STATEMENTS is STATEMENTS


BUGS = (
    "ack_first", "deaf_resume", "double_ref", "lost_waiting", "lost_presence", "note_leak", "foreign",
)  # fmt: skip


def main(arguments: list[str]) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatlead.settings")
    import django

    django.setup()
    import chatlead.asgi  # noqa: F401 - everything is loaded before it is changed

    lies = (nobody_says_who_is_gone, no_positions, ack_first, deaf_resume, double_ref)
    for plant in (lose_hints, move_clock, look_often, *lies):
        plant()
    from django.core.management import execute_from_command_line

    sys.argv = arguments
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
