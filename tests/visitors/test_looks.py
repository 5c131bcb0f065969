"""How a widget looks, what it says and what it asks: set by staff, told to pages, and by default free."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.actions import LOOK, set_site_fields, set_site_look
from accounts.models import Language, Operator, Picture, Site, User
from chatlead.errors import BadField, NotFound, UnknownField
from chatlead.realtime.shapes import FieldSpec
from tests.conftest import password_hash
from tests.images import a_png

PAGE = "https://www.acme.test"
SHOWN = {"color": "#1f5fbf", "corner": "end", "offset_side": 20, "offset_bottom": 20, "greeting_after": 10}
ASKED = {"ask_name": "may", "ask_email": "may"}


def facts(client: Client, site: Site, browser: str = "en") -> dict[str, Any]:
    answer = client.get(f"/widget/v1/site/{site.key}", headers={"Origin": PAGE, "Accept-Language": browser})
    assert answer.status_code == 200
    found = json.loads(answer.content)
    assert isinstance(found, dict)
    return found


def test_a_site_as_it_comes_costs_not_a_byte_more(client: Client, site: Site) -> None:
    """performance.md: its launcher is the one that the loader has in it."""
    assert set(facts(client, site)) == {"color", "online"}
    set_site_look(site_id=site.pk, look={"welcome": "Hello", "offline": "We are out", "greeting_after": 3})
    assert set(facts(client, site)) == {"color", "online"}


def test_a_launcher_stands_where_the_site_wants_it(client: Client, site: Site) -> None:
    """Issue 4 A: corner and distances, in the direction of the widget's language."""
    set_site_look(site_id=site.pk, look={"corner": "start", "offset_side": 8, "offset_bottom": 90})
    css = facts(client, site)["css"]
    assert "inset-block:auto 90px!important;inset-inline:8px auto!important" in css
    assert facts(client, site, "ar")["css"] == css  # who reads from the right has the same at the right
    set_site_look(site_id=site.pk, look={"corner": "end"})
    assert "inset-inline:auto 8px!important" in facts(client, site)["css"]
    assert "section" not in css


@pytest.mark.parametrize("language", Language.values)
def test_a_greeting_comes_with_its_delay_and_the_way_to_be_rid_of_it(
    client: Client, site: Site, language: str
) -> None:
    """Issue 4 A: the firm's own words, verbatim; the name of the button in the visitor's language."""
    text = 'Questions? <b onclick="x()">Ask</b> {color:red} \u0645\u0631\u062d\u0628\u0627'
    set_site_look(site_id=site.pk, look={"greeting": text, "greeting_after": 7})
    told = facts(client, site, language)
    assert (told["greeting"]["text"], told["greeting"]["after"]) == (text, 7)
    assert told["greeting"]["close"]
    assert "section{" in told["css"]
    assert text not in told["css"]
    assert told["css"].count("{") == told["css"].count("}")


def test_a_page_of_a_site_with_looks_of_its_own_loads_little_more(client: Client, site: Site) -> None:
    """performance.md: 6 KB before the chat is opened, and 2 KB where all of it is wanted."""
    look: dict[str, Any] = {"corner": "start", "offset_bottom": 100, "greeting": "x" * 200}
    set_site_look(site_id=site.pk, look=look)
    answer = client.get(f"/widget/v1/site/{site.key}", headers={"Origin": PAGE})
    loader = client.get("/widget/v1/loader.js", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(loader.content)
    assert len(loader.content) + len(answer.content) <= 8_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "red"),
        ("color", "#12345"),
        ("color", "#123456;}"),
        ("corner", "left"),
        ("corner", ""),
        ("offset_side", -1),
        ("offset_side", 201),
        ("offset_bottom", 100_000),
        ("offset_bottom", "1px"),
        ("welcome", "x" * 501),
        ("offline", "a\x00b"),
        ("greeting", "x" * 201),
        ("greeting", "a\x1bb"),
        ("greeting", "\ud800"),
        ("greeting_after", 0),
        ("greeting_after", 601),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_name(site: Site, name: str, value: Any) -> None:
    """R-031: with the field, and nothing else is changed either."""
    with pytest.raises(BadField) as refused:
        set_site_look(site_id=site.pk, look={"color": "#000000", name: value})
    assert (refused.value.field, refused.value.code) == (name, "bad_field")
    assert Site.objects.get(pk=site.pk).color == site.color


