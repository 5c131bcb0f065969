"""Long files, sent while they are read: nothing of them is held but the part on its way."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TypeVar

from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse

from chatlead.cells import harmless
from chatlead.realtime import pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from django.http import HttpRequest

Part = TypeVar("Part", str, bytes)


def csv_file(
    request: HttpRequest, name: str, head: Sequence[str], batches: Iterable[Iterable[Sequence[str]]]
) -> StreamingHttpResponse:
    """An attachment `name` with these columns and the rows of each batch, no cell of which is a formula.

    `batches` is asked for one at a time, each in whatever thread, so a batch is a question of its own. On the
    server of sockets that is a thread of the pool, never the loop.
    """
    return sent(request, name, "text/csv; charset=utf-8", _parts(head, batches))


def sent(request: HttpRequest, name: str, content_type: str, parts: Iterator[Part]) -> StreamingHttpResponse:
    """An attachment made of these parts, none of which is empty; each is asked for when it is sent, in
    whatever thread."""
    told = _in_threads(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(told, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _in_threads(parts: Iterator[Part]) -> AsyncIterator[Part]:
    while part := await pool.run(next, parts, None):
        yield part


def _parts(head: Sequence[str], batches: Iterable[Iterable[Sequence[str]]]) -> Iterator[str]:
    yield "\ufeff" + _text([head])  # else spreadsheets take it for another encoding
    for rows in batches:
        if text := _text(rows):
            yield text


def _text(rows: Iterable[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([harmless(cell, with_phones=True) for cell in row] for row in rows)
    return file.getvalue()
