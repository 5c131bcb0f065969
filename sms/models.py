"""Text messages: who sends them, to whom, with whose consent, and who must never get one again.

A number stands in one place only, `SmsContact.number`; everything else names it by `number_key`, a keyed
hash, so that proof of consent and the block outlive the erasure of the person (R-192).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Account, Department, Operator, Site, uid_field
from chatlead.keys import EncryptedTextField
from chatlead.personal import Basis, Retention, Role, impersonal, personal
from chats.models import Chat


class SmsProgramme(models.Model):
    """What people agree to get texts for. HELP answers with its name and contact (R-187, R-197)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="sms_programmes")
    uid = uid_field()
    name = impersonal(models.CharField(max_length=60), "the name of a firm's programme")
    contact = impersonal(models.CharField(max_length=120), "a firm's public phone number, address or page")
    frequency = impersonal(models.CharField(max_length=60, default="Message frequency varies"), "a promise")
    terms_url = impersonal(models.URLField(max_length=300, blank=True), "a public address")
    asks_yes = models.BooleanField(default=False)  # a consent counts when the phone itself has said YES
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "name"), name="sms_programme_once"),)


class SmsSender(models.Model):
    """A number of the account's, or a messaging service, with the provider's credentials.

    `answers_stop` says who sends the confirmation of a STOP: never both. `auth_token` signs webhooks in the
    older scheme and our calls, `shared_key` (named `shared_key_id`) webhooks in the newer one.

    A number at a provider is a claim: what was texted to it counts for whoever has it later (R-192). It is
    proved, at `proved_at`, when the provider lists the number under these credentials; one proof of a number
    is in force on this server. Before that nothing is sent and nothing is heard, and `fault` says why.
    """

    class Kind(models.TextChoices):
        LONG_CODE = "long_code", "Local number"
        TOLL_FREE = "toll_free", "Toll-free number"
        SERVICE = "service", "Messaging service"

    class Gateway(models.TextChoices):
        CONSOLE = "console", "None: written to a file"
        TWILIO = "twilio", "Twilio"

    class Fault(models.TextChoices):
        NOT_LISTED = "not_listed", "The provider does not list this number in this account"
        CREDENTIALS = "credentials", "The provider does not accept the account SID and token"
        NO_ANSWER = "no_answer", "The provider did not answer; it is asked again"
        ANOTHERS = "anothers", "Another sender on this server has proved this number"
        RELEASED = "released", "Released by the staff of this server"

    class Answers(models.TextChoices):
        GATEWAY = "gateway", "The provider"
        APP = "app", "ChatLead"

    account = models.ForeignKey(Account, models.CASCADE, related_name="sms_senders")
    programme = models.ForeignKey(SmsProgramme, models.PROTECT, related_name="senders")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    uid = uid_field()
    gateway = models.CharField(max_length=10, choices=Gateway.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = impersonal(models.CharField(max_length=40, blank=True), "the firm's own number, E.164")
    service_sid = impersonal(models.CharField(max_length=40, blank=True), "the provider's id of a service")
    account_sid = impersonal(models.CharField(max_length=40, blank=True), "the provider's id of the firm")
    auth_token = impersonal(EncryptedTextField(blank=True), "a secret of the firm's, encrypted")
    shared_key_id = impersonal(models.CharField(max_length=64, blank=True), "the name of a key")
    shared_key = impersonal(EncryptedTextField(blank=True), "a secret of the firm's, encrypted")
    answers_stop = models.CharField(max_length=10, choices=Answers.choices, default=Answers.APP)
    is_registered = models.BooleanField(default=False)  # with the carriers: nothing is sent before
    proved_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=12, choices=Fault.choices, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("number",), condition=Q(proved_at__isnull=False), name="sms_number_proved_once"
            ),
        )

    @property
    def is_live(self) -> bool:
        """Whether anything is sent from it and heard by it: a service needs no number of its own."""
        return self.gateway != self.Gateway.TWILIO or not self.number or self.proved_at is not None


