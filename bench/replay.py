"""Replays real dialogues through real sockets and compares every stored transcript with the file.

    python3 dev.py replay dialogues.jsonl.gz --server http://127.0.0.1:8000 --chats 32

A line of FILE is {"id", "topic", "turns": [["visitor" | "operator", text], …]}, gzip or not. Every dialogue
has a visitor of its own; the operator is one person with as many consoles as `--consoles` says, so the
answer usually comes from another socket (with several servers: from another process) than the question.
A turn is said only after the other side has seen the one before, as people do. At the end of a dialogue
a fresh connection reads the transcript back. `--cut` breaks connections at random meanwhile.

`p50_ms` and `p99_ms` are from saying to being on the other person's screen, cuts included.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251 - repeatable faults (--seed), nothing that must not be guessed
from typing import Any, NamedTuple

from bench import http
from bench.client import Client
from bench.console import Console
from bench.link import Frame
from bench.machine import quantile
from bench.visitor import Visitor

LOGIN = "olga@demo.test"
DEPARTMENT = "Intake"


class Dialogue(NamedTuple):
    name: str
    turns: list[tuple[str, str]]  # (author, text)


def read_dialogues(path: Path) -> Iterator[Dialogue]:
    """The dialogues of a file of JSON lines, gzip or not. Raises OSError, and ValueError naming the line."""
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                dialogue = Dialogue(record["id"], [(author, text) for author, text in record["turns"]])
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"line {number} is no dialogue, as --help describes it") from None
            if not {author for author, _ in dialogue.turns} <= {"visitor", "operator"}:
                raise ValueError(f"line {number}: somebody speaks who is neither visitor nor operator")
            yield dialogue


class Verdict(NamedTuple):
    """What is wrong with one transcript, in messages."""

    lost: int
    duplicated: int
    out_of_order: int


def compare(expected: list[tuple[str, str]], found: list[tuple[str, str]]) -> Verdict:
    """Compare (author, text) of the file with those of a transcript."""
    wanted, there = Counter(expected), Counter(found)
    in_order = len(expected) if expected == found else _in_order(expected, found)
    return Verdict((wanted - there).total(), (there - wanted).total(), (wanted & there).total() - in_order)


def _in_order(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for message in one:
        diagonal = 0
        for place, candidate in enumerate(other, 1):
            above = row[place]
            row[place] = diagonal + 1 if message == candidate else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def texts(rows: Iterable[Frame]) -> list[tuple[str, str]]:
    return [(row["author"], row["text"]) for row in rows if row["type"] == "message_posted"]


def holes(rows: list[Frame]) -> tuple[int, int]:
    """Missing and repeated places in what should be seq 1, 2, 3 …"""
    places = [row["seq"] for row in rows]
    return max(places, default=0) - len(set(places)), len(places) - len(set(places))


@dataclass
class Tally:
    """What the whole run has seen."""

    dialogues: int = 0
    messages: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    unseen: int = 0  # messages that were not, or not in order, on a screen that was open all the time
    reconnects: int = 0
    cuts: int = 0
    seen: list[float] = field(default_factory=list)
    acked: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def kept_promise(self) -> bool:
        return not (self.lost or self.duplicated or self.out_of_order or self.unseen or self.faults)


class Pace:
    """At most `rate` messages a second over all dialogues; 0 is as fast as they go."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next = time.perf_counter()

    async def wait(self) -> None:
        if self._rate:
            self._next = max(self._next + 1 / self._rate, time.perf_counter())
            await asyncio.sleep(self._next - time.perf_counter())


