"""Whose a number is: the provider says so, one account has it, and staff decides between two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import outbox
from accounts.models import Account, AuditEntry, Department, Operator, OutboxItem, Site, User
from chatlead.errors import BadField
from chats.models import Chat
from sms import actions, selectors
from sms.models import SmsMessage, SmsProgramme, SmsSender, SmsSuppression
from sms.numbers import key_of
from tests.at_once import at_once
from tests.fake_twilio import ACCOUNT, FakeTwilio
from tests.sms.conftest import ACME, VERA, all_is_done, states
from tests.sms.consents import agrees

pytestmark = pytest.mark.django_db(transaction=True)
EVES = "AC" + "e" * 32
EVIL = "evil" * 8


@pytest.fixture
def eves(
    rival: Account, rival_site: Site, rival_sales: Department, eve: Operator, provider: FakeTwilio
) -> dict[str, Any]:
    """A sender of eve's, with an account of her own at the provider, which has another number."""
    provider.others[EVES] = (EVIL, {"+18135550122"})
    return {
        "account": rival, "programme": actions.add_programme(account=rival, name="Rival", contact="call", terms_url="https://acme.test/terms"),
        "site": rival_site, "department": rival_sales, "gateway": "twilio", "kind": "long_code",
        "account_sid": EVES, "auth_token": EVIL, "is_registered": True, "by": eve,
    }  # fmt: skip


def says(sender: SmsSender, body: str, token: str = EVIL) -> int:
    """The sender's own account at the provider signs a text of vera's; the status of our answer."""
    hers = FakeTwilio(token=token)
    path = f"/webhooks/twilio/{sender.uid}/inbound/"
    return int(hers.post(path, hers.form(VERA, body, AccountSid=sender.account_sid)).status_code)


def test_eve_who_comes_first_neither_gets_acmes_number_nor_lifts_its_stop(
    eves: dict[str, Any], provider: FakeTwilio, request: pytest.FixtureRequest
) -> None:
    """R-192, R-112: acme's number is none of hers, whatever she enters and signs, before acme or after."""
    first = actions.add_sender(**eves, number=ACME)
    assert (first.proved_at, first.fault, first.is_live) == (None, "not_listed", False)
    assert says(first, "STOP") == 403
    assert not SmsSuppression.objects.exists()
    sender: SmsSender = request.getfixturevalue("sender")
    assert sender.is_live
    assert says(sender, "STOP", provider.token) == 200
    assert [says(first, "START"), says(sender, "START")] == [403, 403]
    service = actions.add_sender(**eves | {"kind": "service", "service_sid": "MG" + "e" * 32}, number=ACME)
    assert says(service, "START") == 403
    assert selectors.is_suppressed(key_of(VERA), sender.programme)
    assert SmsSuppression.objects.get().account_id == sender.account_id
    assert actions.prove_sender(sender=first) == "not_listed"


def test_a_number_that_is_not_proved_sends_nothing(eves: dict[str, Any], provider: FakeTwilio) -> None:
    """R-195: not even what somebody has agreed to."""
    hers = actions.add_sender(**eves, number=ACME)
    agrees(eves["programme"], VERA, service=True)
    all_is_done()
    assert (provider.calls, states()) == (0, [("welcome", "refused", "number_unproved")])
    assert hers.fault == "not_listed" and not Chat.objects.exists()


def test_part_of_a_number_is_not_the_number(sender: SmsSender, provider: FakeTwilio) -> None:
    """R-192: the provider's filter finds longer numbers as well."""
    provider.numbers = {f"{ACME}0"}
    actions.change_sender(sender=sender, account_sid="AC" + "1" * 32)
    actions.change_sender(sender=sender, account_sid=ACCOUNT)
    assert sender.fault == "not_listed"


