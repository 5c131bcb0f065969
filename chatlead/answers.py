"""The one shape of an error over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse

if TYPE_CHECKING:
    from chatlead.errors import ChatLeadError


def error_json(error: ChatLeadError) -> JsonResponse:
    """`{"error": {"code", "message", "field"}}` with the error's status; `field` only where known."""
    body = {"code": error.code, "message": error.message}
    if error.field:
        body["field"] = error.field
    answer = JsonResponse({"error": body}, status=error.status)
    if error.retry_after_ms:
        answer["Retry-After"] = str(max(1, -(-error.retry_after_ms // 1000)))
    return answer
