"""What a widget is told of its site: nothing of it is secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.db.models import F, OuterRef, Subquery

from accounts import notices, selectors
from accounts.models import Installation, Language, Notice, Site, is_line
from chatlead.errors import BadField
from chatlead.prepared import Among, Prepared
from chatlead.realtime.commands import FIELDS_MAX
from chatlead.realtime.shapes import DepartmentView, FieldSpec, NoticeView, SiteView

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence


OPTIONS_MAX, LABEL_MAX, HINT_MAX = 50, 100, 200
# A choice of two in front of a chat, the last of which says that the visitor is under 18. Its hint says whom
# to call instead. What is chosen is never kept.
ADULT = "of_age"
ADULT_LABEL, ADULT_OPTIONS = "How old are you?", ["18 or older", "Under 18"]
_field_name = re.compile(r"[a-z][a-z0-9_]{0,39}")


# What an app above asks in the form of a site that asks for a phone number: {site: boxes}. None of them is
# required, and what is ticked goes to that app (`chats.signals.chat_begun`), not into the chat.
BOXES: list[Callable[[Collection[int]], Mapping[int, list[FieldSpec]]]] = []


class Shown(NamedTuple):
    """A site as its widget is told of it, and the epoch that was read with it."""

    view: SiteView
    epoch: str


def shown_sites(asked: Collection[tuple[int, str]]) -> dict[tuple[int, str], Shown]:
    """{(site, language): what a widget in that language needs to know of it, nothing of which is secret}.

    Each language is one of ours. Two queries, one more for each further language, and one where a site asks
    for a phone number; sites that are gone are absent. A changed notice becomes a new version.
    """
    rows = selectors.offered(sites={site for site, _ in asked})
    found: list[tuple[Any, str]] = []
    for language in {language for _, language in asked}:
        wanted = [pk for pk, each in asked if each == language]
        found += [(site, language) for site in _shown[language](sites=wanted)]
    boxes = boxes_of([site for site, _ in found])
    return {
        (site.pk, language): _shown_site(site, language, rows, boxes.get(site.pk, []))
        for site, language in found
    }


def _shown_site(
    site: Any, language: str, rows: Sequence[tuple[Any, ...]], boxes: Sequence[FieldSpec]
) -> Shown:
    offered = [row for row in rows if row[0] == site.pk and row[2] is not None]
    notice = NoticeView(
        version=site.notice_version or 0, text=site.notice_text or "", sha256=site.sha256 or ""
    )
    if notice.text != notices.text_for(site.account, language):
        newest = notices.current(site, language)
        notice = NoticeView(version=newest.version, text=newest.text, sha256=newest.sha256)
    view = SiteView(
        key=site.key,
        name=site.name,
        firm=site.account.name,
        color=site.color,
        welcome=site.welcome,
        offline=site.offline,
        picture=site.picture_uid or "",
        privacy_policy_url=site.privacy_policy_url,
        departments=[DepartmentView(uid=uid, name=name) for _, _, uid, name, _ in offered],
        online=[uid for _, _, uid, _, is_online in offered if is_online],
        fields=[*site_fields(site), *boxes],
        notice=notice,
    )
    return Shown(view, site.epoch or selectors.epoch())


def site_fields(site: Site) -> list[FieldSpec]:
    """The pre-chat form; an empty list means: no form."""
    return msgspec.convert(site.fields, list[FieldSpec])


def adult_field(fields: Sequence[FieldSpec]) -> FieldSpec | None:
    """The one that asks whether the visitor is an adult, where the site asks that (R-070)."""
    return next((each for each in fields if (each.name, each.kind) == (ADULT, "select")), None)


def boxes_of(sites: Sequence[Site]) -> dict[int, list[FieldSpec]]:
    """What other apps ask in the forms of these sites, below their own fields."""
    asking = {each.pk for each in sites if any(field.kind == "phone" for field in site_fields(each))}
    found: dict[int, list[FieldSpec]] = {}
    for boxes in BOXES if asking else ():
        for site_id, more in boxes(asking).items():
            found.setdefault(site_id, []).extend(more)
    return found


def check_fields(fields: Sequence[FieldSpec]) -> None:
    """Whether a site may ask for this: at most 12 fields, each name once; a `select` has options and nothing
    else has; whether somebody is of age has two answers, must be answered, and says whom to call. Raises
    BadField with the `field`."""
    if len(fields) > FIELDS_MAX or len({each.name for each in fields}) != len(fields):
        raise BadField(f"At most {FIELDS_MAX} fields, each name once.", field="fields")
    for each in fields:
        texts = [each.label, *each.options]
        is_right = (
            _field_name.fullmatch(each.name)
            and all(map(is_line, [*texts, each.hint]))
            and all(text.strip() and len(text) <= LABEL_MAX for text in texts)
            and len(each.hint) <= HINT_MAX
            and bool(each.options) == (each.kind == "select")
            and len(set(each.options)) == len(each.options) <= OPTIONS_MAX
        )
        if not is_right:
            raise BadField(field=f"fields.{each.name}")
        if each.name == ADULT and not (each.kind == "select" and each.required and len(each.options) == 2):
            raise BadField(
                "Who is asked for being an adult has two answers, and must.", field=f"fields.{ADULT}"
            )
        if each.name == ADULT and sum(map(str.isdigit, each.hint)) < 3:
            raise BadField("Say whom to call, with a telephone number.", field=f"fields.{ADULT}")


def _newest_notice(column: str, language: str) -> Subquery:
    newest = Notice.objects.filter(site=OuterRef("pk"), language=language).order_by("-version")
    return Subquery(newest.values(column)[:1])


def _asked_in(language: str) -> Prepared[Site]:
    return Prepared(
        lambda sites: (
            Site.objects.select_related("account")
            .filter(Among("pk", sites))
            .annotate(
                notice_version=_newest_notice("version", language),
                notice_text=_newest_notice("text", language),
                sha256=_newest_notice("sha256", language),
                picture_uid=F("picture__uid"),
                epoch=Subquery(Installation.objects.filter(pk=1).values("epoch")[:1]),
            )
        )
    )


_shown = {language: _asked_in(language) for language in Language.values}
