"""Where files are kept that must outlive this machine: a folder, or a bucket of any S3-compatible store.

`open_store` reads which from an address; the rest of the program sees names and bytes. A name is a path of
plain words, `2026/chat-1.age`. Writing is atomic: a name is either not there or whole, after a crash too.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

_NAME = re.compile(r"(?!\.)[A-Za-z0-9._=@+-]{1,200}(/(?!\.)[A-Za-z0-9._=@+-]{1,200})*")
_PART = ".part-"  # in front of the name of a file that is being written
_PIECE = 8 * 1024 * 1024
_STALE_SECONDS = 24 * 3600
PIECE_SECONDS = 120  # then a bucket that has not taken or given a piece is asked again,
RETRIES = 4  # so often


class StoreUnavailable(Exception):
    """The store does not answer, is full, refuses us, or is not set up; str() is fit to be shown to staff."""


class StoreRefused(StoreUnavailable):
    """It answers, but these credentials may not do this."""


class NotInStore(LookupError):
    """There is nothing by this name."""


class Stored(NamedTuple):
    """One file of a store; `size` in bytes."""

    name: str
    size: int
    modified_at: datetime


class Store(ABC):
    """All methods raise StoreUnavailable, and ValueError for what is no name. `label` names the store without
    credentials, for people."""

    label: str

    @abstractmethod
    def put(self, name: str, data: bytes | Path) -> None:
        """Keep these bytes, or those of this file, under the name. What was there is replaced at once."""

    @abstractmethod
    def get(self, name: str) -> bytes:
        """All of it, in memory. Raises NotInStore."""

    @abstractmethod
    def get_to(self, name: str, path: Path) -> None:
        """Write it to a file, piece by piece, for its owner only; where this fails there is no file. Raises
        NotInStore."""

    @abstractmethod
    def list_top(self) -> list[Stored]:
        """What lies in no folder, however much lies in folders, by name."""

    @abstractmethod
    def list(self, prefix: str = "") -> list[Stored]:
        """Everything whose name begins with the folder `prefix`, by name. Nothing half-written."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """It is not there any more, or never was."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether something whole is there by this name."""

    @abstractmethod
    def sweep(self) -> None:
        """Remove what puts left behind that were cut off more than a day ago."""


def open_store(url: str, *, access_key: str = "", secret_key: str = "") -> Store:
    """The store at `file:///path` or `s3://bucket/prefix?endpoint=https://host&region=eu-1`. Connects to
    nothing yet. Keys are CHATLEAD_S3_ACCESS_KEY and CHATLEAD_S3_SECRET_KEY unless given.

    Plain http is refused but on loopback, unless the address says `&allow_http=1`. Raises StoreUnavailable
    for an address that is none, or where keys are missing."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.strip("/"):
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme != "s3" or not parts.hostname or "@" in parts.netloc:
        raise StoreUnavailable("the address of a store is file:///path or s3://bucket/prefix")
    asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    unknown = asked.keys() - {"endpoint", "region", "allow_http"}
    if unknown:
        raise StoreUnavailable(f"the address of a store has no {', '.join(sorted(unknown))}")
    access_key = access_key or settings.S3_ACCESS_KEY
    secret_key = secret_key or settings.S3_SECRET_KEY
    if not access_key or not secret_key:
        raise StoreUnavailable("set CHATLEAD_S3_ACCESS_KEY and CHATLEAD_S3_SECRET_KEY")
    return BucketStore(
        bucket=parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        endpoint=asked.get("endpoint", ""),
        region=asked.get("region", "us-east-1"),
        allow_http=asked.get("allow_http") == "1",
        access_key=access_key,
        secret_key=secret_key,
    )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in a store")
    return name


# --- a folder -----------------------------------------------------------------------------------------


class FolderStore(Store):
    """Files of their owner only, written beside their place, flushed to the disk and then renamed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.label = str(root)

    def put(self, name: str, data: bytes | Path) -> None:
        target = self.root / _checked(name)
        with self._answering():
            self._make_folders(target.parent)
            part = target.with_name(f"{_PART}{secrets.token_hex(8)}")
            try:
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    if isinstance(data, bytes):
                        out.write(data)
                    else:
                        with data.open("rb") as source:
                            shutil.copyfileobj(source, out, _PIECE)
                    out.flush()
                    os.fsync(out.fileno())
                part.replace(target)
                _flush_folder(target.parent)
            finally:
                part.unlink(missing_ok=True)

    def _make_folders(self, folder: Path) -> None:
        """Each of them is on the disk before anything is in it: a rename is lost with its folder."""
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            _flush_folder(each.parent)

    def get(self, name: str) -> bytes:
        with self._answering():
            return (self.root / _checked(name)).read_bytes()

    def get_to(self, name: str, path: Path) -> None:
        with self._answering(), (self.root / _checked(name)).open("rb") as source, _made_whole(path) as out:
            shutil.copyfileobj(source, out, _PIECE)

    def list_top(self) -> list[Stored]:
        with self._answering():
            return self._found(self.root.iterdir() if self.root.is_dir() else ())

    def _found(self, paths: Iterable[Path]) -> list[Stored]:
        found = []
        for path in sorted(paths):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue  # it has gone since the folder was read
            if path.name.startswith(".") or not S_ISREG(facts.st_mode):
                continue
            changed = datetime.fromtimestamp(facts.st_mtime, UTC)
            found.append(Stored(path.relative_to(self.root).as_posix(), facts.st_size, changed))
        return found

    def list(self, prefix: str = "") -> list[Stored]:
        folder = self.root / _checked(prefix.strip("/")) if prefix.strip("/") else self.root
        with self._answering():
            return self._found(folder.rglob("*") if folder.is_dir() else ())

    def delete(self, name: str) -> None:
        path = self.root / _checked(name)
        with self._answering():
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _flush_folder(path.parent)

    def has(self, name: str) -> bool:
        with self._answering():
            return (self.root / _checked(name)).is_file()

    def sweep(self) -> None:
        with self._answering():
            for path in self.root.rglob(f"{_PART}*") if self.root.is_dir() else []:
                if path.is_file() and path.stat().st_mtime < time.time() - _STALE_SECONDS:
                    path.unlink(missing_ok=True)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NotInStore("there is no such file in the folder") from None
        except OSError as error:
            raise StoreUnavailable(
                f"the folder {self.label}: {error.strerror or 'cannot be used'}"
            ) from error


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _made_whole(path: Path) -> Iterator[Any]:
    """The file for its owner only, and not at all where the block fails."""
    path.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            yield out
    except BaseException:
        path.unlink(missing_ok=True)
        raise


