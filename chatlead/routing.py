"""The only list of socket addresses, of what is composed at each, and of what is done for all sockets."""

from __future__ import annotations

from typing import Any

ADDRESSES: dict[str, Any] = {}
