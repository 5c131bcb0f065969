"""The copy that somebody gets: a ZIP with JSON for programs, CSV for tables and HTML to read (B2-4).

Rows come from the kinds of `accounts.erasure`, so nobody else's are among them. docs/privacy.md describes the
JSON. The file is encrypted with the key of the columns.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from accounts import erasure
from chatlead import cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.erasure import Person

SCHEMA = "chatlead-export-1"


def collect(
    person: Person, *, with_internal: bool, progress: Callable[[int, int], None] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """{kind: rows}; the firm's own words about the person only `with_internal`."""
    kinds = [kind for kind in erasure.kinds() if with_internal or not kind.is_internal]
    found: dict[str, list[dict[str, Any]]] = {}
    for number, kind in enumerate(kinds, start=1):
        found[kind.name] = kind.export(person)
        if progress is not None:
            progress(number, len(kinds))
    return found


def as_json(rows: dict[str, list[dict[str, Any]]], *, firm: str, made_at: str) -> bytes:
    """Canonical: keys sorted, no blanks, UTF-8; the same rows make the same bytes (but for `made_at`)."""
    told = {"schema": SCHEMA, "firm": firm, "made_at": made_at, "kinds": rows}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def as_csv(rows: list[dict[str, Any]]) -> str:
    """A table with a column for each part of a row; what has parts itself stands as JSON in its cell."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([harmless(row.get(name)) for name in names])
    return out.getvalue()


def harmless(value: Any) -> str:
    """A value as a cell that no spreadsheet carries out (CWE-1236)."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return cells.harmless(text)


def as_zip(rows: dict[str, list[dict[str, Any]]], *, firm: str, made_at: str) -> bytes:
    """data.json, a CSV for each kind that has rows, and index.html with all of it to read."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", as_json(rows, firm=firm, made_at=made_at))
        archive.writestr("index.html", as_html(rows, firm=firm, made_at=made_at))
        for name, found in rows.items():
            if found:
                archive.writestr(f"{name}.csv", "\ufeff" + as_csv(found))
    return out.getvalue()


def as_html(rows: dict[str, list[dict[str, Any]]], *, firm: str, made_at: str) -> str:
    """A page without a script or a link, to be read or printed."""
    kinds = [
        (name.replace("_", " "), [_pairs(row) for row in found]) for name, found in rows.items() if found
    ]
    return render_to_string("privacy/export.html", {"kinds": kinds, "firm": firm, "made_at": made_at})


def _pairs(row: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    """(name, value, whether the value is a list of rows itself) of what is not empty."""
    told: list[tuple[str, Any, bool]] = []
    for name, value in row.items():
        if value in ("", None, [], {}):
            continue
        is_rows = isinstance(value, list) and all(isinstance(each, dict) for each in value)
        if is_rows:
            value = [[(key.replace("_", " "), part) for key, part in each.items() if part] for each in value]
        told.append((name.replace("_", " "), value, is_rows))
    return told