def test_of_two_accounts_that_prove_a_number_at_once_one_has_it(
    eves: dict[str, Any], acme: Account, programme: SmsProgramme, site: Site, intake: Department
) -> None:
    """R-192: the database decides, not the look before."""
    shared = {"gateway": "twilio", "kind": "long_code", "account_sid": EVES, "auth_token": EVIL}
    theirs = {"account": acme, "programme": programme, "site": site, "department": intake, **shared}

    def claim(facts: dict[str, Any]) -> str:
        try:
            actions.add_sender(**facts, number="+18135550122")
        except BadField as error:
            return str(error.field)
        return "has it"

    assert sorted(at_once(lambda: claim(eves), lambda: claim(theirs))) == ["has it", "number"]
    assert SmsSender.objects.filter(proved_at__isnull=False).count() == 1


def test_staff_releases_a_number_for_whoever_can_prove_it(
    sender: SmsSender, eves: dict[str, Any], provider: FakeTwilio, logged_in: Callable[[Operator], Client]
) -> None:
    """R-192: acme has given its number up at the provider, where eve's firm has it now."""
    assert says(sender, "STOP", provider.token) == 200
    provider.numbers.discard(ACME)
    provider.others[EVES][1].add(ACME)
    with pytest.raises(BadField, match="staff of this server"):
        actions.add_sender(**eves, number=ACME)
    staff = Client()
    staff.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True))
    page = staff.get(f"/admin/sms/smssender/{sender.pk}/change/").text
    assert ACME in page and sender.auth_token not in page and sender.shared_key not in page
    released = staff.post(
        "/admin/sms/smssender/", {"action": "release_numbers", "_selected_action": [sender.pk]}, follow=True
    )
    assert "1 number is released." in released.text
    assert AuditEntry.objects.get(action="sms.number_released").actor == "user"
    hers = actions.add_sender(**eves, number=ACME)
    assert hers.is_live
    assert says(sender, "START", provider.token) == 403
    assert selectors.is_suppressed(key_of(VERA), hers.programme, ACME), "whoever said STOP to it said so"
    assert actions.prove_sender(sender=sender) == "not_listed"
    olga = Client()
    olga.force_login(eves["by"].user)
    assert olga.get("/admin/sms/smssender/").status_code in (302, 404)


def test_a_provider_that_does_not_answer_is_asked_again(
    sender: SmsSender, provider: FakeTwilio, owen: Operator
) -> None:
    """V-7: nobody has to remember it."""
    provider.is_silent = True
    actions.change_sender(sender=sender, number="+18135550133", by=owen)
    assert (sender.is_live, sender.fault) == (False, "no_answer")
    for pk in outbox.due_ids():
        outbox.carry_out(pk)
    assert not SmsSender.objects.get().is_live
    provider.is_silent = False
    OutboxItem.objects.filter(state="pending").update(due_at=timezone.now())
    for pk in outbox.due_ids():
        outbox.carry_out(pk)
    assert SmsSender.objects.get().is_live


def test_another_token_while_the_provider_is_silent_loses_no_stop_and_no_text(
    sender: SmsSender, provider: FakeTwilio, programme: SmsProgramme
) -> None:
    """R-193, B1-15: number and account are the same, so what was proved stays so until the provider says
    otherwise; what it says then counts."""
    provider.token = "changed at the provider"
    provider.is_silent = True
    actions.change_sender(sender=sender, auth_token=provider.token)
    assert (sender.is_live, sender.fault) == (True, "no_answer")
    assert says(sender, "STOP", provider.token) == 200
    assert selectors.is_suppressed(key_of(VERA), programme)
    provider.is_silent = False
    provider.numbers.clear()
    OutboxItem.objects.filter(state="pending").update(due_at=timezone.now())
    for pk in outbox.due_ids():
        outbox.carry_out(pk)
    sender.refresh_from_db()
    assert (sender.is_live, sender.fault) == (False, "not_listed")


def test_a_text_waits_until_the_provider_says_whose_the_number_is(
    sender: SmsSender, provider: FakeTwilio, programme: SmsProgramme
) -> None:
    """B1-18: a silence of the provider's is no reason to give a text up."""
    provider.is_silent = True
    actions.change_sender(sender=sender, number="+18135550133")
    agrees(programme, VERA, service=True)
    all_is_done()
    assert states() == [("welcome", "queued", "")]
    provider.is_silent = False
    for _ in range(2):
        OutboxItem.objects.filter(state="pending").update(due_at=timezone.now())
        all_is_done()
    assert states() == [("welcome", "accepted", "")]


