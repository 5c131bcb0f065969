"""A folder and a bucket are one thing to whoever keeps files in them (R-116, R-117)."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatlead import stores
from chatlead.stores import NotInStore, Store, StoreRefused, StoreUnavailable, open_store
from tests.processes import free_port
from tests.s3_server import S3Server

pytestmark = pytest.mark.once

LARGE = os.urandom(17 * 1024 * 1024)  # three pieces


def test_what_is_put_is_there_whole_and_listed_until_it_is_deleted(
    store: Store, file_of: Callable[[bytes], Path], tmp_path: Path
) -> None:
    """R-117"""
    assert store.list() == [] and not store.has("2026/chat-1.age")
    store.put("2026/chat-1.age", b"first")
    store.put("2026/chat-1.age", b"second")
    store.put("2026/large", file_of(LARGE))
    store.put("elsewhere", b"")
    assert store.get("2026/chat-1.age") == b"second"
    store.get_to("2026/large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == LARGE
    assert stat.S_IMODE((tmp_path / "back").stat().st_mode) == 0o600
    assert [(each.name, each.size) for each in store.list()] == [
        ("2026/chat-1.age", 6),
        ("2026/large", len(LARGE)),
        ("elsewhere", 0),
    ]
    assert [each.name for each in store.list("2026")] == ["2026/chat-1.age", "2026/large"]
    assert all(each.modified_at.utcoffset() is not None for each in store.list())
    assert [each.name for each in store.list_top()] == ["elsewhere"]
    assert store.list("202") == []  # a folder, not a beginning
    store.delete("2026/large")
    store.delete("2026/large")  # twice is once
    assert not store.has("2026/large") and store.has("elsewhere")


def test_what_was_never_put_is_not_in_the_store(store: Store, tmp_path: Path) -> None:
    """R-117"""
    store.put("one", b"1")
    with pytest.raises(NotInStore):
        store.get("two")
    with pytest.raises(NotInStore):
        store.get_to("two", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../up", "a/../b", "a//b", ".hidden", "a/.part-x", "a b", "ä"]
)
def test_no_name_leads_out_of_the_store(store: Store, name: str) -> None:
    """R-117"""
    with pytest.raises(ValueError):
        store.put(name, b"")
    with pytest.raises(ValueError):
        store.get(name)
    with pytest.raises(ValueError):
        store.delete(name)


def test_a_wrong_key_is_refused_and_nothing_of_it_is_said(s3: S3Server) -> None:
    """R-117: the S3 server of these tests looks at signatures."""
    mine = open_store(s3.url("locked"), access_key=s3.keys.access, secret_key=s3.keys.secret)
    mine.put("one", b"1")
    for access, secret in ((s3.keys.access, "not-the-secret"), ("AKIANOBODYATALL00000", s3.keys.secret)):
        other = open_store(s3.url("locked"), access_key=access, secret_key=secret)
        for deed in (
            lambda store: store.put("two", b"2"),
            lambda store: store.get("one"),
            lambda store: store.list(),
            lambda store: store.has("one"),
            lambda store: store.delete("one"),
        ):
            with pytest.raises(StoreRefused) as refusal:
                deed(other)
            assert secret not in str(refusal.value) and access not in str(refusal.value)
    assert [each.name for each in mine.list()] == ["one"]


def test_who_may_write_once_cannot_delete(s3: S3Server) -> None:
    """R-117: "delete with app credentials fails"."""
    store = open_store(s3.url("once"), access_key=s3.write_once.access, secret_key=s3.write_once.secret)
    store.put("one", b"1")
    with pytest.raises(StoreRefused):
        store.delete("one")
    assert store.get("one") == b"1"


def test_a_store_that_is_not_there_says_so_in_time(s3: S3Server, tmp_path: Path) -> None:
    """R-116"""
    keys = {"access_key": s3.keys.access, "secret_key": s3.keys.secret}
    nobody = open_store(f"s3://vault/x?endpoint=http://127.0.0.1:{free_port()}", **keys)
    no_bucket = open_store(s3.url().replace("vault", "no-such-bucket"), **keys)
    (tmp_path / "file").write_bytes(b"")
    no_folder = open_store(f"file://{tmp_path}/file/folder")
    for store in (nobody, no_bucket, no_folder):
        with pytest.raises(StoreUnavailable):
            store.put("one", b"1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/var/backups",
        "file://host/path",
        "file:///",
        "s3://",
        "s3://key:secret@bucket/x",
        "s3://bucket/x?endpoint=ftp://host",
        "s3://bucket/x?endpoint=http://store.example",  # plain http, and not this machine
        "s3://bucket/x?endpont=https://store.example",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    """R-117"""
    with pytest.raises(StoreUnavailable):
        open_store(url, access_key="a", secret_key="b")


def test_plain_http_is_for_this_machine_or_for_who_says_so() -> None:
    """R-117"""
    for url in (
        "s3://bucket/x?endpoint=http://127.0.0.1:9000",
        "s3://bucket/x?endpoint=http://[::1]:9000",
        "s3://bucket/x?endpoint=http://minio:9000&allow_http=1",
        "s3://bucket/x?endpoint=https://store.example&region=eu-1",
    ):
        assert open_store(url, access_key="a", secret_key="b").label == "s3://bucket/x"


def test_without_keys_there_is_no_bucket(settings) -> None:
    """R-117"""
    settings.S3_ACCESS_KEY = settings.S3_SECRET_KEY = ""
    with pytest.raises(StoreUnavailable, match="CHATLEAD_S3_ACCESS_KEY"):
        open_store("s3://bucket/x")


def test_a_folder_is_its_owners_and_keeps_nothing_half_written(tmp_path: Path) -> None:
    """R-118"""
    store = open_store(f"file://{tmp_path}/kept")
    store.put("a/b", b"1")
    assert stat.S_IMODE((tmp_path / "kept" / "a" / "b").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "kept" / "a").stat().st_mode) == 0o700
    with pytest.raises(NotInStore):
        store.put("a/c", tmp_path / "no-such-file")
    cut_off, under_way = (tmp_path / "kept" / "a" / f"{stores._PART}{number}" for number in "12")
    for part in (cut_off, under_way):
        part.write_bytes(b"half")
    yesterday = time.time() - 2 * 24 * 3600
    os.utime(cut_off, (yesterday, yesterday))
    store.sweep()
    assert not cut_off.exists() and under_way.exists()
    assert [each.name for each in store.list()] == ["a/b"]


def test_what_goes_while_a_folder_is_listed_is_not_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B2-6: a file that an erasure deletes in that moment ends no run."""
    store = open_store((tmp_path / "kept").as_uri())
    for name in ("a", "b", "c"):
        store.put(name, b"x")
    real = Path.rglob

    def rglob(self: Path, pattern: str) -> list[Path]:
        found = sorted(real(self, pattern))
        (self / "b").unlink()
        return found

    monkeypatch.setattr(Path, "rglob", rglob)
    assert [each.name for each in store.list()] == ["a", "c"]
