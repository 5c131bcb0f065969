"""A process of its own that writes through the sockets' door: `python -m tests.chats.journal_process`.

Reads one JSON job from stdin, {"seed", "entries": [...]}; submits the entries in an order of its own,
a few dozen at a time, and prints a line `REF SEQ` as each is acknowledged, flushed, so that whoever
killed it knows what it had promised.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

WINDOW = 48


async def write_all(entries: Iterable[Any]) -> None:
    from chats import journal
    from chats.journal import Outcome

    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(WINDOW)
    waiting: set[asyncio.Future[None]] = set()
    for entry in entries:
        await room.acquire()
        done: asyncio.Future[None] = loop.create_future()
        waiting.add(done)

        def told(result: Any, entry: Any = entry, done: asyncio.Future[None] = done) -> None:
            what = (
                result.seq
                if isinstance(result, Outcome) and result.seq
                else getattr(result, "status", result)
            )
            os.write(1, f"{entry.ref} {what}\n".encode())
            room.release()
            done.set_result(None)

        journal.submit(entry, told)
    if waiting:
        await asyncio.wait(waiting)
    await asyncio.to_thread(journal.stop)


def main() -> None:
    import django
    import msgspec

    django.setup()
    from chats.journal import Entry

    job = json.load(sys.stdin)
    entries = msgspec.convert(job["entries"], list[Entry])
    entries.sort(key=lambda entry: hashlib.sha256(f"{job['seed']} {entry.ref}".encode()).digest())
    asyncio.run(write_all(entries))


if __name__ == "__main__":
    main()
