"""What a form about chats may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.models import Department, Operator, Site
from chats import history, keeping
from chats.models import Chat

WORDS_MAX = 100
SAID_MIN = 3  # letters; fewer are in nearly every message
# of a calendar in which hours can be added to every day
DAYS = (
    MinValueValidator(date(1970, 1, 2), "Write a later day."),
    MaxValueValidator(date(2999, 12, 31), "Write an earlier day."),
)


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


class SearchForm(forms.Form):
    """What conversations are looked for; nothing is required, and nothing given is everything."""

    words = forms.CharField(required=False, max_length=WORDS_MAX)
    said = forms.CharField(
        label="Words that were said",
        required=False,
        min_length=SAID_MIN,
        max_length=WORDS_MAX,
        help_text="In the archive what was said is encrypted and is not searched.",
    )
    since = forms.DateField(
        label="From", required=False, validators=DAYS, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label="To",
        required=False,
        validators=DAYS,
        widget=forms.DateInput({"type": "date"}),
        help_text="Days of your own time zone; of UTC where the browser runs no scripts.",
    )
    department = forms.ChoiceField(label="Department", required=False)
    operator = forms.ChoiceField(label="Answered by", required=False)
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Any"), *Chat.State.choices, (history.ARCHIVED, "In the archive")],
    )
    # whose days they are: filled in by the browser (pages/times.ts)
    zone = forms.CharField(required=False, widget=forms.HiddenInput({"data-zone": ""}))

    def __init__(
        self, departments: Iterable[Department], operators: Iterable[Operator],
        data: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(data=data)
        for name, choices in (("department", departments), ("operator", operators)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 as declared above
            field.choices = [("", "Any"), *((each.uid, each.name) for each in choices)]
        for name, bound in self.fields.items():
            bound.widget.attrs["class"] = "input"
            if self.is_bound and self[name].errors:
                bound.widget.attrs["aria-invalid"] = "true"

    def clean_zone(self) -> str:
        """UTC ("") for what this machine has no clock for."""
        try:
            name: str = self.cleaned_data["zone"]
            return ZoneInfo(name).key if name else ""
        except (KeyError, ValueError, OSError):  # no such file, or no name of one
            return ""

    @property
    def wanted(self) -> history.Wanted:
        """Of a form that is valid."""
        return history.Wanted(**self.cleaned_data)

    @property
    def is_narrow(self) -> bool:
        """Whether anything beside `words` is given, or was given wrongly."""
        return self.is_bound and any(
            self[name].value() for name in self.fields if name not in ("words", "zone")
        )
