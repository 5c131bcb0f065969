"""What surveys have brought: numbers of a period beside those of the period before (R-046).

A supervisor's are of their departments, an admin's of the account. Of what tells who somebody is (ZIP code,
age, income) only numbers are ever shown, and none of them below CELL_MIN (R-043). The rule: each answer is in
one number only, and a number is told in steps of CELL_MIN. One number only, because of two sums that overlap
the difference would tell what is hidden: they are of whole months that are over, of all surveys and
departments at once, whatever a page is asked for, and so for admins alone. In steps, because a file says how
many have answered, and what is exact could be taken from that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Avg, Count, Q
from django.utils import timezone

from accounts.models import OperatorRole
from surveys.answers import options_of
from surveys.links import LIFETIME
from surveys.models import AGES, CONTACT, DEMOGRAPHIC, INCOMES, MINOR, UNSAID, Answer, Question, Response
from surveys.selectors import unrestricted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import QuerySet

    from accounts.models import Operator
    from surveys.models import Survey

Kind = Question.Kind
State = Response.State
CELL_MIN = 5
TEXTS_SHOWN = 50
ZIPS_SHOWN = 20
PERIODS = (7, 30, 90, 365)


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one period. Whatever was not answered was skipped or put away."""

    offered: int
    answered: int
    average: float | None

    @property
    def skipped(self) -> int:
        """Asked, and not answered."""
        return self.offered - self.answered

    @property
    def percent(self) -> int | None:
        """How many of a hundred have answered; None where nobody was asked."""
        return round(100 * self.answered / self.offered) if self.offered else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One answer and how often it was given; `shown` is what may be said of it, `width` of 100."""

    label: str
    shown: str
    before: str
    width: int


@dataclass(slots=True)
class Figures:
    """One question, in all versions that ask it in the same words. `total` is "" where it is not told."""

    kind: str
    label: str
    is_vendor: bool
    now_label: str
    before_label: str
    total: str = "0"
    average: float | None = None
    average_before: float | None = None
    bars: list[Bar] = field(default_factory=list)
    texts: list[Answer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """What one operator, department or site has got."""

    name: str
    now: Totals
    before: Totals


@dataclass(frozen=True, slots=True)
class Results:
    """A page of results. `over_time` is in equal parts of the period, the oldest first."""

    days: int
    now: Totals
    before: Totals
    questions: list[Figures]
    groups: list[tuple[str, list[Row]]]
    over_time: list[tuple[datetime, Totals]]


def responses_of(operator: Operator, survey: Survey | None = None) -> QuerySet[Response]:
    """All that this operator may know of, of one survey or of all."""
    found = unrestricted(operator.account_id)
    if operator.role == OperatorRole.SUPERVISOR:
        found = found.filter(department__in=operator.departments.all())
    return found.filter(version__survey=survey) if survey else found


def in_period(operator: Operator, survey: Survey | None, days: int) -> QuerySet[Response]:
    """What was offered in the last `days`."""
    since = timezone.now() - timedelta(days=days)
    return responses_of(operator, survey).filter(offered_at__gt=since)


def columns(found: QuerySet[Response]) -> list[tuple[str, str]]:
    """(kind, label) of what was answered, in the order of the questions, but for what tells who somebody
    is."""
    asked = Question.objects.filter(answers__response__in=found).exclude(kind__in=DEMOGRAPHIC)
    rows = asked.order_by("version_id", "position").values_list("kind", "label", "version_id", "position")
    return list(dict.fromkeys((kind, label) for kind, label, *_ in rows.distinct()))


def batches(found: QuerySet[Response], size: int = 500) -> Iterator[list[Response]]:
    """All of these with their answers, the oldest row first; each batch is a question of its own."""
    whole = found.select_related("site", "department", "operator").prefetch_related("answers__question")
    last = 0
    while batch := list(whole.filter(pk__gt=last).order_by("pk")[:size]):
        yield batch
        last = batch[-1].pk


def results(operator: Operator, survey: Survey | None, days: int, now: datetime | None = None) -> Results:
    """Of the last `days`, and of as many before."""
    until = now or timezone.now()
    span = timedelta(days=days)
    mine = responses_of(operator, survey)
    present = mine.filter(offered_at__gt=until - span, offered_at__lte=until)
    past = mine.filter(offered_at__gt=until - 2 * span, offered_at__lte=until - span)
    parts = min(days, 12)
    steps = [until - span + each * span / parts for each in range(parts)]
    return Results(
        days=days,
        now=_totals(present),
        before=_totals(past),
        questions=[
            *_questions(present, past, (f"Last {days} days", "Before"), ~Q(kind__in=DEMOGRAPHIC)),
            *_people(operator, until),
        ],
        groups=[
            ("Operators", _rows(present, past, "operator__name", "Nobody any more")),
            ("Departments", _rows(present, past, "department__name", "None any more")),
            ("Sites", _rows(present, past, "site__name", "")),
        ],
        over_time=[
            (step, _totals(present.filter(offered_at__gt=step, offered_at__lte=step + span / parts)))
            for step in steps
        ],
    )


OWN_SCORES = Q(answers__score__isnull=False, answers__question__is_vendor=False)
_COUNTED: dict[str, Any] = {
    "offered": Count("pk", distinct=True),
    "answered": Count("pk", filter=Q(state=State.ANSWERED), distinct=True),
    "average": Avg("answers__score", filter=OWN_SCORES),
}


def _totals(found: QuerySet[Response]) -> Totals:
    return Totals(**found.aggregate(**_COUNTED))


def _rows(present: QuerySet[Response], past: QuerySet[Response], column: str, nobody: str) -> list[Row]:
    def counted(found: QuerySet[Response]) -> dict[str, Totals]:
        rows = found.values(column).annotate(**_COUNTED).order_by()
        return {row.pop(column) or nobody: Totals(**row) for row in rows}

    now, before = counted(present), counted(past)
    nothing = Totals(0, 0, None)
    names = sorted({*now, *before}, key=str.casefold)
    return [Row(name, now.get(name, nothing), before.get(name, nothing)) for name in names]


# --- for us -------------------------------------------------------------------------------------------


def vendor_report() -> list[tuple[str, int, float | None]]:
    """All that we see of anybody's survey (R-045): of each of our own questions how often it was answered and
    the average, over all accounts. Nothing that a subscriber asks, and nothing that was written."""
    ours = Answer.objects.filter(question__is_vendor=True, score__isnull=False)
    rows = ours.values("question__label").annotate(number=Count("pk"), average=Avg("score"))
    return list(rows.order_by("question__label").values_list("question__label", "number", "average"))


# --- questions ----------------------------------------------------------------------------------------


def _people(operator: Operator, until: datetime) -> list[Figures]:
    """What tells who people are, over the whole account, in the newest month in which nobody can answer any
    more, and in the one before. Months do not overlap and do not move, so no two pages can be taken from each
    other; a supervisor's departments and the account do overlap, so a supervisor gets none."""
    if operator.role == OperatorRole.SUPERVISOR:
        return []
    end = (until.astimezone(UTC) - LIFETIME).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begin = (end - timedelta(days=1)).replace(day=1)
    older = (begin - timedelta(days=1)).replace(day=1)
    return _questions(
        _of_month(operator, begin, end),
        _of_month(operator, older, begin),
        (f"{begin:%B %Y}", f"{older:%B %Y}"),
        Q(kind__in=DEMOGRAPHIC),
    )


