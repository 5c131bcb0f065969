"""The parts of `dev.py test`: what each runs, and how its results are counted.

A machine with two cores has 20 minutes for all of them, so neither may be idle for long: checks of sources go
on two at a time, tests three at a time, as they wait as much as they work.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.machine import FRONTEND, PYTHON, ROOT, VENV, absent, apt, node_modules, packages, system

DIST = ROOT / "static" / "dist"
SETTINGS = ("CHATLEAD_", "DATABASE_", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG", "EMAIL_URL")


class Count(NamedTuple):
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


Check = Callable[[], tuple[Count, str]]  # what it counts for, and what to show where something is wrong


def read_junit(report: Path, code: int, part: str) -> Count:
    """What a runner did, from its own report; a run that ended badly without saying why is a failure."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        print(f"{part}: the run left no report (exit code {code})")
        return Count(failed=1)
    total, failed, skipped = (
        sum(int(float(suite.get(name) or 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    if (code or not total) and not failed:
        print(f"{part}: exit code {code}, {total} tests")
        failed, total = 1, total + 1
    return Count(total - failed - skipped, failed, skipped)


def pytest(part: str, *arguments: str, **extra: str) -> Count:
    with tempfile.TemporaryDirectory(prefix="chatlead-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [str(PYTHON), "-m", "pytest", "-q", *arguments, f"--junitxml={report}"]
        env = {**os.environ, **extra}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # a hundred processes import the same files
        code = subprocess.run(command, cwd=ROOT, env=env).returncode
        return read_junit(report, code, part)


WORKERS = "3"  # the build server has two cores, and a test waits as much as it works


def server_side(part: str, services: str) -> Count:
    node_modules()  # the browsers' reducers are held against the server's snapshots
    where = [
        "tests",
        "--ignore=tests/e2e",
        "--ignore=tests/engines",
        "--ignore=tests/faults",
        "-m",
        "not browser and not faults",
    ]
    return pytest(part, *where, "-n", WORKERS, "--dist", "worksteal", TEST_SERVICES=services)


def browser(args: argparse.Namespace) -> Count:
    # A run of its own: Playwright's sync API leaves a loop running, beside which the ORM refuses to work.
    # A browser with a server for each file: these tests wait even more than they work.
    alone = {"TEST_SERVICES": "none", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
    return pytest("browser", "tests/e2e", "-n", WORKERS, "--dist", "loadfile", **alone)


def faults(args: argparse.Namespace) -> Count:
    seconds = str(args.long)
    # the whole suite has 20 minutes, so it runs the quickest; alone this part runs each for some seconds
    quick = "1" if is_whole(args) and not args.long else ""
    extra = {"CHATLEAD_FAULTS_SECONDS": seconds, "CHATLEAD_FAULTS_QUICK": quick}
    total = pytest("faults", "tests/faults", TEST_SERVICES="private", **extra)
    if not args.long:  # `browser` runs the same with smaller numbers
        return total
    system(*NEEDS["browser"])
    alone = {"TEST_SERVICES": "none", "DJANGO_ALLOW_ASYNC_UNSAFE": "1", "CHATLEAD_FAULTS_SECONDS": seconds}
    return total.plus(pytest("faults in the browser", "tests/e2e", "-m", "faults", **alone))


def is_whole(args: argparse.Namespace) -> bool:
    return len(args.parts) == len(PARTS)


def engines(args: argparse.Namespace) -> Count:
    """Firefox, large as it is, comes to a machine only where this part is asked for by its name. The whole
    suite, which has no time for all of it, asks one that is there for a chat that begins."""
    missing = absent(NEEDS["engines"])
    if is_whole(args) and missing:
        print(f"not installed: {' '.join(missing)} (`dev.py test engines` installs and asks them)")
        return Count(skipped=1)
    where = "tests/engines/test_first_words.py" if is_whole(args) else "tests/engines"
    return pytest("engines", where, TEST_SERVICES="none")


class Begun(NamedTuple):
    """A check that goes on while others are told of."""

    name: str
    result: Future[tuple[Count, str, float]]


_sources = ThreadPoolExecutor(2)  # a core for each


def begin(checks: dict[str, Check]) -> list[Begun]:
    """Two at a time, those that began earlier first."""

    def timed(check: Check) -> tuple[Count, str, float]:
        started = time.monotonic()
        return *check(), time.monotonic() - started

    return [Begun(name, _sources.submit(timed, check)) for name, check in checks.items()]


def told(checks: list[Begun]) -> Count:
    """Waits for them and tells of each in turn; output only of what has failed."""
    total = Count()
    for check in checks:
        count, output, seconds = check.result.result()
        print(f"{'FAIL' if count.failed else 'ok  '}  {check.name}  ({seconds:.1f} s)", flush=True)
        if count.failed and output.strip():
            print(output.rstrip(), flush=True)
        total = total.plus(count)
    return total


def quiet(command: Sequence[str], cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    out = subprocess.PIPE
    done = subprocess.run(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def command(*words: str, cwd: Path = ROOT) -> Check:
    def check() -> tuple[Count, str]:
        # No setting of the caller's, and no database file of his: these look at the source, not at data.
        env = {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # the next one imports the same files
        with tempfile.TemporaryDirectory(prefix="chatlead-lint-") as data:
            env |= {"CHATLEAD_DATA_DIR": data, "CHATLEAD_ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)}
            code, output = quiet(words, cwd, env)
        return verdict(code == 0), output

    return check


def verdict(good: bool) -> Count:
    return Count(passed=1) if good else Count(failed=1)


def built_files_are_fresh() -> tuple[Count, str]:
    def tree(top: Path) -> dict[str, str]:
        files = sorted(file for file in top.rglob("*") if file.is_file())
        return {str(file.relative_to(top)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    with tempfile.TemporaryDirectory(prefix="chatlead-build-") as fresh:
        code, output = quiet(["node", "build.mjs", fresh], FRONTEND, dict(os.environ))
        if code:
            return verdict(False), output
        wanted = tree(Path(fresh))
    stale = sorted({name for name, _ in wanted.items() ^ tree(DIST).items()})
    advice = f"stale: {', '.join(stale)}. Run `dev.py assets` and commit static/dist"
    return verdict(bool(wanted) and not stale), advice


BUILT = {"static/dist is what the sources build": built_files_are_fresh}


def vitest() -> tuple[Count, str]:
    with tempfile.TemporaryDirectory(prefix="chatlead-report-") as folder:
        report = Path(folder) / "report.xml"
        reporters = ["--reporter=default", "--reporter=junit", f"--outputFile.junit={report}"]
        code, output = quiet(["npx", "vitest", "run", *reporters], FRONTEND, dict(os.environ))
        return read_junit(report, code, "frontend"), output


def frontend(args: argparse.Namespace) -> dict[str, Check]:
    types = {"types of the frontend (tsc)": command("npx", "tsc", "--noEmit", cwd=FRONTEND)}
    return {"tests of the frontend (vitest)": vitest} | types | BUILT


def lint(args: argparse.Namespace) -> dict[str, Check]:
    templates = [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]
    djade = str(VENV / "bin" / "djade")
    contracts = "from importlinter.cli import lint_imports_command as main; main()"
    checks: dict[str, Check] = {
        # first, as it takes longer than all others together
        "types (mypy)": command(str(PYTHON), "-m", "mypy"),
        "ruff check": command(str(PYTHON), "-m", "ruff", "check", "."),
        "ruff format": command(str(PYTHON), "-m", "ruff", "format", "--check", "."),
        "import contracts": command(str(PYTHON), "-c", contracts),
        "Django's own checks": command(str(PYTHON), "manage.py", "check", "--fail-level", "WARNING"),
        "migrations are complete": command(
            str(PYTHON), "manage.py", "makemigrations", "--check", "--dry-run"
        ),
        "TypeScript types are what the Python classes say": command(
            str(PYTHON), "manage.py", "export_protocol", "--check"
        ),
        "templates (djade)": command(djade, "--target-version", "5.2", "--check", *templates),
    }
    return checks if "frontend" in args.parts else checks | BUILT


# What looks at sources alone: one check and another go on at the same time, of whichever part they are.
OF_SOURCES: dict[str, Callable[[argparse.Namespace], dict[str, Check]]] = {"lint": lint, "frontend": frontend}
PARTS: dict[str, Callable[[argparse.Namespace], Count]] = {
    "lint": lambda args: told(args.begun["lint"]),
    "frontend": lambda args: told(args.begun["frontend"]),
    "unit": lambda args: server_side("unit", "none"),
    "services": lambda args: server_side("services", "private"),
    "browser": browser,
    "faults": faults,
    "engines": engines,
}
NEEDS = {
    "lint": ["nodejs", "npm"],
    "unit": ["nodejs", "npm"],
    "frontend": ["nodejs", "npm"],
    "services": ["postgresql", "redis-server", "nodejs", "npm"],
    "browser": ["chromium", "postgresql", "redis-server"],
    "faults": ["postgresql", "redis-server"],
    "engines": ["firefox-esr"],
}


def test(args: argparse.Namespace) -> int:
    started = time.monotonic()
    args.parts = [part for part in PARTS if part in args.parts or not args.parts]
    needed = [part for part in args.parts if part != "engines" or not is_whole(args)]
    system(*sorted({name for part in needed for name in NEEDS.get(part, [])}))
    if "browser" in args.parts:
        apt(absent(["nginx-light"]))  # without it one file of tests is skipped, and says so
    lists = {"lint": ["lint", "bench"], "faults": ["bench"]}  # the types of the benches are checked as well
    packages("base", "test", *sorted({name for part in args.parts for name in lists.get(part, [])}))
    if OF_SOURCES.keys() & {*args.parts}:
        node_modules()
    print(f"Ready to test after {time.monotonic() - started:.0f} s", flush=True)
    args.begun = {part: begin(checks(args)) for part, checks in OF_SOURCES.items() if part in args.parts}
    counts: dict[str, tuple[Count, float]] = {}
    for part in args.parts:
        print(f"\n=== {part} ===", flush=True)
        began = time.monotonic()
        counts[part] = PARTS[part](args), time.monotonic() - began
    print()
    total = Count()
    for part, (count, seconds) in counts.items():
        passed, failed, skipped = count
        print(f"{part:10} {passed:5} passed {failed:5} failed {skipped:5} skipped {seconds:6.0f} s")
        total = total.plus(count)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0
