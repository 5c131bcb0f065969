"""The list of who was erased lies outside of every backup, and a restore needs it (B2-6).

That it is empty and that it was left on the lost machine look the same. So each backup leaves a mark beside
the list, and a restore that does not find the mark goes no further until it is told that the list is lost.
"""

from __future__ import annotations

import logging

from chatlead.backups.sources import SourceFailed
from chatlead.stores import StoreUnavailable
from privacy import outside, tombstones

logger = logging.getLogger(__name__)

MARK = "this-list-belongs-to-the-backups.txt"


def mark() -> None:
    """Leave the mark. A list that does not answer keeps no backup from being made."""
    try:
        store = outside.store()
        if not store.has(MARK):
            store.put(MARK, b"A restore looks for this file beside the list of who was erased.\n")
    except StoreUnavailable as fault:
        logger.warning("the list of who was erased does not answer (%s)", type(fault).__name__)


def reapply(*, is_lost: bool) -> dict[str, int]:
    """Erase again whoever was erased: {kind: rows}. Raises StoreUnavailable, and SourceFailed where the list
    is not there, unless `is_lost`."""
    if not is_lost and not outside.store().has(MARK):
        raise SourceFailed(
            "the list of who was erased is not where CHATLEAD_TOMBSTONES says: bring it there from the old "
            "machine; only where it is lost for good add --list-is-lost"
        )
    return tombstones.reapply()
