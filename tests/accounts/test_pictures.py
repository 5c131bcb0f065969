"""Pictures: what comes is taken as pixels, and nothing else of it gets through."""

from __future__ import annotations

import struct
import zlib

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.actions import set_operator_picture, set_site_picture
from accounts.models import Account, Operator, Picture, Site
from accounts.pictures import BYTES_MAX, rewritten
from chatlead.errors import BadField, NotFound
from tests.images import SIGNATURE, a_png, chunk, header

LINES = (b"\x00" + b"\x10\x20\x30" * 48) * 48
END = chunk(b"IEND", b"")


def made_of(*parts: bytes) -> bytes:
    return SIGNATURE + b"".join(parts)


def pixels_of(png: bytes) -> bytes:
    """What our own files hold: they have one part with pixels, behind the head."""
    (size,) = struct.unpack_from(">I", png, 33)
    return zlib.decompress(png[41 : 41 + size])


def test_a_picture_is_written_anew_with_its_pixels_and_nothing_else() -> None:
    """P-8: whatever a file carries besides, a place or a script, is not in ours."""
    comment = (b"tEXt", b"Comment\x00<script>alert(1)</script>")
    place = (b"eXIf", b"II*\x00GPS 27.95 N 82.45 W")
    written = rewritten(a_png(more=(comment, place)))
    assert written == rewritten(a_png())
    assert pixels_of(written) == pixels_of(a_png())
    for unwanted in (b"script", b"GPS", b"tEXt", b"eXIf"):
        assert unwanted not in written
    assert rewritten(written) == written
    clear = a_png(64, b"\xff\x00\x00\x80")
    assert pixels_of(rewritten(clear)) == pixels_of(clear)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"\xff\xd8\xff\xe0" + b"\x00" * 100,
        a_png(31),
        a_png(129),
        a_png() + b"<script>",
        a_png()[:-1],
        a_png()[:-12],
        SIGNATURE,
        made_of(header(48), END),
        made_of(header(48, high=64), chunk(b"IDAT", zlib.compress(LINES)), END),
        made_of(header(48, depth=16), chunk(b"IDAT", zlib.compress(LINES)), END),
        made_of(header(48, colour=3), chunk(b"IDAT", zlib.compress(LINES)), END),
        made_of(header(48, interlaced=1), chunk(b"IDAT", zlib.compress(LINES)), END),
        made_of(chunk(b"IDAT", zlib.compress(LINES)), header(48), END),
        made_of(header(48), chunk(b"IDAT", zlib.compress(LINES[:-1])), END),
        made_of(header(48), chunk(b"IDAT", zlib.compress(LINES + b"\x00")), END),
        made_of(header(48), chunk(b"IDAT", zlib.compress(LINES) + b"more"), END),
        made_of(header(48), chunk(b"IDAT", zlib.compress(b"\x05" + LINES[1:])), END),
        made_of(header(48), chunk(b"IDAT", b"\x78\x9cnonsense"), END),
        made_of(header(48), chunk(b"IDAT", zlib.compress(LINES))[:-4] + b"\x00" * 4, END),
        made_of(header(48), struct.pack(">I", 2**31) + b"IDAT" + zlib.compress(LINES), END),
        b"\x00" * (BYTES_MAX + 1),
    ],
)
def test_what_is_no_such_picture_is_refused(file: bytes) -> None:
    """P-8: said with the field, and nothing is guessed."""
    with pytest.raises(BadField) as refused:
        rewritten(file)
    assert refused.value.field == "picture"


def test_a_small_file_that_unpacks_to_a_large_one_takes_no_memory() -> None:
    """D-3: no more is ever unpacked than the picture says it has."""
    bomb = zlib.compress(b"\x00" * 80_000_000, 9)
    assert len(bomb) < BYTES_MAX
    with pytest.raises(BadField):
        rewritten(made_of(header(48), chunk(b"IDAT", bomb), END))


@given(st.binary(max_size=400), st.integers(0, 200))
def test_no_bytes_whatever_do_more_than_be_refused(noise: bytes, at: int) -> None:
    """P-23: a picture with a hole in it, and what never was one."""
    for file in (noise, a_png()[:at] + noise, a_png()[:at] + noise + a_png()[at:]):
        try:
            assert rewritten(file).startswith(SIGNATURE)
        except BadField:
            pass


def test_vera_is_shown_it_by_an_address_that_tells_nothing(client: Client, site: Site) -> None:
    """P-5, P-8: kept for good, and even opened by itself it may do nothing."""
    set_site_picture(site_id=site.pk, png=a_png())
    picture = Picture.objects.get()
    assert picture.account_id == site.account_id
    answer = client.get(f"/widget/v1/picture/{picture.uid}.png")
    assert (answer.status_code, answer.content) == (200, rewritten(a_png()))
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert "immutable" in answer["Cache-Control"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not answer.cookies
    for other in (site.uid, site.key, str(picture.pk), "x" * 500, "..%2f..%2fetc"):
        assert client.get(f"/widget/v1/picture/{other}.png").status_code == 404


@pytest.mark.parametrize("uid", ["%00" * 22, "x" * 500, "x", "0%0a" * 8, "\u0660" * 22])
def test_what_can_be_no_uid_is_not_asked_of_the_database(
    client: Client, db: None, uid: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """P-23: PostgreSQL would break on a NUL where SQLite finds nothing."""
    with django_assert_num_queries(0):
        assert client.get(f"/widget/v1/picture/{uid}.png").status_code == 404


def test_another_picture_is_another_address_and_the_old_one_is_gone(client: Client, site: Site) -> None:
    """R-014: nothing is left of a picture that somebody took away."""
    addresses = []
    for side in (48, 64):
        set_site_picture(site_id=site.pk, png=a_png(side))
        addresses.append(f"/widget/v1/picture/{Picture.objects.get().uid}.png")
    assert [client.get(each).status_code for each in addresses] == [404, 200]
    set_site_picture(site_id=site.pk, png=None)
    assert [client.get(each).status_code for each in addresses] == [404, 404]
    assert not Picture.objects.exists()
    site.refresh_from_db()
    assert site.picture is None


def test_a_picture_that_is_refused_changes_nothing(site: Site, olga: Operator) -> None:
    set_operator_picture(account_id=olga.account_id, operator_id=olga.pk, png=a_png())
    before = Picture.objects.get()
    with pytest.raises(BadField):
        set_operator_picture(account_id=olga.account_id, operator_id=olga.pk, png=b"GIF89a")
    assert Picture.objects.get() == before
    with pytest.raises(NotFound):
        set_site_picture(site_id=0, png=a_png())


def test_nobody_gets_a_picture_by_way_of_another_account(olga: Operator, rival: Account) -> None:
    """R-112."""
    with pytest.raises(NotFound):
        set_operator_picture(account_id=rival.pk, operator_id=olga.pk, png=a_png())
    assert not Picture.objects.exists()
