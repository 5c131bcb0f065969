"""Where the widget runs: how it looks, what it says and asks, and the proof of what it showed."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from accounts.models.ids import new_uid, uid_field
from accounts.models.people import Account, Department, Picture
from chatlead.personal import Basis, Retention, Role, impersonal, personal

# What a form may ask in our own words, said in the visitor's language: {name: (label, kind)}
STANDARD_FIELDS = {"name": ("Name", "text"), "email": ("Email", "email"), "phone": ("Phone", "phone")}


def default_fields() -> list[dict[str, Any]]:
    """The pre-chat form of a new site: nothing is required (R-146)."""
    asked = [(name, *STANDARD_FIELDS[name]) for name in ("name", "email")]
    return [{"name": name, "label": label, "kind": kind, "required": False} for name, label, kind in asked]


class Language(models.TextChoices):
    """What the widget speaks; frontend/src/words/ has a file for each."""

    ENGLISH = "en", "English"
    SPANISH = "es", "Spanish"
    FRENCH = "fr", "French"
    GERMAN = "de", "German"
    PORTUGUESE = "pt", "Portuguese"
    ARABIC = "ar", "Arabic"


class Corner(models.TextChoices):
    """Where the launcher stands: at the end of a line, or at its start, as the widget's language is read."""

    END = "end", "Where a line ends: at the right, in Arabic at the left"
    START = "start", "Where a line starts: at the left, in Arabic at the right"


OFFSET_MAX = 200  # pixels
GREETING_SECONDS_MAX = 600
is_colour = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "A colour is written like #1f5fbf.")


def is_line(text: str) -> bool:
    """Whether it can be stored and shown: no control characters, no halves of any."""
    return not any(unicodedata.category(each) in ("Cc", "Cs") for each in text)


def is_text(value: str) -> None:
    """Raises ValidationError for what is no line."""
    if not is_line(value):
        raise ValidationError("This holds a character that is none.")


class Site(models.Model):
    """A website where the widget runs. `key` is public; `allowed_domains` says where it works.

    A domain is `example.com`, `*.example.com`, or either with `:port` or `:*` behind. `fields` is a list of
    the shape `FieldSpec` (chatlead/realtime/shapes.py), at most 12; an empty list means: no form.
    `language` is what its widget speaks to everybody; "" leaves that to the visitor's browser. A text that
    is "" (or `welcome` as it comes) is said by the widget itself, in the visitor's language; without a
    `greeting` (`greeting_after` seconds after the page) there is no bubble. Offsets are pixels.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="sites")
    uid = uid_field()
    key = impersonal(models.CharField(max_length=32, unique=True, default=new_uid), "a public random key")
    name = impersonal(models.CharField(max_length=200), "the name of a website")
    allowed_domains = impersonal(models.JSONField(default=list), "domain names of a firm")
    privacy_policy_url = impersonal(models.URLField(max_length=500, blank=True), "a public address")
    color = impersonal(models.CharField(max_length=7, default="#1f5fbf", validators=[is_colour]), "a colour")
    corner = models.CharField(max_length=5, choices=Corner.choices, default=Corner.END)
    offset_side = models.PositiveSmallIntegerField(default=20, validators=[MaxValueValidator(OFFSET_MAX)])
    offset_bottom = models.PositiveSmallIntegerField(default=20, validators=[MaxValueValidator(OFFSET_MAX)])
    welcome = impersonal(
        models.CharField(max_length=500, default="How can we help?", blank=True, validators=[is_text]),
        "a text the firm shows to everybody",
    )
    offline = impersonal(
        models.CharField(max_length=500, default="", blank=True, validators=[is_text]),
        "a text the firm shows to everybody",
    )
    greeting = impersonal(
        models.CharField(max_length=200, default="", blank=True, validators=[is_text]),
        "a text the firm shows to everybody",
    )
    greeting_after = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(GREETING_SECONDS_MAX)]
    )
    picture = models.OneToOneField(Picture, models.SET_NULL, null=True, blank=True, related_name="site")
    fields = impersonal(models.JSONField(default=default_fields, blank=True), "the form's labels")
    language = models.CharField(
        max_length=2,
        choices=Language.choices,
        blank=True,
        default="",
        help_text="What the widget speaks. Empty: whatever the visitor's browser asks for.",
    )
    departments = models.ManyToManyField(Department, through="SiteDepartment", related_name="sites")
    visitor_count = models.BigIntegerField(default=0)  # gives the N of "Visitor N"
    is_enabled = models.BooleanField(default=True)
    hosted_page = models.BooleanField(default=True)  # may be talked to at /chat/KEY/, on no website
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class SiteDepartment(models.Model):
    """A department that visitors of a site can reach."""

    account = models.ForeignKey(Account, models.CASCADE)
    site = models.ForeignKey(Site, models.CASCADE)
    department = models.ForeignKey(Department, models.CASCADE)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site", "department"), name="site_department_once"),)


class Notice(models.Model):
    """A version of the privacy notice shown beside the button of a form, in one language (R-032, R-033).
    Never changed. `version` counts over all languages of the site."""

    account = models.ForeignKey(Account, models.CASCADE)
    site = models.ForeignKey(Site, models.CASCADE, related_name="notices")
    version = models.PositiveIntegerField()
    text = impersonal(models.TextField(), "a text the firm shows to everybody")
    language = models.CharField(max_length=2, choices=Language.choices, default="en", db_default="en")
    sha256 = impersonal(models.CharField(max_length=64), "a hash of that text")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site", "version"), name="notice_version_once"),)


class Consent(models.Model):
    """Proof that a notice was shown and a form submitted (R-032). Exists only where personal data came."""

    account = models.ForeignKey(Account, models.CASCADE)
    site = models.ForeignKey(Site, models.CASCADE)
    notice = models.ForeignKey(Notice, models.PROTECT)
    uid = uid_field()
    purpose = impersonal(models.CharField(max_length=40), "a word from a fixed list")
    # of the text that was shown, and understood
    language = models.CharField(max_length=2, choices=Language.choices, default="en", db_default="en")
    visitor_uid = personal(
        models.CharField(max_length=32, db_index=True),
        purpose="say whose consent it is",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    ip = personal(
        models.GenericIPAddressField(null=True, blank=True),  # truncated to /24 or /48
        purpose="proof of consent",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    user_agent = personal(
        models.CharField(max_length=400, blank=True),
        purpose="proof of consent",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    created_at = models.DateTimeField(auto_now_add=True)
