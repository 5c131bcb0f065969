"""The console's pages before its script runs: their language, and what makes it an app (R-006)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Operator
from chatlead import speech
from chatlead.templatetags import assets

FORM = {"username": "olga@acme.test", "password": "not the password"}


def shell_of(worker: str) -> dict[str, object]:
    """What a service worker is told to keep."""
    found = re.match(r"const SHELL=(\{.*\});\n", worker)
    assert found
    shell: dict[str, object] = json.loads(found[1])
    return shell


@pytest.mark.parametrize(
    ("browser", "chosen", "language"),
    [
        ("", "", "en"),
        ("es-MX, en;q=0.5", "", "es"),
        ("de, es;q=0.5", "", "es"),
        ("es", "en", "en"),
        ("en", "es", "es"),
        ("es", "tlh", "es"),
        ("fr", "../../es", "en"),
    ],
)
def test_the_language_is_what_was_chosen_else_what_the_browser_asks_for(
    client: Client, db: None, browser: str, chosen: str, language: str
) -> None:
    if chosen:
        client.cookies[speech.COOKIE] = chosen
    page = client.get("/console/login/", headers={"Accept-Language": browser}).text
    assert f'<html lang="{language}" dir="ltr">' in page
    assert speech.words(language)["logIn"] in page


def test_the_log_in_page_says_in_spanish_what_is_wrong(client: Client, db: None) -> None:
    """Whatever is wrong, an unknown address and a wrong password look the same (P-22)."""
    client.cookies[speech.COOKIE] = "es"
    t = speech.words("es")
    assert t["noMatch"] in client.post("/console/login/", FORM).text
    empty = client.post("/console/login/", {"username": "", "password": ""}).text
    assert empty.count(t["required"]) == 2
    assert t["badEmail"] in client.post("/console/login/", FORM | {"username": "olga"}).text
    too_often = [client.post("/console/login/", FORM).text for _ in range(settings.LOGIN_FAILURES + 1)]
    assert t["tooMany"] in too_often[-1]
    assert not re.search(r"This field|Enter a valid|Please", "".join([empty, *too_often]))


def test_olga_gets_the_script_of_her_language(client: Client, olga: Operator) -> None:
    client.force_login(olga.user)
    assert "/static/dist/console.js?v=" in client.get("/console/").text
    spanish = client.get("/console/", headers={"Accept-Language": "es"}).text
    assert "/static/dist/console.es.js?v=" in spanish
    assert "La consola necesita JavaScript" in spanish


def test_every_language_of_the_settings_has_words_and_a_script() -> None:
    scripts = {path.name for path in (settings.BASE_DIR / "static" / "dist").glob("console*.js")}
    assert scripts == {"console.js"} | {f"console.{each}.js" for each in speech.SPOKEN if each != "en"}
    assert len({frozenset(speech.words(each)) for each in speech.SPOKEN}) == 1


def test_the_app_is_named_in_the_language_and_every_icon_is_there(client: Client, db: None) -> None:
    """R-076: it asks for no permission."""
    answer = client.get("/console/manifest.webmanifest?lang=es")
    assert answer["Content-Type"].startswith("application/manifest+json")
    manifest = json.loads(answer.content)
    assert (manifest["name"], manifest["lang"]) == ("Consola de ChatLead", "es")
    assert (manifest["start_url"], manifest["scope"], manifest["id"]) == ("/console/",) * 3
    assert "permissions" not in manifest
    assert "maskable" in [icon.get("purpose") for icon in manifest["icons"]]
    for icon in manifest["icons"]:
        image = client.get(icon["src"])
        assert (image.status_code, image["Content-Type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = (int.from_bytes(image.content[at : at + 4]) for at in (16, 20))
            assert icon["sizes"] == f"{width}x{height}"


def test_the_service_worker_keeps_versioned_files_and_one_page_without_data(
    client: Client, olga: Operator
) -> None:
    """Nothing that depends on who asks: the same bytes with a log-in and without."""
    answer = client.get("/console/worker.js")
    shell = shell_of(answer.text)
    client.force_login(olga.user)
    assert client.get("/console/worker.js").content == answer.content
    assert answer["Content-Type"].startswith("text/javascript")
    assert "no-store" in answer["Cache-Control"]
    assert "worker-src 'self'" in client.get("/console/")["Content-Security-Policy"]
    files = shell["files"]
    assert isinstance(files, list)
    assert files and all(re.fullmatch(r"/static/dist/[a-z.]+\?v=\w{12}", each) for each in files)
    for each in files:
        assert "immutable" in client.get(each)["Cache-Control"]
    page = client.get(str(shell["offline"]))
    assert page.status_code == 200
    assert olga.name not in page.text and "csrf" not in page.text


def test_a_release_changes_the_worker_and_so_does_the_language(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Browsers take a new worker when one byte of it differs; its cache has another name then."""
    before = shell_of(client.get("/console/worker.js").text)
    spanish = shell_of(client.get("/console/worker.js", headers={"Accept-Language": "es"}).text)
    assert spanish["version"] != before["version"]
    built = json.loads(assets.MANIFEST.read_text())
    built["console.css"]["integrity"] = "sha384-anotherContent"
    (tmp_path / "manifest.json").write_text(json.dumps(built))
    monkeypatch.setattr(assets, "MANIFEST", tmp_path / "manifest.json")
    after = shell_of(client.get("/console/worker.js").text)
    assert after["version"] != before["version"]
    assert "/static/dist/console.css?v=anotherConte" in str(after["files"])
