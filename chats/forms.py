"""What a form about chats may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import forms

from accounts.models import Site
from chats import keeping


class LimitsForm(forms.Form):
    """A field for each site, named by its uid: after how many days; nothing is never."""

    def __init__(
        self, sites: Iterable[Site], days: Mapping[str, int], data: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data=data, initial=dict(days))
        for site in sites:
            self.fields[site.uid] = forms.IntegerField(
                label=site.name,
                required=False,
                min_value=keeping.LEAST_DAYS,
                max_value=keeping.MOST_DAYS,
                error_messages={
                    "invalid": "Write a number of days.",
                    "min_value": f"At least {keeping.LEAST_DAYS} days.",
                    "max_value": f"At most {keeping.MOST_DAYS} days.",
                },
            )

    @property
    def days(self) -> dict[str, int]:
        """{site uid: days}, 0 for never; of a form that is valid."""
        return {uid: value or 0 for uid, value in self.cleaned_data.items()}
