"""Where one caller is counted in the crowd: with their place, with themselves, and with their site."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from django.conf import settings

from chatlead.realtime.codes import CloseCode

if TYPE_CHECKING:
    from chatlead.realtime.crowd import Crowd, Standing


class Seats:
    """What a socket takes, or a poll while it is held. `give_back` ends it, whatever was taken before."""

    __slots__ = ("_crowd", "_taken")

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._taken: tuple[Hashable, ...] = ()

    def is_full_at(self, place: str) -> bool:
        """Count one more at this place (`Endpoint.place_of`, "" for none), unless it has all that it may."""
        return bool(place) and not self._sit(("place", place), settings.SOCKETS_PER_ADDRESS)

    def is_full_for(self, standing: Standing) -> CloseCode | None:
        """Count one more of this person and of their groups; else with what to send them away."""
        if standing.sockets and not self._sit(standing.person, standing.sockets):
            return CloseCode.FLOOD
        if not all(self._sit(*group) for group in standing.groups):
            return CloseCode.BUSY
        return None

    def is_kept(self, own: tuple[Hashable, int] | None) -> bool:
        """Count one more in a group of their own (`Endpoint.stays`), where those of all are full."""
        return own is not None and self._sit(*own)

    def give_back(self) -> None:
        """Be counted nowhere any more; a second time changes nothing."""
        taken, self._taken = self._taken, ()
        for group in taken:
            self._crowd.stand_up(group)

    def _sit(self, group: Hashable, most: int) -> bool:
        if not self._crowd.sit(group, most):
            return False
        self._taken += (group,)
        return True
