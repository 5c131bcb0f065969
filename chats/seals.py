"""The seal of a chat that has ended: a hash chain over salted digests of its rows (R-111).

A row becomes a dict of plain values (`fields_of_…`), this becomes canonical JSON, and its digest is
SHA-256 over a random salt and that text. The chain begins with the chat's uid and takes the digests in
order; its end is the seal. Whoever has no salt can test no guess at an erased row, and the digest that stays
keeps the chain whole. docs/archive.md is the reference for others. No query here.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chats.rows import in_ms

if TYPE_CHECKING:
    from datetime import datetime

    from chats.models import Chat, Message, Note

VERSION: Final = 1
SALT_BYTES: Final = 16

Fields = Mapping[str, Any]  # of a row, in plain values
# which log and which number: ("chat", 0), ("form", 0), ("public", seq), ("staff", staff_seq)
Key = tuple[str, int]


class Link(NamedTuple):
    """One row in the chain. `salt` is "" where the row was erased."""

    log: str
    number: int
    salt: str
    digest: str

    @property
    def key(self) -> Key:
        """Which row it is about."""
        return self.log, self.number


# --- rows as they are sealed --------------------------------------------------------------------------


def fields_of_chat(chat: Chat) -> dict[str, Any]:
    """Where and when it was. `chat` comes with site and department."""
    return {
        "log": "chat",
        "number": 0,
        "uid": chat.uid,
        "site": chat.site.uid,
        "department": chat.department.uid,
        "started_at": in_ms(chat.started_at),
        "accepted_at": _ms(chat.accepted_at),
        "closed_at": _ms(chat.closed_at),
    }


def fields_of_form(chat: Chat) -> dict[str, Any]:
    """What the visitor filled in before it, and on which page."""
    return {"log": "form", "number": 0, "answers": chat.answers, "page_url": chat.page_url}


def fields_of_message(row: Message) -> dict[str, Any]:
    """A row of the public log."""
    return {
        "log": "public",
        "number": row.seq,
        "ref": str(row.ref),
        "author": str(row.author),
        "author_id": row.author_id,
        "kind": str(row.kind),
        "text": row.text,
        "text_state": str(row.text_state),
        "target": row.target,
        "facts": row.facts,
        "created_at": in_ms(row.created_at),
    }


def fields_of_note(row: Note) -> dict[str, Any]:
    """A row of the staff log."""
    return {
        "log": "staff",
        "number": row.staff_seq,
        "ref": str(row.ref),
        "author": "operator",
        "author_id": row.author_id,
        "text": row.text,
        "created_at": in_ms(row.created_at),
    }


SAID: Final[Mapping[str, Any]] = {"text": "", "answers": [], "page_url": ""}


def is_empty(fields: Fields) -> bool:
    """Whether a row could hold what a person said or filled in, and does not: an erased one has to be. System
    rows are not: their facts are the firm's own words, and stay."""
    said = [fields[name] for name in SAID if name in fields]
    return bool(said) and not any(said) and not fields.get("facts")


def emptied(fields: Fields) -> dict[str, Any]:
    """The same row without what a person said or filled in."""
    return {**fields, **{name: empty for name, empty in SAID.items() if name in fields}}


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else in_ms(moment)


# --- the chain ----------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """JSON in one spelling: keys in order, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest_of(salt: str, fields: Fields) -> str:
    """SHA-256, in hex, over the salt's bytes and the canonical row."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(fields)).hexdigest()


def linked(fields: Fields) -> Link:
    """A new link with a salt of its own."""
    salt = secrets.token_hex(SALT_BYTES)
    return Link(fields["log"], fields["number"], salt, digest_of(salt, fields))


def chain(uid: str, links: Iterable[Link]) -> str:
    """The end of the chain, in hex: h(0) = SHA-256("chatlead.seal.1:" + uid), then
    h(n) = SHA-256(h(n-1) + log + ":" + number + ":" + digest), the numbers as text, h as 32 bytes."""
    end = hashlib.sha256(f"chatlead.seal.{VERSION}:{uid}".encode()).digest()
    for link in links:
        end = hashlib.sha256(end + f"{link.log}:{link.number}:{link.digest}".encode()).digest()
    return end.hex()


def faults(uid: str, digest: str, links: Iterable[Link], rows: Mapping[Key, Fields]) -> list[str]:
    """What does not fit, as words for people who look for it: [] when the rows are those that were sealed.

    Rows that follow the chain are none of its business. A row without a salt was erased: its digest is
    taken as it is, and there must be nothing left of it.
    """
    found: list[str] = []
    links = list(links)
    if chain(uid, links) != digest:
        found.append("the chain does not end in the seal")
    for link in links:
        fields = rows.get(link.key)
        name = f"{link.log} row {link.number}"
        if fields is None:
            if link.salt:
                found.append(f"{name} is missing")
        elif not link.salt:
            if not is_empty(fields):
                found.append(f"{name} was erased and says something")
        elif digest_of(link.salt, fields) != link.digest:
            found.append(f"{name} is not what was sealed")
    return found
