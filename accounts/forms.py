"""Forms of people who log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm

from accounts import devices, limits
from chatlead.addresses import ip_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FROM_EVERYWHERE = 10  # times as many
FIELD_CODES = ("invalid", "max_length", "null_characters_not_allowed")


class _Bounded(AuthenticationForm):
    """Wrong passwords are counted, for known and unknown addresses alike; too many, and none is looked at
    any more (P-22): neither is one guessed, nor does looking at them keep everybody else waiting. A browser
    in which this person was logged in before is counted alone: no stranger's guesses lock it out."""

    too_many = "Too many tries. Please wait ten minutes."

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError `too_many` beyond the limits, else as Django does."""
        email = str(self.cleaned_data.get("username") or "").strip().lower()
        place = limits.network(ip_of(self.request)) if self.request is not None else ""
        most: int = settings.LOGIN_FAILURES
        counts = [("login:here", f"{email}|{place}", most), ("login:email", email, most * FROM_EVERYWHERE)]
        if place:
            counts.append(("login:place", place, most * FROM_EVERYWHERE))
        device = devices.number_of(self.request.COOKIES, email) if self.request is not None else ""
        if device:
            counts = [("login:device", device, most)]
        if any(limits.so_far(what, who) >= bound for what, who, bound in counts):
            raise forms.ValidationError(self.too_many, code="too_many")
        try:
            return super().clean()
        except forms.ValidationError:
            for what, who, _ in counts:
                limits.count(what, who)
            raise


class StaffLogInForm(_Bounded, AdminAuthenticationForm):
    """The same in front of /admin/."""


class LogInForm(_Bounded):
    """E-mail and password. An unknown address, a wrong password and a suspended user look the same."""

    username = forms.EmailField(
        max_length=254,
        widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )

    def __init__(self, *args: Any, words: Mapping[str, str], **kwargs: Any) -> None:
        """`words`: those of the page, as `chatlead.speech.words` has them."""
        super().__init__(*args, **kwargs)
        self.error_messages = {"invalid_login": words["noMatch"], "inactive": words["noMatch"]}
        self.too_many = words["tooMany"]
        for name, label, wrong in (("username", "email", "badEmail"), ("password", "password", "required")):
            field = self.fields[name]
            field.label = words[label]
            field.error_messages.update({code: words[wrong] for code in FIELD_CODES})
            field.error_messages["required"] = words["required"]

    def clean_username(self) -> str:
        """Addresses are compared in lower case."""
        return str(self.cleaned_data["username"]).strip().lower()
