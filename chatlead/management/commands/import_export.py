"""`manage.py import_export FILE --account ID`: reads the copy of somebody's data back (B2-4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account
from chatlead.age import BadKey
from chatlead.errors import ChatLeadError
from chatlead.stores import StoreUnavailable
from privacy.importing import read_back


class Command(BaseCommand):
    help = "Reads the ZIP that somebody got as a copy of their data into an account without visitors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the ZIP")
        parser.add_argument("--account", required=True, help="the subscriber id of an empty account")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(subscriber_id=options["account"]).first()
        if account is None:
            raise CommandError("There is no account with this subscriber id.")
        try:
            counts = read_back(account, options["file"])
        except ChatLeadError as error:
            raise CommandError(error.message) from error
        except (StoreUnavailable, BadKey) as error:
            raise CommandError(f"The archive cannot be written, the rest was read: {error}") from error
        for name, count in counts.items():
            self.stdout.write(f"{name} {count}")
