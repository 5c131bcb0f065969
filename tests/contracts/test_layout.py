"""The house as it is drawn (design §2, contract.md): top level, locked packages, settings, CI."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent.parent

FIXED_BY_THE_CARD = {
    *("manage.py", "chatlead", "accounts", "chats", "visitors", "surveys", "privacy", "sms", "static"),
    *("templates", "tests", "pyproject.toml", "docker-compose.yml"),
}
BESIDE_IT = {
    *("frontend", "bench", "docs", "dev.py", "requirements", ".ci", "README.md", "CHANGELOG.md"),
    *("CONTRIBUTING.md", ".gitignore", ".env.example", "Dockerfile", ".dockerignore", "deploy"),
}

# Put together here, so that this file does not name them itself.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "registry.yarnpkg" + ".com",
    "registry.npmmirror" + ".com",
    "devpi" + ".net",
]
INDEX_OPTIONS = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "--trusted" + "-host"]


def kept_files() -> list[Path]:
    """Files that git keeps, and new ones that it would keep."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_the_top_level_is_the_one_on_the_customers_card() -> None:
    top = {file.relative_to(ROOT).parts[0] for file in kept_files()}
    assert top == FIXED_BY_THE_CARD | BESIDE_IT


def test_no_file_names_a_package_registry() -> None:
    found = []
    for file in kept_files():
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {host}" for host in REGISTRY_HOSTS if host in text]
    assert found == []


@pytest.mark.parametrize("name", ["base", "test", "lint", "bench"])
def test_every_dependency_is_locked_with_its_hash(name: str) -> None:
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert len(entries) > 10
    assert [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert [option for option in INDEX_OPTIONS if option in lock] == []


@pytest.mark.parametrize("name", ["base", "test", "lint", "bench"])
def test_what_is_asked_for_is_in_the_lock(name: str) -> None:
    def plain(word: str) -> str:
        return re.sub(r"[-_.]+", "-", word).lower()

    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    locked = {plain(match) for match in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    asked = {
        plain(match)
        for match in re.findall(
            r"^([A-Za-z][A-Za-z0-9._-]*)", (ROOT / f"requirements/{name}.in").read_text(), re.M
        )
    }
    assert asked and asked <= locked


def test_the_lists_agree_on_every_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in ("base", "test", "lint", "bench"):
        for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
            match = re.match(r"([a-z0-9-]+)==([^ ]+)( ; .+)? \\", line)
            if match:
                versions.setdefault(match[1] + (match[3] or ""), set()).add(match[2])
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def settings_read() -> set[str]:
    """Names of the environment that settings.py reads: the first argument of `env…(` and of `rate(`."""
    tree = ast.parse((ROOT / "chatlead" / "settings.py").read_text())
    names = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        first = node.args[0]
        reads = isinstance(function, ast.Name) and function.id in ("env", "rate")
        if reads and isinstance(first, ast.Constant):
            names.add(str(first.value))
    return names


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    documented = set(
        re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    read = settings_read()
    assert len(read) > 10
    assert documented == read


def test_what_the_compose_file_sets_is_read_by_somebody() -> None:
    """A setting that was renamed must not go on being set in vain."""
    compose = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    inside = set(re.findall(r"^    ([A-Z][A-Z0-9_]+):", compose, re.MULTILINE))
    of_compose = {"POSTGRES_PASSWORD", "APP_DATABASE_PASSWORD", "REDIS_PASSWORD", "TLS_DIR", "KEYS_DIR"}
    assert len(inside) > 5 and inside <= settings_read()
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", compose))
    offered = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert asked == offered
    assert set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)) <= settings_read() | of_compose


def test_only_the_settings_file_reads_the_environment() -> None:
    apps = ("chatlead", "accounts", "visitors", "chats", "surveys", "privacy", "sms")
    reads = re.compile(r"os\.getenv|os\.environ\b(?!\.setdefault\(\"DJANGO_SETTINGS_MODULE\")")
    files = [file for app in apps for file in sorted((ROOT / app).rglob("*.py"))]
    readers = [str(file.relative_to(ROOT)) for file in files if reads.search(file.read_text())]
    assert readers in ([], ["chatlead/settings.py"])


def test_the_build_server_calls_the_same_command_as_everybody() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec python3 dev.py test"]


def test_no_source_file_outgrows_a_reader() -> None:
    """Design §2: past some 400 lines a file becomes a package."""
    sources = [file for file in kept_files() if file.suffix in (".py", ".ts", ".tsx")]
    ours = [file for file in sources if "migrations" not in file.parts and "dist" not in file.parts]
    texts = {str(file.relative_to(ROOT)): file.read_text() for file in ours}
    written = {name: text for name, text in texts.items() if "generated" not in text[:200].lower()}
    assert {name: text.count("\n") for name, text in written.items() if text.count("\n") > 450} == {}
