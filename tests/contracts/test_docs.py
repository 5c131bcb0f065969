"""What the documents name is there: files they link to, tests they call as witnesses, parts of dev.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
DOCS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("doc", DOCS, ids=[str(doc.relative_to(ROOT)) for doc in DOCS])
def test_every_link_to_a_file_of_ours_leads_somewhere(doc: Path) -> None:
    """A newcomer follows them."""
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", doc.read_text())
    assert [link for link in links if not (doc.parent / link).exists()] == []


@pytest.mark.parametrize("doc", DOCS, ids=[str(doc.relative_to(ROOT)) for doc in DOCS])
def test_every_path_that_is_named_is_there(doc: Path) -> None:
    """Paths of the source, as `chats/marks.py`. What was decided and what has changed is told as it was."""
    if doc.name == "CHANGELOG.md" or doc.parent.name == "decisions":
        return
    tops = "accounts|bench|chatlead|chats|deploy|docs|frontend|requirements|tests|visitors"
    named = set(re.findall(rf"(?<![\w/.-])((?:{tops})/[\w/.-]+\.\w+)\b", doc.read_text()))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_witness_of_the_comparison_testifies() -> None:
    """docs/compare.md: a row says `yes` because a test would fail where it is not so."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "compare.md").read_text()))
    there = {name for file in (ROOT / "tests").rglob("test_*.py") for name in _tests(file)}
    assert len(named) > 40
    assert named - there == set()


def _tests(file: Path) -> list[str]:
    return re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
