"""What stands in somebody's way on a page as it is now: for a screen reader, with weak eyes, with large text,
with the keyboard. Each look is a list of faults, empty where there are none. Imports no pytest.
"""

from __future__ import annotations

import json
from pathlib import Path

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Frame, Page

AXE = Path(AXE_FILE_PATH).read_text(encoding="utf-8")
# Size of targets (WCAG 2.2, 2.5.8) is off unless it is asked for. Style sheets would be fetched anew for each
# look, for a rule that is not among those that are run (css-orientation-lock).
OPTIONS = {
    "resultTypes": ["violations"], "iframes": False, "rules": {"target-size": {"enabled": True}},
    "preload": {"assets": ["media"]},
}  # fmt: skip
RUN = f"""async () => (await axe.run(document, {json.dumps(OPTIONS)})).violations.map(each =>
    `${{each.id}}: ${{each.nodes.map(node => node.target + " " + node.failureSummary).join(" | ")}}`)"""
# Half faded in, a text has too little contrast.
SETTLED = """() => new Promise(requestAnimationFrame).then(() => Promise.all(document.getAnimations()
    .filter(each => isFinite(each.effect.getComputedTiming().endTime))
    .map(each => each.finished.catch(() => null)))).then(() => null)"""
# What can neither be seen nor scrolled to, and what is scrolled sideways.
CUT = Path(__file__).with_name("cut.js").read_text(encoding="utf-8")
# The name of what has the focus, and whether somebody sees it there.
FOCUS = Path(__file__).with_name("focus.js").read_text(encoding="utf-8")
# WCAG 1.4.12, whatever the page says
SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`);
    document.adoptedStyleSheets.push(sheet);
}"""
UNSPACED = "() => void document.adoptedStyleSheets.pop()"


def settle(page: Page) -> None:
    """Until nothing moves any more but what moves for ever."""
    for frame in page.frames:
        frame.evaluate(SETTLED)


def axe_of(frame: Frame) -> list[str]:
    """What axe finds wrong with one document. It does not look into frames by itself."""
    if not frame.evaluate("() => 'axe' in window"):
        frame.evaluate(AXE)
    found: list[str] = frame.evaluate(RUN)
    return found


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page and with every frame in it, movements ended."""
    settle(page)
    return [fault for frame in page.frames for fault in axe_of(frame)]


def cut(frame: Frame, spaced: bool = False) -> list[str]:
    """What is cut off or scrolled sideways (WCAG 1.4.10), with `spaced` under the text spacing of 1.4.12."""
    if not spaced:
        found: list[str] = frame.evaluate(CUT)
        return found
    frame.evaluate(SPACED)
    try:
        found = frame.evaluate(CUT)
    finally:
        frame.evaluate(UNSPACED)
    return [f"with wide letters, {each}" for each in found]


def walk_with_tab(page: Page, frame: Frame, most: int = 40) -> list[str]:
    """Goes through what can be reached in one document until it comes round; tells where the focus is not
    seen or covered (WCAG 2.4.7, 2.4.11)."""
    found: list[str] = []
    seen: list[str] = []
    for at in range(most):
        page.keyboard.press("Tab")
        name, faults = frame.evaluate(FOCUS)
        if name in ("", "body") and at == 0:
            continue  # the last one had it; the next round begins
        if name in ("", "body") or (seen and name == seen[0]):
            break
        seen.append(name)
        found += faults
    return found if seen else ["nothing can be reached by the keyboard"]
