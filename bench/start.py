"""`start`: from `dev.py run` on a machine where it ran before to the first answer, and the memory of it idle.

The floor is uvicorn with an application that does nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from bench import http
from bench.machine import cpu_seconds, median, rss_mb
from tests.servers import OURS, ROOT, free_port

ROUNDS = 3
IDLE_SECONDS = 5.0


def start(command: list[str], port: int, *, idle: float) -> tuple[float, float, float]:
    """Seconds to the first HTTP answer, MB resident after `idle` seconds more, CPU percent in these."""
    env = {key: value for key, value in os.environ.items() if key not in OURS}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                http.request(f"http://127.0.0.1:{port}/healthz")
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - started > 120:
                    raise
                time.sleep(0.01)
        seconds = time.perf_counter() - started
        time.sleep(idle)
        before = cpu_seconds(process.pid)
        time.sleep(idle)
        percent = (cpu_seconds(process.pid) - before) / idle * 100 if idle else 0.0
        return seconds, rss_mb(process.pid), percent
    finally:
        process.terminate()
        process.wait(20)


def run() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="chatlead-bench-") as folder:
        port = free_port()
        product = [sys.executable, "dev.py", "run", "--data", folder, "--port", str(port)]
        floor = [sys.executable, "-m", "uvicorn", "bench.floors.nothing:app", "--lifespan", "off"]
        floor += ["--port", str(port), "--log-level", "warning"]
        first = start(product, port, idle=0.0)[0]
        rounds = []
        for number in range(ROUNDS):
            last = number == ROUNDS - 1
            rounds.append(
                (start(product, port, idle=IDLE_SECONDS if last else 0.0), start(floor, port, idle=0.5))
            )
        value = median(ours[0] for ours, _ in rounds)
        least = median(bare[0] for _, bare in rounds)
        yield {
            "bench": "start",
            "unit": "s",
            "value": round(value, 2),
            "floor": round(least, 2),
            "ratio": round(value / least, 2),
            "first_s": round(first, 2),
            "rss_mb": rounds[-1][0][1],
            "floor_rss_mb": rounds[-1][1][1],
            "cpu_percent": round(rounds[-1][0][2], 1),
        }
