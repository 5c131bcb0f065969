"""R-043: a number that is small names somebody, and so does a difference of two that are not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations
from random import Random  # noqa: TID251 - repeatable answers
from typing import NamedTuple

import pytest
from django.utils import timezone

from accounts.models import Department, Operator, Site
from surveys import results
from surveys.actions import publish_survey
from surveys.forms import Asked
from surveys.models import AGES, DEMOGRAPHIC, INCOMES, MINOR, UNSAID, Answer, Question, Response, Survey

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = (Asked("score", "Well?"), Asked("age", "Age"), Asked("income", "Income"), Asked("zip", "ZIP"))
VALUES = {
    "age": [*AGES[1:], UNSAID],
    "income": [*INCOMES, UNSAID],
    "zip": ["33601", "33602", "33603", "33604", UNSAID],
}
BANDS = [*AGES[1:], UNSAID]
MONTHS = ["May 2026", "June 2026", "July 2026", "August 2026"]


class Cell(NamedTuple):
    """One number of a page."""

    question: str
    label: str
    month: str


def answered(survey: Survey, operator: Operator, at: datetime, dice: Random) -> list[Answer]:
    """Somebody was asked then, and told what dice say; not saved."""
    version = survey.current
    assert version is not None
    response = Response.objects.create(
        account_id=survey.account_id,
        version=version,
        site_id=survey.site_id,
        department=survey.department,
        operator=operator,
        state=Response.State.ANSWERED,
        offered_at=at,
        done_at=at + timedelta(hours=dice.randrange(1, 160)),
    )
    given = []
    for question in Question.objects.filter(version=version, kind__in=DEMOGRAPHIC):
        choices = VALUES[question.kind]
        value = dice.choices(choices, range(len(choices), 0, -1))[0]
        given.append(Answer(account_id=survey.account_id, response=response, question=question, value=value))
    return given


def cells(operator: Operator, survey: Survey | None, days: int, at: datetime) -> dict[Cell, str]:
    """What a page tells of who people are."""
    found: dict[Cell, str] = {}
    for each in results.results(operator, survey, days, at).questions:
        if each.kind in DEMOGRAPHIC:
            assert each.total == ""
            for bar in each.bars:
                found[Cell(each.label, bar.label, each.now_label)] = bar.shown
                found[Cell(each.label, bar.label, each.before_label)] = bar.before
    return found


def test_no_two_pages_that_owen_asks_for_can_be_taken_from_each_other(
    site: Site, intake: Department, billing: Department, owen: Operator, nina: Operator, olga: Operator
) -> None:
    """R-043: whatever survey and period are chosen, and on whatever day, there is one number of each cell; so
    each difference of two pages is nothing. nina, who sees a part of the account, is told none."""
    dice = Random(43)
    surveys = [
        publish_survey(site=site, department=part, title="How?", intro="", asked=ASKED)
        for part in (None, intake, billing)
    ]
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    given: list[Answer] = []
    for _ in range(160):
        at = begin + timedelta(minutes=dice.randrange(60 * 24 * 122))  # until the end of August
        given += answered(dice.choice(surveys), olga, at, dice)
    Answer.objects.bulk_create(given)
    days_looked_at = [datetime(2026, month, day, 12, tzinfo=UTC) for month in (8, 9) for day in (7, 9)]
    choices = [(of, days) for of in (None, *surveys) for days in results.PERIODS]
    pages = [cells(owen, of, days, at) for of, days in choices for at in days_looked_at]
    assert all(pages) and len(pages) == 64
    shown = 0
    for one, other in combinations(pages, 2):
        for cell in one.keys() & other.keys():
            assert one[cell] == other[cell], cell
            shown += 1
    assert shown > 10_000
    everything = {cell: told for page in pages for cell, told in page.items()}
    assert {cell.month for cell in everything} == set(MONTHS)
    assert any(told == "5 to 9" for told in everything.values())
    for cell, told in everything.items():
        month = MONTHS.index(cell.month) + 5
        whose = Answer.objects.filter(question__label=cell.question, response__offered_at__month=month)
        kind = cell.question.lower()
        count = sum(results.band(kind, each.value) == cell.label for each in whose)
        low = count - count % 5
        assert told == (f"{low} to {low + 4}" if low else "<5"), cell
    assert not any(cells(nina, of, days, at) for of, days in choices for at in days_looked_at)


def test_no_file_and_no_report_tells_who_anybody_is(site: Site, owen: Operator, olga: Operator) -> None:
    """R-043, R-045: numbers of a cell stand on one page only."""
    survey = publish_survey(site=site, department=None, title="How?", intro="", asked=ASKED)
    Answer.objects.bulk_create(answered(survey, olga, timezone.now() - timedelta(days=1), Random(1)))
    for of in (None, survey):
        found = results.in_period(owen, of, 365)
        assert found.count() == 1 and results.columns(found) == []
    assert results.vendor_report() == []


def test_who_answers_after_the_month_was_told_is_not_counted_in_it(
    site: Site, owen: Operator, olga: Operator
) -> None:
    """R-043: a chat's window may stand open for long; a number that owen has read does not change by one."""
    survey = publish_survey(site=site, department=None, title="How?", intro="", asked=ASKED[1:2])
    [question] = Question.objects.all()
    for number in range(5):
        [answer] = answered(survey, olga, datetime(2026, 7, 31, 12, tzinfo=UTC), Random(number))
        answer.value = "25-34"
        answer.save()
        if number == 4:
            Response.objects.filter(pk=answer.response_id).update(done_at=datetime(2026, 8, 8, 1, tzinfo=UTC))
    page = cells(owen, None, 30, datetime(2026, 8, 20, tzinfo=UTC))
    assert page[Cell(question.label, "25 to 34", "July 2026")] == "<5"


def others(counts: Counter[str]) -> list[Counter[str]]:
    """As many answers, of which one is another, or two bands are exchanged."""
    found = []
    for one, other in permutations(BANDS, 2):
        moved, turned = counts.copy(), counts.copy()
        moved[one], moved[other] = counts[one] - 1, counts[other] + 1
        turned[one], turned[other] = counts[other], counts[one]
        found += [each for each in (moved, turned) if each[one] >= 0]
    return found


def test_whoever_knows_how_many_answered_cannot_tell_what_is_hidden() -> None:
    """R-043: of each number that is behind a "<5" another would look the same beside as many answers in all,
    whatever else is told; also at the ends of the steps."""
    dice = Random(7)
    ends = [
        [4] * 7,
        [9] + [4] * 6,
        [5] + [4] * 6,
        [3] + [4] * 6,
        [4] + [5] * 6,
        [1] + [50] * 6,
        [3] + [0] * 6,
    ]
    drawn = [[dice.randrange(most) for _ in BANDS] for most in (2, 5, 6, 10, 40) for _ in range(60)]
    hidden = 0
    for numbers in ends + drawn:
        counts = Counter(dict(zip(BANDS, numbers, strict=True)))
        told = results.in_steps(counts, BANDS)
        same = [each for each in others(counts) if results.in_steps(each, BANDS) == told]
        for key in BANDS:
            if 0 < counts[key] < results.CELL_MIN:
                assert any(each[key] != counts[key] for each in same), (numbers, key)
                hidden += 1
    assert MINOR not in BANDS and hidden > 300
