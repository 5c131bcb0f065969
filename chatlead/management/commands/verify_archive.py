"""`manage.py verify_archive`: do the transcripts still say what they said when they were sealed? (R-111)"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from chatlead.errors import ArchiveLocked
from chatlead.stores import StoreUnavailable
from chats import archive, keeping, sealing
from chats.models import Chat

KEY = (
    "{} files are as they were written, and locked to a key that is not in {}: put the identity that they "
    "were written for into that file, behind the one in use."
)


class Command(BaseCommand):
    """Ends with 1 where anything does not fit, and names the chat and the row, never a word of it."""

    help = "Proves the seals of all chats that have ended, in the database and in the archive."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which chats; without either, all."""
        parser.add_argument("--account", default="", help="the subscriber id of one account")
        parser.add_argument("--chat", default="", help="the uid of one chat")
        parser.add_argument(
            "--take-over", action="store_true", help="after a restore: the store is this installation's now"
        )

    def handle(self, *args: Any, account: str, chat: str, take_over: bool, **options: Any) -> None:
        """Raises CommandError where something does not fit, or there is no such account or chat."""
        account_id = None
        if account:
            account_id = Account.objects.filter(subscriber_id=account).values_list("pk", flat=True).first()
            if account_id is None:
                raise CommandError(f"There is no account {account}.")
        if chat and not Chat.objects.filter(uid=chat).exists():
            raise CommandError(f"There is no chat {chat}.")
        fitting, bad, locked = 0, 0, 0
        try:
            if take_over:
                archive.take_over()
            for each in keeping.sealed_chats(account_id, chat):
                try:
                    faults = sealing.verify_chain(each)
                except ArchiveLocked:
                    locked += 1
                    self.stderr.write(f"chat {each.uid}: its file is locked to a key that is not here")
                    continue
                if not faults:
                    fitting += 1
                    continue
                bad += 1
                for fault in faults:
                    self.stderr.write(f"chat {each.uid}: {fault}")
        except StoreUnavailable as error:
            raise CommandError(f"The archive does not answer: {error}") from error
        self.stdout.write(f"{fitting} of {fitting + bad + locked} sealed chats fit their seals.")
        if chat and not fitting + bad + locked:
            raise CommandError(f"Chat {chat} is not sealed.")
        if locked:
            self.stderr.write(KEY.format(locked, settings.ARCHIVE_IDENTITY_FILE))
        if bad:
            raise CommandError(f"{bad} chats do not fit their seals.")
        if locked:
            raise CommandError(f"{locked} chats could not be verified: their key is not here.")