class SmsForm(models.Model):
    """Where this site's form asks for a phone number, it has the boxes of this programme, too (R-180)."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False, related_name="sms_forms")
    site = models.OneToOneField(Site, models.CASCADE, related_name="+")
    programme = models.ForeignKey(SmsProgramme, models.CASCADE, related_name="forms")
    created_at = models.DateTimeField(auto_now_add=True)


class SmsPause(models.Model):
    """The kill switch is on (R-186): for a programme, or for all of them where `programme` is None."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="sms_pauses")
    programme = models.ForeignKey(SmsProgramme, models.CASCADE, null=True, blank=True)
    operator = models.ForeignKey(Operator, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)


class SmsContact(models.Model):
    """A number with which the account has to do. Its row is the lock under which texts are handed over and a
    STOP is written. `number` is "" when the person was erased."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="sms_contacts")
    uid = uid_field()
    number = personal(
        models.CharField(max_length=20, blank=True),
        purpose="write to the person who gave it",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    number_key = impersonal(models.CharField(max_length=64), "a keyed hash of a number")
    help_at = models.DateTimeField(null=True, blank=True)  # when HELP was answered last
    landline = models.BooleanField(default=False)  # the provider says that no text arrives there
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "number_key"), name="sms_contact_once"),)


class SmsThread(models.Model):
    """A chat that is held by text message. The operator's rows up to `handled_seq` are on their way."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    chat = models.OneToOneField(Chat, models.CASCADE, related_name="sms_thread")
    contact = models.ForeignKey(SmsContact, models.CASCADE, related_name="threads")
    sender = models.ForeignKey(SmsSender, models.PROTECT, related_name="+")
    handled_seq = models.BigIntegerField(default=0)
    is_over = models.BooleanField(default=False)  # the chat has ended, and all that was said is on its way
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("id",), condition=Q(is_over=False), name="sms_thread_open"),)


class SmsMessage(models.Model):
    """A text that came or goes. `key` names the intent: wanted twice, it is one row; `provider_sid` is the
    provider's, so what it repeats is one row, too (B1-16). States only go forward (B1-17)."""

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    class Kind(models.TextChoices):
        CHAT = "chat", "Chat"
        STOP = "stop", "Confirmation of STOP"
        HELP = "help", "Answer to HELP"
        START = "start", "Confirmation of START"
        WELCOME = "welcome", "Confirmation of consent"
        QUESTION = "question", "Asks for a YES"
        SERVICE = "service", "Service"
        MARKETING = "marketing", "Marketing"

    class State(models.TextChoices):
        QUEUED = "queued", "Waits"
        SENDING = "sending", "Is being handed over"
        ACCEPTED = "accepted", "Handed over"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        READ = "read", "Read"
        UNDELIVERED = "undelivered", "Not delivered"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Not known whether it was sent"
        CANCELLED = "cancelled", "Cancelled"
        REFUSED = "refused", "Not sent"
        RECEIVED = "received", "Received"

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    sender = models.ForeignKey(SmsSender, models.PROTECT, related_name="messages", db_index=False)
    contact = models.ForeignKey(SmsContact, models.CASCADE, related_name="messages", db_index=False)
    chat = models.ForeignKey(Chat, models.SET_NULL, null=True, blank=True, related_name="+")
    chat_seq = models.BigIntegerField(null=True, blank=True)
    uid = uid_field()
    key = impersonal(models.CharField(max_length=80), "an idempotency key made of ids")
    provider_sid = impersonal(models.CharField(max_length=64, null=True, blank=True), "the provider's id")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices)
    text = personal(
        models.TextField(blank=True),
        purpose="the conversation",
        basis=Basis.CONTRACT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    segment_count = models.PositiveSmallIntegerField(default=1)
    media_count = models.PositiveSmallIntegerField(default=0)  # counted, never fetched (B1-19)
    error = impersonal(models.CharField(max_length=40, blank=True), "a code of the provider's, or a reason")
    expires_at = models.DateTimeField(null=True, blank=True)  # not handed over later than that
    handed_over_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "key"), name="sms_key_once"),
            models.UniqueConstraint(fields=("account", "provider_sid"), name="sms_provider_sid_once"),
        )
        indexes = (
            models.Index(fields=("account", "-id"), name="sms_account"),
            models.Index(fields=("contact", "-id"), name="sms_of_contact"),
            models.Index(fields=("sender", "id"), condition=Q(state="queued"), name="sms_queued"),
        )


