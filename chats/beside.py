"""What higher apps have to say beside a transcript, and who follows what is said: they append to PARTS,
INVITATIONS and FOLLOWERS when they are ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from chats.models import Chat

# f(chat) -> HTML made by a template, "" where there is nothing to say of this chat
PARTS: list[Callable[[Chat], str]] = []


class Invitation(NamedTuple):
    """What else the reader of a mailed transcript may do: at this path of ours, until this moment."""

    path: str
    until: datetime


# f(chat) -> what stands under its mailed transcript, under the `mail` word `survey`; None for nothing
INVITATIONS: list[Callable[[Chat], Invitation | None]] = []

# f(chat_id): an operator has said something, which is committed, in a chat whose visitor has no browser (the
# key of their session begins with a word and a colon). Called in the pool; it must not raise, and what it
# hints at has to be found without it, too: a process may end before it is called
FOLLOWERS: list[Callable[[int], None]] = []
