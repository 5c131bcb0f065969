"""Deletes an account for good, with all its conversations, files and people (docs/running.md)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from chatlead.errors import UnderLegalHold
from chatlead.leaving import delete_account


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="the subscriber id")
        parser.add_argument("--name", default="", help="the account's name: that it is this one and no other")

    def handle(self, *args: Any, account: str, name: str, **options: Any) -> None:
        """Raises CommandError where there is no such account, or its name is another."""
        found = Account.objects.filter(subscriber_id=account).first()
        if found is None:
            raise CommandError(f"There is no account {account}.")
        if name != found.name:
            raise CommandError(f"Nothing was deleted: say --name={found.name!r} if that is the one you mean.")
        try:
            gone = delete_account(found)
        except UnderLegalHold as error:
            raise CommandError(f"Nothing was deleted. {error}") from None
        self.stdout.write(f"Deleted: {sum(gone.values())} rows. Its archived files follow within a minute.")
