"""The reducers that browsers run, run by Node: what a screen knows after these frames."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Literal

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
ESBUILD = FRONTEND / "node_modules" / ".bin" / "esbuild"


class Reducers:
    """`known(side, frames)` is what the widget or the console of today's source makes of the frames."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node")
        if node is None or not ESBUILD.exists():
            pytest.skip("needs Node and frontend/node_modules (npm ci in frontend/)")
        bundle = folder / "reduce.mjs"
        source = str(FRONTEND / "src" / "wire" / "reduce-cli.ts")
        options = ["--bundle", "--platform=node", "--format=esm", "--log-level=error"]
        subprocess.run([str(ESBUILD), source, *options, f"--outfile={bundle}"], check=True, cwd=FRONTEND)
        self._process = subprocess.Popen(
            [node, str(bundle)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def known(self, side: Literal["visitor", "operator"], frames: list[dict[str, Any]]) -> dict[str, Any]:
        """The state after `frames`, as plain data."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"side": side, "frames": frames}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the reducers have ended"
        state: dict[str, Any] = json.loads(line)
        return state

    def close(self) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(10)
        self._process.stdout.close()  # type: ignore[union-attr]
