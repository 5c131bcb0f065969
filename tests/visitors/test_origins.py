"""Where a widget runs: the same rule for the Origin of a request and for who may embed the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from visitors.origins import frame_ancestors, origin_allowed, parse

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("domain", "origin", "allowed"),
    [
        ("shop.test", "https://shop.test", True),
        ("shop.test", "https://www.shop.test", False),
        ("shop.test", "http://shop.test", False),
        ("shop.test", "https://shop.test:8103", False),
        ("shop.test:8103", "https://shop.test:8103", True),
        ("shop.test:8103", "https://shop.test", False),
        ("shop.test:*", "https://shop.test:8103", True),
        ("*.shop.test", "https://shop.test", True),
        ("*.shop.test", "https://a.b.shop.test", True),
        ("*.shop.test", "https://ashop.test", False),
        ("*.shop.test", "https://shop.test.evil.com", False),
        ("https://shop.test/", "https://shop.test", True),
        ("SHOP.test", "https://shop.TEST", True),
        ("http://shop.test", "http://shop.test", True),
        ("http://shop.test", "https://shop.test", True),
        ("büro.test", "https://xn--bro-hoa.test", True),
        ("localhost", "http://localhost:3000", True),
        ("127.0.0.1", "http://127.0.0.1", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8001", False),
        ("localhost", "http://127.0.0.1:3000", False),
        ("*", "https://shop.test", False),
        ("*.", "https://shop.test", False),
        ("shop.test/path", "https://shop.test", False),
        ("", "https://shop.test", False),
        ("shop.test", "null", False),
        ("shop.test", "https://user@shop.test", False),
        ("shop.test", "https://shop.test\n", False),
        ("shop.test", "https://shop.test:99999", False),
    ],
)
def test_an_origin_is_one_of_the_domains_or_not(domain: str, origin: str, allowed: bool) -> None:
    """R-002, trials B."""
    assert origin_allowed(origin, [domain]) is allowed


@pytest.mark.parametrize(
    ("domains", "sources"),
    [
        (["shop.test"], "https://shop.test"),
        (["*.shop.test"], "https://shop.test https://*.shop.test"),
        (["www.shop.test:8103"], "https://www.shop.test:8103"),
        (["localhost"], "https://localhost:* http://localhost:*"),
        (["http://shop.test"], "https://shop.test http://shop.test"),
        ([], "'none'"),
        (["*", "a b", "x; script-src *", "shop.test/path", "'self'", None, 7, {}], "'none'"),
        (["shop.test", "https://shop.test"], "https://shop.test"),
    ],
)
def test_only_the_sites_domains_may_embed_the_frame(domains: list[object], sources: str) -> None:
    """ASVS 3.4.6, trials B: scheme always written, the bare domain beside its wildcard, nothing is 'none'."""
    assert frame_ancestors(domains) == sources


def test_production_knows_no_plain_http(settings: Settings) -> None:
    """ASVS 4.4.1: neither as an Origin nor as an embedder, this machine included."""
    settings.PRODUCTION = True
    domains = ["localhost", "http://shop.test"]
    assert "http://" not in frame_ancestors(domains)
    assert not origin_allowed("http://localhost:8000", domains)
    assert not origin_allowed("http://shop.test", domains)
    assert origin_allowed("https://shop.test", domains)


@given(st.lists(st.text()), st.text())
def test_no_text_breaks_out_of_the_header(domains: list[str], origin: str) -> None:
    """ASVS 1.2: whatever an account writes as a domain, the header keeps its one directive."""
    sources = frame_ancestors(domains)
    assert not set(sources) & set(';,\r\n"')
    assert sources.isascii()
    if origin_allowed(origin, domains):
        assert any(parse(each) is not None for each in domains)