@pytest.mark.parametrize(
    "name", ["key", "is_enabled", "allowed_domains", "account", "picture", "pk", "nothing"]
)
def test_nothing_but_looks_is_set_as_a_look(site: Site, name: str) -> None:
    with pytest.raises(UnknownField):
        set_site_look(site_id=site.pk, look={name: "x"})
    with pytest.raises(NotFound):
        set_site_look(site_id=0, look={"color": "#000000"})


def test_a_form_asks_what_the_site_wants(site: Site) -> None:
    """Issue 4 A; an empty form is none."""
    wanted = [
        FieldSpec(name="email", label="Email", kind="email", required=True),
        FieldSpec(name="matter", label="What about?", kind="select", options=["A crash", "A divorce"]),
    ]
    set_site_fields(site_id=site.pk, fields=wanted)
    assert Site.objects.get(pk=site.pk).fields == [
        {"name": "email", "label": "Email", "kind": "email", "required": True},
        {"name": "matter", "label": "What about?", "kind": "select", "options": ["A crash", "A divorce"]},
    ]
    set_site_fields(site_id=site.pk, fields=[])
    assert Site.objects.get(pk=site.pk).fields == []


@pytest.mark.parametrize(
    "wrong",
    [
        [FieldSpec(name="@department", label="x", kind="text")],
        [FieldSpec(name="Name", label="x", kind="text")],
        [FieldSpec(name="name", label=" ", kind="text")],
        [FieldSpec(name="name", label="x" * 101, kind="text")],
        [FieldSpec(name="name", label="x\x00", kind="text")],
        [FieldSpec(name="name", label="x", kind="select", options=["a", "b\x00"])],
        [FieldSpec(name="name", label="x", kind="text", hint="x" * 201)],
        [FieldSpec(name="name", label="x", kind="select")],
        [FieldSpec(name="name", label="x", kind="text", options=["a"])],
        [FieldSpec(name="name", label="x", kind="select", options=["a", "a"])],
        [FieldSpec(name="name", label="x", kind="text")] * 2,
        [FieldSpec(name=f"f{n}", label="x", kind="text") for n in range(13)],
    ],
)
def test_a_form_that_cannot_be_filled_in_is_refused(site: Site, wrong: list[FieldSpec]) -> None:
    with pytest.raises(BadField) as refused:
        set_site_fields(site_id=site.pk, fields=wrong)
    assert refused.value.field is not None
    assert refused.value.field.startswith("fields")
    assert Site.objects.get(pk=site.pk).fields == site.fields


# --- the form of staff ------------------------------------------------------------------------------------


@pytest.fixture
def staff(client: Client, site: Site) -> Client:
    user = User.objects.create(email="staff@chatlead.test", password=password_hash(), is_staff=True)
    client.force_login(user)
    return client


def address(row: Site | Operator) -> str:
    return f"/admin/accounts/{row._meta.model_name}/{row.pk}/change/"


