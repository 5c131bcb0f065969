"""What a row is called outside: never its number."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.db import models

from chatlead.personal import impersonal

_uid = re.compile(r"[A-Za-z0-9_-]{16,32}")


class UidInPath:
    """`<uid:name>` in a route: an address with anything else there is none of ours."""

    regex = _uid.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def new_uid() -> str:
    """A public id of a row: 22 characters, 128 bits, unguessable (P-5). It never begins with a hyphen: on a
    command line that would be an option. So the character that holds the last two bits, one of AQgw, is the
    first."""
    return secrets.token_urlsafe(16)[::-1]


def is_uid(text: str) -> bool:
    """Whether it can be one. What is sent may hold anything, a NUL that PostgreSQL breaks on too."""
    return _uid.fullmatch(text) is not None


def uid_field() -> Any:
    """The public id of a row; the database id never leaves the server."""
    return impersonal(
        models.CharField(max_length=32, unique=True, default=new_uid, editable=False), "a random id"
    )
