"""P-5: whatever a stranger must not guess comes from the system's own randomness, and is long enough."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import Site, new_uid
from chatlead.settings import kept_secret
from tests.security.routes import routes
from visitors import tickets
from visitors.sessions import new_token

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("chatlead", "accounts", "visitors", "chats", "surveys", "privacy", "sms")
# Who may spread things over time by chance. Nothing there is a secret.
JITTER = {"chatlead/realtime/hub.py": "when a job is due", "chatlead/realtime/redis_link.py": "backoff"}
GUESSABLE = {"random", "uuid1", "uuid4", "numpy"}
MAKERS: dict[str, Callable[[], str]] = {"uid, site key, epoch": new_uid, "session": new_token}


def modules() -> list[Path]:
    """Every module of the product."""
    return [file for top in OURS for file in sorted((ROOT / top).rglob("*.py"))]


def imported(file: Path) -> set[str]:
    """Names that a module imports, the parts of dotted ones each."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {part for alias in node.names for part in alias.name.split(".")}
        elif isinstance(node, ast.ImportFrom):
            found |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Attribute) and node.attr in ("uuid1", "uuid4"):
            found.add(node.attr)
    return found


def test_no_module_takes_its_secrets_from_a_guessable_source() -> None:
    """P-5: `random`, `uuid1` and `uuid4` stay out; where jitter is wanted it is named above."""
    files = modules()
    assert len(files) > 40
    users = {str(file.relative_to(ROOT)) for file in files if imported(file) & GUESSABLE}
    assert users <= set(JITTER)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_every_secret_has_128_bits_at_least(maker: Callable[[], str]) -> None:
    """P-5, ASVS 7.2.3: by its length and alphabet, and by how evenly its characters come."""
    made = [maker() for _ in range(4000)]
    assert len(set(made)) == len(made)
    assert {len(each) for each in made} in ({22}, {43})
    counts = Counter("".join(each[1:-1] for each in made))  # one at an end holds the rest of the bits
    total = sum(counts.values())
    entropy = -sum(count / total * math.log2(count / total) for count in counts.values())
    assert entropy > 5.99
    assert len(made[0]) * 6 - 4 >= 128


def test_a_public_id_is_never_taken_for_an_option() -> None:
    """P-5: `manage.py` commands are given ids, and one in 64 would begin with a hyphen."""
    made = [new_uid() for _ in range(4000)]
    assert {each[0] for each in made} == set("AQgw") and {len(each) for each in made} == {22}


def test_a_ticket_holds_128_random_bits_and_a_full_mac(db: None, site: Site) -> None:
    """P-5: nothing of the secret is in it, and two of one second differ."""
    made = [tickets.issue(site, "https://acme.test").split(".") for _ in range(1000)]
    assert len({nonce for _, nonce, _ in made}) == 1000
    assert len({mac for _, _, mac in made}) == 1000
    assert all(len(nonce) == 22 and len(mac) == 64 for _, nonce, mac in made)


def test_the_key_of_a_copy_is_made_at_random_and_kept_to_itself(tmp_path: Path) -> None:
    """P-5: 384 bits, the same the next time, readable by its owner alone."""
    file = tmp_path / "new" / "secret_key"
    key = kept_secret(file)
    assert kept_secret(file) == key != kept_secret(tmp_path / "another")
    assert len(key) == 64
    assert file.stat().st_mode & 0o077 == 0


def test_no_route_counts_its_objects() -> None:
    """P-16, R-112: outside of our staff's admin an address never holds a number of the database."""
    counting = [route.pattern for route in routes() if "<int:" in route.pattern]
    assert [each for each in counting if not each.startswith("admin/")] == []
