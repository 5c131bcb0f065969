"""Forms of people who log in, and of what staff sets for a site and the people of a firm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm

from accounts import devices, limits, pictures
from accounts.actions import LOOK, TARGET_LEAST, TARGET_MOST
from accounts.models import STANDARD_FIELDS, Operator, Site
from accounts.sites import ADULT, ADULT_LABEL, ADULT_OPTIONS, HINT_MAX, check_fields, site_fields
from chatlead.addresses import ip_of
from chatlead.errors import BadField
from chatlead.realtime.shapes import FieldSpec

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
            field.error_messages.update(dict.fromkeys(FIELD_CODES, words[wrong]))
            field.error_messages["required"] = words["required"]

    def clean_username(self) -> str:
        """Addresses are compared in lower case."""
        return str(self.cleaned_data["username"]).strip().lower()


class AnsweringForm(forms.Form):
    """How fast a firm wants to answer."""

    seconds = forms.IntegerField(
        label="Answer within (seconds)",
        min_value=TARGET_LEAST,
        max_value=TARGET_MOST,
        error_messages={
            "required": "Write a number of seconds.",
            "invalid": "Write a number of seconds.",
            "min_value": f"At least {TARGET_LEAST} seconds.",
            "max_value": f"At most {TARGET_MOST} seconds, which is an hour.",
        },
    )


class _Pictured(forms.ModelForm):  # type: ignore[type-arg]  # no parameter when it runs
    """A picture besides the columns. `png` is what was chosen, written anew; `no_picture` takes the present
    one away. Whatever a browser can show may be chosen: the page makes a small PNG of it."""

    png = forms.FileField(
        label="Picture",
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp", "data-picture": "96"}),
        help_text="PNG, JPEG or WebP. It is cut square and made small. Without one: initials.",
    )
    no_picture = forms.BooleanField(label="Take the picture away", required=False)

    class Media:
        js = ("dist/picture.js",)

    def clean_png(self) -> bytes | None:
        """None where nothing was chosen."""
        file = self.cleaned_data["png"]
        if not file:
            return None
        try:
            return pictures.rewritten(file.read(pictures.BYTES_MAX + 1))
        except BadField as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from None


class OperatorForm(_Pictured):
    """The picture that visitors see of an operator."""

    class Meta:
        model = Operator
        fields: tuple[str, ...] = ()


class SiteForm(_Pictured):
    """How the widget of a site looks, what it says and what it asks: `look` and `asked` are for actions."""

    ASKED = (("", "Not asked"), ("may", "Asked, may be left empty"), ("must", "Asked, and required"))

    ask_name = forms.ChoiceField(label="Name", choices=ASKED, required=False)
    ask_email = forms.ChoiceField(label="Email", choices=ASKED, required=False)
    ask_phone = forms.ChoiceField(label="Phone", choices=ASKED, required=False)

    ask_adult = forms.BooleanField(
        label="Whether the visitor is 18 or older",
        required=False,
        help_text="Who is not is refused: nothing of what was filled in is kept, nor anything afterwards.",
    )
    adult_hint = forms.CharField(
        label="For who is under 18",
        required=False,
        max_length=HINT_MAX,
        help_text="Whom to call instead, with a telephone number.",
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )

    class Meta:
        model = Site
        fields = ("language", *LOOK)
        labels = {
            "offset_side": "Distance from the side",
            "offset_bottom": "Distance from the bottom",
            "offline": "While nobody is there",
            "greeting_after": "Seconds before the greeting",
        }
        widgets = {
            name: forms.TextInput(attrs={"class": "vLargeTextField"})
            for name in ("welcome", "offline", "greeting")
        }
        help_texts = {
            "color": "Like #1f5fbf. What stands on it is white or black, whichever can be read.",
            "offset_side": "In pixels, up to 200.",
            "offset_bottom": "In pixels, up to 200: above a bar of the page's own, for example.",
            "welcome": "Above the form of a chat. Empty, or as it comes: in the visitor's language.",
            "offline": "Above the form for a message. Empty: our own words, in the visitor's language.",
            "greeting": "A bubble beside the launcher, once for each visitor. Empty: none.",
            "greeting_after": "After the page was opened, 1 to 600.",
        }

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        asked = {each.name: each for each in site_fields(self.instance)}
        for name in STANDARD_FIELDS:
            present = asked.get(name)
            self.initial[f"ask_{name}"] = "" if present is None else "must" if present.required else "may"
        self.initial["ask_adult"] = ADULT in asked
        self.initial["adult_hint"] = asked[ADULT].hint if ADULT in asked else ""

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where the form in front of a chat would be none."""
        cleaned = super().clean() or self.cleaned_data
        if all(f"ask_{name}" in cleaned for name in STANDARD_FIELDS):  # else it is said already what is wrong
            try:
                check_fields(self.asked)
            except BadField as refusal:
                raise forms.ValidationError(refusal.message, code=refusal.code) from None
        return cleaned

    @property
    def look(self) -> dict[str, Any]:
        """What was filled in of the columns that `set_site_look` takes."""
        return {name: self.cleaned_data[name] for name in LOOK}

    @property
    def asked(self) -> list[FieldSpec]:
        """The form in front of a chat: the standard fields in their order, then what is asked besides."""
        present = {each.name: each for each in site_fields(self.instance)}
        wanted: list[FieldSpec] = []
        for name, (label, kind) in STANDARD_FIELDS.items():
            known = present.pop(name, None) or FieldSpec(name=name, label=label, kind=kind)  # type: ignore[arg-type]
            if answer := self.cleaned_data[f"ask_{name}"]:
                wanted.append(msgspec.structs.replace(known, required=answer == "must"))
        adult = present.pop(ADULT, None) or FieldSpec(
            name=ADULT, label=ADULT_LABEL, kind="select", required=True, options=ADULT_OPTIONS
        )
        if self.cleaned_data["ask_adult"]:
            wanted.append(msgspec.structs.replace(adult, hint=self.cleaned_data["adult_hint"]))
        return wanted + list(present.values())
