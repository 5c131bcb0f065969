"""Cells of files that people open in spreadsheets."""

from __future__ import annotations

import re
import unicodedata

SIGNS = ("=", "+", "-", "@")
_phone = re.compile(r"\+[0-9]+")


def harmless(cell: str, *, with_phones: bool = False) -> str:
    """The cell as no spreadsheet carries it out (CWE-1236): one that begins like a formula, behind whatever
    blanks and in wide signs too, gets an apostrophe. `with_phones` leaves `+18135550100` as it is."""
    if with_phones and _phone.fullmatch(cell):
        return cell
    begin = unicodedata.normalize("NFKC", cell.lstrip()[:1])
    return f"'{cell}" if begin.startswith(SIGNS) or cell[:1] in ("\t", "\r", "\n") else cell
