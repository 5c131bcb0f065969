"""Every route: who may see it, with which headers, and what it says when something is wrong."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Operator, User
from chatlead import speech
from tests.security.routes import METHODS, PUBLIC, Route, filled, routes

ARGUMENTS = {
    "page": "injuries",
    "key": "x" * 22,
    "uid": "x" * 22,
    "version": "0123456789ab",
    "object_id": "1",
    "content_type_id": "1",
    "app_label": "accounts",
    "url": "x",
    "site": "x" * 22,
    "department": "x" * 22,
    "token": "x",
}
ALL = sorted({route.pattern: route for route in routes()}.values())


def test_the_list_of_public_routes_names_only_routes_that_exist() -> None:
    """R-008: the list stays as short as the truth."""
    assert set(PUBLIC) <= {route.pattern for route in ALL}
    assert all(PUBLIC.values())


@pytest.mark.parametrize("route", ALL, ids=[route.pattern or "/" for route in ALL])
def test_a_stranger_sees_nothing_but_the_public_pages(db: None, route: Route) -> None:
    """R-008: without a log-in every other route leads to one, whatever the method."""
    client = Client()
    for method in METHODS:
        answer = client.generic(method, filled(route, ARGUMENTS))
        if route.pattern in PUBLIC:
            assert answer.status_code < 500
        elif method in ("GET", "HEAD") or route.pattern.startswith("admin/"):
            assert answer.status_code in (301, 302, 404)
            if answer.status_code == 302:
                assert "/login/?next=" in answer["Location"]
        else:
            assert answer.status_code in (302, 401, 403, 405)


@pytest.mark.parametrize("route", [route for route in ALL if route.pattern.startswith("admin/")], ids=str)
def test_an_operator_is_no_staff(olga: Operator, route: Route) -> None:
    """R-008, ASVS 8.2.1: the admin does not open for somebody who merely has a log-in."""
    client = Client()
    client.force_login(olga.user)
    answer = client.get(filled(route, ARGUMENTS))
    if route.pattern not in PUBLIC:
        assert answer.status_code in (301, 302, 404)


def test_staff_looks_and_changes_nothing(olga: Operator) -> None:
    """design §2: the admin is read-only, and shows neither hashes nor conversations."""
    client = Client()
    client.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    shown = client.get("/admin/").text
    assert "Operators" in shown
    assert "Chats" not in shown
    assert "Messages" not in shown
    pages = [
        route for route in ALL if route.pattern.startswith("admin/") and route.pattern.endswith("/change/")
    ]
    assert len(pages) >= 8
    assert client.get(f"/admin/accounts/user/{olga.user.pk}/change/").status_code == 200
    assert "argon2" not in client.get(f"/admin/accounts/user/{olga.user.pk}/change/").text
    before = User.objects.count()
    for route in pages:
        for end in ("add/", "1/delete/"):
            address = "/" + route.pattern.replace("<path:object_id>/change/", end)
            assert client.post(address, {"post": "yes", "email": "x@y.test"}).status_code in (302, 403, 404)
        assert client.post(filled(route, ARGUMENTS), {"email": "x@y.test"}).status_code in (302, 403, 404)
    assert User.objects.count() == before
    assert not User.objects.filter(email="x@y.test").exists()


@pytest.mark.parametrize("route", ALL, ids=[route.pattern or "/" for route in ALL])
def test_every_answer_carries_the_headers_of_its_kind(db: None, route: Route) -> None:
    """ASVS 3.4: policy, no sniffing, nobody embeds it, its own process, no cache for what is personal."""
    answer = Client().get(filled(route, ARGUMENTS))
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"  # the frame of a site that is there is tested with visitors
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "*" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin")
    assert "geolocation=()" in answer["Permissions-Policy"]
    assert "Server" not in answer
    if route.pattern.startswith(("console/", "admin/")):
        assert "no-store" in answer["Cache-Control"] or "private" in answer["Cache-Control"]


def test_no_page_of_ours_needs_anything_inline(olga: Operator) -> None:
    """P-14: what a policy would have to allow is not there to begin with, tested without the policy."""
    client = Client()
    pages = [client.get("/").text, client.get("/console/login/").text, client.get("/nowhere/").text]
    client.force_login(olga.user)
    pages.append(client.get("/console/").text)
    for page in pages:
        assert "<style" not in page
        assert " style=" not in page
        assert " on" + "click" not in page.lower()
        assert all("src=" in script for script in page.split("<script")[1:])


@pytest.mark.parametrize(
    ("address", "accept", "is_json"),
    [
        ("/nowhere", "text/html", False),
        ("/nowhere", "application/json", True),
        ("/widget/v1/nowhere", "text/html", True),
        ("/api/v1/nowhere", "*/*", True),
        ("/widget/v1/frame?site=x", "*/*", False),
    ],
)
def test_an_error_has_one_shape_for_programs_and_a_page_for_people(
    db: None, address: str, accept: str, is_json: bool
) -> None:
    """design §2 errors.py."""
    answer = Client().get(address, headers={"Accept": accept})
    assert answer.status_code == 404
    if is_json:
        error = json.loads(answer.content)["error"]
        assert error["code"] == "not_found"
        assert error["message"]
    else:
        assert "There is nothing here" in answer.text
        assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    ("browser", "language", "title"),
    [
        ("es-MX, en;q=0.5", "es", "Aquí no hay nada"),
        ("de, en;q=0.8, es;q=0.3", "en", "There is nothing here"),
        ("q=;;", "en", "There is nothing here"),
    ],
)
def test_an_error_page_speaks_as_the_browser_asks_for_it(
    db: None, browser: str, language: str, title: str
) -> None:
    """Issue 4 C and D: what was typed wrongly has nothing to do with the reader's English."""
    text = Client().get("/nothing/", headers={"Accept-Language": browser}).text
    assert f'<html lang="{language}" dir="ltr">' in text
    assert f"<h1>{title}</h1>" in text
    assert speech.words(language)["text404"] in text
    assert speech.words(language)["goHome"] in text


