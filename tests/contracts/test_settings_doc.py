"""docs/settings.md gives the defaults that the code has. That it names every setting: test_layout.py."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "settings.md").read_text()
SOURCE = ast.parse((ROOT / "chatlead" / "settings.py").read_text())


def read_settings() -> dict[str, ast.expr | None]:
    """Every name that settings.py asks the environment for, and its default."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(SOURCE):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, function = node.args[0], node.func
        asks = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "env"
        if (asks or getattr(function, "id", "") == "rate") and isinstance(name, ast.Constant):
            defaults = [each.value for each in node.keywords if each.arg == "default"]
            found[str(name.value)] = next(iter([*defaults, *node.args[1:]]), None)
    return found


SETTINGS = read_settings()
NUMBERS = {
    name: value.value
    for name, value in SETTINGS.items()
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float | str) and value.value != ""
}


def test_there_are_settings() -> None:
    assert len(SETTINGS) > 40
    assert {"CHATLEAD_ENV", "CHATLEAD_MESSAGES", "REDIS_URL"} <= set(SETTINGS)


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_the_default_is_the_one_of_the_code(name: str) -> None:
    """What is written is what is done."""
    [told] = re.findall(rf"^\| `{name}` \| (.*?) \|", DOC, re.MULTILINE)
    value = NUMBERS[name]
    wanted = (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
    assert f"`{wanted}`" in told