class Replay:
    """One run. `servers` are addresses of web processes of one installation."""

    def __init__(
        self,
        servers: list[str],
        *,
        password: str,
        chats: int,
        rate: float = 0.0,
        consoles: int = 2,
        cut: float = 0.0,
        seed: int = 1,
        patience: float = 90.0,
        polls: float = 0.0,
    ) -> None:
        self.servers = servers
        self._polls = polls
        self.chats, self.cut, self.patience = chats, cut, patience
        self.tally = Tally()
        self._password = password
        self._console_count = consoles
        self._chance = Random(seed)  # noqa: S311
        self._pace = Pace(rate)
        self._consoles: list[Console] = []
        self._visitors: set[Visitor] = set()
        self._site_key = ""

    async def run(self, dialogues: Iterable[Dialogue]) -> dict[str, Any]:
        """Replay them all and return the report."""
        self._site_key = await asyncio.to_thread(http.site_key, self.servers[0])
        cookie = await asyncio.to_thread(http.log_in, self.servers[0], LOGIN, self._password)
        for number in range(self._console_count):
            server = self.servers[(number + 1) % len(self.servers)]
            console = Console(server, cookie, **self._nature())
            self._consoles.append(console)
            await console.open()
        was_online = self._consoles[0].me.get("availability") == "online"
        await self._consoles[0].set_availability(online=True)
        queue = iter(enumerate(dialogues))
        started = time.perf_counter()
        cutter = asyncio.create_task(self._cut_lines())
        try:
            await asyncio.gather(*(self._work(queue) for _ in range(self.chats)))
        finally:
            cutter.cancel()
        seconds = time.perf_counter() - started
        if not was_online:
            await self._consoles[0].set_availability(online=False)
        for console in self._consoles:
            await self._leave(console)
        return self._report(seconds)

    async def _work(self, queue: Iterator[tuple[int, Dialogue]]) -> None:
        for number, dialogue in queue:
            server = self.servers[number % len(self.servers)]
            visitor = Visitor(server, self._site_key, **self._nature())
            self._visitors.add(visitor)
            try:
                await self._talk(visitor, number, dialogue)
            except Exception as fault:
                self.tally.faults.append(f"{dialogue.name}: {type(fault).__name__} {fault}")
            finally:
                self._visitors.discard(visitor)
                await self._leave(visitor)
            await self._verify(visitor, number, dialogue)

    def _nature(self) -> dict[str, Any]:
        """A client's luck, and whether it polls."""
        chance = Random(self._chance.random())  # noqa: S311
        return {"chance": chance, "polls": self._chance.random() < self._polls}

    async def _talk(self, visitor: Visitor, number: int, dialogue: Dialogue) -> None:
        patience, tally = self.patience, self.tally
        await asyncio.wait_for(visitor.open(), patience)
        # every other visitor writes the first words into the form
        first = dialogue.turns[0] if number % 2 and dialogue.turns[0][0] == "visitor" else ("", "")
        starting = visitor.start_chat(name=dialogue.name, text=first[1], department=DEPARTMENT)
        own = await asyncio.wait_for(starting, patience)
        console = self._consoles[number % len(self._consoles)]
        theirs = await asyncio.wait_for(console.accept_chat(own.uid), patience)
        sides: dict[str, Client] = {"visitor": visitor, "operator": console}
        for author, text in dialogue.turns[1 if first[1] else 0 :]:
            await self._pace.wait()
            said = time.perf_counter()
            ack = await asyncio.wait_for(sides[author].say(own, text), patience)
            tally.acked.append(time.perf_counter() - said)
            other = theirs if author == "visitor" else own
            await asyncio.wait_for(other.reach(ack["seq"]), patience)
            tally.seen.append(time.perf_counter() - said)
        for chat in (own, theirs):
            shown = compare(dialogue.turns, chat.texts())
            tally.unseen += shown.lost + shown.duplicated + shown.out_of_order
        await asyncio.wait_for(console.end_chat(own.uid), patience)

    async def _verify(self, visitor: Visitor, number: int, dialogue: Dialogue) -> None:
        """A fresh connection, to another process where there are several, reads what is stored."""
        rows: list[Frame] = []
        if visitor.chat is not None:
            server = self.servers[(number + 1) % len(self.servers)]
            fresh = Visitor(server, self._site_key, session=visitor.session)
            try:
                await asyncio.wait_for(fresh.open(), self.patience)
                rows = await asyncio.wait_for(fresh.transcript(visitor.chat.uid), self.patience)
            except Exception as fault:
                self.tally.faults.append(f"{dialogue.name}: reading back: {type(fault).__name__} {fault}")
            finally:
                await fresh.close()
        verdict = compare(dialogue.turns, texts(rows))
        missing, repeated = holes(rows)
        if any(verdict) or missing or repeated:
            self.tally.faults.append(
                f"{dialogue.name}: {verdict}, {missing} seq missing, {repeated} repeated"
            )
        self.tally.dialogues += 1
        self.tally.messages += len(dialogue.turns)
        self.tally.lost += max(verdict.lost, missing)
        self.tally.duplicated += max(verdict.duplicated, repeated)
        self.tally.out_of_order += verdict.out_of_order

    async def _leave(self, client: Client) -> None:
        self.tally.reconnects += max(0, client.link.reconnects)
        await client.close()

    async def _cut_lines(self) -> None:
        """Consoles are few and every chat hangs on one, so they get a quarter of the cuts."""
        while self.cut:
            await asyncio.sleep(self._chance.expovariate(self.cut))
            side: list[Client] = list(self._visitors) if self._chance.random() < 0.75 else [*self._consoles]
            online = [client for client in side if client.link.online]
            if online:
                self._chance.choice(online).link.cut()
                self.tally.cuts += 1

    def _report(self, seconds: float) -> dict[str, Any]:
        tally = self.tally
        return {
            "dialogues": tally.dialogues,
            "messages": tally.messages,
            "lost": tally.lost,
            "duplicated": tally.duplicated,
            "out_of_order": tally.out_of_order,
            "unseen": tally.unseen,
            "p50_ms": quantile(tally.seen, 0.5),
            "p99_ms": quantile(tally.seen, 0.99),
            "ack_p50_ms": quantile(tally.acked, 0.5),
            "ack_p99_ms": quantile(tally.acked, 0.99),
            "seconds": round(seconds, 1),
            "messages_per_s": round(tally.messages / seconds),
            "reconnects": tally.reconnects,
            "cuts": tally.cuts,
            "faults": len(tally.faults),
        }


