"""Who a visitor's socket belongs to: the live session of a browser on a site (R-120, R-124).

A session is a random token. It comes as a cookie, else in the `hello`, else a new one is handed out. Only its
hash with the site is ever stored or used as a name, so one token is two unrelated sessions on two sites.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, cast
from urllib.parse import urlsplit, urlunsplit

from accounts.models import Site
from accounts.selectors import site_by_key, sites_by_key
from chatlead.errors import ChatLeadError, NotFound, OriginRefused, TicketRefused, UnderAge
from chatlead.realtime import pool
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.commands import spoken
from visitors import closed, languages, passes, tickets
from visitors.origins import origin_allowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatlead.realtime.caller import Caller
    from chatlead.realtime.commands import Hello
    from chatlead.realtime.endpoint import Handshake
    from chatlead.realtime.hub import Hub

COOKIE = "__Host-cl_s"
CHECKED_AT_ONCE = 1000
_token = re.compile(r"[A-Za-z0-9_-]{43}")
_browser = re.compile(r"[A-Za-z0-9._~-]{16,200}")


@dataclass(frozen=True, slots=True)
class VisitorPrincipal:
    """Who is behind a visitor's socket.

    `role` is "page" (the loader: hears whether somebody is online, may do nothing) or "chat" (the frame).
    `session_key` is "" for a page. `browser_key` is "" where there is no persistent id: it opens nothing.
    `new_token` is what the client must keep when no cookie came back, else "". `origin` is that of the page
    that was let in, whatever `page_url` says; `on_hosted_page` where it was for the site's page on our own
    server, whatever domains the site lists. `language` is what the widget speaks, one of ours.
    """

    role: Literal["page", "chat"]
    account_id: int
    site_id: int
    site_key: str
    session_key: str
    browser_key: str
    ip: str
    user_agent: str
    page_url: str
    is_unlimited: bool
    new_token: str
    had_cookie: bool
    origin: str = ""
    on_hosted_page: bool = False
    language: str = "en"


def new_token() -> str:
    """A session's secret: 43 characters, 256 bits (P-5)."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Has the form of a token of ours."""
    return _token.fullmatch(text) is not None


def session_key_of(site_key: str, token: str) -> str:
    """The stored name of a session."""
    return hashlib.sha256(f"session|{site_key}|{token}".encode()).hexdigest()


def browser_key_of(site_key: str, browser: str) -> str:
    """The stored name of a browser, "" for an id too short to be ours."""
    if _browser.fullmatch(browser) is None:
        return ""
    return hashlib.sha256(f"browser|{site_key}|{browser}".encode()).hexdigest()


def plain_url(url: str) -> str:
    """A page's address without user, query and fragment; "" when it is not http(s)."""
    try:
        parts = urlsplit("".join(each for each in url if each.isprintable()))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""


def page_of(origin: str, url: str) -> str:
    """`plain_url` where it lies on this origin, else "": olga follows it to her firm alone."""
    plain = plain_url(url)
    return plain if f"{plain}/".lower().startswith(f"{origin.lower()}/") else ""


def admit(handshake: Handshake, hello: Hello) -> VisitorPrincipal:
    """Who may open a visitor's socket (ASVS 4.4).

    A page: its Origin is one of the site's domains. The frame: our own Origin, and an unused ticket made for
    the page that embeds it, or for our own server where it is the site's hosted page. Raises
    ProtocolNotSpoken, NotFound (no such site), OriginRefused, TicketRefused, UnderAge.
    """
    return pool.alone(admit_all([(handshake, hello)]))


def admit_all(asked: Sequence[tuple[Handshake, Hello]]) -> list[VisitorPrincipal | ChatLeadError]:
    """`admit` for many, their sites in one query; an error stands in its place."""
    sites = sites_by_key({hello.site for _, hello in asked})
    found: list[VisitorPrincipal | ChatLeadError] = []
    tickets_of: dict[int, tuple[str, Site, str]] = {}  # by place; used up last, when all else is right
    for place, (handshake, hello) in enumerate(asked):
        try:
            site = sites.get(hello.site)
            found.append(_admit(handshake, hello, site))
            if hello.role != "page" and site is not None:
                tickets_of[place] = (hello.ticket, site, hello.embedder)
        except ChatLeadError as error:
            found.append(error)
    _refuse_closed(found)
    for place, is_good in zip(tickets_of, tickets.redeem_all(list(tickets_of.values())), strict=True):
        if not is_good:
            found[place] = TicketRefused()
    return found


def _refuse_closed(found: list[VisitorPrincipal | ChatLeadError]) -> None:
    """Whoever is under 18 in a browser is not let in from it again (R-070): in one query for all."""
    chats = [each for each in found if isinstance(each, VisitorPrincipal) and each.role == "chat"]
    shut = closed.among({key for each in chats for key in (each.session_key, each.browser_key)})
    for place, each in enumerate(found) if shut else ():
        if isinstance(each, VisitorPrincipal) and shut & {each.session_key, each.browser_key}:
            found[place] = UnderAge()


