"""`dev.py bench [NAME …]`: measure, each figure against its floor in the same run; a JSON line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

BENCHES = ("message", "start")


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(
            f"no such bench: {', '.join(sorted(unknown))} (there are {', '.join(BENCHES)})", file=sys.stderr
        )
        return 2
    for name in names or BENCHES:
        run: Callable[[], Iterator[dict[str, Any]]] = import_module(f"bench.{name}").run
        for line in run():
            print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
