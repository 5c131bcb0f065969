"""The widget speaks the visitor's language: what the page says, else the site, else the browser."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.actions import set_site_language
from accounts.models import STANDARD_FIELDS, Language, Operator, Site, User
from chatlead.errors import BadField, NotFound
from tests.conftest import password_hash
from visitors.languages import accepted, chosen, public, words

PAGE = "https://www.acme.test"


def facts(client: Client, site: Site, browser: str = "", query: str = "") -> dict[str, Any]:
    """What the loader is told on a page of acme."""
    headers = {"Origin": PAGE} | ({"Accept-Language": browser} if browser else {})
    answer = client.get(f"/widget/v1/site/{site.key}{query}", headers=headers)
    assert answer.status_code == 200
    found = json.loads(answer.content)
    assert isinstance(found, dict)
    return found


def frame(client: Client, site: Site, browser: str = "", query: str = "") -> str:
    headers = {"Accept-Language": browser} if browser else {}
    answer = client.get(f"/widget/v1/frame?site={site.key}{query}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("DE-at", "de"),
        ("pt-BR", "pt"),
        ("zh-Hant-TW;q=0.9, fr-CA;q=0.5, en;q=0.1", "fr"),
        ("en;q=0.3, ar-EG ; q=0.7", "ar"),
        ("de;q=0.5, fr;q=0.5", "de"),
        ("ja, ko;q=0.9", "en"),
        ("*", "en"),
        ("es;q=0, fr;q=0.1", "fr"),
        ("es;q=0", "en"),
        ("es;q=7, fr;q=0.2", "fr"),
        ("es;q=, fr;q=0.2", "fr"),
        ("es;q=nan, fr;q=0.2", "fr"),
        (";;;,,=,q=1,\x7f,é", "en"),
        ("español", "en"),
        ("../../etc/passwd", "en"),
        ("x" * 100_000, "en"),
        ("de;" * 50_000, "en"),
        ("sv," * 5_000 + "de", "en"),
    ],
)
def test_a_browsers_wish_is_understood_and_garbage_is_no_harm(header: str, language: str) -> None:
    """RFC 9110, 12.5.4: weights and regions; P-23."""
    assert accepted(header) == language


@pytest.mark.parametrize(
    ("page", "site", "browser", "language"),
    [
        ("fr", "es", "de", "fr"),
        ("", "es", "de", "es"),
        ("", "", "de", "de"),
        ("", "", "", "en"),
        ("en", "es", "de", "en"),
        ("xx", "es", "de", "es"),
        ("FR", "", "de", "de"),
        ("../es", "", "de", "de"),
    ],
)
def test_the_page_knows_best_then_the_site_then_the_browser(
    page: str, site: str, browser: str, language: str
) -> None:
    """docs/decisions/0014; a language of the page that is none of ours is passed over."""
    assert chosen(page=page, site=site, browser=browser) == language


def test_an_english_page_is_told_not_a_byte_more(client: Client, site: Site) -> None:
    """performance.md: the loader has its English in it."""
    assert set(facts(client, site)) == {"color", "online"}
    assert set(facts(client, site, "en-US,en;q=0.9")) == {"color", "online"}


def test_vera_whose_browser_is_arabic_gets_an_arabic_widget(client: Client, site: Site) -> None:
    """The launcher and the frame agree, and the frame is written from the right."""
    found = facts(client, site, "ar-EG,ar;q=0.9,en;q=0.5")
    assert found["lang"] == "ar"
    assert set(found["words"]) == set(words("en")["loader"])
    assert found["words"]["launcher"] == words("ar")["loader"]["launcher"]
    document = frame(client, site, "ar-EG,ar;q=0.9,en;q=0.5")
    assert '<html lang="ar" dir="rtl">' in document
    assert re.findall(r'<script defer src="[^"?]*/(chat[^"?]*)\?v=', document) == ["chat.ar.js"]
    assert words("ar")["page"]["noscript"] in document


def test_every_language_has_all_words_of_public_pages() -> None:
    """ui.md: none is left out, none is left in English."""
    english = public("en")
    for language in Language.values:
        said = public(language)
        assert said.keys() == english.keys() and all(said.values())
        assert language == "en" or not {*said.values()} & {*english.values()}


@pytest.mark.parametrize("language", Language.values)
def test_every_language_has_its_script_and_its_words(client: Client, site: Site, language: str) -> None:
    document = frame(client, site, language)
    (script,) = re.findall(r'<script defer src="([^"]+)"', document)
    assert client.get(script).status_code == 200
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in document
    assert all(words(language)["loader"].values())


def test_a_site_has_its_own_language_and_a_page_of_it_another(client: Client, site: Site) -> None:
    set_site_language(site_id=site.pk, language="es")
    assert facts(client, site, "de")["lang"] == "es"
    assert '<html lang="es" dir="ltr">' in frame(client, site, "de")
    assert facts(client, site, "de", "?lang=pt")["lang"] == "pt"
    assert '<html lang="pt" dir="ltr">' in frame(client, site, "de", "&lang=pt")
    assert "lang" not in facts(client, site, "de", "?lang=en")
    for unknown in (
        "?lang=xx",
        "?lang=",
        "?lang=%00",
        "?lang=../ar",
        "?lang=ar&lang=xx",
        "?lang=" + "a" * 500,
    ):
        assert facts(client, site, "de", unknown)["lang"] == "es"


def test_a_cache_keeps_the_languages_apart(client: Client, site: Site) -> None:
    """Between a page and us there may be a cache for all of an office."""
    headers = {"Origin": PAGE, "Accept-Language": "de"}
    answer = client.get(f"/widget/v1/site/{site.key}", headers=headers)
    assert answer["Vary"] == "Origin, Accept-Language"
    assert client.get(f"/widget/v1/frame?site={site.key}", headers=headers)["Cache-Control"] == "no-store"


def test_the_languages_here_are_those_that_there_are_words_in() -> None:
    """One list in Python, one file each in frontend/src/words/."""
    files = (settings.BASE_DIR / "frontend" / "src" / "words").glob("??.ts")
    assert sorted(each.stem for each in files) == sorted(Language.values)


def test_the_default_texts_of_a_site_are_those_that_the_widget_translates(site: Site) -> None:
    """frontend/src/chat/form.ts knows by these that the firm has written nothing of its own."""
    source = (settings.BASE_DIR / "frontend" / "src" / "chat" / "form.ts").read_text()
    assert f'UNTOUCHED_WELCOME = "{Site._meta.get_field("welcome").default}"' in source
    labels = {name: label for name, (label, _) in STANDARD_FIELDS.items()}
    asked = {each["name"]: each["label"] for each in Site._meta.get_field("fields").get_default()}
    assert asked.items() <= labels.items()
    pairs = ", ".join(f'{name}: "{label}"' for name, label in labels.items())
    assert f"= {{ {pairs} }};" in source


def test_a_language_that_nobody_wrote_words_in_is_refused(site: Site) -> None:
    for unknown in ("xx", "EN", "english"):
        with pytest.raises(BadField):
            set_site_language(site_id=site.pk, language=unknown)
    with pytest.raises(NotFound):
        set_site_language(site_id=0, language="es")


LOOK = {"color": "#1f5fbf", "corner": "end", "offset_side": 20, "offset_bottom": 20, "greeting_after": 10}


def test_staff_sets_the_language_of_a_site_and_not_its_key(client: Client, site: Site) -> None:
    """design §2: the form of the admin is a button that calls actions."""
    staff = User.objects.create(email="staff@chatlead.test", password=password_hash(), is_staff=True)
    client.force_login(staff)
    address = f"/admin/accounts/site/{site.pk}/change/"
    assert 'name="language"' in client.get(address).content.decode()
    answer = client.post(address, LOOK | {"language": "ar", "key": "x" * 22, "is_enabled": ""})
    assert answer.status_code == 302
    now = Site.objects.get(pk=site.pk)
    assert now.language == "ar"
    assert (now.key, now.is_enabled) == (site.key, True)
    assert client.post(address, LOOK | {"language": "xx"}).status_code == 200
    assert Site.objects.get(pk=site.pk).language == "ar"


def test_the_owner_of_an_account_is_no_staff(client: Client, site: Site, eve: Operator) -> None:
    """R-112."""
    client.force_login(eve.user)
    client.post(f"/admin/accounts/site/{site.pk}/change/", LOOK | {"language": "de"})
    assert Site.objects.get(pk=site.pk).language == ""
