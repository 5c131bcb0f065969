"""Keys that are kept apart from the data (R-118), and columns that a dump of the database does not show.

`CHATLEAD_FIELD_KEYS` lists the keys of the columns, the newest first: it encrypts, the others still decrypt.
Without it a key is made in the data folder, which is right for a development machine and for nobody else.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    """Any text may be a key: what is random enough is its owner's business."""
    from cryptography.fernet import Fernet, MultiFernet  # 9 MB, for those who have something to encrypt

    if not keys:
        raise ImproperlyConfigured("Set CHATLEAD_FIELD_KEYS: columns are encrypted with it.")
    digests = (hashlib.sha256(b"chatlead.column:" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class Unreadable(ValueError):
    """A column was encrypted with a key that is not in CHATLEAD_FIELD_KEYS."""


def encrypted(text: str) -> str:
    """Authenticated encryption under the newest key; ASCII, and another result each time."""
    return encrypted_bytes(text.encode()).decode()


def encrypted_bytes(data: bytes) -> bytes:
    """The same of a file; a third larger."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(data)


def decrypted(token: str) -> str:
    """What `encrypted` was given. Raises Unreadable."""
    return decrypted_bytes(token.encode()).decode()


def decrypted_bytes(token: bytes) -> bytes:
    """What `encrypted_bytes` was given. Raises Unreadable."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(token)
    except InvalidToken:
        raise Unreadable("no key of CHATLEAD_FIELD_KEYS fits this column") from None


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A text that is encrypted in the database and plain in Python. It cannot be searched or compared there;
    "" is stored as it is, so that one sees that there is nothing."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypted(str(value)) if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypted(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        # where it is None, Django says that the lookup is not supported
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
