"""Restores the newest backup into a scratch database, looks at it and drops it (docs/running.md)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import BackupProof
from chatlead.backups.alone import AtWork
from chatlead.backups.proving import prove_newest
from chatlead.backups.sources import SourceFailed


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            proof = prove_newest()
        except (AtWork, SourceFailed) as fault:
            raise CommandError(str(fault)) from None
        if proof.state != BackupProof.State.PASSED:
            raise CommandError(f"{proof.name or 'No backup'} could not be proved: {proof.problem}")
        self.stdout.write(
            f"{proof.name} ({proof.place}): {proof.table_count} tables, {proof.row_count} rows, "
            f"{proof.seal_count} seals and {proof.file_count} archived chats are as they were."
        )
