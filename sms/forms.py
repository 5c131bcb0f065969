"""What admins fill in about texts, and what people do who agree to them. No box is ever ticked beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.models import Department, Site
from sms.actions.stopping import BY_HAND
from sms.models import SmsProgramme, SmsSender

if TYPE_CHECKING:
    from accounts.models import Account


class Dressed(forms.Form):
    """Fields look like all others, and say aloud what is wrong with them."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for name, field in self.fields.items():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "input"
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_hint"

    def add_error(self, field: str | None, error: Any) -> None:
        """What is wrong is said with the field itself."""
        super().add_error(field, error)
        if field is not None:
            attrs = self.fields[field].widget.attrs
            attrs["aria-invalid"] = "true"
            attrs["aria-describedby"] = f"{attrs.get('aria-describedby', '')} id_{field}_wrong".strip()


class ProgrammeForm(Dressed):
    """A programme."""

    name = forms.CharField(
        max_length=60, help_text="People read it at the start of every automatic text, as “Acme Law texts”."
    )
    contact = forms.CharField(
        max_length=120, label="Help contact", help_text="The answer to HELP, as “call 800-555-0100”."
    )
    frequency = forms.CharField(
        max_length=60, label="How often", initial="Message frequency varies", help_text="What you promise."
    )
    terms_url = forms.URLField(
        max_length=300,
        label="Terms and privacy policy",
        assume_scheme="https",
        help_text="A page of yours. Whoever agrees is shown its address.",
    )


class SenderForm(Dressed):
    """A sender. Secrets are never shown again: an empty field leaves them as they are."""

    programme = forms.ModelChoiceField(SmsProgramme.objects.none(), to_field_name="uid", empty_label=None)
    site = forms.ModelChoiceField(
        Site.objects.none(), to_field_name="uid", empty_label=None, label="Website",
        help_text="People who text are visitors of this website.",
    )  # fmt: skip
    department = forms.ModelChoiceField(
        Department.objects.none(), to_field_name="uid", empty_label=None, label="Department",
        help_text="Texts wait here for an answer.",
    )  # fmt: skip
    gateway = forms.ChoiceField(choices=SmsSender.Gateway.choices, label="Provider", initial="twilio")
    kind = forms.ChoiceField(choices=SmsSender.Kind.choices)
    number = forms.CharField(max_length=40, required=False, help_text="As +18005550100.")
    service_sid = forms.CharField(max_length=40, required=False, label="Messaging service SID")
    account_sid = forms.CharField(max_length=40, required=False, label="Account SID")
    auth_token = forms.CharField(
        max_length=200, required=False, label="Auth token", help_text="Stored encrypted, never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    shared_key_id = forms.CharField(
        max_length=64, required=False, label="Webhook key name",
        help_text="Empty it to remove the key.",
    )  # fmt: skip
    shared_key = forms.CharField(
        max_length=200, required=False, label="Webhook key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Only where webhooks are signed with a shared key.",
    )  # fmt: skip
    answers_stop = forms.ChoiceField(
        choices=SmsSender.Answers.choices, label="Who confirms a STOP", initial="app",
        help_text="The provider, where its own opt-out answers are on. Never both.",
    )  # fmt: skip
    is_registered = forms.BooleanField(
        required=False, label="It is registered with the carriers",
        help_text="Before that nothing is sent from it.",
    )  # fmt: skip

    def __init__(self, account: Account, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for name in ("programme", "site", "department"):
            field: Any = self.fields[name]
            model: Any = field.queryset.model
            field.queryset = model.objects.filter(account=account).order_by("id")
            field.label_from_instance = lambda each: each.name


class OptOutForm(Dressed):
    """Somebody has asked otherwise than by text."""

    phone = forms.CharField(max_length=40, label="Phone number")
    programme = forms.ModelChoiceField(SmsProgramme.objects.none(), to_field_name="uid", empty_label=None)
    source = forms.ChoiceField(choices=list(BY_HAND.items()), label="How they asked")
    note = forms.CharField(max_length=200, required=False, label="Note")

    def __init__(self, account: Account, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        field: Any = self.fields["programme"]
        field.queryset = SmsProgramme.objects.filter(account=account).order_by("id")
        field.label_from_instance = lambda each: each.name


class LookUpForm(Dressed):
    """One number."""

    phone = forms.CharField(max_length=40, label="Phone number")
