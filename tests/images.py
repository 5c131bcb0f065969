"""Pictures for tests, made byte by byte."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG with its length and its sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(side: int, *, high: int = 0, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", side, high or side, depth, colour, 0, 0, interlaced))


def a_png(
    side: int = 48, pixel: bytes = b"\xc0\x30\x30", *, more: tuple[tuple[bytes, bytes], ...] = ()
) -> bytes:
    """One colour all over. `more` are chunks between its head and its pixels."""
    lines = (b"\x00" + pixel * side) * side
    colour = 2 if len(pixel) == 3 else 6
    besides = b"".join(chunk(kind, body) for kind, body in more)
    pixels = chunk(b"IDAT", zlib.compress(lines))
    return SIGNATURE + header(side, colour=colour) + besides + pixels + chunk(b"IEND", b"")
