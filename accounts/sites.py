"""What a widget is told of its site: nothing of it is secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from django.db.models import OuterRef, Subquery

from accounts import notices, selectors
from accounts.models import Installation, Notice, Site
from chatlead.prepared import Among, Prepared
from chatlead.realtime.shapes import DepartmentView, FieldSpec, NoticeView, SiteView

if TYPE_CHECKING:
    from collections.abc import Collection


class Shown(NamedTuple):
    """A site as its widget is told of it, and the epoch that was read with it."""

    view: SiteView
    epoch: str


def shown_sites(site_ids: Collection[int]) -> dict[int, Shown]:
    """{site: what a widget needs to know of it, nothing of which is secret}, in two queries; sites that are
    gone are absent. A changed notice becomes a new version."""
    rows = selectors.offered(sites=site_ids)
    shown: dict[int, Shown] = {}
    for site in _shown(sites=site_ids):
        offered = [row for row in rows if row[0] == site.pk and row[2] is not None]
        notice = NoticeView(
            version=site.notice_version or 0, text=site.notice_text or "", sha256=site.sha256 or ""
        )
        if notice.text != notices.text_for(site.account):
            newest = notices.current(site)
            notice = NoticeView(version=newest.version, text=newest.text, sha256=newest.sha256)
        view = SiteView(
            key=site.key,
            name=site.name,
            firm=site.account.name,
            color=site.color,
            welcome=site.welcome,
            privacy_policy_url=site.privacy_policy_url,
            departments=[DepartmentView(uid=uid, name=name) for _, _, uid, name, _ in offered],
            online=[uid for _, _, uid, _, is_online in offered if is_online],
            fields=site_fields(site),
            notice=notice,
        )
        shown[site.pk] = Shown(view, site.epoch or selectors.epoch())
    return shown


def site_fields(site: Site) -> list[FieldSpec]:
    """The pre-chat form; an empty list means: no form."""
    return msgspec.convert(site.fields, list[FieldSpec])


def _newest_notice(column: str) -> Subquery:
    return Subquery(Notice.objects.filter(site=OuterRef("pk")).order_by("-version").values(column)[:1])


_shown = Prepared(
    lambda sites: (
        Site.objects.select_related("account")
        .filter(Among("pk", sites))
        .annotate(
            notice_version=_newest_notice("version"),
            notice_text=_newest_notice("text"),
            sha256=_newest_notice("sha256"),
            epoch=Subquery(Installation.objects.filter(pk=1).values("epoch")[:1]),
        )
    )
)
