"""What a row is called outside: never its number."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import models

from chatlead.personal import impersonal


def new_uid() -> str:
    """A public id of a row: 22 characters, 128 bits, unguessable (P-5)."""
    return secrets.token_urlsafe(16)


def uid_field() -> Any:
    """The public id of a row; the database id never leaves the server."""
    return impersonal(
        models.CharField(max_length=32, unique=True, default=new_uid, editable=False), "a random id"
    )
