"""Where backups are kept, how they are called, and what is thrown away when."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.utils import timezone

from accounts.models import BackupCopy
from chatlead import age
from chatlead.backups.sources import SourceFailed
from chatlead.stores import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"chatlead-(\d{8}T\d{12})Z-[0-9a-f]{8}\.backup\.age")
IDENTITY_FILE = "backup_identity"


class Kept(NamedTuple):
    """A backup in a store."""

    name: str
    size: int
    made_at: datetime


def new_name(at: datetime) -> str:
    """Sorts by time; unguessable, and another one each time."""
    return f"chatlead-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}.backup.age"


def made_at(name: str) -> datetime | None:
    """When a backup of this name was begun; None for what is no name of a backup."""
    match = _NAME.fullmatch(name)
    try:
        return datetime.strptime(match[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def stores() -> dict[str, str]:
    """The addresses of the stores that are set up, by BackupCopy.Place."""
    found = {BackupCopy.Place.PRIMARY.value: settings.BACKUP_STORE}
    if settings.BACKUP_OFFSITE:
        found[BackupCopy.Place.OFFSITE.value] = settings.BACKUP_OFFSITE
    return found


def opened(url: str) -> Store:
    """A store of backups, with the keys that are for backups. Raises StoreUnavailable."""
    return open_store(url, access_key=settings.BACKUP_S3_ACCESS_KEY, secret_key=settings.BACKUP_S3_SECRET_KEY)


def backups_in(store: Store) -> list[Kept]:
    """What is there, the newest first; files that we have not made are not named. Raises StoreUnavailable."""
    found = [Kept(each.name, each.size, at) for each in store.list_top() if (at := made_at(each.name))]
    return sorted(found, key=lambda each: (each.made_at, each.name), reverse=True)


def expired(kept: Sequence[Kept], *, now: datetime, count: int, days: int) -> list[Kept]:
    """Which of `kept`, the newest first, go: all beyond the newest `count`, and all that are older than
    `days`; but never the newest."""
    limit = now - timedelta(days=days)
    return [each for place, each in enumerate(kept) if place and (place >= count or each.made_at < limit)]


# --- keys ---------------------------------------------------------------------------------------------


def recipients() -> list[str]:
    """Who will be able to read a backup. Raises SourceFailed where nobody is named in production."""
    if settings.BACKUP_RECIPIENTS:
        return list(settings.BACKUP_RECIPIENTS)
    if settings.PRODUCTION:
        raise SourceFailed(
            "nobody could read it: run `manage.py backup --new-key`, set CHATLEAD_BACKUP_RECIPIENTS to what "
            "it prints, and keep the other half away from this machine"
        )
    return [age.recipient_of(identity) for identity in age.identities_in(_kept_identity().read_text())]


def identities(file: str = "") -> list[str]:
    """The keys that read a backup: those in `file`, else in CHATLEAD_BACKUP_IDENTITY_FILE. Raises
    SourceFailed."""
    path = Path(file or settings.BACKUP_IDENTITY_FILE or settings.DATA_DIR / IDENTITY_FILE)
    try:
        found = age.identities_in(path.read_text())
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise SourceFailed(
            f"there is no key in {path}: name the file with AGE-SECRET-KEY-1… by --identity or "
            "CHATLEAD_BACKUP_IDENTITY_FILE"
        )
    return found


def _kept_identity() -> Path:
    path: Path = settings.DATA_DIR / IDENTITY_FILE
    if not path.exists():
        identity, recipient = age.new_identity()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"# public key: {recipient}\n{identity}\n")
    return path


# --- the scratch folder -------------------------------------------------------------------------------


def scratch_root() -> Path:
    """In the data folder, which has room for a database and is nobody else's to read."""
    return Path(settings.DATA_DIR) / "scratch"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the block. What one left behind that was killed, the next one removes: the caller holds
    the lock, so nobody else is at work."""
    root = scratch_root()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in root.iterdir():
        shutil.rmtree(left, ignore_errors=True)
    folder = root / f"{timezone.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
