"""Every personal column is erased by somebody, or stays for a reason that is written down (R-014, R-151)."""

from __future__ import annotations

import pytest

from accounts import erasure
from chatlead.personal import declaration_of
from tests.contracts.test_personal import columns

pytestmark = pytest.mark.once

PERSONAL = {str(field) for field in columns() if (found := declaration_of(field)) and found.purpose}
COVERED = {column: kind.name for kind in erasure.kinds() for column in kind.columns}


@pytest.mark.parametrize("column", sorted(PERSONAL))
def test_somebody_erases_it_or_says_why_not(column: str) -> None:
    """R-014: write a Kind for it in `<app>/erasure.py`, or `keep` it with a reason."""
    assert (column in COVERED) != (column in erasure.kept()), column


def test_nobody_erases_what_is_not_there() -> None:
    """R-014: a column that was renamed is no longer covered by its old name."""
    assert set(COVERED) | set(erasure.kept()) == PERSONAL


def test_no_column_is_two_kinds() -> None:
    """R-151: each row is counted once in a certificate."""
    assert sum(len(kind.columns) for kind in erasure.kinds()) == len(COVERED)


def test_what_names_a_visitor_goes_before_the_visitor() -> None:
    """R-151: an erasure that was killed half way still finds the rest."""
    names = [kind.name for kind in erasure.kinds()]
    assert names.index("chats") < names.index("notes") < names.index("visitors")
