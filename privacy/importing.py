"""A copy is read back (B2-4): data.json of an export becomes rows of an account that is empty, so that a copy
made of them says the same, byte by byte.

For a firm that moves to another server, and for the proof that a copy holds what it says. What a copy does
not say is not made up: people who answered come without a log-in, surveys and senders switched off, nothing
is mailed, nothing is texted. A conversation whose file could not be read when the copy was made stays away.
"""

from __future__ import annotations

import json
import secrets
import zipfile
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Consent, Department, LegalHold, Notice, Operator, Site, User, new_uid
from chatlead.errors import ChatLeadError
from chats import actions as chats
from chats.models import Chat, Message, Note, TranscriptRequest
from privacy.exports import SCHEMA
from privacy.models import PrivacyRequest
from sms import ledger
from sms.models import SmsContact, SmsMessage, SmsProgramme, SmsSender, SmsSuppression, SmsThread
from sms.numbers import key_of
from surveys.models import CONTACT, Answer, Question, Response, Survey, SurveyVersion
from visitors.models import Visitor, VisitorSession

if TYPE_CHECKING:
    from pathlib import Path

    from accounts.models import Account

Row = dict[str, Any]


class NotReadable(ChatLeadError):
    """The file is no copy of ours, or one of another schema."""

    code = "bad_field"


class NotEmpty(ChatLeadError):
    """The account has visitors of its own, or this server knows the conversations already."""

    code = "not_empty"
    status = 409


def read_back(account: Account, file: Path) -> dict[str, int]:
    """{kind: rows that were read}, `left_out` those that could not be. All or nothing, but that files of the
    archive are written last, one by one. Raises NotReadable, NotEmpty, and what archiving raises."""
    kinds = _kinds_in(file)
    reader = _Reader(account)
    with transaction.atomic():
        if Visitor.objects.filter(account=account).exists():
            raise NotEmpty("This account has visitors of its own: only an empty one takes a copy.")
        known = {row["chat"] for row in kinds["chats"] + kinds["chats_archived"]}
        if Chat.objects.filter(uid__in=known).exists():
            raise NotEmpty("These conversations are on this server already.")
        for name, read in reader.parts.items():
            for row in kinds[name]:
                read(row)
                reader.counts[name] += 1
        reader.end()
    for pk in reader.to_archive:
        chats.archive_chat(pk)
    return dict(reader.counts)


def _kinds_in(file: Path) -> dict[str, list[Row]]:
    try:
        with zipfile.ZipFile(file) as archive:
            told = json.loads(archive.read("data.json"))
        if told["schema"] != SCHEMA:
            raise NotReadable(f"This copy is of the schema {told['schema']}; {SCHEMA} is read.")
        kinds: dict[str, list[Row]] = told["kinds"]
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise NotReadable("This is no copy that this service has made.") from error
    return {name: kinds.get(name, []) for name in (*_Reader.PARTS, *kinds)}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _perhaps(text: str | None) -> datetime | None:
    return _at(text) if text else None


def _ref() -> UUID:
    """In place of the one that a client has made."""
    return UUID(bytes=secrets.token_bytes(16), version=4)


