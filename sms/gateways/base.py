"""What a gateway does, and the three ways in which it may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sms.models import SmsSender


class Handed(NamedTuple):
    """The provider has it: its id, and the state that it says."""

    sid: str
    status: str


class Refused(Exception):
    """It was not sent and will not be; `code` is the provider's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Busy(Exception):
    """It was certainly not sent; the next time it may be."""


class Unclear(Exception):
    """No answer came: it may have been sent or not. Ask `find` before trying again."""


class Gateway(Protocol):
    """Raises Refused, Busy, Unclear; within ten seconds."""

    def send(
        self,
        sender: SmsSender,
        *,
        to: str,
        text: str,
        key: str,
        callback: str,
        leaving: AbstractContextManager[None],
    ) -> Handed:
        """Hands a text over. `key` is the same at each attempt; states are told to the address `callback`.

        `leaving` is held for the moment in which the text leaves, and no longer: not while a connection is
        made and not while an answer is waited for. What it raises on being entered comes out of here, and
        then nothing was sent.
        """
        ...

    def find(
        self, sender: SmsSender, *, to: str, text: str, key: str, since: datetime, known: Collection[str]
    ) -> Handed | None:
        """Whether an earlier attempt arrived; `known` are the provider's ids of other texts."""
        ...

    def owns(self, sender: SmsSender) -> bool:
        """Whether the sender's number belongs to the sender's account at the provider. Refused means that
        the credentials are not accepted."""
        ...
