"""Encryption to a key that is kept elsewhere (age, R-117, R-118): whoever writes backups and archives needs
the recipient only, `age1…`; the identity, `AGE-SECRET-KEY-1…`, is for whoever may read them.

Any program that speaks age opens these files. The library is loaded at first need: a server that makes none
starts without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")


class Undecryptable(ValueError):
    """None of the identities fits, or what was encrypted is cut off or changed."""


class NoKeyFits(Undecryptable):
    """None of the identities is one of those to whom it was encrypted; or the list of these, which is the
    beginning of the file, is changed."""


class BadKey(ValueError):
    """What is given as a recipient or an identity is none, or none is given."""


def new_identity() -> tuple[str, str]:
    """A fresh pair: the identity, to be kept secret, and its recipient."""
    from pyrage import x25519

    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipient_of(identity: str) -> str:
    """The recipient for whom this identity decrypts. Raises BadKey."""
    return str(_identities([identity])[0].to_public())


def identities_in(text: str) -> list[str]:
    """The identities in a file as age's own programs write it: one a line, comments begin with `#`."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def encrypt(data: bytes, recipients: Sequence[str]) -> bytes:
    """Readable for each of the recipients. Raises BadKey."""
    import pyrage

    return bytes(pyrage.encrypt(data, _recipients(recipients)))


def decrypt(data: bytes, identities: Sequence[str]) -> bytes:
    """What `encrypt` was given, whole and unchanged. Raises BadKey, NoKeyFits,
    Undecryptable."""
    import pyrage

    try:
        return bytes(pyrage.decrypt(data, _identities(identities)))
    except pyrage.DecryptError as error:
        raise _kind_of(error) from None


def _kind_of(error: Exception) -> Undecryptable:
    """The library says in words only that it is the key."""
    said = str(error)
    return NoKeyFits(said) if said == "No matching keys found" else Undecryptable(said)


class _Watched:
    """One end of a stream. What fails in it would come out of the library as a fault of the encryption."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.error: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        return self._noting(lambda: self._stream.read(size))

    def write(self, data: bytes) -> int:
        return self._noting(lambda: self._stream.write(data))

    def flush(self) -> None:
        self._noting(self._stream.flush)

    def _noting(self, deed: Callable[[], T]) -> T:
        try:
            return deed()
        except Exception as error:
            self.error = error
            raise


def encrypt_stream(source: IO[bytes], target: IO[bytes], recipients: Sequence[str]) -> None:
    """From `source` to its end into `target`, in small pieces. Raises BadKey, and what the two raise."""
    import pyrage

    keys, ends = _recipients(recipients), (_Watched(source), _Watched(target))
    try:
        pyrage.encrypt_io(*ends, keys)
    except (pyrage.EncryptError, OSError):
        _raise_errors_of(ends)
        raise


def decrypt_stream(source: IO[bytes], target: IO[bytes], identities: Sequence[str]) -> None:
    """The same back. Pieces reach `target` before the end is known to be whole: whoever uses them before this
    returns must be able to undo it. Raises BadKey, Undecryptable, and what the two raise."""
    import pyrage

    keys, ends = _identities(identities), (_Watched(source), _Watched(target))
    try:
        pyrage.decrypt_io(*ends, keys)
    except (pyrage.DecryptError, OSError) as error:
        _raise_errors_of(ends)
        raise _kind_of(error) from None


def _raise_errors_of(ends: tuple[_Watched, _Watched]) -> None:
    for end in ends:
        if end.error is not None:
            raise end.error from None


def encrypt_file(source: Path, target: Path, recipients: Sequence[str]) -> None:
    """`target` is made anew, for its owner only. Raises BadKey, OSError."""
    with source.open("rb") as plain, _private(target) as sealed:
        encrypt_stream(plain, sealed, recipients)


def decrypt_file(source: Path, target: Path, identities: Sequence[str]) -> None:
    """`target` is made anew, for its owner only, and is not there when this fails. Raises BadKey,
    Undecryptable, OSError."""
    try:
        with source.open("rb") as sealed, _private(target) as plain:
            decrypt_stream(sealed, plain, identities)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _private(file: Path) -> IO[bytes]:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    return file.open("wb")


def _recipients(texts: Sequence[str]) -> list[Any]:
    import pyrage

    if not texts:
        raise BadKey("no recipient is given")
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError:
        raise BadKey("a recipient begins with age1 and is 62 characters long") from None


def _identities(texts: Sequence[str]) -> list[Any]:
    import pyrage

    if not texts:
        raise BadKey("no identity is given")
    try:
        return [pyrage.x25519.Identity.from_str(text) for text in texts]
    except pyrage.IdentityError:
        raise BadKey("an identity is a line that begins with AGE-SECRET-KEY-1") from None
