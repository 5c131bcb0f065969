"""What higher apps have to say beside a transcript: they append to PARTS when they are ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chats.models import Chat

# f(chat) -> HTML made by a template, "" where there is nothing to say of this chat
PARTS: list[Callable[[Chat], str]] = []