class SmsLedger(models.Model):
    """The end of an account's chain of consents. Outlives the account."""

    account = models.OneToOneField(
        Account, models.DO_NOTHING, db_constraint=False, related_name="sms_ledger", primary_key=True
    )
    head = impersonal(models.CharField(max_length=64, default="0" * 64), "a hash")
    entry_count = models.BigIntegerField(default=0)


class SmsConsent(models.Model):
    """An entry of the ledger of consents (B1-11): given, refused or withdrawn, for one number, programme and
    purpose; or given by whoever filled a form in, while the phone has not said YES yet. Only ever appended,
    which triggers of the database see to; each entry holds the hash of the one before, so that a changed or
    missing one is found (`sms.ledger.check`). Outlives account and person."""

    class Deed(models.TextChoices):
        GRANTED = "granted", "Agreed"
        PENDING = "pending", "Agreed, and was asked for a YES"
        NO_CONSENT = "no_consent", "Did not agree"
        WITHDRAWN = "withdrawn", "Withdrew"

    class Purpose(models.TextChoices):
        SERVICE = "service", "Service"
        MARKETING = "marketing", "Marketing"

    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, db_index=False)
    programme = models.ForeignKey(
        SmsProgramme, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="consents"
    )
    uid = uid_field()
    position = models.BigIntegerField()  # gapless from 1 in the account
    number_key = impersonal(models.CharField(max_length=64), "a keyed hash of a number")
    channel = impersonal(models.CharField(max_length=12, default="sms"), "a word from a fixed list")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    deed = models.CharField(max_length=10, choices=Deed.choices)
    source = impersonal(models.CharField(max_length=20), "a word from a fixed list: form, sms, phone ...")
    text = impersonal(models.TextField(blank=True), "the text that was agreed to, the same for everybody")
    text_sha256 = impersonal(models.CharField(max_length=64, blank=True), "a hash of that text")
    text_version = impersonal(models.CharField(max_length=40, blank=True), "the version of that text")
    form_field = impersonal(models.CharField(max_length=60, blank=True), "the name of a box in a form")
    default_ticked = models.BooleanField(default=False)
    provider_sid = impersonal(models.CharField(max_length=64, blank=True), "the provider's id of a message")
    note = personal(
        models.CharField(max_length=200, blank=True),
        purpose="proof of what was asked for by phone or mail",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    page_url = personal(
        models.CharField(max_length=500, blank=True),
        purpose="proof of consent",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    ip = personal(
        models.GenericIPAddressField(null=True, blank=True),  # truncated to /24 or /48
        purpose="proof of consent",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    user_agent = personal(
        models.CharField(max_length=400, blank=True),
        purpose="proof of consent",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    at = models.DateTimeField()
    previous = impersonal(models.CharField(max_length=64), "a hash")
    sha256 = impersonal(models.CharField(max_length=64), "a hash")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "position"), name="sms_consent_position"),)
        indexes = (models.Index(fields=("account", "number_key", "position"), name="sms_consent_of_number"),)


class SmsSuppression(models.Model):
    """This number gets no text of the account's any more, whatever anybody agreed to (R-192, R-195).

    For one programme, or for all of them where `programme` is None but for those in `except_programmes` (uids
    to which the person has come back). Outlives account and person; `our_number` finds it again where the
    same number of ours belongs to a new account.
    """

    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, db_index=False)
    programme = models.ForeignKey(
        SmsProgramme, models.DO_NOTHING, db_constraint=False, db_index=False, null=True, blank=True
    )
    uid = uid_field()
    number_key = impersonal(models.CharField(max_length=64), "a keyed hash of a number")
    our_number = impersonal(models.CharField(max_length=40, blank=True), "the firm's own number")
    source = impersonal(models.CharField(max_length=20), "a word from a fixed list: sms, gateway, phone ...")
    word = impersonal(models.CharField(max_length=20, blank=True), "one of our keywords")
    note = personal(
        models.CharField(max_length=200, blank=True),
        purpose="proof of what was asked for by phone or mail",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    provider_sid = impersonal(models.CharField(max_length=64, blank=True), "the provider's id of a message")
    except_programmes = impersonal(models.JSONField(default=list, blank=True), "random ids")
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("number_key",), condition=Q(lifted_at__isnull=True), name="sms_suppression_active"
            ),
        )
