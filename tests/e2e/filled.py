"""Two firms beside the demo's, for the pages of an account: one with all that a year brings and with long
names, one of today without anything. Made by the project's own actions in a process of its own (`fill`), so
that no test of the demo firm sees a trace of it. Imports no pytest.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from tests.servers import ROOT, Server

LONG = "Harbor, Lane, O'Brien-Featherstonehaugh & Partners, Attorneys at Law"
ARABIC = "مكتب الميناء للمحاماة"
SCORE, MORE, HOW = "How satisfied are you with this chat?", "What could be better?", "How did you hear of us?"
WALKS = 4  # so often somebody may type in a code, which is good once
PEOPLE = (
    ("Dana O'Brien", "+18135550101", "I slipped in a supermarket last week and my back still hurts."),
    ("李小龙", "+18135550102", "请问第一次咨询是免费的吗?"),
    ("سارة الأحمد", "+18135550103", "مرحبًا، هل يمكنني التحدث مع محامٍ اليوم؟"),
    (
        "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh",
        "+18135550104",
        "https://example.test/" + "a-very-long-address-without-any-space/" * 4,
    ),
    ("Sam W.", "+18135550105", "Is the first talk really free?"),
    ("", "+18135550106", "My neighbor's dog bit my son."),
)


def fill(server: Server, *, backups: bool = False) -> dict[str, Any]:
    """`cookies`: of owner, fresh and staff, logged in; `paths`: addresses by the names of what is there."""
    call = f"from tests.e2e.filled import make; make({backups})"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-v", "0", "-c", call]
    done = subprocess.run(
        command, cwd=ROOT, env=server.environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def make(backups: bool) -> None:
    """Within Django: makes it, and prints what `fill` returns."""
    from django.conf import settings

    from accounts.models import Account, Operator, User

    fresh = Account.objects.create(name="Fresh & New", legal_name="Fresh & New LLC", is_unlimited=True)
    nobody = User.objects.create_user("fresh@firms.test")
    Operator.objects.create(account=fresh, user=nobody, name="Fred New", role="owner")
    firm = _Firm()
    paths = firm.chats() | firm.surveys() | firm.texts() | firm.requests()
    if backups:
        from chatlead.backups import making, proving

        making.make_backup()
        proving.prove_newest()
    staff = User.objects.create_superuser("root@firms.test", "not-typed-by-anybody")
    users = {"owner": firm.owner.user, "fresh": nobody, "staff": staff}
    cookies = {
        who: {"name": settings.SESSION_COOKIE_NAME, "value": _log_in(user)} for who, user in users.items()
    }
    print(json.dumps({"cookies": cookies, "paths": paths}))


def _log_in(user: Any) -> str:
    from django.contrib.auth import login
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    request: Any = SimpleNamespace(session=session, META={}, user=None)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    session.save()
    return cast("str", session.session_key)


class _Firm:
    """The one with all of it."""

    def __init__(self) -> None:
        from accounts.models import Account, Department, Operator, Site, SiteDepartment, User

        self.account = Account.objects.create(name=LONG, legal_name=LONG, is_unlimited=True)
        self.departments = [
            Department.objects.create(
                account=self.account, name=name, position=place, email=f"d{place}@firms.test"
            )
            for place, name in enumerate(("Intake", "Personal injury and wrongful death, Tampa Bay"))
        ]
        self.sites = [
            Site.objects.create(account=self.account, name=name, allowed_domains=["localhost"])
            for name in (LONG, ARABIC)
        ]
        for site in self.sites:
            for department in self.departments:
                SiteDepartment.objects.create(account=self.account, site=site, department=department)
        user = User.objects.create_user("owner@firms.test")
        self.owner = Operator.objects.create(
            account=self.account, user=user, name="Harriet Margaret Lane-O'Brien", role="owner"
        )
        self.ended: list[Any] = []

    def chats(self) -> dict[str, str]:
        """Six that have ended, two of them in the archive; each was offered a survey."""
        from chats import actions
        from surveys.actions import publish_survey
        from surveys.forms import Asked

        asked = [
            Asked("score", SCORE),
            Asked("text", MORE),
            Asked("choice", HOW, ("A friend", "A search engine, such as Google or Bing", "Television")),
            Asked("age", "How old are you?"),
            Asked("zip", "Where do you live?"),
        ]
        publish_survey(
            site=self.sites[0], department=None, title="How was your chat?", intro="It takes a minute.",
            asked=asked, by=self.owner,
        )  # fmt: skip
        publish_survey(
            site=self.sites[0], department=self.departments[1], title="After your talk with our injury team",
            intro="", asked=asked[:1], by=self.owner,
        )  # fmt: skip
        arabic = [
            Asked("score", "ما مدى رضاك عن هذه المحادثة؟"),
            Asked("age", "كم عمرك؟"),
            Asked("text", "ملاحظات"),
        ]
        publish_survey(
            site=self.sites[1], department=None, title="كيف كانت محادثتك؟", intro="دقيقة واحدة فقط.",
            asked=arabic, by=self.owner,
        )  # fmt: skip
        for place, (name, _, text) in enumerate(PEOPLE):
            self.ended.append(self._chat(place, name, text))
        for chat in self.ended[:2]:
            assert actions.archive_chat(chat.pk)
        actions.set_retention_limits(by=self.owner, days={self.sites[0].uid: 365})
        return {
            "chat": f"/account/chats/{self.ended[2].uid}/",
            "archived": f"/account/chats/{self.ended[0].uid}/",
        }

    def _chat(self, place: int, name: str, text: str) -> Any:
        from django.db import transaction

        from chatlead.realtime.shapes import Answer
        from chats import actions, history
        from chats.journal import Entry, append
        from chats.models import Chat
        from tests.identifiers import new_ref
        from visitors.models import Visitor
        from visitors.sessions import VisitorPrincipal

        site = self.sites[1] if place == 2 else self.sites[0]
        # as the widget would have named it, in the language that it spoke
        facts: dict[str, Any] = {
            "role": "chat", "account_id": self.account.pk, "site_id": site.pk, "site_key": site.key,
            "session_key": f"{place:064x}", "browser_key": "", "ip": "203.0.113.7",
            "user_agent": "Mozilla/5.0",
            "page_url": f"https://www.harbor.test/injuries/{'slip-and-fall/' * place}", "is_unlimited": True,
            "new_token": "", "had_cookie": True, "language": "ar" if place == 2 else "en",
        }  # fmt: skip
        whose = VisitorPrincipal(**facts)
        answers = [Answer(name="matter", label="What is it about?", value="An injury")]
        with transaction.atomic():
            chat = actions.take_text(
                principal=whose, department=self.departments[0], ref=new_ref(), text=text, name=name,
                answers=answers,
            ).chat  # fmt: skip
        Visitor.objects.filter(pk=chat.visitor_id).update(email=f"p{place}@people.test")
        desk = history.principal_of(self.owner)
        actions.accept_chat(principal=desk, uid=chat.uid)
        mine: dict[str, Any] = {
            "chat_id": chat.pk, "account_id": chat.account_id, "author": "operator",
            "author_id": desk.operator_id, "rights_epoch": desk.rights_epoch, "name": desk.name,
            "author_uid": desk.operator_uid,
        }  # fmt: skip
        with transaction.atomic():
            append(
                [
                    Entry(**mine, ref=new_ref(), kind="text", text="Good that you write. What happened?"),
                    Entry(
                        **mine, ref=new_ref(), kind="note", text="Ask whether the March file is still open."
                    ),
                ]
            )
        if place == 2:
            actions.end_chat(principal=whose, uid=chat.uid)
        else:
            actions.end_chat(principal=desk, uid=chat.uid)
        return Chat.objects.get(pk=chat.pk)

    def surveys(self) -> dict[str, str]:
        """Answers to four of six; two links stay open, one of them in Arabic."""
        from surveys import actions, links
        from surveys.models import Response
        from surveys.selectors import questions_of

        said = ("5", "4", "", "2", "5", "3")
        paths = {}
        for place, response in enumerate(Response.objects.filter(account=self.account).order_by("id")):
            token = links.path_of(response.uid).split("/")[2]
            if place in (2, 5):
                paths["survey_ar" if place == 2 else "survey_open"] = links.path_of(response.uid)
                if place == 2:
                    Response.objects.filter(pk=response.pk).update(language="ar")
                continue
            values = {}
            for question in questions_of(response.version):
                given = {
                    "score": said[place],
                    "text": "More tea, and a shorter wait. " * (1 + 6 * (place == 1)),
                }
                given |= {"choice": "A friend", "age": "", "zip": ""}
                values[question.uid] = given[question.kind]
            actions.send_by_link(token=token, values=values)
            paths["survey_done"] = links.path_of(response.uid)
            paths["survey_response"] = f"/account/surveys/responses/{response.uid}/"
        site = self.sites[0].uid
        return paths | {"survey_build": f"/account/surveys/build/{site}/"}

    def texts(self) -> dict[str, str]:
        """Two senders, one of them not ready; people who agree, who write, and who have enough."""
        from chats import history
        from chats.actions import end_chat
        from chats.models import Chat
        from sms import actions, wordings
        from sms.models import SmsContact

        actions.add_programme(
            account=self.account,
            name="Harbor & Lane appointment reminders",
            contact="call 800-555-0100",
            terms_url="https://harbor-lane-and-partners.test/terms",
        )
        programme = actions.add_programme(
            account=self.account,
            name="Harbor & Lane texts",
            contact="write to help@harbor-lane-and-partners.test",
            terms_url="https://harbor-lane-and-partners.test/terms",
        )
        places: dict[str, Any] = {
            "programme": programme,
            "site": self.sites[0],
            "department": self.departments[1],
        }
        sender = actions.add_sender(
            account=self.account, **places, by=self.owner, gateway="console", kind="long_code",
            number="+18135550199", is_registered=True,
        )  # fmt: skip
        waits = actions.add_sender(
            account=self.account, **places, by=self.owner, gateway="twilio", kind="service",
            service_sid="MG" + "0" * 32, account_sid="AC" + "0" * 32, auth_token="never shown",
            is_registered=False,
        )  # fmt: skip
        boxes = {
            purpose: (wordings.sha256(wordings.consent_text(programme, purpose)), purpose != "marketing")
            for purpose in ("service", "marketing")
        }
        for place, (_, phone, text) in enumerate(PEOPLE[:4]):
            page = "https://www.harbor.test/contact/?from=the-newsletter-of-november"
            actions.give_consent(
                programme=programme, phone=phone, boxes=boxes, shown=actions.Shown(page_url=page)
            )
            form = {"MessageSid": f"SM{place:032}", "From": phone, "Body": text}
            actions.receive(sender=sender, form=form)
        stop = {"MessageSid": "SM" + "9" * 32, "From": PEOPLE[1][1], "Body": "STOP"}
        actions.receive(sender=sender, form=stop)
        actions.opt_out(
            operator=self.owner, programme=programme, phone="+18135550188", source="phone",
            note="Called the front desk on Monday, wants nothing by text any more.",
        )  # fmt: skip
        for chat in Chat.objects.filter(account=self.account, closed_at=None):
            end_chat(
                principal=history.principal_of(self.owner), uid=chat.uid
            )  # tests of the demo count open ones
        contact = SmsContact.objects.get(account=self.account, number=PEOPLE[1][1])
        return {
            "sms_number": f"/account/sms/numbers/{contact.uid}/",
            "sms_sender": f"/account/sms/senders/{waits.uid}/",
            "sms_consent": f"/sms/{programme.uid}/",
        }

    def requests(self) -> dict[str, str]:
        """One in each state: to be proved, waiting, late, refused, erased, and one with a copy to fetch."""
        from privacy import actions, mails
        from privacy.models import PrivacyRequest

        def entered(kind: str, email: str, details: str = "", days: int = 0) -> PrivacyRequest:
            request = actions.enter(by=self.owner, kind=kind, email=email, details=details)
            if days:
                fields = {"received_at": request.received_at, "due_at": request.due_at}
                PrivacyRequest.objects.filter(pk=request.pk).update(
                    **{name: at - timedelta(days=days) for name, at in fields.items()}
                )
            return request

        entered("confirm", "a.very.long.address.of.somebody@a-department.of-a-university.test", days=27)
        proved = entered(
            "erase", "p0@people.test", "All of it, please.\nAnd the calls of March, too.", days=31
        )
        refused = entered("correct", "p4@people.test", "My name is spelled O'Brian.")
        copied, erased = entered("access", "p3@people.test"), entered("erase", "p1@people.test")
        for each in (proved, refused, copied, erased):
            actions.confirm_identity(by=self.owner, request=each)
        actions.extend(by=self.owner, request=as_it_is(copied), reason="The archive is being searched.")
        actions.refuse(by=self.owner, request=as_it_is(refused), reason="Your name stands so in the deed.")
        actions.begin(by=self.owner, request=as_it_is(copied), job="export")
        actions.begin(by=self.owner, request=as_it_is(erased), job="erase")
        codes = [
            actions.receive(kind="access", email="p1@people.test", language="en", account=self.account)
            for _ in range(WALKS)
        ]
        abroad = actions.receive(kind="erase", email="p2@people.test", language="ar", account=self.account)
        shown = {"request": proved, "refused": refused, "copied": copied, "erased": erased}
        paths = {f"privacy_{name}": f"/account/privacy/requests/{each.uid}/" for name, each in shown.items()}
        for place, code in enumerate(map(as_it_is, codes)):
            paths |= {
                f"code_{place}": f"/privacy/requests/{code.uid}/",
                f"digits_{place}": mails.code_of(code),
            }
        return paths | {
            "code_ar": f"/privacy/requests/{abroad.uid}/?lang=ar",
            "ask": f"/privacy/requests/?site={self.sites[0].key}",
            "ask_ar": f"/privacy/requests/?site={self.sites[1].key}&lang=ar",
        }


def as_it_is(request: Any) -> Any:
    """As it is now."""
    request.refresh_from_db()
    return request
