#!/usr/bin/env python3
"""One door for everybody who works with ChatLead: run it, test it, measure it.

Needs Python 3.11 or newer and nothing else; everything that a command needs is installed on first use,
Python packages into .venv from the hash-locked lists in requirements/.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Callable, Iterable, Iterator, NamedTuple, NoReturn, Sequence

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
DIST = ROOT / "static" / "dist"
SETTINGS = ("CHATLEAD_", "DATABASE_", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG", "EMAIL_URL")


# --- what the machine must have ---------------------------------------------------------------------------


def die(message: str) -> NoReturn:
    print(f"dev.py: {message}", file=sys.stderr)
    raise SystemExit(2)


def sh(*command: object, cwd: Path = ROOT, silent: bool = False) -> int:
    out = subprocess.DEVNULL if silent else None
    return subprocess.run([str(word) for word in command], cwd=cwd, stdout=out, stderr=out).returncode


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two dev.py at once must not install into the same place."""
    import fcntl

    with open(ROOT / "requirements" / "base.txt", "rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def digest(file: Path) -> str:
    return hashlib.sha256(sys.version.encode() + file.read_bytes()).hexdigest()


def packages(*names: str) -> None:
    """Bring the lists `names` of requirements/ into .venv; costs a few file reads when they are there."""
    stamps = VENV / "stamps"
    wanted = {name: digest(ROOT / "requirements" / f"{name}.txt") for name in names}

    def missing() -> list[str]:
        have = {file.name: file.read_text() for file in stamps.glob("*")}
        return [name for name in names if have.get(name) != wanted[name]]

    if not missing():
        return
    with one_at_a_time():
        if not PYTHON.exists() or sh(PYTHON, "-m", "pip", "-V", silent=True):
            has_venv = (sys.executable, "-c", "import ensurepip, venv")
            if sh(*has_venv, silent=True):
                apt(["python3-venv"])
                if sh(*has_venv, silent=True):
                    die("Python's venv module is missing: apt-get install python3-venv")
            print("Making .venv …", flush=True)
            sh(sys.executable, "-m", "venv", "--clear", VENV)
        lists = missing()
        if not lists:
            return
        print(f"Installing {', '.join(lists)} …", flush=True)
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        if sh(*pip, "--require-hashes", *(f"--requirement=requirements/{name}.txt" for name in lists)):
            die("pip could not install the locked packages (see above); is the package index reachable?")
        stamps.mkdir(exist_ok=True)
        for name in lists:
            (stamps / name).write_text(wanted[name])


def apt(missing: list[str]) -> None:
    """Install the packages where apt-get may be used; otherwise do nothing."""
    if not missing or not shutil.which("apt-get"):
        return
    sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
    if sudo and (not shutil.which("sudo") or sh(*sudo, "true", silent=True)):
        return
    print(f"Installing {' '.join(missing)} with apt-get …", flush=True)
    get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    if sh(*get, "install", "-y", "--no-install-recommends", *missing, silent=True):
        sh(*get, "update")
        sh(*get, "install", "-y", "--no-install-recommends", *missing)


SYSTEM = {  # package -> any of these files proves it is there (a bare name is looked up in PATH)
    "postgresql": ("initdb", "/usr/lib/postgresql/*/bin/initdb"),
    "redis-server": ("redis-server", "valkey-server"),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "nodejs": ("node",),
    "npm": ("npm",),
    "nginx-light": ("nginx", "/usr/sbin/nginx"),
}


def absent(names: Iterable[str]) -> list[str]:
    return [name for name in names if not any(shutil.which(one) or glob.glob(one) for one in SYSTEM[name])]


def system(*names: str) -> None:
    """Make sure of the system packages `names`; where that is not possible one line says what to install."""
    apt(absent(names))
    missing = absent(names)
    if missing:
        die(f"missing on this machine: {', '.join(missing)}. Install: apt-get install {' '.join(missing)}")


def node_modules() -> None:
    system("nodejs", "npm")
    if sh("node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"):
        die("the frontend needs Node 20 or newer: node --version says what is installed")
    stamp = FRONTEND / "node_modules" / ".stamp"
    want = digest(FRONTEND / "package-lock.json")
    if stamp.is_file() and stamp.read_text() == want:
        return
    print("Installing the frontend's packages …", flush=True)
    if sh("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=FRONTEND):
        die("npm ci failed (see above); is the package registry reachable?")
    stamp.write_text(want)


# --- run --------------------------------------------------------------------------------------------------


def run(args: argparse.Namespace) -> NoReturn:
    """Become the server: signals and the exit code are its own, and no second process stays in memory."""
    packages("base")
    data = Path(args.data).resolve() if args.data else ROOT / "data"
    os.environ["CHATLEAD_DATA_DIR"] = str(data)
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    command = [str(PYTHON), "manage.py", "serve", "--migrate", "--demo"]
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(command[0], [*command, "--host", args.host, "--port", str(args.port)])


# --- test -------------------------------------------------------------------------------------------------


class Count(NamedTuple):
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


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
        code = subprocess.run(command, cwd=ROOT, env={**os.environ, **extra}).returncode
        return read_junit(report, code, part)


def server_side(part: str, services: str) -> Count:
    node_modules()  # the browsers' reducers are held against the server's snapshots
    where = ["tests", "--ignore=tests/e2e", "--ignore=tests/faults", "-m", "not browser and not faults"]
    return pytest(part, *where, "-n", "2", TEST_SERVICES=services)


def browser(args: argparse.Namespace) -> Count:
    # A run of its own: Playwright's sync API leaves a loop running, beside which the ORM refuses to work.
    # Two browsers with a server each: a page waits more than it works.
    alone = {"TEST_SERVICES": "none", "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
    return pytest("browser", "tests/e2e", "-n", "2", "--dist", "loadfile", **alone)


def faults(args: argparse.Namespace) -> Count:
    seconds = str(args.long)
    # the whole suite has 20 minutes, so it runs the quickest; alone this part runs each for some seconds
    quick = "1" if len(args.parts) == len(PARTS) and not args.long else ""
    extra = {"CHATLEAD_FAULTS_SECONDS": seconds, "CHATLEAD_FAULTS_QUICK": quick}
    total = pytest("faults", "tests/faults", TEST_SERVICES="private", **extra)
    if not args.long:  # `browser` runs the same with smaller numbers
        return total
    system(*NEEDS["browser"])
    alone = {"TEST_SERVICES": "none", "DJANGO_ALLOW_ASYNC_UNSAFE": "1", "CHATLEAD_FAULTS_SECONDS": seconds}
    return total.plus(pytest("faults in the browser", "tests/e2e", "-m", "faults", **alone))


def gate(name: str, check: Callable[[], tuple[bool, str]]) -> Count:
    """One check that passes or fails as a whole; its output is shown only when it fails."""
    started = time.monotonic()
    good, output = check()
    print(f"{'ok  ' if good else 'FAIL'}  {name}  ({time.monotonic() - started:.1f} s)", flush=True)
    if not good and output.strip():
        print(output.rstrip(), flush=True)
    return Count(passed=1) if good else Count(failed=1)


def quiet(command: Sequence[str], cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    out = subprocess.PIPE
    done = subprocess.run(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def command_gate(name: str, *command: str, cwd: Path = ROOT) -> Count:
    def check() -> tuple[bool, str]:
        # No setting of the caller's, and no database file of his: these look at the source, not at data.
        env = {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}
        with tempfile.TemporaryDirectory(prefix="chatlead-lint-") as data:
            env |= {"CHATLEAD_DATA_DIR": data, "CHATLEAD_ENV_FILE": os.devnull, "PYTHONPATH": str(ROOT)}
            code, output = quiet(command, cwd, env)
        return code == 0, output

    return gate(name, check)


def frontend(args: argparse.Namespace) -> Count:
    node_modules()
    total = command_gate("types of the frontend (tsc)", "npx", "tsc", "--noEmit", cwd=FRONTEND)
    with tempfile.TemporaryDirectory(prefix="chatlead-report-") as folder:
        report = Path(folder) / "report.xml"
        reporters = ["--reporter=default", "--reporter=junit", f"--outputFile.junit={report}"]
        code = sh("npx", "vitest", "run", *reporters, cwd=FRONTEND)
        total = total.plus(read_junit(report, code, "frontend"))
    return total.plus(built_files_fresh())


def built_files_fresh() -> Count:
    def tree(top: Path) -> dict[str, str]:
        files = sorted(file for file in top.rglob("*") if file.is_file())
        return {str(file.relative_to(top)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def check() -> tuple[bool, str]:
        with tempfile.TemporaryDirectory(prefix="chatlead-build-") as fresh:
            code, output = quiet(["node", "build.mjs", fresh], FRONTEND, dict(os.environ))
            if code:
                return False, output
            wanted = tree(Path(fresh))
        stale = sorted({name for name, _ in wanted.items() ^ tree(DIST).items()})
        return bool(
            wanted
        ) and not stale, f"stale: {', '.join(stale)}. Run `dev.py assets` and commit static/dist"

    return gate("static/dist is what the sources build", check)


def lint(args: argparse.Namespace) -> Count:
    total = Count()
    for name, command in {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "types (mypy)": ["-m", "mypy"],
        "import contracts": ["-c", "from importlinter.cli import lint_imports_command as main; main()"],
        "Django's own checks": ["manage.py", "check", "--fail-level", "WARNING"],
        "migrations are complete": ["manage.py", "makemigrations", "--check", "--dry-run"],
        "TypeScript types are what the Python classes say": ["manage.py", "export_protocol", "--check"],
    }.items():
        total = total.plus(command_gate(name, str(PYTHON), *command))
    templates = [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]
    djade = [str(VENV / "bin" / "djade"), "--target-version", "5.2", "--check", *templates]
    total = total.plus(command_gate("templates (djade)", *djade))
    node_modules()
    if "frontend" not in args.parts:
        total = total.plus(built_files_fresh())
    return total


PARTS: dict[str, Callable[[argparse.Namespace], Count]] = {
    "lint": lint,
    "unit": lambda args: server_side("unit", "none"),
    "frontend": frontend,
    "services": lambda args: server_side("services", "private"),
    "browser": browser,
    "faults": faults,
}
NEEDS = {
    "lint": ["nodejs", "npm"],
    "unit": ["nodejs", "npm"],
    "frontend": ["nodejs", "npm"],
    "services": ["postgresql", "redis-server", "nodejs", "npm"],
    "browser": ["chromium", "postgresql", "redis-server"],
    "faults": ["postgresql", "redis-server"],
}


def test(args: argparse.Namespace) -> int:
    args.parts = [part for part in PARTS if part in args.parts or not args.parts]
    system(*sorted({name for part in args.parts for name in NEEDS.get(part, [])}))
    if "browser" in args.parts:
        apt(absent(["nginx-light"]))  # without it one file of tests is skipped, and says so
    lists = {"lint": ["lint", "bench"], "faults": ["bench"]}  # the types of the benches are checked as well
    packages("base", "test", *sorted({name for part in args.parts for name in lists.get(part, [])}))
    counts: dict[str, Count] = {}
    for part in args.parts:
        print(f"\n=== {part} ===", flush=True)
        counts[part] = PARTS[part](args)
    print()
    total = Count()
    for part, count in counts.items():
        print(f"{part:10} {count.passed:5} passed {count.failed:5} failed {count.skipped:5} skipped")
        total = total.plus(count)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


# --- the rest ---------------------------------------------------------------------------------------------


def module(name: str, arguments: list[str]) -> NoReturn:
    """Become `python -m name` of the virtual environment, in the caller's directory."""
    os.environ["PYTHONPATH"] = str(ROOT)
    sys.stdout.flush()
    os.execv(str(PYTHON), [str(PYTHON), "-m", name, *arguments])


def bench(args: argparse.Namespace) -> NoReturn:
    system("postgresql", "redis-server")
    packages("base", "bench")
    module("bench", args.names)


def shots(args: argparse.Namespace) -> NoReturn:
    system("chromium")
    packages("base", "test")
    module("tests.e2e.shots", [str(Path(args.directory).resolve())])


def assets(args: argparse.Namespace) -> int:
    node_modules()
    return sh("npm", "run", "build", cwd=FRONTEND)


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        die(f"ChatLead needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    # Everything behind `replay` belongs to the replay program, its --help too.
    if arguments[:1] == ["replay"]:
        packages("base", "bench")
        module("bench.replay", arguments[1:])
    parser = argparse.ArgumentParser(prog="dev.py", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sub = commands.add_parser("run", help="serve everything in one process on SQLite, with the demo")
    sub.add_argument("--host", default="127.0.0.1")
    sub.add_argument("--port", type=int, default=8000)
    sub.add_argument("--data", metavar="DIR", help="where database, key and demo password are kept (./data)")
    sub.set_defaults(run=run)

    sub = commands.add_parser("test", help="run the tests: all, or the named parts")
    sub.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    sub.add_argument("--long", type=int, default=0, metavar="SECONDS", help="how long `faults` goes on")
    sub.set_defaults(run=test)

    sub = commands.add_parser("bench", help="measure, each figure against its floor in the same run")
    sub.add_argument("names", nargs="*", metavar="NAME")
    sub.set_defaults(run=bench)

    commands.add_parser("replay", help="replay real dialogues against a running server (replay --help)")

    sub = commands.add_parser("shots", help="a picture of every screen, light and dark, desktop and phone")
    sub.add_argument("directory", metavar="DIR")
    sub.set_defaults(run=shots)

    sub = commands.add_parser("assets", help="rebuild static/dist/ (needs Node)")
    sub.set_defaults(run=assets)

    args = parser.parse_args(arguments)
    unknown = set(getattr(args, "parts", [])) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))} (there are {', '.join(PARTS)})")
    return int(args.run(args) or 0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
