"""Who stands in the form of an archived chat alone, found without opening its file (R-175).

Beside an archived chat stand keyed digests of the addresses and numbers that its form held. Who has an
address can ask for it; nobody can read one out of them. They go with the words (`forget`).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chatlead.errors import ArchiveDamaged
from chatlead.stores import StoreUnavailable
from chats import archive
from chats.models import ArchivedAnswer, ArchivedChat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from chats.models import Chat

logger = logging.getLogger(__name__)

DIGITS_MIN: Final = 6  # fewer are no telephone number
DIGITS_APART: Final = 3  # of a country, which one way of writing a number may leave out
FILLED: Final = 500  # files that one run reads


# --- what may be told of the same person --------------------------------------------------------------


def plain_number(text: str) -> str:
    """A telephone number as `+` and digits, or digits alone where the country was not said; "" for none."""
    digits = re.sub(r"\D", "", text)
    if len(digits) < DIGITS_MIN:
        return ""
    if text.strip().startswith("00"):
        return f"+{digits[2:]}"
    return f"+{digits}" if text.strip().startswith("+") else digits


def is_same_number(one: str, other: str) -> bool:
    """Whether two plain numbers may be one: the country, or a leading zero, may be missing."""
    short, long = sorted((_bare(one), _bare(other)), key=len)
    return len(short) >= DIGITS_MIN and long.endswith(short) and len(long) - len(short) <= DIGITS_APART


def told_in(answers: Iterable[Mapping[str, str]]) -> list[str]:
    """What a visitor has filled in. "channel" is the firm's own number, to which somebody has written
    (sms.actions.receiving)."""
    return [str(each.get("value", "")) for each in answers if each.get("name") != "channel"]


def _bare(number: str) -> str:
    return number.lstrip("+").lstrip("0")


def _ends(number: str) -> list[str]:
    """The number without up to DIGITS_APART digits at its begin."""
    ends = [number[cut:] for cut in range(1, DIGITS_APART + 1)]
    return [end for end in ends if len(end) >= DIGITS_MIN and not end.startswith("0")]


def _kept(values: Iterable[str]) -> set[str]:
    """What is kept, digested, of the values of a form: addresses, and each number with its ends."""
    kept: set[str] = set()
    for value in values:
        if "@" in value:
            kept.add(f"email:{value.strip().lower()}")
        bare = _bare(plain_number(value))
        if len(bare) >= DIGITS_MIN:
            kept |= {f"number:{bare}", *(f"end:{end}" for end in _ends(bare))}
    return kept


def _asked(emails: Iterable[str], numbers: Iterable[str]) -> set[str]:
    """What finds them among what is kept, as `is_same_number` would."""
    asked = {f"email:{email.strip().lower()}" for email in emails if email.strip()}
    for number in numbers:
        bare = _bare(number)
        if len(bare) >= DIGITS_MIN:
            asked |= {f"number:{bare}", f"end:{bare}", *(f"number:{end}" for end in _ends(bare))}
    return asked


# --- digests ------------------------------------------------------------------------------------------


def _keys() -> list[bytes]:
    """Made of the keys of the columns, the newest first; another use, so another key."""
    return [hashlib.sha256(b"chatlead.answered:" + key.encode()).digest() for key in settings.FIELD_KEYS]


def _digest(key: bytes, value: str) -> str:
    return hmac.new(key, value.encode(), "sha256").hexdigest()


def _name_of(key: bytes) -> str:
    """By which a row says with which key its digests were made."""
    return _digest(key, "")[:16]


def digests_of(*, emails: Iterable[str] = (), numbers: Iterable[str] = ()) -> set[str]:
    """What leads to archived chats in whose forms one of these stands, with every key that is known.
    `numbers` are plain."""
    asked = _asked(emails, numbers)
    return {_digest(key, value) for key in _keys() for value in asked}


# --- kept, found, forgotten ---------------------------------------------------------------------------


def keep(file: ArchivedChat, answers: Iterable[Mapping[str, str]]) -> None:
    """Notes who stands in the form of the chat of this file, in the caller's transaction."""
    key = _keys()[0]
    ArchivedAnswer.objects.filter(file=file).delete()
    ArchivedAnswer.objects.bulk_create(
        ArchivedAnswer(account_id=file.account_id, file=file, digest=_digest(key, value))
        for value in sorted(_kept(told_in(answers)))
    )
    ArchivedChat.objects.filter(pk=file.pk).update(answered_key=_name_of(key))


def visitors_of(account_id: int, digests: Collection[str]) -> set[int]:
    """Visitors of the account's archived chats to which one of the digests leads."""
    found = ArchivedAnswer.objects.filter(account_id=account_id, digest__in=digests)
    return set(found.values_list("file__chat__visitor_id", flat=True)) if digests else set()


def accounts_of(digests: Collection[str]) -> set[int]:
    """Accounts that have an archived chat to which one of the digests leads."""
    found = ArchivedAnswer.objects.filter(digest__in=digests)
    return set(found.values_list("account_id", flat=True)) if digests else set()


def forget(chat: Chat) -> None:
    """After the file of the chat was emptied: nothing leads from anybody to it any more."""
    ArchivedAnswer.objects.filter(file__chat=chat).delete()


def fill(most: int = FILLED) -> int:
    """Notes it for files that have nothing of the kind: written before there was, or noted with a key that
    is not the newest. Reads at most so many; returns how many it noted. What cannot be read is tried again
    after the others. A store that does not answer is for the next time."""
    newest = _name_of(_keys()[0])
    kept = ArchivedChat.objects.filter(state=ArchivedChat.State.KEPT, erased_at=None, other_name="")
    waiting = kept.exclude(answered_key=newest).select_related("chat").order_by("touched_at", "pk")
    count = 0
    for file in list(waiting[:most]):
        same = kept.filter(pk=file.pk, name=file.name)
        try:
            answers = archive.read(file.chat).answers
        except ArchiveDamaged:
            same.update(touched_at=timezone.now())
            continue
        except StoreUnavailable:
            logger.error("archive: the store does not answer")
            break
        with transaction.atomic():
            # an erasure says so in this row before it forgets: it waits for us, or we see it
            if same.update(answered_key=newest):
                keep(file, answers)
                count += 1
    return count
