"""Every spelling of every keyword is understood, and no sentence is taken for one."""

from __future__ import annotations

import pytest

from sms import keywords

pytestmark = pytest.mark.once

STOP = (
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT-OUT", "OPT OUT",
    "ARRET", "ARRÊT", "TD", "REMOVE",
)  # fmt: skip
SPELLINGS = {
    "as it is": "{}",
    "small": "{lower}",
    "mixed": "{mixed}",
    "dot": "{}.",
    "exclamation": "{}!!!",
    "spaces around": "   {}  \r\n",
    "nbsp": "\u00a0{}\u00a0",
    "zero width": "{first}\u200b{rest}",
    "joiner and mark": "\ufeff{first}\u200d{rest}\u2060",
    "soft hyphen": "{first}\u00ad{rest}",
    "quotes": "“{}”",
    "straight quotes": '"{}"',
    "single quotes": "'{}'",
    "emoji behind": "{} 🛑",
    "emoji before": "✋🏽{}",
    "brackets": "[{}]",
    "dashes": "-- {} --",
    "spread": "{spread}",
    "dotted": "{dotted}",
    "accents": "{first}\u0301{rest}",
    "wide": "{wide}",
    "twice": "{} {}",
    "lines": "{}\n{}\n{}",
    "hash": "#{}",
    "right to left mark": "\u200f{}\u200e",
    "question": "{}?",
}


def spelled(word: str, how: str) -> str:
    mixed = "".join(each.lower() if place % 2 else each for place, each in enumerate(word))
    wide = "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in word)
    return how.format(
        word, word, word, lower=word.lower(), mixed=mixed, first=word[0], rest=word[1:],
        spread=" ".join(word), dotted=".".join(word), wide=wide,
    )  # fmt: skip


@pytest.mark.parametrize("how", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("word", STOP)
def test_every_spelling_of_every_word_is_a_stop(word: str, how: str) -> None:
    """R-193, B1-1, B1-2."""
    assert keywords.read(spelled(word, how)).meaning == "stop"


@pytest.mark.parametrize("how", SPELLINGS.values(), ids=SPELLINGS)
def test_help_and_start_are_understood_as_well(how: str) -> None:
    """R-197, R-198, B1-8, B1-9."""
    for word, meaning in (("HELP", "help"), ("INFO", "help"), ("START", "start"), ("UNSTOP", "start")):
        assert keywords.read(spelled(word, how)).meaning == meaning


@pytest.mark.parametrize(
    "text",
    [
        "stop by the office at 5", "Can you end the call?", "cancel my appointment", "please call me",
        "I quit my job last week", "remove the lien?", "the end", "stop sign case", "unstoppable", "ends",
        "help me", "start on Monday", "info please", "", "   ", "🛑", "...", "no", "stopp", "1", "don't stop",
        "bus stop", "td bank", "end of month", "Stopped at the light when he hit me", "STOP MONDAY",
    ],
)  # fmt: skip
def test_a_sentence_is_read_by_somebody(text: str) -> None:
    """R-193: "stop by the office at 5" is no STOP, and is dropped by nobody."""
    assert keywords.read(text) == keywords.NOTHING


def test_a_carrier_takes_the_bare_word_alone_for_a_stop() -> None:
    """B1-2: on a toll-free number STOP and nothing else is answered by the carrier."""
    assert keywords.is_answered_by_provider(" Stop ", toll_free=True)
    for text in ("STOP.", "cancel", "unsubscribe", "stop 🛑", "QUIT"):
        assert not keywords.is_answered_by_provider(text, toll_free=True)
    assert keywords.is_answered_by_provider("QUIT", toll_free=False)
    assert not keywords.is_answered_by_provider("ARRET", toll_free=False)
