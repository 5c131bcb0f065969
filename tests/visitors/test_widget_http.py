"""What the widget fetches: the loader, the facts of its site, a ticket, the frame."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Department, Operator, Site
from tests.conftest import goes_online
from visitors import tickets, views

PAGE = "https://www.acme.test"


@pytest.fixture
def client() -> Client:
    """A browser with no cookies that checks the rules for forms."""
    return Client(enforce_csrf_checks=True, headers={"Host": "127.0.0.1:8000"})


def ask_ticket(client: Client, body: object, origin: str | None = PAGE) -> HttpResponse:
    """What the loader does."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Origin": origin} if origin is not None else {}
    return client.post("/widget/v1/ticket", data, content_type="text/plain", headers=headers)  # type: ignore[return-value]


# --- tickets --------------------------------------------------------------------------------------------


def test_a_page_of_the_site_gets_a_ticket(client: Client, site: Site) -> None:
    """trials B: told to that origin alone, and not kept."""
    answer = ask_ticket(client, {"site": site.key})
    assert answer.status_code == 200
    assert tickets.redeem_all([(json.loads(answer.content)["ticket"], site, PAGE)]) == [True]
    assert answer["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Credentials" not in answer
    assert (answer["Vary"], answer["Cache-Control"]) == ("Origin", "no-store")
    assert not answer.cookies


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.test", "https://acme.test.evil.com", "http://acme.test"]
)
def test_another_page_gets_none(client: Client, site: Site, origin: str | None) -> None:
    """R-002: its loader may read that, and asks no more."""
    answer = ask_ticket(client, {"site": site.key}, origin)
    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (403, "origin_refused")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    facts = client.get(f"/widget/v1/site/{site.key}", headers={"Origin": origin} if origin else {})
    assert (facts.status_code, facts["Access-Control-Allow-Origin"]) == (403, "*")
    assert "color" not in facts.content.decode()


def test_a_site_that_was_disabled_says_so_to_its_own_pages(client: Client, site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(is_enabled=False)
    for answer in (
        ask_ticket(client, {"site": site.key}),
        client.get(f"/widget/v1/site/{site.key}", headers={"Origin": PAGE}),
    ):
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (404, "*")


def test_the_key_of_one_site_is_no_good_on_the_domain_of_another(client: Client, rival_site: Site) -> None:
    """R-002."""
    assert ask_ticket(client, {"site": rival_site.key}).status_code == 403


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("", 400, "bad_frame", None),
        ("[]", 400, "bad_frame", None),
        ("null", 400, "bad_frame", None),
        ("{", 400, "bad_frame", None),
        (b"\xff\xfe", 400, "bad_frame", None),
        ("[" * 900, 400, "bad_frame", None),
        ({}, 400, "missing_field", "site"),
        ({"site": None}, 400, "bad_field", "site"),
        ({"site": 0}, 400, "bad_field", "site"),
        ({"site": True}, 400, "bad_field", "site"),
        ({"site": []}, 400, "bad_field", "site"),
        ({"site": {}}, 400, "bad_field", "site"),
        ({"site": "x\r\nSet-Cookie: a=b"}, 400, "bad_field", "site"),
        ({"site": "x" * 22}, 404, "not_found", None),
        ({"site": "x" * 2000}, 413, "too_large", None),
    ],
)
def test_a_body_that_makes_no_sense_is_told_what_is_wrong(
    client: Client, db: None, body: object, status: int, code: str, field: str | None
) -> None:
    """P-23: a code for the machine, the field where there is one, never a crash."""
    answer = ask_ticket(client, body)
    error = json.loads(answer.content)["error"]
    assert (answer.status_code, error["code"], error.get("field")) == (status, code, field)


# --- the facts of a site ----------------------------------------------------------------------------------


def test_the_loader_learns_the_facts_of_its_site(
    client: Client, site: Site, intake: Department, olga: Operator
) -> None:
    """docs/protocol.md: what a launcher is drawn from and nothing else, kept for a minute."""
    answer = client.get(f"/widget/v1/site/{site.key}", headers={"Origin": PAGE})
    assert json.loads(answer.content) == {"color": site.color, "online": []}
    assert answer["Cache-Control"] == "public, max-age=60"
    assert (answer["Access-Control-Allow-Origin"], answer["Vary"]) == (PAGE, "Origin, Accept-Language")
    goes_online(olga)
    later = client.get(f"/widget/v1/site/{site.key}", headers={"Origin": PAGE})
    assert json.loads(later.content)["online"] == [intake.uid]


