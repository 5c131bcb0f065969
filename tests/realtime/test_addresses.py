"""Who the client is, behind proxies that are believed and headers that are not (R-096, P-26)."""

from __future__ import annotations

from typing import Any

import pytest

from chatlead.addresses import client_ip
from chatlead.realtime.endpoint import Handshake

pytestmark = pytest.mark.once

PROXY = "10.0.0.5"
VERA = "203.0.113.9"


@pytest.fixture(autouse=True)
def _proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        (VERA, [], VERA),
        (VERA, ["198.51.100.1"], VERA),  # a stranger's word
        (PROXY, [VERA], VERA),
        (PROXY, [f"198.51.100.1, {VERA}"], VERA),  # only the right-most hop is the proxy's own word
        (PROXY, ["198.51.100.1", VERA], VERA),  # the same in two headers
        (PROXY, [f"{VERA}, 10.1.1.1"], VERA),  # two proxies
        (PROXY, [f"198.51.100.1, {VERA}, 10.1.1.1, 10.2.2.2"], VERA),
        (PROXY, [f"{VERA}, 127.0.0.1"], "127.0.0.1"),  # loopback is no proxy unless it is named
        (PROXY, ["10.9.9.9"], "10.9.9.9"),  # somebody inside
        (PROXY, [], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["unknown"], PROXY),
        (PROXY, [f"{VERA}, '; DROP TABLE"], PROXY),
        (PROXY, [f"{VERA}:4711"], VERA),
        (PROXY, ["[2001:DB8:0:0::7]:4711"], "2001:db8::7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.5", [f"::ffff:{VERA}"], VERA),
        ("", [VERA], ""),
    ],
)
def test_the_address_is_the_right_most_hop_that_is_no_proxy(peer: str, forwarded: list[str], ip: str) -> None:
    assert client_ip(peer, forwarded) == ip


@pytest.mark.parametrize("count", [1, 100_000])
def test_a_long_header_costs_no_more_than_its_right_end(count: int) -> None:
    assert client_ip(PROXY, [", ".join(["198.51.100.1"] * count + [VERA])]) == VERA


def handshake(peer: str, *headers: tuple[str, str], scheme: str = "ws") -> Handshake:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return Handshake.of({"headers": pairs, "client": (peer, 1), "scheme": scheme})


def test_a_socket_reads_the_same_address_and_no_other_header() -> None:
    spoofed = [(name, "198.51.100.1") for name in ("x-real-ip", "forwarded", "cf-connecting-ip", "client-ip")]
    assert handshake(VERA, ("X-Forwarded-For", "198.51.100.1"), *spoofed).ip == VERA
    assert handshake(PROXY, ("X-Forwarded-For", f"198.51.100.1, {VERA}"), *spoofed).ip == VERA


def test_only_a_proxy_may_say_that_the_line_is_secure(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert handshake(PROXY, ("x-forwarded-proto", "https")).secure
    assert not handshake(PROXY, ("x-forwarded-proto", "http")).secure
    assert not handshake(VERA, ("x-forwarded-proto", "https")).secure
    assert handshake(VERA, scheme="wss").secure


def test_two_origins_are_none() -> None:
    """ASVS 4.4: an origin that is not sure does not count."""
    assert handshake(VERA, ("origin", "https://acme.test")).origin == "https://acme.test"
    twice = handshake(VERA, ("origin", "https://acme.test"), ("origin", "https://evil.test"))
    assert twice.origin is None
    assert handshake(VERA).origin is None


def test_cookies_and_the_browsers_name_are_read() -> None:
    found = handshake(VERA, ("cookie", "a=1; b=2"), ("Cookie", "c=3"), ("user-agent", "x" * 1000))
    assert found.cookies == {"a": "1", "b": "2", "c": "3"}
    assert found.user_agent == "x" * 400
