"""Tenants and their people, sites and departments; the outbox, notices and consents. No I/O here."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from chatlead.personal import Basis, Retention, Role, impersonal, personal


def new_uid() -> str:
    """A public id of a row: 22 characters, 128 bits, unguessable (P-5)."""
    return secrets.token_urlsafe(16)


def uid_field() -> Any:
    """The public id of a row; the database id never leaves the server."""
    return impersonal(
        models.CharField(max_length=32, unique=True, default=new_uid, editable=False), "a random id"
    )


class Installation(models.Model):
    """This database, one row. `epoch` changes when it is restored: clients then start afresh (V-3)."""

    epoch = impersonal(models.CharField(max_length=32, default=new_uid), "a random id")
    # when a process last looked who is there, and since when that has been done without a break (V-14)
    watched_at = models.DateTimeField(null=True, blank=True)
    watched_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class UserManager(BaseUserManager["User"]):
    """E-mail addresses are compared in lower case throughout."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A person who logs in by `email`; without a password nobody can log in."""
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Staff with every right in `/admin/`."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in, whatever accounts they work for."""

    uid = uid_field()
    email = personal(
        models.EmailField(max_length=254, unique=True),
        purpose="log in and service mail",
        basis=Basis.CONTRACT,
        retention=Retention.ACCOUNT,
        role=Role.CONTROLLER,
    )
    password = impersonal(models.CharField(max_length=128), "an Argon2id hash")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email


class Account(models.Model):
    """The tenant, the subscriber who pays. Every row of a tenant carries its account."""

    uid = uid_field()
    subscriber_id = impersonal(
        models.CharField(max_length=32, unique=True, default=new_uid, editable=False), "a random id"
    )
    name = impersonal(models.CharField(max_length=200), "the name of a firm")
    legal_name = impersonal(models.CharField(max_length=200, blank=True), "the name of a firm")
    is_unlimited = models.BooleanField(default=False)  # a plan without limits
    team_version = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """Where a chat waits. `email` receives the messages left when nobody is online."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="departments")
    uid = uid_field()
    name = impersonal(models.CharField(max_length=100), "the name of a department")
    email = personal(
        models.EmailField(blank=True),
        purpose="receive messages left by visitors",
        basis=Basis.CONTRACT,
        retention=Retention.ACCOUNT,
        role=Role.CONTROLLER,
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = (models.UniqueConstraint(fields=("account", "name"), name="department_name_once"),)

    def __str__(self) -> str:
        return self.name


class Picture(models.Model):
    """A small square picture of a firm or of one who works there. `png` was written by us, pixel by pixel,
    and is never changed: another picture is another row, at another address (`accounts.pictures`)."""

    account = models.ForeignKey(Account, models.CASCADE)
    uid = uid_field()
    png = personal(
        models.BinaryField(),
        purpose="shown to visitors beside the name",
        basis=Basis.CONTRACT,
        retention=Retention.ACCOUNT,
        role=Role.CONTROLLER,
    )
    created_at = models.DateTimeField(auto_now_add=True)


class OperatorRole(models.TextChoices):
    """Rights grow from operator to owner."""

    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"


class Operator(models.Model):
    """A membership of a user in an account.

    `rights_epoch` is raised by every change of rights (role, department, suspension); the journal
    compares it at each write. `availability` is the intent; `lease_until` says whether it is true: it is
    None once nothing was heard of their consoles for a lease's time, and `gone_at` then says since when.
    """

    class Availability(models.TextChoices):
        ONLINE = "online"
        AWAY = "away"

    account = models.ForeignKey(Account, models.CASCADE, related_name="operators")
    user = models.ForeignKey(User, models.CASCADE, related_name="operators")
    uid = uid_field()
    name = personal(
        models.CharField(max_length=200),
        purpose="shown to visitors and colleagues",
        basis=Basis.CONTRACT,
        retention=Retention.ACCOUNT,
        role=Role.CONTROLLER,
    )
    role = models.CharField(max_length=20, choices=OperatorRole.choices, default=OperatorRole.OPERATOR)
    departments = models.ManyToManyField(
        Department, through="DepartmentMember", related_name="operators", blank=True
    )
    rights_epoch = models.BigIntegerField(default=1)
    canned_version = models.BigIntegerField(default=0)  # counts the changes of their prepared replies
    availability = models.CharField(max_length=10, choices=Availability.choices, default=Availability.AWAY)
    lease_until = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    picture = models.OneToOneField(Picture, models.SET_NULL, null=True, blank=True, related_name="operator")
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "user"), name="operator_once"),)

    def __str__(self) -> str:
        return self.name


class DepartmentMember(models.Model):
    """An operator of a department: sees its waiting chats."""

    account = models.ForeignKey(Account, models.CASCADE)
    department = models.ForeignKey(Department, models.CASCADE)
    operator = models.ForeignKey(Operator, models.CASCADE)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("department", "operator"), name="department_member_once"),
        )


class CannedReply(models.Model):
    """What an operator says again and again, and has at hand under a shortcut; theirs alone.

    The text is plain: what it says in braces is filled in by the console that inserts it, and nowhere else.
    """

    account = models.ForeignKey(Account, models.CASCADE)
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="canned_replies")
    uid = uid_field()
    shortcut = personal(
        models.CharField(max_length=64),
        purpose="find a prepared reply",
        basis=Basis.CONTRACT,
        retention=Retention.ACCOUNT,
        role=Role.PROCESSOR,
    )
    text = personal(
        models.TextField(),
        purpose="answer visitors in prepared words",
        basis=Basis.CONTRACT,
        retention=Retention.ACCOUNT,
        role=Role.PROCESSOR,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("operator", "shortcut"), name="canned_shortcut_once"),)


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


def is_text(value: str) -> None:
    """A line that can be stored and shown: no control characters, no halves of any."""
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in value):
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


class OutboxItem(models.Model):
    """A side effect that must not be lost, written in the transaction that wants it (V-7).

    `subject` holds ids, never text. Claimed by lease, carried out at least once under `key`.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        DEAD = "dead"

    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True)
    key = impersonal(models.CharField(max_length=100, unique=True), "an idempotency key made of ids")
    kind = impersonal(models.CharField(max_length=40), "a word from a fixed list")
    subject = impersonal(models.JSONField(default=dict), "ids only")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    last_error = impersonal(models.CharField(max_length=200, blank=True), "the class of an exception")
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(state="pending"), name="outbox_pending"),
        )
