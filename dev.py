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

from tests.machine import FRONTEND, PYTHON, ROOT, node_modules, packages, sh, system
from tests.suite import PARTS, test


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
    widget_only = bool(args.names) and all(name == "widget" for name in args.names)
    system(*([] if widget_only else ["postgresql", "redis-server"]))
    if not args.names or "widget" in args.names:
        system("chromium")
    packages("base", "bench")
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

    commands.add_parser("compare", help="our widget beside others, measured on one page (compare --help)")
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
