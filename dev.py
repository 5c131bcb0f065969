#!/usr/bin/env python3
"""One door for everybody who works with ChatLead: run it, test it, measure it.

Needs Python 3.11 or newer and nothing else; everything that a command needs is installed on first use,
Python packages into .venv from the hash-locked lists in requirements/.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

if sys.version_info < (3, 11):
    print("dev.py: ChatLead needs Python 3.11 or newer; this is " + sys.version.split()[0], file=sys.stderr)
    raise SystemExit(2)

from bench.asked import BENCHES, planned
from tests.machine import FRONTEND, PYTHON, ROOT, node_modules, packages, sh, system
from tests.suite import PARTS, test


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


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


def module(name: str, arguments: list[str]) -> NoReturn:
    """Become `python -m name` of the virtual environment, in the caller's directory."""
    os.environ["PYTHONPATH"] = str(ROOT)
    sys.stdout.flush()
    os.execv(str(PYTHON), [str(PYTHON), "-m", name, *arguments])


def bench(args: argparse.Namespace) -> NoReturn:
    names = {name for name, _ in planned(args.names)}
    services = ("postgresql", "redis-server") if names - {"start", "widget", "console"} else ()
    system(*services, *(["chromium"] if names & {"widget", "console"} else []))
    packages("base", "bench", *(["test"] if "console" in names else []))  # people of the browser tests
    module("bench", args.names)


def compare(arguments: list[str]) -> NoReturn:
    system("chromium")
    packages("base", "bench")
    module("bench.compare", arguments)


def shots(args: argparse.Namespace) -> NoReturn:
    system("chromium")
    packages("base", "test")
    module("tests.e2e.shots", [str(Path(args.directory).resolve())])


def assets(args: argparse.Namespace) -> int:
    node_modules()
    return sh("npm", "run", "build", cwd=FRONTEND)


def main(arguments: list[str]) -> int:
    # Everything behind these belongs to programs of their own, --help too.
    if arguments[:1] == ["replay"]:
        packages("base", "bench")
        module("bench.replay", arguments[1:])
    if arguments[:1] == ["compare"]:
        compare(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, brief: str, more: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=brief,
            description=f"{brief[0].upper()}{brief[1:]}.\n\n{more}".rstrip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    sub = command(
        "run",
        "serve everything in one process on SQLite, with the demo",
        "Prints the addresses and log-ins of the demo. Ctrl-C ends it; the data folder keeps what was said.",
    )
    sub.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1)")
    sub.add_argument("--port", type=port, default=8000, metavar="PORT", help="where it listens (8000)")
    sub.add_argument("--data", metavar="DIR", help="where database, key and demo password are kept (./data)")
    sub.set_defaults(run=run)

    sub = command(
        "test",
        "run the tests: all, or the named parts",
        "The last line is `N passed, N failed, N skipped`; the exit code is 1 when anything failed.",
    )
    sub.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    sub.add_argument(
        "--long",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="how long `faults` goes on, divided over all",
    )
    sub.set_defaults(run=test)

    sub = command(
        "bench",
        "measure, each figure against its floor in the same run",
        "A JSON line for each bench and stack (docs/performance.md):\n"
        + "".join(f"\n  {name:8} {what}" for name, what in BENCHES.items())
        + "\n\nmessage:sqlite is one stack alone (sqlite, postgres), connect=1000 another size.",
    )
    sub.add_argument("names", nargs="*", metavar="NAME[:STACK][=SIZE]", help="all, where none is named")
    sub.set_defaults(run=bench)

    command("compare", "our widget beside others, measured on one page (compare --help)")
    command("replay", "replay real dialogues against a running server (replay --help)")

    sub = command("shots", "a picture of every screen, light and dark, desktop and phone")
    sub.add_argument("directory", metavar="DIR", help="where the pictures go; made where it is not there")
    sub.set_defaults(run=shots)

    sub = command("assets", "rebuild static/dist/ (needs Node)")
    sub.set_defaults(run=assets)

    args = parser.parse_args(arguments)
    unknown = set(getattr(args, "parts", [])) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))} (there are {', '.join(PARTS)})")
    try:
        planned(getattr(args, "names", []))
    except ValueError as error:
        parser.error(str(error))
    for given in (getattr(args, "data", None), getattr(args, "directory", None)):
        if given and Path(given).exists() and not Path(given).is_dir():
            parser.error(f"{given} is no folder")
    return int(args.run(args) or 0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