class _Reader:
    """Makes rows, and what they hang from at its first name."""

    PARTS = (
        *("visitors", "consents", "chats", "chats_archived", "notes", "notes_archived"),
        *("transcript_requests", "survey_answers", "text messages", "privacy_requests", "legal_holds"),
    )

    def __init__(self, account: Account) -> None:
        self.account = account
        self.counts: Counter[str] = Counter()
        self.to_archive: list[int] = []
        self._chats: dict[str, Chat] = {}
        self._noted: Counter[str] = Counter()
        people = (self._visitor, self._consent)
        said = (self._chat, self._archived, self._note, self._note, self._transcript_request)
        readers = (*people, *said, self._answer, self._text, self._request, self._hold)
        self.parts = dict(zip(self.PARTS, readers, strict=True))

    # --- what rows hang from --------------------------------------------------------------------------

    def _site(self, name: str) -> Site:
        return Site.objects.get_or_create(account=self.account, name=name, defaults={"allowed_domains": []})[
            0
        ]

    def _department(self, name: str) -> Department:
        return Department.objects.get_or_create(account=self.account, name=name)[0]

    def _operator(self, name: str) -> Operator:
        """Who answered, by name alone: nobody who could log in."""
        known = Operator.objects.filter(account=self.account, name=name).order_by("pk").first()
        if known is not None:
            return known
        user = User.objects.create_user(f"{new_uid().lower()}@import.invalid", is_active=False)
        return Operator.objects.create(account=self.account, user=user, name=name)

    def _visitor(self, row: Row) -> None:
        site = self._site(row["site"])
        visitor = Visitor.objects.create(
            account=self.account,
            site=site,
            uid=row["visitor"],
            number=row["number"],
            browser_key=row["browser"] or None,
            name=row["name"],
            email=row["email"],
        )
        Visitor.objects.filter(pk=visitor.pk).update(created_at=_at(row["since"]))
        Site.objects.filter(pk=site.pk, visitor_count__lt=row["number"]).update(visitor_count=row["number"])

    def _consent(self, row: Row) -> None:
        site = self._site(row["site"])
        notice, _ = Notice.objects.get_or_create(
            account=self.account,
            site=site,
            version=row["version"],
            defaults={"language": row["language"], "text": row["text"], "sha256": row["sha256"]},
        )
        consent = Consent.objects.create(
            account=self.account,
            site=site,
            notice=notice,
            purpose=row["purpose"],
            language=row["language"],
            visitor_uid=row["visitor"],
            ip=row["network"] or None,
            user_agent=row["browser"],
        )
        Consent.objects.filter(pk=consent.pk).update(created_at=_at(row["at"]))

    # --- conversations --------------------------------------------------------------------------------

    def _chat(self, row: Row) -> None:
        visitor = Visitor.objects.get(account=self.account, uid=row["visitor"])
        site, messages = self._site(row["site"]), row["messages"]
        session = VisitorSession.objects.create(
            account=self.account, site=site, visitor=visitor, key=secrets.token_hex(32)
        )
        started = _at(row["started_at"])
        chat = self._chats[row["chat"]] = Chat.objects.create(
            account=self.account,
            site=site,
            department=self._department(row["department"]),
            visitor=visitor,
            session=session,
            session_key=session.key,
            operator=self._operator(row["operator"]) if row["operator"] else None,
            uid=row["chat"],
            start_ref=_ref(),
            state=row["state"],
            last_seq=max((each["number"] for each in messages), default=0),
            answers=row["answers"],
            page_url=row["page"],
            started_at=started,
            accepted_at=_perhaps(row["accepted_at"]),
            closed_at=_perhaps(row["closed_at"]),
            last_message_at=_at(messages[-1]["at"]) if messages else started,
            visitor_seen_at=started,
        )
        authors = {name: self._operator(name) for each in messages if (name := each.get("name"))}
        Message.objects.bulk_create(
            (
                Message(
                    account=self.account,
                    chat=chat,
                    seq=each["number"],
                    ref=_ref(),
                    author=each["by"],
                    author_id=author.pk if (author := authors.get(each.get("name"))) else 0,
                    kind=each["kind"],
                    text=each.get("text", ""),
                    text_state=each.get("state", ""),
                    target=each.get("of"),
                    created_at=_at(each["at"]),
                )
                for each in messages
            ),
            batch_size=500,
        )

    def _archived(self, row: Row) -> None:
        if "unreadable" in row:
            self.counts.update(left_out=1, chats_archived=-1)
            return
        self._chat(row)
        self.to_archive.append(self._chats[row["chat"]].pk)

    def _note(self, row: Row) -> None:
        self._noted[row["chat"]] += 1
        author = self._operator(row["by"])
        Note.objects.create(
            account=self.account,
            chat=self._chats[row["chat"]],
            staff_seq=self._noted[row["chat"]],
            ref=_ref(),
            author=author,
            text=row["text"],
            created_at=_at(row["at"]),
        )

    def _transcript_request(self, row: Row) -> None:
        asked = TranscriptRequest.objects.create(
            account=self.account,
            chat=self._chats[row["chat"]],
            ref=_ref(),
            email=row["email"],
            zone=row["clock"],
            language="en",
        )
        TranscriptRequest.objects.filter(pk=asked.pk).update(created_at=_at(row["at"]))

    def _answer(self, row: Row) -> None:
        site = self._site(row["site"])
        of = self._department(row["survey_of"]) if row["survey_of"] else None
        survey, _ = Survey.objects.get_or_create(
            account=self.account, site=site, department=of, defaults={"is_enabled": False}
        )
        version, _ = SurveyVersion.objects.get_or_create(
            account=self.account, survey=survey, number=row["version"], defaults={"title": row["survey"]}
        )
        question, _ = Question.objects.get_or_create(
            account=self.account,
            version=version,
            position=row["number"],
            defaults={"kind": row["kind"], "label": row["question"]},
        )
        chat = self._chats.get(row["chat"])
        response, _ = Response.objects.get_or_create(
            account=self.account,
            uid=row["response"],
            defaults={
                "version": version,
                "chat": chat,
                "site": site,
                "visitor_number": chat.visitor_id if chat else None,
                "state": Response.State.ANSWERED,
                "offered_at": _at(row["offered_at"]),
                "done_at": _perhaps(row["answered_at"]),
            },
        )
        place = "score" if row["kind"] == "score" else "text" if row["kind"] in CONTACT else "value"
        Answer.objects.create(
            account=self.account, response=response, question=question, **{place: row["answer"]}
        )

    def _text(self, row: Row) -> None:
        if not row["phone"] or not settings.SMS_HASH_KEY:  # of a number that was erased nothing is known
            self.counts["left_out"] += 1
            self.counts["text messages"] -= 1
            return
        {"text": self._message, "consent": self._entry, "block": self._block}[row["what"]](row)

    def _programme(self, name: str) -> SmsProgramme:
        return SmsProgramme.objects.get_or_create(
            account=self.account, name=name, defaults={"contact": self.account.name}
        )[0]

    def _contact(self, phone: str) -> SmsContact:
        number = {"number": phone}
        return SmsContact.objects.get_or_create(
            account=self.account, number_key=key_of(phone), defaults=number
        )[0]

    def _message(self, row: Row) -> None:
        contact = self._contact(row["phone"])
        chat = self._chats.get(row["chat"])
        firm = self.account
        site = chat.site if chat else firm.sites.order_by("pk").first() or self._site("Import")
        known = chat.department if chat else firm.departments.order_by("pk").first()
        sender, _ = SmsSender.objects.get_or_create(
            account=self.account,
            number=row["ours"],
            programme=self._programme(row["programme"]),
            defaults={
                "site": site,
                "department": known or self._department("Import"),
                "gateway": SmsSender.Gateway.CONSOLE,
                "kind": SmsSender.Kind.LONG_CODE,
            },
        )
        is_in = row["direction"] == "received"
        message = SmsMessage.objects.create(
            account=self.account,
            sender=sender,
            contact=contact,
            chat=chat,
            key=f"import:{new_uid()}",
            direction=SmsMessage.Direction.IN if is_in else SmsMessage.Direction.OUT,
            kind=row["kind"],
            state=row["state"],
            text=row["text"],
        )
        SmsMessage.objects.filter(pk=message.pk).update(created_at=_at(row["at"]))
        if chat is not None:
            held = {"contact": contact, "sender": sender, "is_over": True}
            SmsThread.objects.get_or_create(account=self.account, chat=chat, defaults=held)

    def _entry(self, row: Row) -> None:
        self._contact(row["phone"])
        ledger.append(
            self._programme(row["programme"]),
            key_of(row["phone"]),
            row["purpose"],
            row["consent"],
            at=_at(row["at"]),
            text=row["text"],
            text_sha256=row["sha256"],
            source=row["source"],
            page_url=row["page"],
            ip=row["network"] or None,
            user_agent=row["browser"],
            note=row["note"],
        )

    def _block(self, row: Row) -> None:
        SmsSuppression.objects.create(
            account=self.account,
            programme=self._programme(row["programme"]) if row["programme"] else None,
            number_key=key_of(row["phone"]),
            source=row["source"],
            word=row["word"],
            note=row["note"],
            created_at=_at(row["at"]),
            lifted_at=_perhaps(row["lifted_at"]),
        )

    def _request(self, row: Row) -> None:
        received = _at(row["received_at"])
        PrivacyRequest.objects.create(
            account=self.account,
            kind=row["kind"],
            state=row["state"],
            origin=PrivacyRequest.Origin.STAFF,
            email=row["email"],
            phone=row["phone"],
            details=row["details"],
            reason=row["reason"],
            visitor_uids=row["visitors"],
            received_at=received,
            due_at=received + timedelta(days=settings.PRIVACY_DAYS),
            closed_at=_perhaps(row["closed_at"]),
        )

    def _hold(self, row: Row) -> None:
        named = Visitor.objects.filter(account=self.account, uid__in=row["visitors"])
        LegalHold.objects.create(
            account=self.account,
            visitors=list(named.values_list("pk", flat=True)),
            reason=row["reason"],
            placed_at=_at(row["from"]),
            lifted_at=_perhaps(row["until"]),
        )

    def end(self) -> None:
        """What is said of the whole: how far the staff logs go."""
        for uid, count in self._noted.items():
            Chat.objects.filter(pk=self._chats[uid].pk).update(last_staff_seq=count)