def test_staff_sets_all_of_it_in_one_form(staff: Client, site: Site) -> None:
    """Issue 4 A: each with a word on what it does."""
    page = staff.get(address(site)).text
    for name in (*LOOK, "language", "ask_name", "ask_email", "ask_phone", "png"):
        assert f'name="{name}"' in page, name
    assert "In pixels, up to 200" in page
    wanted = SHOWN | {
        "color": "#aa3300", "corner": "start", "offset_side": 5, "offset_bottom": 70, "welcome": " Hi there ",
        "offline": "We are at lunch", "greeting": "May I help?", "greeting_after": 4, "language": "fr",
        "ask_name": "", "ask_email": "must", "ask_phone": "may",
        "png": SimpleUploadedFile("firm.png", a_png()),
    }  # fmt: skip
    assert staff.post(address(site), wanted).status_code == 302
    now = Site.objects.select_related("picture").get(pk=site.pk)
    assert (now.color, now.corner, now.offset_side, now.offset_bottom) == ("#aa3300", "start", 5, 70)
    assert (now.welcome, now.offline, now.greeting) == ("Hi there", "We are at lunch", "May I help?")
    assert (now.greeting_after, now.language) == (4, "fr")
    asked = [(each["name"], each["kind"], each.get("required", False)) for each in now.fields]
    assert asked == [("email", "email", True), ("phone", "phone", False)]
    assert now.picture is not None
    assert now.picture.uid in staff.get(address(site)).text
    assert staff.post(address(site), SHOWN | {"no_picture": "on"}).status_code == 302
    assert not Picture.objects.exists()


def test_staff_is_told_what_is_wrong_and_nothing_is_changed(staff: Client, site: Site) -> None:
    for wrong in (
        {"color": "red"}, {"offset_side": 500}, {"greeting_after": 0}, {"ask_name": "perhaps"},
        {"png": SimpleUploadedFile("x.png", b"<svg/>")}, {"welcome": "x" * 501},
    ):  # fmt: skip
        answer = staff.post(address(site), SHOWN | ASKED | {"greeting": "Hello"} | wrong)
        assert answer.status_code == 200
        assert "errorlist" in answer.text
    assert Site.objects.get(pk=site.pk).greeting == ""


def test_staff_who_asks_for_too_much_is_told_on_the_form(staff: Client, site: Site) -> None:
    """Twelve fields of the firm's own leave no room for one of ours."""
    own = [FieldSpec(name=f"matter{number}", label="What about?", kind="text") for number in range(12)]
    set_site_fields(site_id=site.pk, fields=own)
    answer = staff.post(address(site), SHOWN | {"ask_name": "may", "greeting": "Hello"})
    assert answer.status_code == 200
    assert "At most 12 fields" in answer.text
    now = Site.objects.get(pk=site.pk)
    assert (len(now.fields), now.greeting) == (12, "")


def test_what_a_site_asks_besides_stays(staff: Client, site: Site) -> None:
    own = FieldSpec(name="matter", label="What about?", kind="text", required=True)
    named = FieldSpec(name="name", label="Your full name", kind="text")
    set_site_fields(site_id=site.pk, fields=[own, named])
    assert staff.post(address(site), SHOWN | {"ask_name": "must"}).status_code == 302
    fields = Site.objects.get(pk=site.pk).fields
    assert [(each["label"], each["required"]) for each in fields] == [
        ("Your full name", True),
        ("What about?", True),
    ]


def test_staff_gives_olga_a_picture_and_can_change_nothing_else_of_her(staff: Client, olga: Operator) -> None:
    given = {"png": SimpleUploadedFile("olga.png", a_png()), "name": "Mallory", "role": "owner"}
    assert staff.post(address(olga), given).status_code == 302
    olga.refresh_from_db()
    assert olga.picture is not None
    assert (olga.name, olga.role) == ("Olga", "operator")
    assert olga.picture.uid in staff.get(address(olga)).text
    assert staff.post(address(olga), {}).status_code == 302
    olga.refresh_from_db()
    assert olga.picture is not None


def test_whoever_is_no_staff_sets_nothing(client: Client, site: Site, eve: Operator) -> None:
    """R-112: neither the owner of another account nor a stranger."""
    for somebody in (None, eve):
        if somebody is not None:
            client.force_login(somebody.user)
        client.post(address(site), SHOWN | {"greeting": "Mine now"})
    assert Site.objects.get(pk=site.pk).greeting == ""
