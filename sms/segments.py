"""How many segments a text takes: GSM 03.38 holds 160 characters (153 in each of several), UCS-2 70 (67).
Pure."""

from __future__ import annotations

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")  # each takes the room of two


def segments(text: str) -> int:
    """At least 1."""
    if all(each in GSM or each in GSM_TWICE for each in text):
        length, alone, joined = sum(2 if each in GSM_TWICE else 1 for each in text), 160, 153
    else:
        length, alone, joined = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)
