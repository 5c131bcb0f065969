"""How much of this process one person, one place and one site may take (D-1, D-2, D-5).

Counts sockets, and how often commands come. Everything here runs on the loop and is forgotten with the
process; what must hold over all processes is counted elsewhere (accounts/limits.py).
"""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal
from weakref import WeakValueDictionary

from django.conf import settings

from chatlead.realtime import commands as c

Kind = Literal["word", "site", "reserve", "look", "sign", "deed", "hello", "poll"]
Rate = tuple[float, float]  # so many a second, so many at once

# What a command is counted as; what does not stand here is a `deed`.
KINDS: dict[type[c.Command], Kind] = {
    c.SendMessage: "word",
    c.EditMessage: "word",
    c.DeleteMessage: "word",
    c.AddNote: "word",
    c.Resume: "look",
    c.LoadMessages: "look",
    c.LoadEarlier: "look",
    c.Sync: "look",
    c.Ping: "sign",
    c.StillHere: "sign",
    c.SetTyping: "sign",
    c.Mark: "sign",
    c.LeavePage: "sign",
}
REST_SECONDS = 60.0  # hanging up and coming back fills no bucket
RESTING = 20_000  # persons who have hung up; beyond it the first to leave is forgotten
PLACES = 50_000


class Bucket:
    """So many at once, then so many a second."""

    __slots__ = ("__weakref__", "at", "left", "most", "rate")

    def __init__(self, rate: Rate) -> None:
        self.rate, self.most = rate
        self.left = self.most
        self.at = monotonic()

    def wait(self) -> float:
        """Takes one; 0, or the seconds after which there is one again."""
        now = monotonic()
        left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if left < 1.0:
            self.left = left
            return (1.0 - left) / self.rate
        self.left = left - 1.0
        return 0.0

    def is_full(self) -> bool:
        """As good as new."""
        return self.left + (monotonic() - self.at) * self.rate >= self.most

    def is_empty(self) -> bool:
        """Whether `wait` would say so."""
        return self.left + (monotonic() - self.at) * self.rate < 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a principal may take. `person`: all their sockets and polls share its buckets; None for this one
    alone. `rates`: bounds other than settings.RATES, None for none. `site`: whose bucket their words share
    with others' once they have a chat to go to (`wait("site")`). `sockets`: how many one person may have, 0
    for any number; `groups`: with whom else a socket is counted, and how many there may be.
    """

    person: Hashable = None
    rates: Mapping[str, Rate | None] = field(default_factory=dict)
    site: Hashable = None
    sockets: int = 0
    groups: tuple[tuple[Hashable, int], ...] = ()


class Person:
    """One person's buckets, made when they are needed."""

    __slots__ = ("__weakref__", "_buckets", "_crowd", "_standing")

    def __init__(self, standing: Standing, crowd: Crowd) -> None:
        self._standing = standing
        self._crowd = crowd
        self._buckets: dict[str, Bucket | None] = {}

    def stand(self, standing: Standing) -> None:
        """Another standing (a plan has changed) begins with full buckets."""
        if standing != self._standing:
            self._standing = standing
            self._buckets.clear()

    def wait(self, kind: Kind) -> float:
        """Takes one of this kind; 0, or the seconds after which to try again."""
        if kind not in self._buckets:
            self._buckets[kind] = self._made(kind)
        bucket = self._buckets[kind]
        return 0.0 if bucket is None else bucket.wait()

    def _made(self, kind: Kind) -> Bucket | None:
        standing = self._standing
        if kind == "site":
            return None if standing.site is None else self._crowd.site(standing.site)
        rate = standing.rates[kind] if kind in standing.rates else settings.RATES[kind]
        return None if rate is None else Bucket(rate)


class Crowd:
    """All sockets of this process, by whom they are counted with."""

    def __init__(self) -> None:
        self.seats: dict[Hashable, int] = {}
        self.places: dict[str, Bucket] = {}
        self._people: WeakValueDictionary[Hashable, Person] = WeakValueDictionary()
        self._resting: deque[tuple[float, Person]] = deque(maxlen=RESTING)
        self._sites: WeakValueDictionary[Hashable, Bucket] = WeakValueDictionary()

    def sit(self, group: Hashable, most: int) -> bool:
        """Count one more socket in this group; False, and nothing is counted, where it has `most`."""
        taken = self.seats.get(group, 0)
        if taken >= most:
            return False
        self.seats[group] = taken + 1
        return True

    def stand_up(self, group: Hashable) -> None:
        """One socket less."""
        left = self.seats[group] - 1
        if left:
            self.seats[group] = left
        else:
            del self.seats[group]

    def knock(self, place: str) -> float:
        """One more socket wants in from here: 0, or the seconds after which it may."""
        bucket = self.places.get(place)
        if bucket is None:
            if len(self.places) >= PLACES:
                self.places.clear()
            bucket = self.places[place] = Bucket(settings.ADDRESS_HELLOS)
        return bucket.wait()

    def refused(self, place: str) -> None:
        """A poll from here was refused. A bucket of its own: who comes in for the first time empties none."""
        if place:
            self.knock(f"refused {place}")

    def is_refused_often(self, place: str) -> bool:
        """Whether so many were that the next one is not worth a look: it may be forged, and costs nothing."""
        bucket = self.places.get(f"refused {place}")
        return bucket is not None and bucket.is_empty()

    def person(self, standing: Standing) -> Person:
        """Who this is: the same as before as long as one of their sockets is here, and some time longer."""
        if standing.person is None:
            return Person(standing, self)
        found = self._people.get(standing.person)
        if found is None:
            found = self._people[standing.person] = Person(standing, self)
        found.stand(standing)
        return found

    def rest(self, person: Person) -> None:
        """A socket of this person has gone: they are remembered for a while."""
        self._resting.append((monotonic(), person))

    def site(self, site: Hashable) -> Bucket:
        """The bucket that all visitors of a site share."""
        found = self._sites.get(site)
        if found is None:
            found = self._sites[site] = Bucket(settings.SITE_WORDS)
        return found

    def sweep(self) -> None:
        """Forget who has been away for long, and places that ask for nothing."""
        until = monotonic() - REST_SECONDS
        while self._resting and self._resting[0][0] < until:
            self._resting.popleft()
        for place in [place for place, bucket in self.places.items() if bucket.is_full()]:
            del self.places[place]


def place_of(ip: str) -> str:
    """Whom an address is counted with: itself, or the /64 that a household has of IPv6. "" for this machine
    itself and where there is no address: a proxy that nobody has named here must not lock everybody out."""
    try:
        found = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    if found.is_loopback:
        return ""
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return ip
