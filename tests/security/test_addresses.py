"""Who the client is: what a proxy of ours says, and nothing that the client says itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import Consent, Operator, Site
from accounts.notices import current
from chatlead.addresses import client_ip, truncated
from tests.identifiers import new_ref
from tests.sockets import console_of, frame_of

PROXY, VERA, LIE = "10.0.0.1", "203.0.113.9", "198.51.100.66"
SPOOFS = [
    ("x-forwarded-for", LIE),
    ("cf-connecting-ip", LIE),
    ("x-real-ip", LIE),
    ("true-client-ip", LIE),
    ("forwarded", f"for={LIE}"),
    ("x-client-ip", LIE),
]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        (VERA, [], [], VERA),
        (VERA, [LIE], [], VERA),
        (VERA, [LIE], ["10.0.0.0/8"], VERA),
        (PROXY, [VERA], ["10.0.0.0/8"], VERA),
        (PROXY, [f"{LIE}, {VERA}"], ["10.0.0.0/8"], VERA),
        (PROXY, [LIE, VERA], ["10.0.0.0/8"], VERA),
        (PROXY, [f"{LIE}, {VERA}, 10.0.0.2"], ["10.0.0.0/8"], VERA),
        (PROXY, [f"{VERA}:4711"], ["10.0.0.0/8"], VERA),
        (PROXY, ["10.0.0.3"], ["10.0.0.0/8"], "10.0.0.3"),
        (PROXY, ["unknown"], ["10.0.0.0/8"], PROXY),
        (PROXY, [f"{LIE}, <script>"], ["10.0.0.0/8"], PROXY),
        (PROXY, [""], ["10.0.0.0/8"], PROXY),
        ("::1", ["2001:db8::5"], ["::1/128"], "2001:db8::5"),
        ("::1", ["[2001:DB8::5]:443"], ["::1/128"], "2001:db8::5"),
        (f"::ffff:{PROXY}", [VERA], ["10.0.0.0/8"], VERA),
        ("", [VERA], [], ""),
    ],
)
def test_the_address_is_the_right_most_hop_that_is_not_ours(
    settings: Settings, peer: str, forwarded: list[str], trusted: list[str], expected: str
) -> None:
    """R-096."""
    settings.TRUSTED_PROXIES = trusted
    assert client_ip(peer, forwarded) == expected


@given(st.lists(st.text()))
def test_without_a_proxy_nothing_that_is_sent_matters(headers: list[str]) -> None:
    """R-096: whatever the headers hold."""
    assert client_ip(VERA, headers) == VERA


@pytest.mark.parametrize(
    ("ip", "stored"),
    [(VERA, "203.0.113.0"), ("2001:db8:1:2::3", "2001:db8:1::"), ("", None), ("nonsense", None)],
)
def test_an_address_is_stored_without_its_end(ip: str, stored: str | None) -> None:
    """R-098: /24 and /48."""
    assert truncated(ip) == stored


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("behind_proxy", [False, True])
async def test_a_visitor_cannot_choose_the_address_that_is_stored(
    site: Site, olga: Operator, settings: Settings, behind_proxy: bool
) -> None:
    """R-096, ASVS 4.1.3: the proof of consent holds where the visitor really was."""
    settings.TRUSTED_PROXIES = [f"{PROXY}/32"] if behind_proxy else []
    headers = list(SPOOFS)
    if behind_proxy:
        headers.append(("x-forwarded-for", VERA))
    peer = PROXY if behind_proxy else VERA
    notice = await Site.objects.select_related("account").aget(pk=site.pk)
    sha256 = (await sync_to_async(current)(notice)).sha256
    async with console_of(olga) as console, frame_of(site, headers=headers, peer=peer) as vera:
        await console.ask(type="set_availability", online=True)
        answer = await vera.ask(type="start_chat", ref=new_ref(), fields={"name": "Vera"}, notice=sha256)
        assert answer["type"] == "started"
    assert [each.ip async for each in Consent.objects.all()] == ["203.0.113.0"]


def test_only_a_proxy_of_ours_may_say_https(
    site: Site, settings: Settings, logged_in: Callable[[Operator], Client]
) -> None:
    """ASVS 4.1.3: the session's cookie is offered over what is really https."""
    settings.ALLOWED_HOSTS = ["chat.example"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = [f"{PROXY}/32"]
    address = f"/widget/v1/frame?site={site.key}"
    headers = {"Host": "chat.example", "X-Forwarded-Proto": "https"}
    assert Client(REMOTE_ADDR=PROXY).get(address, headers=headers).cookies
    assert not Client(REMOTE_ADDR=VERA).get(address, headers=headers).cookies
