"""Every address of the URL conf with every method, and what there is to put into it.

A new route that takes arguments of a kind not listed here fails the tests that use this list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Addresses that anybody may see, each with the reason.
PUBLIC = {
    "": "the public page",
    "demo/": "the demo firm's website",
    "demo/<slug:page>/": "the demo firm's website",
    "chat/<str:key>/": "the chat of a site as a page of its own, by its public key",
    "styleguide/": "components without any data; 404 in production",
    "console/manifest.webmanifest": "the name and the icons of the installed console",
    "console/worker.js": "a script that is the same for everybody who reads a language",
    "console/offline/": "says that there is no network; nothing of anybody's",
    "webhooks/twilio/<str:key>/inbound/": "by the signature of the provider alone",
    "webhooks/twilio/<str:key>/status/<str:uid>/": "by the signature of the provider alone",
    "sms/<str:key>/": "where people agree to texts, by an unguessable uid",
    "console/login/": "where one logs in",
    "console/logout/": "ends the caller's own session and shows nothing",
    "widget/v1/loader.js": "a static script",
    "widget/v1/loader.<version>.js": "a static script",
    "widget/v1/site/<str:key>": "public facts of a site, by its public key and for its own domains",
    "widget/v1/picture/<str:uid>.png": "what visitors are shown of a firm, by an unguessable uid",
    "widget/v1/ticket": "by the Origin of a site's page",
    "widget/v1/frame": "the chat of a site, by its public key",
    "survey/<str:token>/": "the survey that a signed link names, and nothing of its chat",
    "privacy/proof/<str:token>/": "by a token that a live chat was given, good once; tells nothing",
    "privacy/requests/": "where anybody asks about their own data; tells nothing",
    "privacy/requests/<str:uid>/": "asks for the mailed code, whatever the uid",
    "privacy/requests/<str:uid>/code/": "mails another code to whoever began the request, whatever the uid",
    "privacy/requests/<str:uid>/copy/": "for a browser that has typed the code in; else 404",
    "admin/login/": "where staff logs in",
    "admin/logout/": "ends the caller's own session and shows nothing",
    "admin/jsi18n/": "words for the admin's scripts",
}


class Route(NamedTuple):
    """An address of the URL conf: `pattern` as it is written, `names` of its arguments."""

    pattern: str
    names: tuple[str, ...]


def _written(pattern: str) -> str:
    """A pattern in one spelling, whether it was a path or a regular expression."""
    pattern = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern)
    return pattern.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\.", ".")


def routes() -> Iterator[Route]:
    """All routes, the admin's included."""
    todo: list[tuple[str, URLPattern | URLResolver]] = [("", each) for each in get_resolver().url_patterns]
    while todo:
        prefix, each = todo.pop(0)
        pattern = prefix + _written(str(each.pattern))
        if isinstance(each, URLResolver):
            todo += [(pattern, inner) for inner in each.url_patterns]
        else:
            yield Route(pattern, tuple(re.findall(r"<(?:\w+:)?(\w+)>", pattern)))


def filled(route: Route, values: dict[str, str]) -> str:
    """The address with its arguments. Raises KeyError for an argument that nobody has thought of."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], route.pattern)
