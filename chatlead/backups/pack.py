"""The file of a backup: `age -d FILE | tar x` opens it with anybody's programs.

Inside is a tar in this order: `head.json`, then the parts, each cut into pieces `PART/000000`, `PART/000001`
…, then `manifest.json` with the SHA-256 of each part. A piece is as much as is ever in memory. Nobody knows
how long a part will be when it begins, and a tar wants to know.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

from chatlead import age

HEAD, MANIFEST = "head.json", "manifest.json"
PIECE = 4 * 1024 * 1024
LARGEST = 64 * 1024 * 1024  # of an entry that is not a piece
_BLOCK = 512


class Damaged(ValueError):
    """What was decrypted is not what we write, or not all of it; str() says what is wrong."""


class Part(NamedTuple):
    """What the manifest says of a part."""

    name: str
    size: int
    sha256: str


class Packing:
    """What is to be packed, entry by entry. `parts` grows as they are read."""

    def __init__(self) -> None:
        self.parts: list[Part] = []

    def head(self, facts: dict[str, Any]) -> Iterator[bytes]:
        yield from _entry(HEAD, json.dumps(facts, sort_keys=True).encode())

    def part(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Chunks of any size become pieces."""
        digest, size = hashlib.sha256(), 0
        for number, piece in enumerate(_pieces(chunks)):
            digest.update(piece)
            size += len(piece)
            yield from _entry(f"{name}/{number:06}", piece)
        self.parts.append(Part(name, size, digest.hexdigest()))

    def manifest(self, facts: dict[str, Any]) -> Iterator[bytes]:
        """The last entry, and the end of the tar."""
        parts = [part._asdict() for part in self.parts]
        yield from _entry(MANIFEST, json.dumps({**facts, "parts": parts}, sort_keys=True).encode())
        yield bytes(2 * _BLOCK)


def seal(content: Iterator[bytes], target: IO[bytes], recipients: Sequence[str]) -> None:
    """Encrypt what `content` gives while it gives it. Raises age.BadKey, and what the two raise."""
    age.encrypt_stream(_Pulled(content), target, recipients)  # type: ignore[arg-type]  # has what is used


def unseal(
    source: IO[bytes],
    identities: Sequence[str],
    *,
    begin: Callable[[dict[str, Any]], None],
    take: Callable[[str, bytes], None],
) -> dict[str, Any]:
    """Read a backup: `begin(head)`, then `take(part, piece)` for each piece, in order. Returns the manifest
    when all of it was read and every part is the one that was written; whoever took pieces has to undo that
    when this raises age.BadKey, age.Undecryptable or Damaged."""
    unpacking = _Unpacking(begin, take)
    age.decrypt_stream(source, unpacking, identities)  # type: ignore[arg-type]
    return unpacking.checked()


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    gathered = bytearray()
    for chunk in chunks:
        gathered += chunk
        while len(gathered) >= PIECE:
            yield bytes(gathered[:PIECE])
            del gathered[:PIECE]
    if gathered:
        yield bytes(gathered)


def _entry(name: str, data: bytes) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    yield info.tobuf(tarfile.USTAR_FORMAT)
    yield data
    yield bytes(-len(data) % _BLOCK)


class _Pulled:
    """An iterator of bytes as something to read from."""

    def __init__(self, content: Iterator[bytes]) -> None:
        self._content = content
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            chunk = next(self._content, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)


class _Unpacking:
    """A tar as it comes, written to in pieces of any size."""

    def __init__(self, begin: Callable[[dict[str, Any]], None], take: Callable[[str, bytes], None]) -> None:
        self._begin, self._take = begin, take
        self._waiting = bytearray()
        self._info: tarfile.TarInfo | None = None
        self._digests: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._manifest: dict[str, Any] | None = None
        self._has_begun = False

    def write(self, data: bytes) -> int:
        self._waiting += data
        while self._step():
            pass
        return len(data)

    def flush(self) -> None:
        pass

    def _step(self) -> bool:
        """One header or one entry of what waits; False when more has to come first."""
        if self._manifest is not None:  # what follows is the end of the tar
            self._waiting.clear()
            return False
        if self._info is None:
            if len(self._waiting) < _BLOCK:
                return False
            try:
                self._info = tarfile.TarInfo.frombuf(bytes(self._waiting[:_BLOCK]), "ascii", "strict")
            except (tarfile.TarError, UnicodeError):
                raise Damaged("it holds something else than a backup") from None
            if self._info.size > LARGEST or not self._info.isreg():
                raise Damaged("it holds something else than a backup")
            del self._waiting[:_BLOCK]
        size = self._info.size
        padded = size + -size % _BLOCK
        if len(self._waiting) < padded:
            return False
        data = bytes(self._waiting[:size])
        del self._waiting[:padded]
        name, self._info = self._info.name, None
        self._entry(name, data)
        return True

    def _entry(self, name: str, data: bytes) -> None:
        if not self._has_begun:
            if name != HEAD:
                raise Damaged("it does not begin as a backup does")
            self._has_begun = True
            self._begin(_read(data))
        elif name == MANIFEST:
            self._manifest = _read(data)
        else:
            part = name.rpartition("/")[0]
            self._digests.setdefault(part, hashlib.sha256()).update(data)
            self._sizes[part] = self._sizes.get(part, 0) + len(data)
            self._take(part, data)

    def checked(self) -> dict[str, Any]:
        if self._manifest is None:
            raise Damaged("its end is missing")
        for part in self._manifest["parts"]:
            found = self._digests.pop(part["name"], hashlib.sha256())
            if (part["size"], part["sha256"]) != (self._sizes.get(part["name"], 0), found.hexdigest()):
                raise Damaged(f"{part['name']} is not what was written")
        if self._digests:
            raise Damaged("it holds more than its manifest names")
        return self._manifest


def _read(data: bytes) -> dict[str, Any]:
    try:
        known = json.load(io.BytesIO(data))
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise Damaged("it holds something else than a backup")
    return known
