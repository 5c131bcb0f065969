"""The copy that somebody gets: a ZIP with JSON for programs, CSV for tables and HTML to read (B2-4).

Rows come from the kinds of `accounts.erasure`, so nobody else's are among them. docs/privacy.md describes the
JSON. However much there is, memory holds some conversations at most: rows wait in files that have no name, so
that nothing of them is left behind wherever a worker is killed.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from typing import IO, TYPE_CHECKING, Any, Self

from django.apps import apps
from django.conf import settings
from django.template.loader import get_template, render_to_string

from accounts import erasure
from chatlead import cells
from chatlead.keys import decrypted_bytes, encrypted_bytes
from chatlead.personal import Declaration, Retention, declaration_of
from privacy.models import PrivacyExport, PrivacyExportPart
from sms.models import SmsSender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from accounts.erasure import Person

SCHEMA = "chatlead-export-2"
PIECE = 512 * 1024  # bytes of a ZIP in a row of the database
_HERE = "\x00"  # where the rows stand in the page


class Collected:
    """The rows of each kind, on disk. Close it, or use it as a context."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._files: dict[str, IO[bytes]] = {}
        self._columns: dict[str, dict[str, None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """The rows of a kind, one after another."""
        file = self._files[name] = tempfile.TemporaryFile()  # noqa: SIM115 closed by __exit__
        columns = self._columns[name] = {}
        self.counts[name] = 0
        for row in rows:
            file.write(canonical(row) + b"\n")
            columns.update(dict.fromkeys(row))
            self.counts[name] += 1

    def names(self) -> list[str]:
        """Of all kinds, in the order in which they were added."""
        return list(self._files)

    def columns(self, name: str) -> list[str]:
        """What its rows have, in the order in which they say it."""
        return list(self._columns[name])

    def lines(self, name: str) -> Iterator[bytes]:
        """Each row as canonical JSON."""
        file = self._files[name]
        file.seek(0)
        for line in file:
            yield line.rstrip(b"\n")

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Each row, as the kind has told it."""
        return map(json.loads, self.lines(name))


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no blanks, UTF-8: the same value makes the same bytes, and no line break."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def collect(
    person: Person, *, with_internal: bool, progress: Callable[[int, int], None] | None = None
) -> Collected:
    """All kinds; the firm's own words about the person only `with_internal`."""
    kinds = [kind for kind in erasure.kinds() if with_internal or not kind.is_internal]
    found = Collected()
    try:
        for number, kind in enumerate(kinds, start=1):
            found.add(kind.name, kind.export(person))
            if progress is not None:
                progress(number, len(kinds))
    except BaseException:
        found.__exit__()
        raise
    return found


# how long what is declared in the registry is kept, as a reader would say it
UNTIL = {
    Retention.ACCOUNT: "as long as the firm has its account",
    Retention.CHAT: "with the conversation, until the firm erases it",
    Retention.VISIT: "with the visit",
    Retention.PROOF: "as long as a claim could be raised",
    Retention.QUEUE: "until the work is done",
}


def recipients(account_id: int) -> list[str]:
    """Who else has had it: we who run the chat, and who carries the texts."""
    has_carrier = SmsSender.objects.filter(account=account_id, gateway=SmsSender.Gateway.TWILIO).exists()
    return [settings.VENDOR_NAME, *(["Twilio"] if has_carrier else [])]


def kept_for(names: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """{kind: what for, on which basis and how long} of these kinds, by the registry (R-014)."""
    told: dict[str, list[dict[str, str]]] = {}
    for kind in erasure.kinds():
        if kind.name in names:
            fields = (_column(each) for each in sorted(kind.columns))
            said = [_declared(found) for field in fields if (found := declaration_of(field))]
            told[kind.name] = [each for place, each in enumerate(said) if each not in said[:place]]
    return told


def _column(label: str) -> object:
    app, model, column = label.split(".")
    return apps.get_model(app, model)._meta.get_field(column)


def _declared(found: Declaration) -> dict[str, str]:
    until = UNTIL[found.retention] if found.retention else ""
    return {"purpose": found.purpose or "", "basis": str(found.basis), "until": until}


def json_parts(
    found: Collected, *, firm: str, made_at: str, shared_with: Sequence[str] = ()
) -> Iterator[bytes]:
    """data.json, canonical: the same rows make the same bytes (but for `made_at`)."""
    yield b'{"firm":' + canonical(firm) + b',"kept_for":' + canonical(kept_for(found.names()))
    yield b',"kinds":{'
    for place, name in enumerate(sorted(found.names())):
        yield (b"," if place else b"") + canonical(name) + b":["
        for number, line in enumerate(found.lines(name)):
            yield (b"," if number else b"") + line
        yield b"]"
    yield b'},"made_at":' + canonical(made_at)
    yield b',"recipients":' + canonical(list(shared_with)) + b',"schema":' + canonical(SCHEMA) + b"}"


def csv_parts(found: Collected, name: str) -> Iterator[bytes]:
    """A table with a column for each part of a row; what has parts itself stands as JSON in its cell."""
    columns = found.columns(name)
    yield b"\xef\xbb\xbf" + _line(columns)
    for row in found.rows(name):
        yield _line([harmless(row.get(column)) for column in columns])


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def harmless(value: Any) -> str:
    """A value as a cell that no spreadsheet carries out (CWE-1236)."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return cells.harmless(text)


def html_parts(
    found: Collected, *, firm: str, made_at: str, shared_with: Sequence[str] = ()
) -> Iterator[bytes]:
    """A page without a script or a link, to be read or printed."""
    is_empty = not any(found.counts.values())
    kept = [(name.replace("_", " "), each) for name, each in kept_for(found.names()).items() if each]
    known = {"firm": firm, "made_at": made_at, "rows": _HERE, "is_empty": is_empty, "kept_for": kept}
    known["recipients"] = shared_with
    begin, _, end = render_to_string("privacy/export.html", known).partition(_HERE)
    yield begin.encode()
    article = get_template("privacy/export_row.html")
    for name in found.names():
        if found.counts[name]:
            title = name.replace("_", " ").capitalize()
            yield render_to_string("privacy/export_title.html", {"title": title}).encode()
        for row in found.rows(name):
            yield article.render({"row": _pairs(row)}).encode()
    yield end.encode()


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


def write_zip(
    found: Collected, out: IO[bytes], *, firm: str, made_at: str, shared_with: Sequence[str] = ()
) -> None:
    """data.json, index.html with all of it to read, and a CSV for each kind that has rows."""
    members = {
        "data.json": json_parts(found, firm=firm, made_at=made_at, shared_with=shared_with),
        "index.html": html_parts(found, firm=firm, made_at=made_at, shared_with=shared_with),
        **{f"{name}.csv": csv_parts(found, name) for name in found.names() if found.counts[name]},
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parts in members.items():
            with archive.open(name, "w", force_zip64=True) as file:
                for part in parts:
                    file.write(part)


# --- kept until it is fetched -------------------------------------------------------------------------


def keep(copy: PrivacyExport, content: IO[bytes]) -> None:
    """The file in encrypted pieces, in the caller's transaction."""
    content.seek(0)
    for number, piece in enumerate(iter(lambda: content.read(PIECE), b"")):
        PrivacyExportPart.objects.create(
            account_id=copy.account_id, export=copy, number=number, content=encrypted_bytes(piece)
        )


def kept(copy: PrivacyExport) -> Iterator[bytes]:
    """The file again, piece by piece, each a question of its own in whatever thread."""
    parts = PrivacyExportPart.objects.filter(export=copy)
    for number in range(-(-copy.byte_count // PIECE)):
        yield decrypted_bytes(bytes(parts.values_list("content", flat=True).get(number=number)))
