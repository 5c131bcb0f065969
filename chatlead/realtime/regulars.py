"""Who polls at this process, and what is remembered of them between two polls: bounds, never rights.

Another process knows nothing of it, as it knows nothing of the sockets here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatlead.realtime.caller import FAULT_SECONDS, FAULTS

if TYPE_CHECKING:
    from chatlead.realtime.hub import Hub

FORGOTTEN_SECONDS = 60.0
MOST = 20_000  # who comes next makes the one forgotten who has been away for longest


class Regular:
    """One person's polls. `memory` is what their callers share: see `Caller.memory`."""

    __slots__ = ("_fault_count", "_faults_since", "memory", "seen_at")

    def __init__(self) -> None:
        self.memory: dict[Any, Any] = {}
        self.seen_at = 0.0
        self._fault_count = 0
        self._faults_since = 0.0

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
        self._swept_at = 0.0

    def known(self, name: str, hub: Hub) -> Regular:
        """The person of this name, from now on remembered for a minute after their last poll. "" is none."""
        if not name:
            return Regular()
        now = hub.loop.time()
        if now - self._swept_at > FORGOTTEN_SECONDS or len(self._by_name) >= MOST:
            self._sweep(now)
        found = self._by_name.pop(name, None) or Regular()
        self._by_name[name] = found  # the last of the dict is the one who was here last
        found.seen_at = now
        return found

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        for name, each in list(self._by_name.items()):
            if now - each.seen_at <= FORGOTTEN_SECONDS and len(self._by_name) < MOST:
                return  # the others were here later
            del self._by_name[name]
