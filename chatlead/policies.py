"""Content security policies by kind of page. Nothing is inline anywhere, and no other origin is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest


def own_sockets(request: HttpRequest) -> str:
    """Our sockets as a CSP source: in some browsers 'self' does not cover them."""
    return f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"


def page_policy(request: HttpRequest) -> str:
    """CSP of every page but the chat frame: our own files and sockets, nobody embeds it."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self' {own_sockets(request)}; manifest-src 'self'; worker-src 'self'; "
        "media-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'; object-src 'none'"
    )


def frame_policy(request: HttpRequest, ancestors: str) -> str:
    """CSP of the chat frame. `ancestors` is a source list made by `visitors.origins.frame_ancestors`."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self' {own_sockets(request)}; media-src 'self'; form-action 'none'; base-uri 'none'; "
        f"object-src 'none'; frame-ancestors {ancestors}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
