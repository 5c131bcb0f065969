"""Who the client is (R-096): the right-most hop that is not one of our proxies. Nothing else is believed."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=8)
def _networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name, strict=False) for name in names)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in a hop: `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]:5`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_trusted(address: str) -> bool:
    """Is this one of our proxies (`CHATLEAD_TRUSTED_PROXIES`)?"""
    return is_within(address, settings.TRUSTED_PROXIES)


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Is the address in one of these networks? False for what is no address."""
    found = _address(address)
    return found is not None and any(found in network for network in _networks(tuple(networks)))


def client_ip(peer: str, forwarded_for: Iterable[str]) -> str:
    """The client's address in its shortest form; "" where the peer has none (a Unix socket).

    `peer` is who opened the connection, `forwarded_for` the values of the X-Forwarded-For headers as they
    came, in order. Hops are read from the right as long as whoever wrote them is trusted; a hop that is no
    address ends the reading at the proxy that passed it on. Other headers (`X-Real-IP`, `Forwarded`,
    `CF-Connecting-IP`) are never read.
    """
    current = peer
    hops = [hop for value in forwarded_for for hop in value.split(",")]
    while hops and is_trusted(current):
        hop = hops.pop()
        if _address(hop) is None:
            break
        current = hop
    found = _address(current)
    return str(found) if found else ""


def ip_of(request: HttpRequest) -> str:
    """The same for a plain request."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return client_ip(request.META.get("REMOTE_ADDR", ""), [forwarded] if forwarded else [])


def truncated(ip: str) -> str | None:
    """The /24 (IPv4) or /48 (IPv6) of an address, as it is stored (R-098); None where there is none."""
    found = _address(ip)
    if found is None:
        return None
    network = ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False)
    return str(network.network_address)
