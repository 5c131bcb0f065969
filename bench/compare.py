"""`dev.py compare`: our widget and others, measured in one run on one page of one machine.

Others are given as their makers give them: `--peer NAME=FILE` is a file with the snippet, `--peer NAME=URL`
the address of a script. Nothing of them is kept here. Without any, ours stands beside figures that others
have published or that were noted once (bench/recorded.json), which were taken otherwise and elsewhere.

    dev.py compare
    dev.py compare --peer tawk=snippet.html --open 'tawk=Tawk_API.maximize()'

Exit code 2 and a code for programs when something cannot be taken as it was given, 1 when it could not be
measured.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from bench.cold import LOADS, QUIET_SECONDS, Subject, Taken, line, visits
from bench.devtools import Browser, BrowserFailed
from bench.widget import VISITS, ours
from tests.chromium import started

RECORDED = Path(__file__).with_name("recorded.json")
NAME = re.compile(r"[\w.-]{1,40}")
SNIPPET_MAX = 1_000_000
ROWS = (  # field, what it is called
    ("value", "before opening, KB"),
    ("wire_kb", "the same with all heads, KB"),
    ("requests", "requests before opening"),
    ("opened_kb", "opened, KB in all"),
    ("opened_requests", "requests in all"),
    ("load_added_ms", "the page's `load` comes later by, ms"),
    ("load_over_empty_ms", "the same, less what an empty script costs, ms"),
    ("slow_load_added_ms", "the same, processor slowed, ms"),
    ("launcher_ms", "launcher seen after, ms (slowed)"),
    ("open_ms", "opened, everything there after, ms (slowed)"),
    ("long_tasks", "tasks over 50 ms (slowed)"),
    ("blocking_ms", "blocked by these, ms (slowed)"),
    ("shift", "layout shift"),
    ("heap_kb", "memory of its scripts, KB"),
)
FIGURES = ["peer", "figure", "value", "source", "date"]


class CompareError(Exception):
    """What was asked for cannot be measured. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CompareError("bad_arguments", message)


def parser() -> Parser:
    made = Parser(prog="dev.py compare", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=FILE|URL",
        help="a snippet, or a script's address",
    )
    made.add_argument(
        "--open",
        action="append",
        default=[],
        metavar="NAME=SCRIPT",
        help="JavaScript that opens this peer's chat, as Tawk_API.maximize(); else it stays closed",
    )
    made.add_argument("--visits", type=int, default=VISITS, metavar="N", help=f"visits of each ({VISITS})")
    made.add_argument(
        "--loads", type=int, default=LOADS, metavar="N", help=f"further loads of each ({LOADS})"
    )
    made.add_argument("--json", action="store_true", help="a JSON line each instead of the tables")
    return made


def named(given: list[str], option: str) -> dict[str, str]:
    """{name: the rest} of NAME=REST."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, rest = each.partition("=")
        if not equals or not rest or not NAME.fullmatch(name):
            raise CompareError("bad_arguments", f"{option} is NAME=…, a name of letters, not {each!r}")
        if name in found or name == "ours":
            raise CompareError("name_taken", f"{option}: there is a {name} already")
        found[name] = rest
    return found


def snippet(name: str, where: str) -> str:
    """What is put at the end of the page's body."""
    if where.startswith(("http://", "https://")):
        try:
            host = urlsplit(where).hostname
        except ValueError:
            host = None
        if not host:
            raise CompareError("bad_address", f"{name}: {where!r} is no address of a script")
        return f'<script async src="{html.escape(where)}"></script>'
    try:
        with open(where, "rb") as file:
            body = file.read(SNIPPET_MAX + 1)
    except OSError as error:
        raise CompareError("snippet_unreadable", f"{name}: {where}: {error.strerror}") from None
    if len(body) > SNIPPET_MAX:
        raise CompareError("snippet_too_large", f"{name}: {where} is over a megabyte, so no snippet")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise CompareError("snippet_unreadable", f"{name}: {where} is no text in UTF-8") from None
    if "<script" not in text.lower():
        raise CompareError("snippet_empty", f"{name}: {where} holds no <script>, so it brings nothing")
    return text


def peers(args: argparse.Namespace) -> list[Subject]:
    wheres, opens = named(args.peer, "--peer"), named(args.open, "--open")
    if strangers := sorted(opens.keys() - wheres.keys()):
        raise CompareError("no_such_peer", f"--open names {', '.join(strangers)}, --peer does not")
    if args.visits < 1 or args.loads < 1:
        raise CompareError("bad_arguments", "--visits and --loads are at least 1")
    return [Subject(name, snippet(name, where), opens.get(name, "")) for name, where in wheres.items()]


def measured(others: list[Subject], *, count: int, loads: int) -> Iterator[dict[str, Any]]:
    """A bench line for ours, then for each other."""
    with ours() as own, started() as address, Browser(address) as browser:
        subjects = [own, *others]
        taken = visits(browser, subjects, count=count, quiet=QUIET_SECONDS, loads=loads)
    for each in subjects:
        check(each, taken)
        yield line("widget" if each is own else f"widget:{each.name}", each.name, taken)


def check(subject: Subject, taken: Taken) -> None:
    """Nothing is no result: a snippet whose script did not come would else be the lightest of all."""
    if max(each.answers for each in taken.of[subject.name]) <= max(each.answers for each in taken.alone):
        why = "nothing of it came. Is there a network, and is the snippet whole?"
        raise CompareError("nothing_loaded", f"{subject.name}: {why}")


def recorded() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(RECORDED.read_text())
    return found


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def report(lines: list[dict[str, Any]]) -> str:
    names = [each["bench"].partition(":")[2] or "ours" for each in lines]
    rows = [[title, *(str(each.get(field, "not opened")) for each in lines)] for field, title in ROWS]
    first = lines[0]
    how = (
        f"Medians of {first['visits']} cold visits; slowed: {first['throttle']} times; a KB is 1,000 bytes. "
        f"The page alone took {first['noise_ms']} ms more at one time than at another (slowed): differences "
        "below that are the machine's."
    )
    others = [[each[key] for key in ("name", "figure", "value", "source", "date")] for each in recorded()]
    return "\n\n".join(
        [
            table(["measured", *names], rows),
            how,
            "Published or noted, taken otherwise and elsewhere:",
            table(FIGURES, others),
        ]
    )


def main(arguments: list[str]) -> int:
    try:
        args = parser().parse_args(arguments)
        lines = list(measured(peers(args), count=args.visits, loads=args.loads))
    except CompareError as error:
        print(f"dev.py compare: {error.code}: {error.message}", file=sys.stderr)
        return 2
    except (BrowserFailed, TimeoutError) as error:
        print(f"dev.py compare: not_measured: {error}", file=sys.stderr)
        return 1
    if args.json:
        for each in [*lines, *({"recorded": row.pop("name"), **row} for row in recorded())]:
            print(json.dumps(each))
    else:
        print(report(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
