"""What a visitor may be asked when a chat has ended, and what was answered (R-040 to R-046)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Account, Department, Language, Operator, Site, uid_field
from chatlead.keys import EncryptedTextField
from chatlead.personal import Basis, Retention, Role, impersonal, personal
from chats.models import Chat

TITLE_MAX = 200
INTRO_MAX = 500
LABEL_MAX = 300
OPTION_MAX = 100
VALUE_MAX = 200


class VendorBlock(models.Model):
    """Whether an account's surveys also ask our own questions, about ChatLead itself (R-045). No row: they do
    not. What is answered there is all that we see of a survey, and only in numbers."""

    account = models.OneToOneField(Account, models.CASCADE, related_name="vendor_block")
    is_on = models.BooleanField(default=False)


class Survey(models.Model):
    """The survey of a site, or of one department of it, which goes before (R-044).

    `current` is what is asked now; None until something was published. Nobody is asked while it is not
    enabled.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="surveys")
    site = models.ForeignKey(Site, models.CASCADE, related_name="surveys")
    department = models.ForeignKey(Department, models.CASCADE, null=True, blank=True, related_name="surveys")
    uid = uid_field()
    is_enabled = models.BooleanField(default=True)
    current = models.OneToOneField(
        "SurveyVersion", models.SET_NULL, null=True, blank=True, related_name="current_of"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("site", "department"), name="survey_department_once"),
            models.UniqueConstraint(
                fields=("site",), condition=Q(department=None), name="survey_of_site_once"
            ),
        )


class SurveyVersion(models.Model):
    """What is asked from one publication to the next. Never changed: an answer points at what was read."""

    account = models.ForeignKey(Account, models.CASCADE)
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = impersonal(models.CharField(max_length=TITLE_MAX), "a text the firm shows to everybody")
    intro = impersonal(
        models.CharField(max_length=INTRO_MAX, blank=True), "a text the firm shows to everybody"
    )
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("survey", "number"), name="survey_version_once"),)


class Question(models.Model):
    """One question of a version. Each may be skipped; `options` are the texts of a `choice`, else empty."""

    class Kind(models.TextChoices):
        SCORE = "score", "Score from 1 to 5"
        CHOICE = "choice", "Choice"
        TEXT = "text", "Free text"
        EMAIL = "email", "Email"
        PHONE = "phone", "Phone"
        ZIP = "zip", "ZIP code"
        AGE = "age", "Age group"
        INCOME = "income", "Income group"

    account = models.ForeignKey(Account, models.CASCADE)
    version = models.ForeignKey(SurveyVersion, models.CASCADE, related_name="questions")
    uid = uid_field()
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    label = impersonal(models.CharField(max_length=LABEL_MAX), "a text the firm shows to everybody")
    options = impersonal(models.JSONField(default=list, blank=True), "texts the firm shows to everybody")
    is_vendor = models.BooleanField(default=False)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("version", "position"), name="question_position_once"),
        )


# Whoever answers these has told who she is, or how to reach her: encrypted, and never counted.
CONTACT = frozenset({Question.Kind.TEXT, Question.Kind.EMAIL, Question.Kind.PHONE})
DEMOGRAPHIC = frozenset({Question.Kind.ZIP, Question.Kind.AGE, Question.Kind.INCOME})
UNSAID = "none"  # "prefer not to say"
MINOR = "u18"
AGES = (MINOR, "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOMES = ("u25", "25-50", "50-75", "75-100", "100-150", "150+")  # thousands of dollars a year


class Response(models.Model):
    """That one chat's visitor was offered a survey, and what became of it; one a chat, so once (R-040).

    `shown_ref` is of the frame in which it stands; another one is not shown it again. `ref` is what it was
    answered by. Site, department and operator are those of the chat when it ended. `visitor_number` is the
    visitor's database id, without a key, so that an erasure finds it whatever went first; None afterwards.
    """

    class State(models.TextChoices):
        OFFERED = "offered"
        ANSWERED = "answered"
        SKIPPED = "skipped"

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    version = models.ForeignKey(SurveyVersion, models.RESTRICT, related_name="responses")
    chat = models.OneToOneField(Chat, models.SET_NULL, null=True, blank=True, related_name="survey_response")
    site = models.ForeignKey(Site, models.CASCADE)
    department = models.ForeignKey(Department, models.SET_NULL, null=True, blank=True)
    operator = models.ForeignKey(Operator, models.SET_NULL, null=True, blank=True)
    visitor_number = models.BigIntegerField(null=True, blank=True, db_index=True)
    uid = uid_field()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OFFERED)
    language = models.CharField(max_length=2, choices=Language.choices, default="en")
    shown_ref = models.UUIDField(null=True, blank=True)
    ref = models.UUIDField(null=True, blank=True)
    offered_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("account", "offered_at"), name="response_offered"),)


class Answer(models.Model):
    """One answer. A score is a number and stays after an erasure; `value` is a chosen option, a band or a
    ZIP code; `text` is what was written."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    response = models.ForeignKey(Response, models.CASCADE, related_name="answers")
    question = models.ForeignKey(Question, models.RESTRICT, related_name="answers")
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    value = personal(
        models.CharField(max_length=VALUE_MAX, blank=True),
        purpose="the firm learns whom it serves",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    text = personal(
        EncryptedTextField(blank=True),
        purpose="the firm learns what was good and may answer",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("response", "question"), name="answer_once"),)
