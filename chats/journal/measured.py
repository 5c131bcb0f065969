"""A writer's connection with a watch beside it: how long each transaction took, and how much was in it."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from chatlead.metrics import BATCH, COMMIT

if TYPE_CHECKING:
    from chats.journal.entries import Entry, Outcome
    from chats.journal.writer import Link


class Measured:
    """Does what `link` does. What fails is not counted: nothing was committed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.together = link.together
        self.is_lost = link.is_lost
        self.close = link.close

    def store(self, entries: Sequence[Entry], *, together: bool) -> list[Outcome]:
        """One transaction, committed on return."""
        started = perf_counter()
        outcomes = self._link.store(entries, together=together)
        COMMIT.observe(perf_counter() - started)
        BATCH.observe(len(entries))
        return outcomes
