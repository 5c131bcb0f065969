"""What a visitor fills in before a chat, checked against the form of the site (R-031). Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.sites import ADULT, adult_field
from chatlead.errors import BadField, MissingField, UnknownField
from chatlead.realtime.shapes import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from chatlead.realtime.shapes import FieldSpec

NAME_MAX = 200
EMAIL_MAX = 254
LINE_MAX = 500
AREA_MAX = 2000
CHECKED = "yes"

# as people write them: +1 (813) 555-0100 ext. 4; what can be dialled is somebody else's question
_phone = re.compile(r"[0-9+()./\-\s]{3,40}(?:(?:x|ext\.?)\s?[0-9]{1,8})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was in order. `name` and `email` belong to the visitor, `answers` to the chat."""

    name: str = ""
    email: str = ""
    answers: list[Answer] = field(default_factory=list)

    @property
    def is_personal(self) -> bool:
        """Whether something of the person came: then the notice must have been shown (R-032)."""
        return bool(self.name or self.email or self.answers)

    def apart(self, names: Collection[str]) -> tuple[Filled, list[str]]:
        """The form without the boxes of these names, and which of them were ticked."""
        own = [each for each in self.answers if each.name not in names]
        return Filled(self.name, self.email, own), [each.name for each in self.answers if each.name in names]


def check_form(fields: Sequence[FieldSpec], values: Mapping[str, str]) -> Filled:
    """The values as they are to be stored: verbatim, in NFC; blank ones are left out.

    Raises UnknownField, MissingField, BadField, each with the `field`.
    """
    known = {each.name for each in fields}
    for name in values:
        if name not in known:
            raise UnknownField(field=name)
    name, email = "", ""
    answers: list[Answer] = []
    for spec in fields:
        value = check_plain(values.get(spec.name, ""), spec.name, AREA_MAX)
        if spec.kind == "checkbox" and value not in ("", CHECKED):
            raise BadField(f"A tick is sent as {CHECKED!r}.", field=spec.name)
        if not value.strip():
            if spec.required:
                raise MissingField(field=spec.name)
            continue
        if spec.kind == "text" and spec.name == "name":
            name = check_name(value, spec.name)
        elif spec.kind == "email" and not email:
            email = check_email(value, spec.name)
        else:
            _check_kind(spec, value)
            if spec.name == ADULT and spec.kind == "select":
                continue  # that she is of age is no fact to keep of her
            answers.append(Answer(name=spec.name, label=spec.label, value=value))
    return Filled(name, email, answers)


def says_minor(fields: Sequence[FieldSpec], values: Mapping[str, str]) -> bool:
    """Whether she is under 18, by what she has chosen where the site asks that (R-070)."""
    asked = adult_field(fields)
    return asked is not None and values.get(asked.name, "").strip() == asked.options[-1]


def contact(name: str, email: str) -> Filled:
    """Who left a message. Both stay with it as answers, too: the visitor of a shared browser has another name
    and address tomorrow, and the answer goes to whoever has asked."""
    given = (("name", "Name", name), ("email", "Email", email))
    return Filled(
        name, email, [Answer(name=key, label=label, value=value) for key, label, value in given if value]
    )


def check_plain(value: str, field: str, longest: int) -> str:
    """In NFC; BadField for what cannot be stored as text, or is too long in code points."""
    if "\x00" in value or any("\ud800" <= each <= "\udfff" for each in value):
        raise BadField("This holds a character that is none.", field=field)
    value = unicodedata.normalize("NFC", value)
    if len(value) > longest:
        raise BadField(f"At most {longest} characters.", field=field)
    return value


def check_name(value: str, field: str) -> str:
    """Any name whatever, 1 to 200 code points; "" when it is blank (R-030)."""
    value = check_plain(value, field, NAME_MAX)
    return value if value.strip() else ""


def check_email(value: str, field: str) -> str:
    """An address that mail could be sent to, without the blanks around it."""
    value = check_plain(value.strip(), field, EMAIL_MAX)
    try:
        validate_email(value)
        # inside quotation marks the standard allows control characters, some of which end a header's line
        if not value.isprintable():
            raise ValidationError(value)
    except ValidationError:
        raise BadField("This is no e-mail address.", field=field) from None
    return value


def check_phone(value: str, field: str) -> str:
    """A number as people write it, without the blanks around it."""
    value = check_plain(value.strip(), field, LINE_MAX)
    if not _looks_like_phone(value):
        raise BadField("This is no phone number.", field=field)
    return value


def check_text(value: str, field: str = "text") -> str:
    """What somebody writes in a chat stays as it is; only a NUL has no place in a database."""
    if "\x00" in value:
        raise BadField("This holds a character that is none.", field=field)
    return value


def _check_kind(spec: FieldSpec, value: str) -> None:
    check = _KINDS.get(spec.kind)
    if check is not None and not check(spec, value):
        raise BadField(field=spec.name)
    if spec.kind != "textarea" and len(value) > LINE_MAX:
        raise BadField(f"At most {LINE_MAX} characters.", field=spec.name)


def _is_phone(_spec: FieldSpec, value: str) -> bool:
    return _looks_like_phone(value.strip())


def _looks_like_phone(value: str) -> bool:
    return _phone.fullmatch(value) is not None and sum(each.isdigit() for each in value) >= 3


def _is_option(spec: FieldSpec, value: str) -> bool:
    return any(unicodedata.normalize("NFC", each) == value for each in spec.options)


def _is_email(spec: FieldSpec, value: str) -> bool:
    return bool(check_email(value, spec.name))


_KINDS: dict[str, Callable[[FieldSpec, str], bool]] = {
    "phone": _is_phone,
    "select": _is_option,
    "email": _is_email,
}