def _admit(handshake: Handshake, hello: Hello, site: Site | None) -> VisitorPrincipal:
    """All but the ticket."""
    spoken(hello.protocol)
    if site is None:
        raise NotFound("There is no such site, or it is disabled.")
    token, had_cookie, page = "", False, hello.embedder
    if hello.role == "page":
        page = handshake.origin or ""
        if not origin_allowed(page, site.allowed_domains):
            raise OriginRefused
    else:
        _check_frame(handshake, hello, site)
        cookie = handshake.cookies.get(COOKIE, "")
        had_cookie = is_token(cookie)
        token = cookie if had_cookie else hello.session if is_token(hello.session) else new_token()
    session_key = session_key_of(site.key, token) if token else ""
    new = "" if had_cookie else token
    return _principal(handshake, hello, site, page, session_key, new, had_cookie=had_cookie)


def secret_of(handshake: Handshake) -> str:
    """The session's token, where the browser keeps it as a cookie; else ""."""
    cookie = handshake.cookies.get(COOKIE, "")
    return cookie if is_token(cookie) else ""


def readmit(handshake: Handshake, hello: Hello, text: str) -> VisitorPrincipal:
    """Who may go on polling as a frame: `admit` with the pass `text` in the place of a ticket.

    Site and domain are looked up again, and a session that came as a cookie has to come as one. Raises as
    `admit` does.
    """
    spoken(hello.protocol)
    site = site_by_key(hello.site)
    if hello.role != "chat":
        raise TicketRefused
    _check_frame(handshake, hello, site)
    session_key, in_cookie = passes.check(text, site.key, hello.embedder)
    if in_cookie:
        cookie = handshake.cookies.get(COOKIE, "")
        if not is_token(cookie) or session_key_of(site.key, cookie) != session_key:
            raise TicketRefused
    closed.check(session_key, browser_key_of(site.key, hello.browser))
    return _principal(handshake, hello, site, hello.embedder, session_key, "", had_cookie=in_cookie)


def pass_of(principal: VisitorPrincipal, hello: Hello) -> str:
    """What `readmit` takes the next time; "" for a page, which is admitted by its Origin each time."""
    if principal.role != "chat":
        return ""
    key = principal.session_key
    return passes.issue(principal.site_key, hello.embedder, key, in_cookie=principal.had_cookie)


def _check_frame(handshake: Handshake, hello: Hello, site: Site) -> None:
    """A frame of ours, on a page of the site's or as its hosted page. Raises OriginRefused, TicketRefused."""
    if handshake.origin != own_origin(handshake):
        raise OriginRefused
    if not origin_allowed(hello.embedder, site.allowed_domains) and not _is_hosted(handshake, hello, site):
        raise TicketRefused


def own_origin(handshake: Handshake) -> str:
    """Ours, as a browser writes it that reaches us by this name."""
    return f"{'https' if handshake.secure else 'http'}://{handshake.host}"


def _is_hosted(handshake: Handshake, hello: Hello, site: Site) -> bool:
    """Is the frame its own page? No other page of ours embeds one that is not on a domain of its site's."""
    return site.hosted_page and hello.role == "chat" and hello.embedder == own_origin(handshake)


def _principal(
    handshake: Handshake, hello: Hello, site: Site, page: str, session_key: str, new: str, *, had_cookie: bool
) -> VisitorPrincipal:
    return VisitorPrincipal(
        role=hello.role,
        account_id=site.account_id,
        site_id=site.pk,
        site_key=site.key,
        session_key=session_key,
        browser_key=browser_key_of(site.key, hello.browser),
        ip=handshake.ip,
        user_agent=handshake.user_agent[:400],
        page_url=page_of(page, hello.page_url),
        is_unlimited=site.account.is_unlimited,
        new_token=new,
        had_cookie=had_cookie,
        origin=page,
        on_hosted_page=_is_hosted(handshake, hello, site),
        language=languages.chosen(page=hello.language, site=site.language, browser=""),
    )


# --- sites that close -------------------------------------------------------------------------------------


async def check_sites(hub: Hub) -> None:
    """Shows out who is on a site that was disabled since, or on a page of a domain that it has no more, the
    hosted page included: 4404 and 4403. One query, however many there are."""
    members = cast("set[Caller]", hub.members)
    callers = [each for each in members if isinstance(each.principal, VisitorPrincipal)]
    if not callers:
        return
    places = await pool.run(_places, {each.principal.site_id for each in callers})
    answers: dict[tuple[int, str], bool] = {}
    for number, each in enumerate(callers, start=1):
        principal: VisitorPrincipal = each.principal
        place = places.get(principal.site_id)
        key = (principal.site_id, principal.origin)
        if place is None:
            each.close(CloseCode.NOT_FOUND)
        elif not (principal.on_hosted_page and place.hosted) and not _is_on(answers, key, place.domains):
            each.close(CloseCode.FORBIDDEN)
        if number % CHECKED_AT_ONCE == 0:
            await asyncio.sleep(0)  # ten thousand of them hold nobody up


def _is_on(answers: dict[tuple[int, str], bool], key: tuple[int, str], allowed: list[str]) -> bool:
    if key not in answers:
        answers[key] = origin_allowed(key[1], allowed)
    return answers[key]


class _Places(NamedTuple):
    """Where a site may be talked to."""

    domains: list[str]
    hosted: bool


def _places(site_ids: set[int]) -> dict[int, _Places]:
    enabled = Site.objects.filter(pk__in=site_ids, is_enabled=True)
    columns = enabled.values_list("pk", "allowed_domains", "hosted_page")
    return {pk: _Places(domains, hosted) for pk, domains, hosted in columns}
