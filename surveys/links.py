"""The address at which a survey may be answered later: signed, good for DAYS after the chat (R-040)."""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, Signer

DAYS = 7
LIFETIME = timedelta(days=DAYS)


def _signer() -> Signer:
    return Signer(sep=".", salt="chatlead.survey")


def path_of(response_uid: str) -> str:
    """Its path on our server."""
    return f"/survey/{_signer().sign(response_uid)}/"


def uid_of(token: str) -> str | None:
    """The uid of the response for which it was signed; None where it was not by us."""
    try:
        return _signer().unsign(token)
    except BadSignature:
        return None


def minor_key(response_uid: str) -> str:
    """The name of the errand that erases somebody who has said with this response that she is under 18."""
    return f"under_age:{response_uid}"
