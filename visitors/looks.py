"""What a launcher looks like where a site wants it otherwise than it comes: rules of style, and a greeting.

The loader has the rules of its own looks in it, for everybody; these follow them (frontend/src/loader/). They
are made of numbers and of words from fixed lists, never of a text that somebody wrote. A site as it comes has
none, and its pages load not a byte more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Corner
from visitors import languages

if TYPE_CHECKING:
    from accounts.models import Site

SIDE, BOTTOM = 20, 20  # pixels, as the loader has them
LAUNCHER = 56
GAP = 12

# {x} is the distance from the side. A greeting is as high as its text; its width ends where the page does.
BUBBLE = (
    "section{{position:absolute;inset-block:auto 68px;inset-inline:{inline};display:flex;width:max-content;"
    "max-width:min(280px,100vw - {both}px);border-radius:16px;background:var(--shade);color:#2a241a;"
    "box-shadow:0 0 0 1px #2a241a14,0 8px 24px #2a241a38;animation:in .18s}}"
    "section button{{display:block;width:auto;height:auto;min-width:40px;min-height:44px;padding:12px 0;"
    "padding-inline-start:16px;border-radius:16px;background:none;color:inherit;font:14px/1.45 system-ui,"
    "sans-serif;text-align:start;overflow-wrap:anywhere;box-shadow:none}}"
    "section button:hover{{transform:none;filter:none;text-decoration:underline}}"
    "section button+button{{padding:0 4px;font-size:20px;text-align:center}}"
    "@media(prefers-color-scheme:dark){{section{{color:#efebe4;box-shadow:0 0 0 1px #fff2}}}}"
    "@media(forced-colors:active){{section{{border:1px solid}}}}"
    "@media(max-height:400px){{section{{display:none}}}}"  # it would cover what has the focus
)


def look_of(site: Site, language: str) -> dict[str, object]:
    """What the facts of a site say of its looks besides the colour: `css` and `greeting`, each only where
    there is something to say."""
    look: dict[str, object] = {}
    if css := _place(site) + (_bubble(site) if site.greeting else ""):
        look["css"] = css
    if site.greeting:
        close = languages.words(language)["page"]["close"]
        look["greeting"] = {"text": site.greeting, "close": close, "after": site.greeting_after}
    return look


def _inline(site: Site, distance: int) -> str:
    """In the direction of the widget's own language, so that a page in Arabic has it mirrored."""
    return f"{distance}px auto" if site.corner == Corner.START else f"auto {distance}px"


def _place(site: Site) -> str:
    """Where launcher and panel stand. A panel is never higher than the window; where that is low, and the
    launcher high up in it, it stands over the launcher."""
    x, y = site.offset_side, site.offset_bottom
    if (site.corner, x, y) == (Corner.END, SIDE, BOTTOM):
        return ""
    above = y + LAUNCHER + GAP
    return (
        f":host(:not([data-in])){{inset-block:auto {y}px!important;"
        f"inset-inline:{_inline(site, x)}!important}}"
        f"@media(min-width:481px){{:host(:not([data-in])) div{{inset-inline:{_inline(site, x)};"
        f"inset-block:auto min({above}px,max(10px,100vh - 340px));max-width:calc(100vw - {2 * x}px);"
        f"height:min(640px,100vh - 20px,max(100vh - {above + 20}px,320px))}}}}"
    )


def _bubble(site: Site) -> str:
    return BUBBLE.format(inline=_inline(site, 0), both=2 * max(site.offset_side, 10))


def usual_greeting() -> str:
    """The rules of a greeting where the launcher stands as it comes (`/styleguide/`)."""
    return BUBBLE.format(inline="auto 0px", both=2 * SIDE)
