"""P-18: a name is a text wherever it is shown: it changes neither the page nor a mail's headers."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import count

import pytest
from django.test import Client

from accounts import notices, tasks
from accounts.models import Department, Operator, Site, User
from chatlead.realtime import replies
from chats.actions import leave_message
from tests.accounts.mailbox import Mailbox, mail_server
from tests.identifiers import new_ref
from tests.security.names import NAMES
from tests.snapshots import frame_of_one
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal


class Skeleton(HTMLParser):
    """The elements and attribute names of a page, in order; `texts` is everything that is not one of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *(name for name, _ in attrs)))
        self.texts += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def named(site: Site, olga: Operator, name: str) -> None:
    """Everything that has a name and is shown by a page is called so."""
    account = site.account
    for row, field in ((site, "name"), (account, "name"), (account, "legal_name"), (olga, "name")):
        setattr(row, field, name[: row._meta.get_field(field).max_length])  # type: ignore[union-attr]
        row.save()
    Department.objects.filter(account=site.account, name="Intake").update(name=name[:100])


PAGES = (
    "/console/",
    "/widget/v1/frame?site={key}",
    "/admin/accounts/account/",
    "/admin/accounts/operator/",
    "/admin/accounts/site/",
    "/admin/accounts/department/",
    "/admin/accounts/operator/{pk}/change/",
    "/admin/accounts/site/{site}/change/",
)


def skeletons(site: Site, olga: Operator, client: Client) -> Iterator[tuple[str, Skeleton]]:
    """Every page of the server that shows a name."""
    User.objects.filter(pk=olga.user_id).update(is_staff=True)
    client.force_login(olga.user)
    for page in PAGES:
        answer = client.get(page.format(key=site.key, pk=olga.pk, site=site.pk))
        assert answer.status_code == 200, page
        yield page, Skeleton(answer.text)


@pytest.mark.django_db
def test_a_name_is_a_text_on_every_page(site: Site, olga: Operator) -> None:
    """P-18, R-030: forty names, every page that the server makes: the same elements as with a plain name."""
    client = Client()
    named(site, olga, "Plain")
    plain = {page: skeleton.parts for page, skeleton in skeletons(site, olga, client)}
    for name in NAMES:
        named(site, olga, name)
        for page, skeleton in skeletons(site, olga, client):
            assert skeleton.parts == plain[page], (name, page)
            if page.startswith("/admin/accounts/account"):
                assert any(name.strip()[:40] in text for text in skeleton.texts), (name, page)


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_is_typed_at_the_log_in_comes_back_as_a_text(name: str) -> None:
    """P-18: also where the form repeats it, and where an error names an address."""
    plain = Skeleton(Client().post("/console/login/", {"username": "x", "password": "y"}).text)
    shown = Skeleton(Client().post("/console/login/", {"username": name, "password": "y", "next": name}).text)
    assert shown.parts == plain.parts
    for address in ("/nowhere/", "/demo/"):
        missing = Client().get(address + name.replace("/", "") + "/")
        assert missing.status_code == 404
        assert Skeleton(missing.text).parts == Skeleton(Client().get("/nowhere/").text).parts


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_the_widget_gets_names_as_data(
    name: str, site: Site, olga: Operator, intake: Department, visitor: Callable[[], VisitorPrincipal]
) -> None:
    """P-18: in frames, as they are stored; what the host page itself may fetch holds no name at all."""
    named(site, olga, name)
    told = json.loads(replies.encode(frame_of_one(visitor())))["site"]
    assert (told["name"], told["firm"]) == (name, name)
    answer = Client().get(f"/widget/v1/site/{site.key}", headers={"Origin": "https://acme.test"})
    assert set(json.loads(answer.content)) == {"color", "online"}
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def mails() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.mark.django_db(transaction=True)
def test_a_name_cannot_make_a_mail_another_mail(
    mails: Mailbox, site: Site, intake: Department, visitor: Callable[[], VisitorPrincipal]
) -> None:
    """P-18, P-23: one subject line, one recipient, the headers that a mail of a plain name has."""
    names = ["Plain", *NAMES]
    for name in names:
        leave_message(
            principal=visitor(), ref=new_ref(), name=name, email="vera@example.org", text="Hello",
            notice=notices.current(site).sha256, department=intake.uid,
        )  # fmt: skip
    assert tasks.sweep_outbox() == len(names)
    assert len(mails.mails) == len(names)
    plain, *others = mails.mails
    for mail in others:
        assert mail.keys() == plain.keys()
        assert (mail["To"], mail["Reply-To"]) == ("intake@acme.test", "vera@example.org")
        subject = str(mail["Subject"])
        assert not any(unicodedata.category(each) == "Cc" for each in subject)
        assert not any(each in subject for each in "\u202e\u2066\u2067\u2068\u202a\u202b\u202d")
        assert not mail.is_multipart()
    assert all(recipients == ["intake@acme.test"] for recipients in mails.recipients)
    stored = set(Visitor.objects.values_list("name", flat=True))
    assert stored == {unicodedata.normalize("NFC", name) for name in names}


@pytest.fixture
def visitor(site: Site) -> Callable[[], VisitorPrincipal]:
    """Somebody new each time, from somewhere else."""
    from tests.conftest import visitor_on

    numbers = count()
    return lambda: visitor_on(site, ip=f"10.0.{next(numbers)}.1")
