"""Who gets into the console."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Operator
from tests.conftest import PASSWORD

ROOT = Path(__file__).resolve().parent.parent.parent


def form_of(client: Client) -> dict[str, str]:
    """What the browser sends along with the form."""
    client.get("/console/login/")
    return {"csrfmiddlewaretoken": client.cookies["cl_csrf"].value}


def test_olga_logs_in_and_sees_the_console(olga: Operator) -> None:
    """R-008: e-mail and password open the console, whatever the case of the address."""
    client = Client(enforce_csrf_checks=True)
    sent = form_of(client) | {"username": "Olga@ACME.test", "password": PASSWORD}
    answer = client.post("/console/login/?next=/console/", sent)
    assert (answer.status_code, answer["Location"]) == (302, "/console/")
    page = client.get("/console/")
    assert page.status_code == 200
    assert f'data-operator="{olga.uid}"' in page.text


def test_passwords_are_kept_as_argon2id() -> None:
    """ASVS 11.4.2: with the cost that Django gives it, whatever the tests save."""
    from chatlead import settings as real

    assert real.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    encoded = Argon2PasswordHasher().encode(PASSWORD, "a salt of sixteen")
    assert encoded.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")
    assert PASSWORD not in encoded


def test_a_log_in_begins_a_session_under_a_new_key(olga: Operator) -> None:
    """ASVS 7.2.4: a key known before the log-in opens nothing after it."""
    client = Client()
    session = client.session
    session["before"] = True
    session.save()
    old = session.session_key
    assert old
    client.cookies["cl_login"] = old
    client.post("/console/login/", {"username": "olga@acme.test", "password": PASSWORD})
    assert client.cookies["cl_login"].value != old
    assert not Session.objects.filter(session_key=old).exists()


def test_the_cookie_of_a_log_in_ends_with_the_browser(olga: Operator) -> None:
    """R-120, ASVS 3.3: no expiry, out of reach of scripts, not sent along by other websites, 128 bits."""
    client = Client()
    client.post("/console/login/", {"username": "olga@acme.test", "password": PASSWORD})
    for name in ("cl_login", "cl_csrf"):
        written = client.cookies[name].OutputString()
        assert "HttpOnly" in written
        assert "SameSite=Lax" in written
        assert "expires" not in written
        assert "Max-Age" not in written
        assert "Domain" not in written
    assert len(client.cookies["cl_login"].value) == 32  # of 36 letters and digits: 165 bits


def test_production_binds_the_cookies_to_this_host_and_https(tmp_path: Path) -> None:
    """R-120: the prefix `__Host-` wants Secure, Path=/ and no domain; a browser checks it."""
    program = (
        "from chatlead import settings as s; print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
        " s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0)"
    )
    env = {"CHATLEAD_ENV": "production", "SECRET_KEY": "x" * 50, "CHATLEAD_DATA_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["__Host-cl_login", "True", "__Host-cl_csrf", "True", "True"]


@pytest.mark.parametrize(
    ("email", "password"),
    [("olga@acme.test", "a wrong password"), ("nobody@acme.test", PASSWORD)],
)
def test_an_unknown_address_and_a_wrong_password_look_the_same(
    olga: Operator, email: str, password: str
) -> None:
    """ASVS 6.3.8: the page does not tell who has an account here."""
    page = Client().post("/console/login/", {"username": email, "password": password})
    assert page.status_code == 200
    assert "Email and password do not match" in page.text
    assert "Session" not in page.text
    assert not Session.objects.exists()


def test_a_suspended_user_looks_like_an_unknown_one(olga: Operator) -> None:
    """A closed account is nobody else's business."""
    olga.user.is_active = False
    olga.user.save()
    page = Client().post("/console/login/", {"username": "olga@acme.test", "password": PASSWORD})
    assert "Email and password do not match" in page.text


def test_logging_out_ends_the_session(olga: Operator) -> None:
    """R-008: the key opens nothing any more, and a link on another page cannot log anybody out."""
    client = Client()
    client.force_login(olga.user)
    assert client.get("/console/logout/").status_code == 405
    assert client.get("/console/").status_code == 200
    assert client.post("/console/logout/").status_code == 302
    assert client.get("/console/").status_code == 302
    assert not Session.objects.exists()


def test_a_form_without_its_token_is_refused_with_words_that_help(olga: Operator) -> None:
    """Another website cannot log somebody in."""
    client = Client(enforce_csrf_checks=True)
    page = client.post("/console/login/", {"username": "olga@acme.test", "password": PASSWORD})
    assert page.status_code == 403
    assert "Allow cookies, reload the page" in page.text


@pytest.mark.parametrize(
    "target",
    ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"],
)
def test_a_log_in_leads_to_no_other_website(olga: Operator, target: str) -> None:
    """ASVS 1.2.2: `next` stays on this server."""
    answer = Client().post(
        f"/console/login/?next={target}", {"username": "olga@acme.test", "password": PASSWORD, "next": target}
    )
    assert answer["Location"] == "/console/"


def test_staff_without_an_account_is_told_that_there_is_no_console(db: None) -> None:
    """A log-in without a membership opens no console."""
    from accounts.models import User

    client = Client()
    client.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    page = client.get("/console/")
    assert page.status_code == 403
    assert "belongs to no account" in page.text
