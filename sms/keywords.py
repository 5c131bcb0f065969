"""What a text means where it is nothing but a keyword, however it is spelled (R-193, B1-1, B1-2). Pure."""

from __future__ import annotations

import unicodedata
from typing import Literal, NamedTuple

Meaning = Literal["stop", "start", "help", "yes", ""]

STOP = frozenset(
    {
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),  # Twilio's
        *("arret", "td", "remove"),  # AWS adds
    }
)
START = frozenset({"start", "unstop"})
HELP = frozenset({"help", "info"})
YES = frozenset({"yes"})
# What the provider answers by itself on a long code, if it does; on a toll-free number the carrier, and
# STOP only
OF_PROVIDER = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
OF_CARRIER = frozenset({"stop"})

_MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(STOP, "stop"),
    **dict.fromkeys(START, "start"),
    **dict.fromkeys(HELP, "help"),
    **dict.fromkeys(YES, "yes"),
}


class Read(NamedTuple):
    """`word` is the keyword in its plain spelling; both are "" for everything that is to be read by a
    person."""

    meaning: Meaning
    word: str


NOTHING = Read("", "")


def read(text: str) -> Read:
    """The keyword that the text consists of. Case, spaces, punctuation, emoji, accents, invisible characters
    and repetition do not matter; any other word makes it a message: "stop by the office at 5" is one."""
    letters = _letters(text)
    for word, meaning in _MEANINGS.items():
        if letters and len(letters) % len(word) == 0 and letters == word * (len(letters) // len(word)):
            return Read(meaning, word)
    return NOTHING


def is_answered_by_provider(text: str, *, toll_free: bool) -> bool:
    """Whether the provider has taken this text for its own STOP: one bare word, nothing around it."""
    return text.strip().casefold() in (OF_CARRIER if toll_free else OF_PROVIDER)


def _letters(text: str) -> str:
    """Letters and digits only, small, without accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(each for each in plain if unicodedata.category(each)[0] in "LN")
    return kept.replace("ı", "i")
