"""What a visitor's phone really has to load (performance.md, `widget`)."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import brotli
import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Language, Site
from chatlead.templatetags.assets import asset

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

DIST = settings.BASE_DIR / "static" / "dist"
LOADER = "/widget/v1/loader.js"
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


def fetch(client: Client, address: str, accept: str = "gzip, deflate, br, zstd") -> Answer:
    return client.get(address, headers={"Accept-Encoding": accept})


def test_before_the_chat_is_opened_at_most_6_kb_travel(client: Client, site: Site) -> None:
    """The loader and the facts of its site, which is one request besides the loader itself. On a page without
    TLS, where no browser asks for Brotli, too."""
    loader = fetch(client, LOADER)
    facts = client.get(f"/widget/v1/site/{site.key}", headers={"Origin": "https://www.acme.test"})
    assert facts.status_code == 200
    assert len(loader.content) + len(facts.content) <= 6_000
    plain = fetch(client, LOADER, "gzip, deflate")
    assert len(loader.content) < len(plain.content) <= 6_000 - len(facts.content)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip;q=0.4", "br"),
        ("gzip, br;q=0", "gzip"),
        ("x-br, gzip", "gzip"),
        ("deflate, gzip;q=1.0", "gzip"),
    ],
)
def test_our_files_travel_packed_as_the_browser_can_unpack_them(
    client: Client, accept: str, coding: str
) -> None:
    """RFC 9110, 12.5.3: what is refused by `q=0` is not sent."""
    loader = fetch(client, LOADER, accept)
    assert loader["Content-Encoding"] == coding
    assert UNPACK[coding](loader.content) == (DIST / "loader.js").read_bytes()
    assert loader["Content-Length"] == str(len(loader.content))
    assert "Accept-Encoding" in loader["Vary"]


@pytest.mark.parametrize("language", Language.values)
def test_an_open_chat_has_loaded_at_most_35_kb(client: Client, site: Site, language: str) -> None:
    """All that its document names, with the document and the loader."""
    frame = fetch(client, f"/widget/v1/frame?site={site.key}&lang={language}")
    named = re.findall(r'(?:src|href)="(/[^"]+)"', frame.content.decode())
    assert len(named) == 2
    answers = [frame, fetch(client, LOADER), *(fetch(client, address) for address in named)]
    assert sum(len(answer.content) for answer in answers) <= 35_000


def test_whoever_cannot_unpack_gets_the_file_as_it_is(client: Client) -> None:
    for accept in ("", "identity", "deflate", "gzip;q=0, br;q=0"):
        answer = fetch(client, LOADER, accept)
        assert answer.content == (DIST / "loader.js").read_bytes()
        assert "Content-Encoding" not in answer
        assert "Accept-Encoding" in answer["Vary"]


def test_a_file_asked_for_by_its_version_is_kept_for_good_and_by_another_is_not(client: Client) -> None:
    """A page of tomorrow may meet the server of yesterday: what it then gets must not stay."""
    assert "immutable" in fetch(client, asset("chat.js"))["Cache-Control"]
    for address in ("/static/dist/chat.js", "/static/dist/chat.js?v=000000000000", LOADER):
        assert "immutable" not in fetch(client, address)["Cache-Control"]


def test_what_is_known_is_not_sent_again(client: Client) -> None:
    first = fetch(client, asset("chat.css"))
    again = client.get(asset("chat.css"), headers={"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in again["Cache-Control"]


@pytest.mark.parametrize("address", ["/widget/v1/frame?site={key}", "/widget/v1/site/{key}"])
def test_what_is_said_to_one_visitor_is_not_packed(client: Client, site: Site, address: str) -> None:
    answer = client.get(
        address.format(key=site.key),
        headers={"Accept-Encoding": "gzip", "Origin": "https://www.acme.test"},
    )
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