def demo_password(data: Path) -> str:
    """From the environment, else from the data folder of the demo; SystemExit says what is missing."""
    if given := os.environ.get("CHATLEAD_DEMO_PASSWORD"):
        return given
    kept = data / "demo_password"
    if not kept.is_file():
        raise SystemExit(
            f"set CHATLEAD_DEMO_PASSWORD, or name the data folder with --data ({kept} is not there)"
        )
    return kept.read_text().strip()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dev.py replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--server", default="http://127.0.0.1:8000", help="one address, or several by commas")
    parser.add_argument("--chats", type=int, default=32, help="dialogues at once (32)")
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second over all (no limit)")
    parser.add_argument("--consoles", type=int, default=2, help="consoles of the operator (2)")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the demo's data folder (./data)")
    parser.add_argument("--cut", type=float, default=0.0, help="connections cut a second, at random (0)")
    parser.add_argument("--polls", type=float, default=0.0, help="share of clients without a socket (0 to 1)")
    parser.add_argument("--seed", type=int, default=1, help="which cuts (1)")
    parser.add_argument("--limit", type=int, default=0, help="only so many dialogues (all)")
    parser.add_argument("--patience", type=float, default=90.0, help="seconds until a turn counts as lost")
    args = parser.parse_args(arguments)
    if args.chats < 1 or args.consoles < 1 or not 0 <= args.polls <= 1:
        parser.error("--chats and --consoles are at least 1, --polls is from 0 to 1")
    try:
        dialogues = list(read_dialogues(args.file))
    except (OSError, ValueError, EOFError) as error:
        parser.error(f"{args.file}: {getattr(error, 'strerror', None) or error}")
    try:
        http.site_key(args.server.split(",")[0])
    except (OSError, LookupError) as error:
        parser.error(f"no demo to talk with: {error}")
    replay = Replay(
        [server.rstrip("/") for server in args.server.split(",")],
        password=demo_password(args.data),
        chats=args.chats,
        rate=args.rate,
        consoles=args.consoles,
        cut=args.cut,
        seed=args.seed,
        patience=args.patience,
        polls=args.polls,
    )
    try:
        report = asyncio.run(replay.run(dialogues[: args.limit or None]))
    except PermissionError as error:
        parser.error(str(error))
    for fault in replay.tally.faults[:20]:
        print(fault, file=sys.stderr)
    print(json.dumps(report))
    return 0 if replay.tally.kept_promise else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