def test_facts_take_two_queries(
    client: Client, site: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Site and account, and who is online."""
    with django_assert_num_queries(2):
        client.get(f"/widget/v1/site/{site.key}", headers={"Origin": PAGE})


def test_a_page_on_our_own_server_needs_no_origin(client: Client, site: Site) -> None:
    """A browser sends none with a GET to the page's own server; the demo lives there."""
    address = f"/widget/v1/site/{site.key}"
    assert client.get(address, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert client.get(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(address, headers={"Referer": "http://127.0.0.1:8000/demo/"}).status_code == 200
    assert client.get(address, headers={"Referer": "http://127.0.0.1:8000.evil.test/"}).status_code == 403
    assert client.get(address).status_code == 403


@pytest.mark.parametrize("key", ["x", "x" * 22, "x" * 500, "%00" * 22, "..%2f..%2fetc"])
def test_a_site_that_is_not_there_is_not_found(client: Client, db: None, key: str) -> None:
    """P-23."""
    answer = client.get(f"/widget/v1/site/{key}", headers={"Origin": PAGE})
    assert answer.status_code == 404
    assert json.loads(answer.content)["error"]["code"] == "not_found"


# --- the frame --------------------------------------------------------------------------------------------


def test_the_frame_brings_the_cookie_of_the_session(client: Client, site: Site) -> None:
    """R-120: 256 random bits, no expiry, out of reach of scripts, for this partition only."""
    answer = client.get(f"/widget/v1/frame?site={site.key}")
    assert answer.status_code == 200
    cookie = answer.cookies["__Host-cl_s"]
    assert len(cookie.value) == 43
    written = cookie.OutputString()
    for part in ("Path=/", "Secure", "HttpOnly", "SameSite=None", "Partitioned"):
        assert part in written
    for part in ("expires", "Max-Age", "Domain"):
        assert part not in written


def test_the_cookie_stays_as_long_as_the_browser_is_open(client: Client, site: Site) -> None:
    """R-121: a reload keeps the session."""
    first = client.get(f"/widget/v1/frame?site={site.key}").cookies["__Host-cl_s"].value
    again = client.get(f"/widget/v1/frame?site={site.key}")
    assert "__Host-cl_s" not in again.cookies
    client.cookies["__Host-cl_s"] = "of somebody else's making"
    fresh = client.get(f"/widget/v1/frame?site={site.key}").cookies["__Host-cl_s"].value
    assert fresh not in (first, "of somebody else's making")


def test_no_cookie_is_offered_where_no_browser_keeps_it(
    client: Client, site: Site, settings: Settings
) -> None:
    """trials A: over plain http to another name every such cookie is refused."""
    settings.ALLOWED_HOSTS = ["chat.example"]
    assert not client.get(f"/widget/v1/frame?site={site.key}", headers={"Host": "chat.example"}).cookies
    assert client.get(
        f"/widget/v1/frame?site={site.key}", headers={"Host": "chat.example"}, secure=True
    ).cookies


def test_only_the_sites_domains_may_embed_the_frame(client: Client, site: Site) -> None:
    """ASVS 3.4.6, P-2."""
    answer = client.get(f"/widget/v1/frame?site={site.key}")
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"].split()[:2] == ["https://acme.test", "https://*.acme.test"]
    assert "*" not in policy["frame-ancestors"].split()
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "X-Frame-Options" not in answer
    assert answer["Cache-Control"] == "no-store"
    assert answer["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("query", ["", "?site=", "?site=x", "?site=%00", "?site[]=x", "?site=" + "x" * 3000])
def test_a_frame_of_no_site_is_a_page_that_nobody_embeds(client: Client, db: None, query: str) -> None:
    """P-23: 404, and no cookie."""
    answer = client.get(f"/widget/v1/frame{query}")
    assert answer.status_code == 404
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies


async def test_requests_share_a_few_threads(site: Site) -> None:
    """design §5: a thread a request would open a database connection each, and leave it behind."""
    from chatlead.asgi import HTTP_THREADS, application

    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for _ in range(5):
            answers = await asyncio.gather(*(client.get("/nowhere/") for _ in range(20)))
            assert [answer.status_code for answer in answers] == [404] * 20
    mine = [thread for thread in threading.enumerate() if thread.name.startswith("http")]
    assert 0 < len(mine) <= HTTP_THREADS


# --- the loader -------------------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A build with one loader, plain and by version."""
    (tmp_path / "loader.js").write_text("/* the loader */")
    (tmp_path / "loader.0123456789ab.js").write_text("/* the loader */")
    monkeypatch.setattr(views, "DIST", tmp_path)
    yield tmp_path


def test_any_page_may_load_the_loader(client: Client, built: Path) -> None:
    """trials C: with `integrity`, under COEP, and never guessed to be something else."""
    answer = client.get("/widget/v1/loader.js")
    assert answer.content == b"/* the loader */"
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert not answer.cookies


def test_a_loader_that_has_not_changed_is_not_sent_again(client: Client, built: Path) -> None:
    """And a new build is seen at once."""
    etag = client.get("/widget/v1/loader.js")["ETag"]
    assert etag.startswith('W/"')  # plain, gzip and Brotli have it in common
    again = client.get("/widget/v1/loader.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    (built / "loader.js").write_text("/* the next loader */")
    assert (
        client.get("/widget/v1/loader.js", headers={"If-None-Match": etag}).content
        == b"/* the next loader */"
    )


def test_a_loader_with_a_version_is_kept_for_ever(client: Client, built: Path) -> None:
    """design §6: a site may pin it with an integrity hash."""
    answer = client.get("/widget/v1/loader.0123456789ab.js")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/widget/v1/loader.ffffffffffff.js").status_code == 404
    assert client.get("/widget/v1/loader.../../secret_key.js").status_code == 404
