"""`dev.py bench [NAME[:STACK][=SIZE] …]`: each figure against its floor in the same run; a JSON line each.

`message:sqlite` is one stack alone; `growth=100000` another size than the target's (messages for `growth`,
people in the line for `console`, sockets for `latency`, `idle` and `connect`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from bench.asked import planned

MODULES = {"console": "smooth"}  # bench.console is the client without a browser


def main(asked: list[str]) -> int:
    try:
        plan = planned(asked)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for name, options in plan:
        run: Callable[..., Iterator[dict[str, Any]]] = import_module(f"bench.{MODULES.get(name, name)}").run
        for line in run(**options):
            print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
