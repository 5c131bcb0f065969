"""Whether a webhook comes from the provider (B1-13): both of its schemes, over the form as it came. Pure.

Signed is the address with all parameters of the form behind it, sorted, under the account's token, by
HMAC-SHA1; a body of JSON has no parameters, but its SHA-256 in the address, as `bodySHA256`:
https://www.twilio.com/docs/usage/webhooks/webhooks-security
https://www.twilio.com/docs/api/errors/57012

The newer scheme, a public beta, puts a shared key in the place of the token, and the setting of a webhook
names key and algorithm, as the header `X-Twilio-Webhooks-Signature-Settings: key=…,algorithm=HMAC_SHA256`
repeats: https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
Where that header is there nothing else is tried, so nobody can choose the weaker one or none, and of
algorithms only the one of B1-13.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

PORTS = {"https": 443, "http": 80}
FIELDS_MAX = 500

Form = Sequence[tuple[str, str]]


class Secrets(NamedTuple):
    """What a sender's webhooks are signed with; "" for what is not set up."""

    token: str
    shared_key_id: str
    shared_key: str


class Signed(NamedTuple):
    """What came: the headers ("" where they are missing) and the body as bytes."""

    signature: str
    settings: str
    content_type: str
    body: bytes


def form_of(body: bytes) -> Form:
    """Names and values in their order, nothing trimmed, empty ones kept. Raises ValueError."""
    text = body.decode("ascii")
    return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")


def is_genuine(signed: Signed, urls: Iterable[str], secrets: Secrets) -> bool:
    """Whether one of these addresses, each tried with its port and without, was signed with the right key."""
    found = _method(signed.settings, secrets)
    if found is None or not signed.signature:
        return False
    algorithm, key = found
    kind = signed.content_type.partition(";")[0].strip().lower()
    addresses = list(dict.fromkeys(each for url in urls for each in with_and_without_port(url)))
    if kind == "application/json":
        digest = hashlib.sha256(signed.body).hexdigest()
        addresses = [
            url for url in addresses if hmac.compare_digest(_body_hash(url).encode(), digest.encode())
        ]
        form: Form = ()
    elif kind == "application/x-www-form-urlencoded":
        try:
            form = form_of(signed.body)
        except ValueError:
            return False
    else:
        return False
    # as bytes: what came may hold any character
    given = signed.signature.encode()
    right = [hmac.compare_digest(sign(url, form, key, algorithm).encode(), given) for url in addresses]
    return any(right)


def fields_of(signed: Signed) -> dict[str, str]:
    """What a genuine webhook says: the first value of each name; nothing where it is no object. Raises
    ValueError for a form that is none."""
    kind = signed.content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            found = json.loads(signed.body)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(found, dict):
            return {}
        # JSON may name halves of characters, which no text holds
        return {name: str(value).encode(errors="ignore").decode() for name, value in found.items()}
    return dict(reversed(form_of(signed.body)))


def sign(url: str, form: Form, key: str, algorithm: str = "sha1") -> str:
    """Base64 of the HMAC over the address and each name with each of its values, once, in order."""
    said = "".join(name + value for name, value in sorted(set(form)))
    mac = hmac.new(key.encode(), (url + said).encode(), algorithm)
    return base64.b64encode(mac.digest()).decode()


def with_and_without_port(url: str) -> list[str]:
    """The address as it is, and with the port of its scheme written out, and left away."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    try:
        port = parts.port or PORTS.get(parts.scheme, 443)
    except ValueError:  # above 65535
        return [url]
    bare = urlunsplit(parts._replace(netloc=host))
    return list(dict.fromkeys((url, bare, urlunsplit(parts._replace(netloc=f"{host}:{port}")))))


def _method(settings: str, secrets: Secrets) -> tuple[str, str] | None:
    """(algorithm, key), or None where this cannot be right. No key is ever empty."""
    if not settings:
        return ("sha1", secrets.token) if secrets.token else None
    said = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    if said.get("algorithm") != "HMAC_SHA256" or not secrets.shared_key:
        return None
    return ("sha256", secrets.shared_key) if said.get("key") == secrets.shared_key_id else None


def _body_hash(url: str) -> str:
    said = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return said.get("bodySHA256", "").lower()
