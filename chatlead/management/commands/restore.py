"""Restores a backup into the empty database that DATABASE_URL names (docs/running.md, "Backup and restore").

Servers, workers and beat are stopped; whatever is in a database is never overwritten.
"""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import BackupCopy
from chatlead import age
from chatlead.backups import keep, restoring
from chatlead.backups.alone import AtWork, alone
from chatlead.backups.making import words_of
from chatlead.backups.pack import Damaged
from chatlead.backups.sources import SourceFailed
from chatlead.backups.targets import NotEmpty, live_target
from chatlead.errors import ArchiveUnavailable
from chatlead.standby import unserved
from chatlead.stores import NotInStore, StoreUnavailable

REFUSALS = (AtWork, SourceFailed, NotEmpty, Damaged, age.BadKey, StoreUnavailable, NotInStore)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("file", nargs="?", help="a file on this machine, or a name in a store")
        which.add_argument("--newest", action="store_true", help="the newest one of the store")
        which.add_argument("--finish", action="store_true", help="go on with a restore that was cut off")
        which.add_argument("--list", action="store_true", help="say what is there, and do nothing else")
        parser.add_argument("--store", default="", help="primary (the default), offsite, or an address")
        parser.add_argument(
            "--list-is-lost", action="store_true", help="serve although nobody can be erased again"
        )
        parser.add_argument("--identity", default="", metavar="FILE", help="the file with AGE-SECRET-KEY-1…")

    def handle(self, *args: Any, **options: Any) -> None:
        began = monotonic()
        try:
            if options["list"]:
                self.list(self.store(options["store"]))
                return
            with alone(), ExitStack() as held:
                if options["finish"]:  # a server that was started meanwhile waits for this one
                    if not restoring.is_unfinished():
                        raise SourceFailed("there is no restore to go on with")
                else:
                    if not held.enter_context(unserved()):
                        raise NotEmpty("a server is running on this data folder: stop it first")
                    self.restore(options)
                erased, brought = self.finish(options)
        except age.NoKeyFits:
            raise CommandError(
                "This file does not open: it was encrypted to another key than the one given. Nothing "
                "was restored. Give the right one by --identity; where it is that, the head of the file is "
                "changed: try the same file of the other store, then an older one."
            ) from None
        except age.Undecryptable:
            raise CommandError(
                "This file does not open: it is cut off or changed. Nothing was restored. Try the same file "
                "of the other store, then an older one."
            ) from None
        except REFUSALS as fault:
            raise CommandError(f"{str(fault)[:1].upper()}{str(fault)[1:]}.") from None
        except OSError as fault:  # a disk that is full, say: what was half there is gone again
            raise CommandError(f"Nothing was restored: {words_of(fault)}.") from None
        again = ", ".join(f"{name} {count}" for name, count in sorted(erased.items()) if count) or "nothing"
        self.stdout.write(f"Files of archived chats brought back: {brought.file_count}.")
        if brought.missing_count:
            self.stderr.write(
                f"Warning: {brought.missing_count} archived chats have no file, neither in the archive nor "
                "beside the backups; see `manage.py verify_archive`."
            )
        self.stdout.write(f"Erased again: {again}.")
        self.stdout.write(f"Ready to be served, after {monotonic() - began:.0f} s. Start the servers now.")

    def restore(self, options: dict[str, Any]) -> None:
        if restoring.is_unfinished():
            raise NotEmpty("this database was restored and is not finished: use --finish")
        identities = keep.identities(options["identity"])
        with keep.scratch_folder() as folder:
            given = Path(options["file"] or "")
            if options["file"] and given.is_file():
                name, file = given.name, given
            else:
                url = self.store(options["store"])
                name, file = restoring.fetch(url, folder, options["file"] or "")
            self.stdout.write(f"Restoring {name} …")
            read = restoring.read_into(file, live_target, identities)
        for warning in read.warnings:
            self.stderr.write(f"Warning: {warning}.")
        self.stdout.write(
            f"Made at {read.made_at:%Y-%m-%d %H:%M:%S} UTC: {len(read.counts)} tables, "
            f"{sum(read.counts.values())} rows, all as they were counted then."
        )

    def finish(self, options: dict[str, Any]) -> restoring.Finished:
        stores = [self.store(options["store"])] if options["store"] else []
        given = Path(options["file"] or "")
        if options["file"] and given.is_file():
            stores.append(given.resolve().parent.as_uri())  # what lies beside it
        stores += [url for url in keep.stores().values() if url not in stores]
        try:
            return restoring.finish(stores, list_is_lost=options["list_is_lost"])
        except (StoreUnavailable, SourceFailed, ArchiveUnavailable, age.BadKey) as fault:
            raise SourceFailed(
                f"{fault}. Nobody is served before: mend it, then run `manage.py restore --finish`"
            ) from None

    def store(self, asked: str) -> str:
        """The address of a store by its place, or itself."""
        if "://" in asked:
            return asked
        known = keep.stores()
        place = asked or BackupCopy.Place.PRIMARY.value
        if place not in known:
            raise StoreUnavailable(
                f"there is no store {place!r}: set CHATLEAD_BACKUP_OFFSITE, or name an address"
            )
        return known[place]

    def list(self, url: str) -> None:
        for each in keep.backups_in(keep.opened(url)):
            self.stdout.write(f"{each.name}  {each.made_at:%Y-%m-%d %H:%M} UTC  {each.size} bytes")