def _of_month(operator: Operator, begin: datetime, end: datetime) -> QuerySet[Response]:
    """Asked in this month, and answered before anybody could look: a frame that stands open may answer still,
    and whoever looked before and after would know what."""
    asked = responses_of(operator).filter(offered_at__gte=begin, offered_at__lt=end)
    return asked.filter(done_at__lt=end + LIFETIME)


def in_steps(counts: Counter[str], keys: Sequence[str]) -> dict[str, str]:
    """What may be said of how often each of these was answered: "<5" (nobody, too), "5 to 9", and so on.

    Whoever knows how many have answered in all cannot tell from it how many are behind one step, unless each
    is at the end of its own: 28 in all and "<5" seven times is four each. So nothing is told where that is
    so, nor of any 28.
    """
    tops = (CELL_MIN - 1) * len(keys)
    if sum(counts[key] for key in keys) == tops or all(
        counts[key] % CELL_MIN == CELL_MIN - 1 for key in keys
    ):
        return dict.fromkeys(keys, "–")
    return {key: _step(counts[key]) for key in keys}


def _step(count: int) -> str:
    low = _low(count)
    return f"{low} to {low + CELL_MIN - 1}" if low else f"<{CELL_MIN}"


def _low(count: int) -> int:
    """The begin of the step."""
    return count - count % CELL_MIN


