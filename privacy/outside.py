"""Where things are kept that no restore of a backup may change, and the digests by which they name people:
they tell nobody who it was."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from django.conf import settings

from chatlead.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Collection

    from chatlead.stores import Store


def store() -> Store:
    """Outside of the database, `CHATLEAD_TOMBSTONES`."""
    return open_store(settings.TOMBSTONES)


def keys() -> list[bytes]:
    """Made of the keys of the columns, the newest first; another use, so another key."""
    return [hashlib.sha256(b"chatlead.tombstone:" + key.encode()).digest() for key in settings.FIELD_KEYS]


def digest(key: bytes, value: str) -> str:
    """What stands for a value."""
    return hmac.new(key, value.encode(), "sha256").hexdigest()


def is_among(value: str, digests: Collection[str]) -> bool:
    """Whether one of these stands for the value, whichever key it was made with."""
    return bool(digests) and any(digest(key, value) in digests for key in keys())
