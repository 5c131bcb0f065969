"""Pictures of firms and people: what comes is taken as pixels and written anew, so nothing else gets through.

Of all formats one is taken, which the standard library can read to its last byte: PNG, square, eight bits a
channel, RGB with or without transparency, not interlaced. The page where one is chosen makes that of whatever
its browser can show (frontend/src/pages/picture.ts). No decoder of ours sees what a stranger has made, and no
comment, place or profile of the original survives.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from chatlead.errors import BadField

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE_MIN, SIDE_MAX = 32, 128  # pixels
BYTES_MAX = 128 * 1024  # a little more than so many pixels that cannot be compressed at all
CHANNELS = {2: 3, 6: 4}  # by the colour types that are taken: RGB, RGBA
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTERS = 5  # a line begins with the number of its filter, 0 to 4 (PNG, third edition, 9.2)


def rewritten(png: bytes) -> bytes:
    """The same picture in a file that holds its pixels and nothing else.

    Raises BadField `picture` for whatever is not a PNG as described above, of 32 to 128 pixels a side.
    """
    try:
        return _rewritten(png)
    except (ValueError, struct.error, zlib.error):
        message = f"A square PNG of {SIDE_MIN} to {SIDE_MAX} pixels a side, please."
        raise BadField(message, field="picture") from None


def _rewritten(png: bytes) -> bytes:
    if len(png) > BYTES_MAX or not png.startswith(_SIGNATURE):
        raise ValueError
    chunks = list(_chunks(png))
    (first, header), *rest = chunks
    if first != b"IHDR" or rest[-1:] != [(b"IEND", b"")]:
        raise ValueError
    width, height, depth, colour, packing, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if (depth, packing, filtering, interlaced) != (8, 0, 0, 0) or colour not in CHANNELS:
        raise ValueError
    if width != height or not SIDE_MIN <= width <= SIDE_MAX:
        raise ValueError
    line = 1 + width * CHANNELS[colour]
    pixels = _unpacked(b"".join(body for kind, body in rest if kind == b"IDAT"), line * height)
    if max(pixels[::line]) >= _FILTERS:
        raise ValueError
    # every byte that is no filter is a pixel whatever its value: there is nothing left that could be wrong
    body = zlib.compress(pixels, 9)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each, to the last byte of the file. Raises ValueError, struct.error."""
    at = len(_SIGNATURE)
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + size]
        (check,) = struct.unpack_from(">I", png, at + 8 + size)
        if len(body) != size or check != zlib.crc32(kind + body):
            raise ValueError
        yield kind, body
        at += 12 + size


def _unpacked(packed: bytes, size: int) -> bytes:
    """Exactly `size` bytes; never more memory than that, whatever the stream would become."""
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(packed, size + 1)
    if len(found) != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError
    return found


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