# --- a bucket -----------------------------------------------------------------------------------------


class BucketStore(Store):
    """A bucket by the S3 protocol, every request signed and bounded in time. What is larger than a piece goes
    up in several and appears when all are there; pieces of an upload that was cut off are hidden and for the
    bucket's own rule to remove (docs/running.md)."""

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str,
        endpoint: str,
        region: str,
        allow_http: bool,
        access_key: str,
        secret_key: str,
    ) -> None:
        self.label = f"s3://{bucket}/{prefix}".rstrip("/")
        server = urlsplit(endpoint)
        is_plain = server.scheme == "http"
        if endpoint and (server.scheme not in ("http", "https") or not server.hostname):
            raise StoreUnavailable(f"the endpoint of {self.label} is no http address")
        if is_plain and not allow_http and not _is_loopback(server.hostname or ""):
            raise StoreUnavailable(f"{self.label} would be reached by plain http: use https, or allow_http=1")
        self._prefix = f"{prefix}/" if prefix else ""
        self._config: dict[str, Any] = {
            "bucket": bucket,
            "region": region,
            "access_key_id": access_key,
            "secret_access_key": secret_key,
            "disable_bulk_delete": True,  # not every provider has it
            "client_options": {
                "allow_http": is_plain,
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(seconds=PIECE_SECONDS),
            },
            "retry_config": {
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=60),
                "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5)},
            },
        }
        if endpoint:
            self._config["endpoint"] = endpoint.rstrip("/")
        self._made: Any = None

    @property
    def _store(self) -> Any:
        """Made at first need, of one library that takes a tenth of a second to load."""
        if self._made is None:
            from obstore.store import S3Store

            self._made = S3Store(**self._config)
        return self._made

    def _key(self, name: str) -> str:
        return self._prefix + _checked(name)

    def put(self, name: str, data: bytes | Path) -> None:
        import obstore

        key = self._key(name)
        with self._answering():
            try:
                obstore.put(self._store, key, data, chunk_size=_PIECE, max_concurrency=2)
            except FileNotFoundError as error:
                if isinstance(data, Path) and not data.exists():
                    raise
                raise StoreUnavailable(f"there is no bucket at {self.label}") from error

    def get(self, name: str) -> bytes:
        import obstore

        key = self._key(name)
        with self._answering():
            return bytes(obstore.get(self._store, key).bytes())

    def get_to(self, name: str, path: Path) -> None:
        import obstore

        key = self._key(name)
        with self._answering():
            size = int(obstore.head(self._store, key)["size"])
            with _made_whole(path) as out:
                for start in range(0, size, _PIECE):
                    length = min(_PIECE, size - start)
                    piece = obstore.get_range(self._store, key, start=start, length=length)
                    if len(piece) != length:
                        raise StoreUnavailable(f"{self.label} does not answer as it should")
                    out.write(bytes(piece))

    def list_top(self) -> list[Stored]:
        import obstore

        with self._answering():
            page = obstore.list_with_delimiter(self._store, self._prefix.rstrip("/") or None)
        return self._found(page["objects"])

    def _found(self, objects: Iterable[Any]) -> list[Stored]:
        named = ((str(each["path"])[len(self._prefix) :], each) for each in objects)
        return sorted(Stored(name, int(each["size"]), each["last_modified"]) for name, each in named)

    def list(self, prefix: str = "") -> list[Stored]:
        import obstore

        within = self._prefix + (_checked(prefix.strip("/")) if prefix.strip("/") else "")
        with self._answering():
            pages = obstore.list(self._store, within.rstrip("/") or None)
            return self._found(each for page in pages for each in page)

    def delete(self, name: str) -> None:
        import obstore

        key = self._key(name)
        with self._answering():
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                pass

    def has(self, name: str) -> bool:
        import obstore

        key = self._key(name)
        with self._answering():
            try:
                obstore.head(self._store, key)
            except FileNotFoundError:
                return False
        return True

    def sweep(self) -> None:
        """Nothing is seen of an upload that was cut off."""

    @contextmanager
    def _answering(self) -> Iterator[None]:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except FileNotFoundError:
            raise NotInStore(f"there is no such file in {self.label}") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreRefused(f"{self.label} refuses these credentials") from error
        except BaseError as error:
            if "403 Forbidden" in str(error):  # to a question for a list it says so in words only
                raise StoreRefused(f"{self.label} refuses these credentials") from error
            raise StoreUnavailable(f"{self.label} does not answer as it should") from error
        except OSError as error:
            raise StoreUnavailable(f"{self.label}: {error.strerror or 'a file failed'}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
