"""`dev.py bench [NAME[:STACK][=SIZE] …]`: each figure against its floor in the same run; a JSON line each.

`message:sqlite` is one stack alone; `growth=100000` another size than the target's (messages for `growth`,
sockets for `latency`, `idle` and `connect`).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

BENCHES = ("message", "latency", "idle", "connect", "growth", "start", "widget")
ALIKE = ("start", "widget")  # on every stack
SIZED = ("latency", "idle", "connect", "growth")
ASKED = re.compile(r"(?P<name>\w+)(?::(?P<stack>sqlite|postgres))?(?:=(?P<size>\d+))?")


def main(asked: list[str]) -> int:
    plan = []
    for each in asked or BENCHES:
        found = ASKED.fullmatch(each)
        if found is None or found["name"] not in BENCHES:
            print(f"no such bench: {each} (there are {', '.join(BENCHES)})", file=sys.stderr)
            return 2
        options: dict[str, Any] = {}
        if found["stack"]:
            options["stacks"] = (found["stack"],)
        if found["size"]:
            options["size"] = int(found["size"])
        no_stacks = found["stack"] and found["name"] in ALIKE
        if no_stacks or (found["size"] and found["name"] not in SIZED):
            print(f"{found['name']} has no such choice: {each}", file=sys.stderr)
            return 2
        plan.append((found["name"], options))
    for name, options in plan:
        run: Callable[..., Iterator[dict[str, Any]]] = import_module(f"bench.{name}").run
        for line in run(**options):
            print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
