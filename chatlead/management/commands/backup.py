"""Makes a backup now, into every store that is set up (docs/running.md, "Backup and restore")."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Backup
from chatlead import age
from chatlead.backups.alone import AtWork
from chatlead.backups.making import make_backup
from chatlead.backups.sources import SourceFailed


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-key", action="store_true", help="print a new pair of keys, and do nothing else"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_key"]:
            identity, recipient = age.new_identity()
            self.stdout.write(f"# CHATLEAD_BACKUP_RECIPIENTS={recipient}")
            self.stdout.write(
                "# The line below is the identity file. Who has it can read every backup; without it"
            )
            self.stdout.write("# nobody can. Keep it in two places, neither of them this machine.")
            self.stdout.write(identity)
            return
        try:
            backup = make_backup()
        except (AtWork, SourceFailed) as fault:
            raise CommandError(str(fault)) from None
        copies = ", ".join(f"{copy.place}: {copy.state}" for copy in backup.copies.order_by("pk"))
        if backup.state != Backup.State.DONE:
            raise CommandError(f"The backup has failed: {backup.problem}")
        said = f"{backup.size} bytes, {backup.row_count} rows, {backup.file_count} archived chats"
        self.stdout.write(f"{backup.name}  {said}  {copies}")
        for problem in (backup.problem, *(copy.problem for copy in backup.copies.order_by("pk"))):
            if problem:
                self.stderr.write(f"Warning: {problem}.")
