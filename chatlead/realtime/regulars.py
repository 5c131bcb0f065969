"""Who polls at this process, and what is remembered of them between two polls: bounds, never rights.

Another process knows nothing of it, as it knows nothing of the sockets here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.conf import settings

from chatlead.realtime.caller import FAULT_SECONDS, FAULTS

if TYPE_CHECKING:
    from chatlead.realtime.hub import Hub

FORGOTTEN_SECONDS = 60.0
MOST = 20_000  # who comes next makes the one forgotten who has been away for longest


class Regular:
    """One person's polls. `memory` is what their callers share: see `Caller.memory`."""

    __slots__ = ("_fault_count", "_faults_since", "_held", "_house", "_places", "memory", "seen_at")

    def __init__(self, house: Counter[str]) -> None:
        self.memory: dict[Any, Any] = {}
        self.seen_at = 0.0
        self._house = house  # of all persons: held polls by address
        self._held = 0
        self._fault_count = 0
        self._faults_since = 0.0

    @property
    def is_here(self) -> bool:
        """Whether a poll of theirs is held just now."""
        return self._held > 0

    def enter(self, ip: str) -> bool:
        """Hold one more poll from this address; False where they are too many."""
        if self._held >= settings.POLLS_PER_PERSON or self._house[ip] >= settings.POLLS_PER_ADDRESS:
            return False
        self._held += 1
        self._house[ip] += 1
        return True

    def leave(self, ip: str) -> None:
        """One that was held is not held any more."""
        self._held -= 1
        self._house[ip] -= 1
        if not self._house[ip]:
            del self._house[ip]

    def count_fault(self, now: float) -> bool:
        """One more; True where they are too many in a short time (D-5)."""
        if now - self._faults_since > FAULT_SECONDS:
            self._faults_since, self._fault_count = now, 0
        self._fault_count += 1
        return self._fault_count >= FAULTS

    def is_flooding(self, now: float) -> bool:
        """Whether it was too many, and not long ago."""
        return self._fault_count >= FAULTS and now - self._faults_since <= FAULT_SECONDS


class Regulars:
    """All of one address. On the loop only."""

    def __init__(self) -> None:
        self._by_name: dict[str, Regular] = {}
        self._house: Counter[str] = Counter()
        self._swept_at = 0.0

    def known(self, name: str, hub: Hub) -> Regular:
        """The person of this name, from now on remembered for a minute after their last poll."""
        now = hub.loop.time()
        if now - self._swept_at > FORGOTTEN_SECONDS or len(self._by_name) >= MOST:
            self._sweep(now)
        found = self._by_name.pop(name, None) or Regular(self._house)
        self._by_name[name] = found  # the last of the dict is the one who was here last
        found.seen_at = now
        return found

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        for name, each in list(self._by_name.items()):
            if each.is_here:
                continue
            if now - each.seen_at <= FORGOTTEN_SECONDS and len(self._by_name) < MOST:
                return  # the others were here later
            del self._by_name[name]
