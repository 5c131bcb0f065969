"""Forms of people who log in."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class LogInForm(AuthenticationForm):
    """E-mail and password. An unknown address, a wrong password and a suspended user look the same."""

    username = forms.EmailField(
        label="Email",
        max_length=254,
        widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"}),
    )
    error_messages = {
        "invalid_login": "Email and password do not match. Please check both and try again.",
        "inactive": "Email and password do not match. Please check both and try again.",
    }

    def clean_username(self) -> str:
        """Addresses are compared in lower case."""
        return str(self.cleaned_data["username"]).strip().lower()