def test_who_saves_a_sender_undoes_nothing_that_happened_meanwhile(
    sender: SmsSender, provider: FakeTwilio
) -> None:
    """R-192: staff has released the number, or somebody entered another one, since the page was opened."""
    opened = SmsSender.objects.get(pk=sender.pk)
    assert actions.release_number(sender=sender, by=User.objects.create(email="staff@chatlead.test"))
    actions.change_sender(sender=opened, answers_stop="gateway")
    sender.refresh_from_db()
    assert (sender.answers_stop, sender.proved_at, sender.fault) == ("gateway", None, "released")
    opened = SmsSender.objects.get(pk=sender.pk)
    actions.change_sender(sender=sender, number="+18135550133")
    with pytest.raises(BadField, match="meanwhile"):
        actions.change_sender(sender=opened, auth_token="another")
    sender.refresh_from_db()
    assert (sender.number, sender.is_live) == ("+18135550133", True)


def test_what_has_nothing_to_do_with_the_number_leaves_its_proof(
    sender: SmsSender, provider: FakeTwilio
) -> None:
    """R-192: another answer to STOP is no other number; and a second sender of the same number is refused."""
    provider.is_silent = True
    actions.change_sender(sender=sender, answers_stop="gateway")
    assert sender.is_live
    provider.is_silent = False
    facts = {name: getattr(sender, name) for name in ("account", "programme", "site", "department")}
    with pytest.raises(BadField, match="already"):
        actions.add_sender(
            **facts, gateway="twilio", kind="long_code", number=ACME, account_sid=ACCOUNT,
            auth_token=provider.token,
        )  # fmt: skip


def test_a_webhook_key_that_was_given_away_is_removed(
    sender: SmsSender, provider: FakeTwilio, logged_in: Callable[[Operator], Client], owen: Operator
) -> None:
    """B1-13: with its name; from then on nothing that it signs is heard."""
    path = f"/webhooks/twilio/{sender.uid}/inbound/"
    assert provider.post(path, provider.form(VERA, "Hello"), newer=True).status_code == 200
    actions.change_sender(sender=sender, shared_key_id="", shared_key="", by=owen)
    assert provider.post(path, provider.form(VERA, "Hello"), newer=True).status_code == 403
    assert provider.post(path, provider.form(VERA, "Hello")).status_code == 200


def test_two_clicks_are_one_programme(acme: Account) -> None:
    """R-187: at the same moment."""

    def adds() -> str:
        try:
            actions.add_programme(
                account=acme, name="News", contact="call us", terms_url="https://acme.test/terms"
            )
        except BadField as error:
            return str(error.field)
        return "added"

    assert sorted(at_once(adds, adds)) == ["added", "name"]


def test_a_service_has_a_name_with_every_provider(eves: dict[str, Any]) -> None:
    """R-192: a sender without any could not be told from another."""
    with pytest.raises(BadField) as refused:
        actions.add_sender(**eves | {"gateway": "console", "kind": "service"})
    assert refused.value.field == "service_sid"


def test_owen_reads_why_nothing_is_sent_and_asks_again(
    sender: SmsSender, provider: FakeTwilio, logged_in: Callable[[Operator], Client], owen: Operator
) -> None:
    """R-192: in words, with what to do."""
    provider.numbers.clear()
    actions.change_sender(sender=sender, number="+18135550133")
    client = logged_in(owen)
    client.get("/account/sms/programme/")
    assert "Not confirmed" in client.get("/account/sms/").text
    path = f"/account/sms/senders/{sender.uid}/"
    page = client.get(path).text
    assert "does not list this number" in page and "Check again" in page
    token = {"csrfmiddlewaretoken": client.cookies["cl_csrf"].value}
    assert "does not list this number" in client.post(f"{path}prove/", token, follow=True).text
    provider.numbers.add("+18135550133")
    shown = client.post(f"{path}prove/", token, follow=True).text
    assert "is confirmed by the provider" in shown and "Check again" not in shown
    provider.token = "another token"
    actions.change_sender(sender=sender, number=ACME)
    assert "does not accept the account SID and token" in client.get(path).text
    assert not SmsMessage.objects.exists()
