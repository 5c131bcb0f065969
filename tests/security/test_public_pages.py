"""What anybody sees of us: the front page with its own chat, the snippet to copy, the style guide, errors."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Site
from chatlead.management.commands import demo
from chatlead.policies import page_policy

OWN = "http://127.0.0.1:8000"


@pytest.fixture
def client(db: None) -> Client:
    return Client(headers={"Host": "127.0.0.1:8000"})


def shown(text: str, element: str) -> str:
    """What stands to be copied in an element."""
    found = re.search(rf'id="{element}"[^>]*>(.*?)</pre>', text, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_the_snippet_and_what_a_strict_page_has_to_allow_stand_there_to_be_copied(client: Client) -> None:
    """R-003, trials C: one line without a secret, and the directives beside it, with this server's name."""
    page = client.get("/").text
    loader = f"{OWN}/widget/v1/loader.js"
    assert shown(page, "snippet") == f'<script async src="{loader}" data-site="SITE_KEY"></script>'
    directives = [each.split() for each in shown(page, "policy").split(";")]
    assert directives == [
        ["script-src", OWN],
        ["frame-src", OWN],
        ["connect-src", OWN, OWN.replace("http", "ws")],
    ]
    assert 'data-inline="#chatlead"' in shown(page, "inline")
    assert shown(page, "page") == f"{OWN}/chat/SITE_KEY/"
    assert page.count("data-copy=") == len(re.findall(r"<button[^>]*data-copy=[^>]* hidden>", page)) == 4


def test_behind_a_proxy_it_is_the_public_address(client: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://chat.example"
    page = client.get("/").text
    assert "https://chat.example/widget/v1/loader.js" in shown(page, "snippet")
    assert "connect-src https://chat.example wss://chat.example" in shown(page, "policy")
    assert OWN not in page


def loaders_of(page: str) -> list[str]:
    """The keys of the chats that run on a page."""
    return re.findall(r'<script async src="/widget/v1/loader.js" data-site="([^"]+)">', page)


def test_without_a_site_of_our_own_no_chat_runs_there(client: Client, settings: Settings) -> None:
    page = client.get("/").text
    assert loaders_of(page) == []
    assert "in the corner of this page" not in page
    settings.OWN_SITE = "x" * 22  # one that is no more
    assert client.get("/").status_code == 200
    assert loaders_of(client.get("/").text) == []


def test_the_front_page_talks_with_the_demo_firm_where_there_is_one(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    """Issue 4 E."""
    settings.DATA_DIR = tmp_path
    settings.DEMO_PASSWORD = "four-words-for-the-demo"
    key = demo.ensure().site_key
    page = client.get("/").text
    assert loaders_of(page) == [key]
    assert "the demo firm's" in page
    assert f'href="/chat/{key}/"' in page
    Site.objects.filter(key=key).update(hosted_page=False)
    assert "/chat/" + key not in client.get("/").text


def test_it_talks_with_us_where_we_have_a_site(client: Client, site: Site, settings: Settings) -> None:
    """Issue 4 E: CHATLEAD_OWN_SITE; a site that is disabled is none."""
    settings.OWN_SITE = site.key
    page = client.get("/").text
    assert loaders_of(page) == [site.key]
    assert "Write to us" in page
    assert "demo" not in page
    Site.objects.filter(pk=site.pk).update(is_enabled=False)
    assert loaders_of(client.get("/").text) == []


def test_our_own_policy_allows_our_own_chat(client: Client) -> None:
    """The page that says what to allow is as strict as it asks others to be."""
    answer = client.get("/")
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert answer["Content-Security-Policy"] == page_policy(answer.wsgi_request)
    assert policy["script-src"] == policy["frame-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:8000"


def test_the_style_guide_is_for_those_who_build_it(client: Client, settings: Settings) -> None:
    """Issue 4 E: with CHATLEAD_STYLEGUIDE, which production has not."""
    settings.STYLEGUIDE = True
    assert "gallery.js" in client.get("/styleguide/").text
    settings.STYLEGUIDE = False
    assert client.get("/styleguide/").status_code == 404


def test_a_wrong_method_is_a_page_for_people(client: Client) -> None:
    """405 with the header Allow, and a way on."""
    answer = client.post("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert "That cannot be done here" in answer.text
    assert 'href="/"' in answer.text
    assert answer["Content-Type"].startswith("text/html")
