"""Tenants and their people, sites and departments; the outbox, notices and consents. No I/O here."""

from accounts.models.ids import new_uid, uid_field
from accounts.models.people import (
    SHORTCUT_ROOM,
    Account,
    CannedReply,
    Department,
    DepartmentMember,
    Operator,
    OperatorRole,
    Picture,
    User,
    UserManager,
)
from accounts.models.service import Installation, OutboxItem
from accounts.models.sites import (
    GREETING_SECONDS_MAX,
    OFFSET_MAX,
    STANDARD_FIELDS,
    Consent,
    Corner,
    Language,
    Notice,
    Site,
    SiteDepartment,
    default_fields,
    is_colour,
    is_text,
)

__all__ = [
    "GREETING_SECONDS_MAX",
    "OFFSET_MAX",
    "SHORTCUT_ROOM",
    "STANDARD_FIELDS",
    "Account",
    "CannedReply",
    "Consent",
    "Corner",
    "Department",
    "DepartmentMember",
    "Installation",
    "Language",
    "Notice",
    "Operator",
    "OperatorRole",
    "OutboxItem",
    "Picture",
    "Site",
    "SiteDepartment",
    "User",
    "UserManager",
    "default_fields",
    "is_colour",
    "is_text",
    "new_uid",
    "uid_field",
]
