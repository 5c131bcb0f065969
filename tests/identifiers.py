"""Ids as clients make them."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_ref() -> UUID:
    """A UUIDv7, as a browser makes one for each thing that a person sends."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return UUID(int=value)
