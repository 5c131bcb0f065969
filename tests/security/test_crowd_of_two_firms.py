"""V-9, R-112: of a crowd that is let in together nobody is taken for another, whosever site it is."""

from __future__ import annotations

import dataclasses

import pytest

from accounts.models import Department, Operator, Site
from chatlead.errors import ChatLeadError, NotFound, OriginRefused, TicketRefused
from chatlead.realtime.commands import Hello
from chatlead.realtime.endpoint import Handshake
from chatlead.realtime.replies import PageWelcome, VisitorWelcome
from chats.welcomes import welcome_visitors
from tests.conftest import make_chat, visitor_on
from tests.sockets import OURS, PAGE
from visitors import tickets
from visitors.sessions import COOKIE, VisitorPrincipal, admit_all, new_token, session_key_of

pytestmark = pytest.mark.django_db
RIVALS = "https://rival.test"


def shaking(token: str = "", origin: str = OURS) -> Handshake:
    cookies = {COOKIE: token} if token else {}
    return Handshake(origin, "chat.example", False, cookies, "203.0.113.9", "Mozilla/5.0")


def saying(site: Site, page: str, ticket: str = "", role: str = "chat") -> Hello:
    return Hello(protocol=1, role=role, site=site.key, ticket=ticket, embedder=page)  # type: ignore[arg-type]


def test_everybody_gets_the_chat_and_the_site_that_are_theirs(
    site: Site, rival_site: Site, intake: Department, rival_sales: Department, eve: Operator
) -> None:
    """The same token on two sites is two visitors; who has no chat gets nobody's."""
    token = new_token()
    both = [
        visitor_on(each, session_key=session_key_of(each.key, token), new_token=f"of {each.name}")
        for each in (site, rival_site)
    ]
    hers, theirs = make_chat(both[0], intake), make_chat(both[1], rival_sales)
    strangers = [visitor_on(site), visitor_on(rival_site)]
    pages = [dataclasses.replace(each, role="page", session_key="") for each in strangers]
    gone = dataclasses.replace(visitor_on(site), site_id=0)
    crowd = [strangers[1], both[1], pages[0], gone, both[0], pages[1], strangers[0]]
    told = dict(zip(map(id, crowd), welcome_visitors(crowd), strict=True))

    def of(principal: VisitorPrincipal) -> tuple[str, str, str]:
        welcome = told[id(principal)]
        assert isinstance(welcome, VisitorWelcome)
        return welcome.site.key, welcome.chat.uid if welcome.chat else "", welcome.session

    assert of(both[0]) == (site.key, hers.uid, f"of {site.name}")
    assert of(both[1]) == (rival_site.key, theirs.uid, f"of {rival_site.name}")
    assert of(strangers[0]) == (site.key, "", "")
    assert of(strangers[1]) == (rival_site.key, "", "")
    assert isinstance(told[id(gone)], NotFound)
    for page, where in zip(pages, (site, rival_site), strict=True):
        welcome = told[id(page)]
        assert isinstance(welcome, PageWelcome)
        assert welcome.color == where.color


def test_no_ticket_of_a_crowd_is_good_for_another_of_it(site: Site, rival_site: Site) -> None:
    """Once each, whoever shows it first; an error stands with whom it concerns."""
    token = new_token()
    hers, theirs = tickets.issue(site, PAGE), tickets.issue(rival_site, RIVALS)
    asked = [
        (shaking(), saying(rival_site, RIVALS, hers)),
        (shaking(token), saying(site, PAGE, hers)),
        (shaking(), saying(site, PAGE, hers)),
        (shaking(), saying(site, RIVALS, theirs)),
        (shaking(origin=RIVALS), saying(site, PAGE, role="page")),
        (shaking(origin=PAGE), saying(site, RIVALS, role="page")),
        (shaking(token), saying(rival_site, RIVALS, theirs)),
    ]
    found = admit_all(asked)
    kinds = [type(each) for each in found if isinstance(each, ChatLeadError)]
    assert kinds == [TicketRefused, TicketRefused, TicketRefused, OriginRefused]
    let_in = [(n, p.site_key, p.session_key) for n, p in enumerate(found) if isinstance(p, VisitorPrincipal)]
    assert let_in == [
        (1, site.key, session_key_of(site.key, token)),
        (5, site.key, ""),
        (6, rival_site.key, session_key_of(rival_site.key, token)),
    ]