def test_a_request_that_was_refused_unread_has_its_page_in_spanish_too(db: None) -> None:
    """P-23: too many fields are counted while the address is read, and the page of the error must not."""
    many = "&".join(f"f{n}=1" for n in range(2000))
    client = Client(raise_request_exception=False)
    answer = client.get(f"/console/login/?{many}", headers={"Accept-Language": "es"})
    assert answer.status_code == 400
    assert "<h1>Esa solicitud no se entiende</h1>" in answer.text


def test_a_wrong_method_is_told_which_are_right(db: None) -> None:
    """P-23: with a code, and the header Allow."""
    answer = Client().get("/widget/v1/ticket")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert json.loads(answer.content)["error"]["code"] == "method_not_allowed"


FORMS = [
    route
    for route in routes()
    if route.pattern.startswith(("account/", "privacy/", "sms/", "survey/", "admin/backups/", "console/log"))
]


def test_no_form_of_another_website_is_taken(db: None, owen: Operator) -> None:
    """ASVS 3.5: a POST without our token changes nothing, whoever is logged in and whatever page it is."""
    User.objects.filter(pk=owen.user.pk).update(is_staff=True, is_superuser=True)
    values = dict.fromkeys(("uid", "key", "token", "site", "department"), "A" * 22)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owen.user)
    told = {
        route.pattern: client.post(
            f"/{filled(route, values)}".replace("//", "/"), headers={"Accept": "application/json"}
        )
        for route in FORMS
    }
    assert len(told) > 25
    assert {name for name, answer in told.items() if b"csrf_failed" not in answer.content} == set()


def test_a_host_that_is_not_ours_is_refused(db: None) -> None:
    """A forged Host header gives a page, and no address made of it."""
    answer = Client().get("/console/login/", headers={"Host": "evil.test"})
    assert answer.status_code == 400
    assert "evil.test" not in answer.text
    assert "evil.test" not in answer["Content-Security-Policy"]


def test_what_breaks_says_so_and_shows_nothing(db: None) -> None:
    """P-23: a fault of ours is a page with a way on, without a word of the inside."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_site RENAME TO accounts_elsewhere")
    answer = Client(raise_request_exception=False).get("/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "accounts_" not in answer.text
    assert answer["Content-Security-Policy"]


NO_UID = [
    "x",
    "x" * 15,
    "x" * 33,
    "%00" * 16,
    "..%2f..%2fetc%2fpasswd",
    "x" * 15 + "%20",
    "' OR 1=1 -- and more",
]


@pytest.mark.parametrize("uid", NO_UID)
def test_what_is_no_uid_is_no_address_of_an_account(db: None, owen: Operator, uid: str) -> None:
    """R-112: asked once, where addresses are read; no view and no query sees anything else."""
    named = [route for route in ALL if route.names and route.pattern.startswith("account/")]
    assert len(named) > 10 and all(f"<uid:{name}>" in r.pattern for r in named for name in r.names)
    client = Client()
    client.force_login(owen.user)
    for route in named:
        assert client.get(filled(route, dict.fromkeys(route.names, uid))).status_code == 404, route
