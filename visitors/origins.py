"""Where a site's widget may run: from its allowed domains to an answer, and to `frame-ancestors`.

A domain is `example.com`, `*.example.com` (any depth, and the domain itself), each with `:port` or `:*`
behind where the website is not on the scheme's own port. `localhost` and `127.0.0.1` mean any port when
they name none. Websites are https. Plain http is accepted only outside production: for `localhost` and
`127.0.0.1`, and for a domain that is written with `http://` in front. How Chromium matches was tried.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = ("localhost", "127.0.0.1")
PORTS = {"https": 443, "http": 80}
_label = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_host = rf"{_label}(?:\.{_label})*"
_domain = re.compile(
    rf"(?P<plain>http://)?(?:https://)?(?P<wild>\*\.)?(?P<host>{_host})(?::(?P<port>\d{{1,5}}|\*))?/?"
)
_origin = re.compile(rf"(?P<scheme>https?)://(?P<host>{_host})(?::(?P<port>\d{{1,5}}))?")


class Domain(NamedTuple):
    """One allowed domain, taken apart. `port` is a number, "*" or "" (the scheme's own)."""

    host: str
    wild: bool
    port: str
    schemes: tuple[str, ...]


def parse(text: object) -> Domain | None:
    """An entry of `allowed_domains`, or None when it is not one: it then allows nothing."""
    if not isinstance(text, str):
        return None
    text = text.strip().lower()
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    found = _domain.fullmatch(text)
    if found is None:
        return None
    host, port = found["host"], found["port"] or ""
    if host in LOOPBACK:
        port = port or "*"
    plain = (host in LOOPBACK or bool(found["plain"])) and not settings.PRODUCTION
    return Domain(host, bool(found["wild"]), port, ("https", "http") if plain else ("https",))


def origin_allowed(origin: str | None, allowed_domains: Iterable[object]) -> bool:
    """Is this `Origin`, as a browser writes it, one of the domains?

    None, "null" and anything with a user, a path or an unknown scheme is not.
    """
    found = _origin.fullmatch((origin or "").lower())
    if found is None:
        return False
    scheme, host = found["scheme"], found["host"]
    port = int(found["port"] or PORTS[scheme])
    for domain in map(parse, allowed_domains):
        if domain is None or scheme not in domain.schemes:
            continue
        if host != domain.host and not (domain.wild and host.endswith(f".{domain.host}")):
            continue
        if domain.port == "*" or port == int(domain.port or PORTS[scheme]):
            return True
    return False


def frame_ancestors(allowed_domains: Iterable[object]) -> str:
    """The source list of the CSP directive, schemes written; `'none'` when nothing is allowed."""
    sources = []
    for domain in map(parse, allowed_domains):
        if domain is None:
            continue
        port = f":{domain.port}" if domain.port else ""
        for scheme in domain.schemes:
            sources.append(f"{scheme}://{domain.host}{port}")
            if domain.wild:
                sources.append(f"{scheme}://*.{domain.host}{port}")
    return " ".join(dict.fromkeys(sources)) or "'none'"
