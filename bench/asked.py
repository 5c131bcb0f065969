"""Which benches there are, and what may be asked of each. Imports nothing else: dev.py reads it first."""

from __future__ import annotations

import re
from typing import Any

BENCHES = {  # name: what it measures
    "message": "a durable message, its ack and two deliveries: CPU time",
    "latency": "200 messages a second, with and without 10,000 idle sockets: time until the ack",
    "idle": "10,000 connected visitors: memory of each, CPU time of all",
    "connect": "one that comes in: CPU time; 10,000 that come back at once",
    "growth": "message and latency with 10,000,000 messages stored",
    "start": "dev.py run to the first answer, and memory then",
    "widget": "what the widget adds to somebody's page, before and after it is opened, in a real browser",
    "console": "the longest task of a console with thirty chats that go on, in a real browser",
}
ALIKE = ("start", "widget", "console")  # on every stack
SIZED = ("latency", "idle", "connect", "growth", "console")
ASKED = re.compile(r"(?P<name>\w+)(?::(?P<stack>sqlite|postgres))?(?:=(?P<size>\d+))?")


def planned(asked: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """(bench, options of its `run`) for each NAME[:STACK][=SIZE], or all. Raises ValueError."""
    plan = []
    for each in asked or BENCHES:
        found = ASKED.fullmatch(each)
        if found is None or found["name"] not in BENCHES:
            raise ValueError(f"no such bench: {each} (there are {', '.join(BENCHES)})")
        no_stacks = found["stack"] and found["name"] in ALIKE
        if no_stacks or (found["size"] and found["name"] not in SIZED):
            raise ValueError(f"{found['name']} has no such choice: {each}")
        options: dict[str, Any] = {}
        if found["stack"]:
            options["stacks"] = (found["stack"],)
        if found["size"]:
            options["size"] = int(found["size"])
        plan.append((found["name"], options))
    return plan
