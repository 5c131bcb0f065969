"""`manage.py survey_report`: what was answered to our own questions (R-045)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from surveys.results import vendor_report


class Command(BaseCommand):
    """In numbers, over all accounts that have switched these questions on; no other question of anybody's."""

    help = "Print how ChatLead's own survey questions were answered, added up over all accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a question: how many answers, their average, the question."""
        for label, number, average in vendor_report():
            self.stdout.write(f"{number:>8}  {average or 0:.2f}  {label}")
