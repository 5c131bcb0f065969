"""What a chat widget costs a page: the page is loaded cold with and without it, then the chat is opened.

The same for any widget: a `Subject` is a snippet as its maker gives it, a script that opens it, and how to
tell that all has come.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from bench.devtools import Browser, BrowserFailed, Page
from tests.e2e.hosts import Host, HostPage

THROTTLE = 4  # a phone of the middle class against a desktop, as Lighthouse has it
QUIET_SECONDS = 3.0  # what a widget has not begun so long after everything else, it does not do by itself
SETTLE_SECONDS = 60.0
ALONE_SECONDS = 2.0  # for as long as a page with a widget takes: pages work a little while they stand there
LOADS = 20
LOAD = "performance.getEntriesByType('navigation')[0].loadEventStart"

EMPTY = "~"  # the page with an empty script of another site: what any widget costs a browser at least

Ready = Callable[[Page], object]

# The bar at the side is there from the beginning: a page that is drawn half read moves when it comes.
STYLES = """html { overflow-y: scroll }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 sans-serif; color: #222 }
h1 { font-size: 2rem }
section { border-top: 1px solid #ddd; padding: 1rem 0 }
"""
TEXT = "We have answered such questions for people of this town for a long time, and the first talk is free. "
SECTIONS = "".join(
    f"<section data-host><h2>Our work, part {number}</h2><p>{TEXT * 5}</p></section>" for number in range(12)
)

# Counts in the page itself what a visitor would notice. What is not the host's is whatever stands beside its
# marked elements; it shows when a part of it has a box of 16 pixels that is not transparent.
WATCH = """(() => {
  if (window !== top) return;
  const seen = { launcher: 0, tasks: [], shift: 0 };
  Object.defineProperty(window, "benchSeen", { value: seen });
  const observe = (type, take) =>
    new PerformanceObserver(list => list.getEntries().forEach(take)).observe({ type, buffered: true });
  observe("longtask", each => seen.tasks.push(each.duration));
  observe("layout-shift", each => { seen.shift += each.value; });
  const shows = each => {
    if (!(each instanceof Element)) return false;
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    if (style.display === "none" || +style.opacity === 0) return false;
    const seenHere = box.width >= 16 && box.height >= 16 && style.visibility === "visible"
      && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    return seenHere || [...each.shadowRoot?.children ?? [], ...each.children].some(shows);
  };
  const own = /^(HEAD|BODY|SCRIPT|STYLE|LINK|NOSCRIPT|META|TEMPLATE)$/;
  const look = () => {
    const beside = [...document.documentElement?.children ?? [], ...document.body?.children ?? []];
    const found = beside.some(each => !own.test(each.tagName) && !("host" in each.dataset) && shows(each));
    if (found) seen.launcher = performance.now(); else requestAnimationFrame(look);
  };
  look();
})()"""


class Subject(NamedTuple):
    """A widget: its `snippet`, what `opens` it (JavaScript), and when it is all there.

    Without `shown` or `opened` it is when nothing comes any more for QUIET_SECONDS.
    """

    name: str
    snippet: str
    opens: str = ""
    shown: Ready | None = None
    opened: Ready | None = None


@dataclass
class Figures:
    """Of one visit, or medians of several. Times are those of the slowed processor."""

    load: float  # bytes: bodies as packed, and what sockets said
    wire: float  # bytes: the same with all heads
    requests: float
    answers: float  # how many of them were answered with 2xx, or became a socket
    load_ms: float  # until the page's `load`
    launcher_ms: float  # 0.0 where nothing was seen
    long_tasks: float  # over 50 ms, in the page's own process
    blocking_ms: float  # what they are over 50 ms
    shift: float  # cumulative layout shift
    heap_kb: float
    opened_load: float = 0.0  # all in all
    opened_wire: float = 0.0
    opened_requests: float = 0.0
    open_ms: float = 0.0
    opened_tasks: float = 0.0

    @staticmethod
    def middle(of: list[Figures]) -> Figures:
        names = Figures.__dataclass_fields__
        return Figures(**{name: float(median(getattr(each, name) for each in of)) for name in names})


@contextlib.contextmanager
def host(subjects: dict[str, str]) -> Iterator[Callable[[str], str]]:
    """A small firm's page for each snippet, on another site than any chat server; where it is, by name. ""
    is the page alone, EMPTY has a script that does nothing."""
    with Host() as running:
        running.pages["/site.css"] = HostPage(STYLES, {"Content-Type": "text/css"})
        running.pages["/empty.js"] = HostPage("", {"Content-Type": "text/javascript"})
        empty = f'<script async src="{running.address("/empty.js", "127.0.0.1")}"></script>'
        subjects = {"": "", EMPTY: empty} | subjects
        for name, snippet in subjects.items():
            running.pages[f"/{name}"] = HostPage(
                '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A firm</title>'
                '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
                '<link rel="stylesheet" href="/site.css"></head><body>'
                f"<h1 data-host>A firm</h1>{SECTIONS}{snippet}</body></html>"
            )
        yield lambda name: running.address(f"/{name}")


def look(browser: Browser, url: str, subject: Subject | None, *, quiet: float, throttle: float) -> Figures:
    """One cold visit: to the end of what comes by itself, then the chat opened. No `subject`: the page."""
    with browser.cold(throttle=throttle, script=WATCH) as page:
        page.goes_to(url)
        shown = subject.shown if subject else None
        page.settles(quiet, ready=_of(shown, page), seconds=SETTLE_SECONDS)
        figures = _now(page)
        if subject and subject.opens:
            pressed = time.monotonic()
            try:
                page.does(subject.opens, gesture=True)
            except BrowserFailed as error:
                raise BrowserFailed(f"{subject.name} does not open: {error}") from None
            page.settles(quiet, ready=_of(subject.opened, page), seconds=SETTLE_SECONDS)
            figures.open_ms = (page.last - pressed) * 1000
            figures.opened_load, figures.opened_wire = page.load, page.bytes
            figures.opened_requests = len(page.requests)
            figures.opened_tasks = len(page.does("benchSeen.tasks"))
        return figures


def _of(ready: Ready | None, page: Page) -> Callable[[], object] | None:
    return None if ready is None else lambda: ready(page)


def _now(page: Page) -> Figures:
    seen = page.does("benchSeen")
    over = [each - 50 for each in seen["tasks"] if each > 50]
    return Figures(
        load=page.load,
        wire=page.bytes,
        requests=len(page.requests),
        answers=sum(each.status == 101 or 200 <= each.status < 300 for each in page.requests),
        load_ms=page.does(LOAD),
        launcher_ms=seen["launcher"],
        long_tasks=len(over),
        blocking_ms=sum(over),
        shift=seen["shift"],
        heap_kb=page.heap() / 1000,
    )


class Taken(NamedTuple):
    """Visits of the page alone and with each subject, in the order in which they were made."""

    alone: list[Figures]
    of: dict[str, list[Figures]]
    quick: dict[str, list[float]]  # milliseconds until `load`, not slowed; also of "" and EMPTY


def visits(
    browser: Browser,
    subjects: list[Subject],
    *,
    count: int,
    quiet: float,
    loads: int = LOADS,
    warm: int = 1,
    throttle: float = THROTTLE,
) -> Taken:
    """`count` whole visits of each and `loads` more until the page's `load`, in turn, so that a busy moment
    meets all alike. `warm` more of each come first and are not counted: the browser has things to do for the
    first time.
    """
    names = [each.name for each in subjects]
    found = Taken([], {name: [] for name in names}, {name: [] for name in ["", EMPTY, *names]})
    with host({each.name: each.snippet for each in subjects}) as address:
        for number in range(warm + count):
            bare = max(quiet, ALONE_SECONDS)
            alone = look(browser, address(""), None, quiet=bare, throttle=throttle)
            withs = {
                each.name: look(browser, address(each.name), each, quiet=quiet, throttle=throttle)
                for each in subjects
            }
            if number >= warm:
                found.alone.append(alone)
                for name, figures in withs.items():
                    found.of[name].append(figures)
        for _ in range(loads):
            for name, times in found.quick.items():
                with browser.cold() as page:
                    page.goes_to(address(name))
                    times.append(page.does(LOAD))
    return found


def line(name: str, of: str, taken: Taken) -> dict[str, float | int | str]:
    """A bench line: what the widget `of` adds to the page. `value` is KB (1,000 bytes) before anything is
    opened, `floor` what the page itself weighs, `ratio` the one by the other."""
    ours, alone = Figures.middle(taken.of[of]), Figures.middle(taken.alone)

    def more(field: str, digits: int = 1) -> float:
        return round(float(getattr(ours, field) - getattr(alone, field)), digits)

    def kb(size: float) -> float:
        return round(size / 1000, 2)

    least, bare, empty = (min(taken.quick[name], default=0.0) for name in (of, "", EMPTY))
    found: dict[str, float | int | str] = {
        "bench": name,
        "unit": "KB",
        "value": kb(ours.load - alone.load),
        "floor": kb(alone.load),
        "ratio": round((ours.load - alone.load) / alone.load, 2),
        "wire_kb": kb(ours.wire - alone.wire),
        "requests": int(more("requests", 0)),
        "load_ms": round(least, 1),
        "floor_load_ms": round(bare, 1),
        "load_added_ms": round(least - bare, 1),
        "load_over_empty_ms": round(least - empty, 1),
        "slow_load_added_ms": more("load_ms"),
        "launcher_ms": round(ours.launcher_ms),
        "long_tasks": more("long_tasks"),
        "blocking_ms": more("blocking_ms"),
        "shift": more("shift", 4),
        "heap_kb": more("heap_kb", 0),
    }
    if ours.opened_requests:
        found |= {
            "opened_kb": kb(ours.opened_load - alone.load),
            "opened_wire_kb": kb(ours.opened_wire - alone.wire),
            "opened_requests": int(ours.opened_requests - alone.requests),
            "open_ms": round(ours.open_ms),
            "opened_long_tasks": round(ours.opened_tasks - alone.long_tasks, 1),
        }
    times = [each.load_ms for each in taken.alone]
    noise = round(max(times) - min(times), 1)  # a quiet machine has little
    return found | {"noise_ms": noise, "visits": len(taken.alone), "throttle": THROTTLE}
