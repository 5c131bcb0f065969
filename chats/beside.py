"""What higher apps have to say beside a transcript, and who follows what is said: they append to PARTS and
FOLLOWERS when they are ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chats.models import Chat

# f(chat) -> HTML made by a template, "" where there is nothing to say of this chat
PARTS: list[Callable[[Chat], str]] = []

# f(chat_id): an operator has said something, which is committed, in a chat whose visitor has no browser (the
# key of their session begins with a word and a colon). Called in the pool; it must not raise, and what it
# hints at has to be found without it, too: a process may end before it is called
FOLLOWERS: list[Callable[[int], None]] = []