def _questions(
    present: QuerySet[Response], past: QuerySet[Response], labels: tuple[str, str], which: Q
) -> list[Figures]:
    """In the order of the newest version. The same words, kind and answers are one question."""
    versions = present.values("version")
    asked = Question.objects.filter(which, version__in=versions).order_by("-version_id", "position")
    now, before = _counts(present), _counts(past)
    same: dict[Any, list[Question]] = defaultdict(list)
    for each in asked:
        same[_words(each)].append(each)
    older: dict[Any, list[Question]] = defaultdict(list)
    for each in Question.objects.filter(version__in=past.values("version")):
        older[_words(each)].append(each)
    return [
        _figures(group, labels, _sum(now, group), _sum(before, older[key]), present)
        for key, group in same.items()
    ]


def _words(question: Question) -> tuple[str, str, tuple[str, ...]]:
    return question.kind, question.label, tuple(question.options)


def _counts(found: QuerySet[Response]) -> dict[int, Counter[str]]:
    """{question: {what was answered: how often}}; of written answers only how many."""
    rows = Answer.objects.filter(response__in=found).values("question", "score", "value")
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows.annotate(number=Count("pk")).order_by():
        key = str(row["score"]) if row["score"] is not None else row["value"]
        counts[row["question"]][key] += row["number"]
    return counts


def _sum(counts: dict[int, Counter[str]], group: Iterable[Question]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in group:
        total += counts.get(each.pk, Counter())
    return total


def _figures(
    group: list[Question],
    labels: tuple[str, str],
    now: Counter[str],
    before: Counter[str],
    present: QuerySet[Response],
) -> Figures:
    question = group[0]
    figures = Figures(question.kind, question.label, question.is_vendor, *labels, total=str(now.total()))
    if question.kind in CONTACT:
        written = Answer.objects.filter(response__in=present, question__in=group)
        figures.texts = list(written.select_related("response").order_by("-pk")[:TEXTS_SHOWN])
        return figures
    if question.kind in DEMOGRAPHIC:
        _tell_people(figures, now, before)
        return figures
    most = max(now.values(), default=0)
    for key in options_of(question):
        width = round(100 * now[key] / most) if most else 0
        figures.bars.append(Bar(band(question.kind, key), str(now[key]), str(before[key]), width))
    if question.kind == Kind.SCORE:
        figures.average, figures.average_before = _mean(now), _mean(before)
    return figures


def _tell_people(figures: Figures, now: Counter[str], before: Counter[str]) -> None:
    """In steps, and without a total. Of ZIP codes only those that five have given, in the order of the steps:
    that a code stands there at all says that somebody lives there."""
    figures.total = ""
    if figures.kind == Kind.ZIP:
        # any other may have been given, so here no total leads to one of them
        codes = [code for code, count in now.items() if code != UNSAID and count >= CELL_MIN]
        keys = sorted(codes, key=lambda code: (-_low(now[code]), code))[:ZIPS_SHOWN] + [UNSAID]
        told, earlier = ({key: _step(counts[key]) for key in keys} for counts in (now, before))
    else:
        bands = AGES if figures.kind == Kind.AGE else INCOMES
        keys = [key for key in (*bands, UNSAID) if key != MINOR]  # who is under 18 is never kept
        told, earlier = in_steps(now, keys), in_steps(before, keys)
    lows = {key: _low(now[key]) if told[key] != "–" else 0 for key in keys}
    most = max(lows.values())
    for key in keys:
        width = round(100 * lows[key] / most) if most else 0
        figures.bars.append(Bar(band(figures.kind, key), told[key], earlier[key], width))


def _mean(counts: Counter[str]) -> float | None:
    total = counts.total()
    return sum(int(score) * count for score, count in counts.items()) / total if total else None


def band(kind: str, code: str) -> str:
    """What a code is called on the pages of an account; a text of the firm's is itself."""
    if kind not in DEMOGRAPHIC:
        return code
    if code == UNSAID:
        return "Prefer not to say"
    if code == MINOR:
        return "Under 18"
    if kind == Kind.INCOME and code in INCOMES:
        if code.startswith("u"):
            return f"Under ${code[1:]},000"
        if code.endswith("+"):
            return f"${code[:-1]},000 or more"
        low, _, high = code.partition("-")
        return f"${low},000 to ${int(high) - 1},999"
    return code.replace("-", " to ").replace("+", " or over")
