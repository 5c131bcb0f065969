"""Tenants and who works for them: accounts, users, departments, operators and what is theirs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from accounts.models.ids import new_uid, uid_field
from chatlead.personal import Basis, Retention, Role, impersonal, personal


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
    # within so many seconds the firm wants a visitor answered; after them a wait looks urgent
    target_seconds = models.PositiveSmallIntegerField(default=60)
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


SHORTCUT_ROOM = 64  # a letter may take more room in lower case


class CannedReply(models.Model):
    """What an operator says again and again, and has at hand under a shortcut; theirs alone.

    The text is plain: what it says in braces is filled in by the console that inserts it, and nowhere else.
    """

    account = models.ForeignKey(Account, models.CASCADE)
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="canned_replies")
    uid = uid_field()
    shortcut = personal(
        models.CharField(max_length=SHORTCUT_ROOM),
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
