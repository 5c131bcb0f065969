"""Who asks for what is kept of them, and the list of those who know where it stands (R-014, R-175).

Each app has an `erasure.py` with a `Kind` for each sort of personal data that it keeps, and registers them
when it is ready. A column of the registry (chatlead/personal.py) that no kind names, and that is not kept
(`keep`) with a reason, fails the build (tests/contracts/test_erasure.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from accounts import holds
from chatlead.errors import UnderLegalHold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from accounts.models import LegalHold


@dataclass(frozen=True)
class Person:
    """Somebody as one account knows them. `visitor_ids` are database ids of that account's visitors; `emails`
    are in lower case, `phones` in E.164. What is found nowhere by any of the three is nobody's."""

    account_id: int
    visitor_ids: frozenset[int] = frozenset()
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()


class Kind(Protocol):
    """A sort of personal data. Every query filters by `person.account_id` as well.

    `name` is a word for tables and files, `columns` the labels of the registry's columns that it covers,
    like "chats.Message.text". `is_internal`: the firm's own words about the person, left out of an export
    unless the firm chooses.
    """

    name: str
    columns: frozenset[str]
    is_internal: bool

    def count(self, person: Person) -> int:
        """How many rows hold something that `erase` would take: after it none."""

    def export(self, person: Person) -> Iterable[dict[str, Any]]:
        """These rows as a reader would name their parts, in the order of time, with texts, numbers, booleans,
        None, lists and dicts alone; times as ISO 8601 in UTC, no database ids, nobody else's data. Many
        are read while they are asked for, and not held."""

    def erase(self, person: Person) -> int:
        """Takes what is personal away for good and returns how many rows that concerned; again: 0. In
        transactions of its own; a call that was killed half way is simply made again."""


@runtime_checkable
class KeepsPhones(Protocol):
    """A kind that keeps telephone numbers: after a restore they are compared with what must stay erased."""

    def phones(self, account_id: int) -> Iterable[str]:
        """Every number that the kind keeps for an account, in E.164 or as it was written."""


@runtime_checkable
class KeepsAddresses(Protocol):
    """The same of addresses, where no visitor leads to them."""

    def emails(self, account_id: int) -> Iterable[str]:
        """Every address that the kind keeps for an account, as it was written."""


@runtime_checkable
class NamesVisitors(Protocol):
    """A kind that finds rows by an address or a number as well: they may be of a visitor whom the person does
    not name, and who is under legal hold."""

    def visitors(self, person: Person) -> Iterable[int]:
        """Whose rows `erase` would take, by database id."""


_kinds: dict[str, Kind] = {}
_kept: dict[str, str] = {}


def register(kind: Kind) -> None:
    """From AppConfig.ready. Raises ValueError for a name that somebody else has."""
    known = _kinds.setdefault(kind.name, kind)
    if type(known) is not type(kind):
        raise ValueError(f"there is a kind {kind.name} already")


def keep(columns: Mapping[str, str]) -> None:
    """Names columns that stay when a person is erased, each with the reason why."""
    _kept.update(columns)


def kinds() -> tuple[Kind, ...]:
    """All that are registered, from the highest app down to the lowest: what names a visitor is erased before
    the visitor is."""
    return tuple(sorted(_kinds.values(), key=_height))  # in an app: in the order of registration


def kept() -> Mapping[str, str]:
    """{column: why it stays}."""
    return dict(_kept)


def hold_on(person: Person) -> LegalHold | None:
    """The legal hold because of which nothing of this person may be erased, None where there is none."""
    if not (held := holds.held_visitors(person.account_id)):
        return None
    theirs = set(person.visitor_ids)
    for kind in kinds():
        if isinstance(kind, NamesVisitors):
            theirs |= set(kind.visitors(person))
    return holds.on(person.account_id, theirs & held) if theirs & held else None


def erase(person: Person, progress: Callable[[int, int], None] | None = None) -> dict[str, int]:
    """Erases all kinds; {name: rows}. Raises what a kind raises: make it again then. `progress` hears after
    each how many kinds are done, and of how many. Raises UnderLegalHold before the first kind, and before the
    next one where a hold was placed meanwhile."""
    erased: dict[str, int] = {}
    everything = kinds()
    for number, kind in enumerate(everything, start=1):
        if hold_on(person) is not None:
            raise UnderLegalHold
        erased[kind.name] = kind.erase(person)
        if progress is not None:
            progress(number, len(everything))
    return erased


_ORDER = ("privacy", "surveys", "sms", "chats", "visitors", "accounts")


def _height(kind: Kind) -> int:
    app = type(kind).__module__.partition(".")[0]
    return _ORDER.index(app) if app in _ORDER else 0


OF_MEMBERS = "of somebody who works here: kept for as long as they do, and changed by themselves"
KEPT = {
    "accounts.User.email": OF_MEMBERS,
    "accounts.Operator.name": OF_MEMBERS,
    "accounts.Picture.png": OF_MEMBERS,
    "accounts.Department.email": "the firm's own address",
    "accounts.CannedReply.shortcut": "an operator's words to everybody",
    "accounts.CannedReply.text": "an operator's words to everybody",
}
