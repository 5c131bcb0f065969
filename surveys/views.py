"""The pages of surveys: those of an account, and the one behind a signed link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.members import ADMINS, SUPERVISORS, member_page
from accounts.models import Department, Site, SiteDepartment
from accounts.models.ids import is_uid
from chatlead.errors import BadField, NotFound, SurveyOver, UnknownField
from chatlead.realtime.files import csv_file
from surveys import actions, answers, forms, results, selectors
from surveys.models import CONTACT, DEMOGRAPHIC, Answer, Question, Response
from visitors import languages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest, HttpResponseBase

    from accounts.models import Operator
    from chats.models import Chat
    from surveys.models import Survey

State = Response.State
Kind = Question.Kind


@require_safe
@member_page(SUPERVISORS)
def surveys(request: HttpRequest, operator: Operator) -> HttpResponse:
    """All sites with what is asked after their chats."""
    sites = [
        {"site": site, "surveys": site.surveys.all(), "free": selectors.departments_without(site)}
        for site in selectors.sites_with_surveys(operator)
    ]
    told = {"sites": sites, "vendor": selectors.asks_for_vendor(operator.account_id)}
    return _page(request, operator, "account/surveys/list.html", told)


@member_page(ADMINS)
@require_POST
def vendor(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Our own questions, on or off (R-045)."""
    on = request.POST.get("on") == "yes"
    actions.switch_vendor_block(account=operator.account, on=on, by=operator)
    messages.success(
        request, f"ChatLead's questions are {'on' if on else 'off'} from the next version on.", "good"
    )
    return redirect("surveys")


@member_page(ADMINS)
@require_POST
def switch(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """Asks, or does not ask any more."""
    survey = selectors.access_survey(operator, uid)
    on = request.POST.get("on") == "yes"
    actions.switch_survey(survey=survey, on=on, by=operator)
    messages.success(request, f"The survey of {_name(survey)} is {'on' if on else 'off'}.", "good")
    return redirect("surveys")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def build(request: HttpRequest, operator: Operator, site: str, department: str = "") -> HttpResponse:
    """The builder. Each of its buttons sends the whole draft; only "Publish" stores anything."""
    place = selectors.access_site(operator, site)
    part = _department(place, department) if department else None
    survey = place.surveys.filter(department=part).select_related("current").first()
    current = survey.current if survey else None
    if request.method == "POST":
        draft, deed = forms.read(request.POST), request.POST.get("do", "")
        forms.change(draft, deed)
        if deed == "publish" and forms.check(draft):
            stored = actions.publish_survey(
                site=place,
                department=part,
                title=draft.title,
                intro=draft.intro,
                asked=draft.asked,
                by=operator,
            )
            number = stored.current.number if stored.current else 0
            since = "from now on" if stored.is_enabled else "once the survey is on"
            messages.success(request, f"Version {number} is what visitors are asked {since}.", "good")
            return redirect("surveys")
    else:
        draft = forms.first_draft(current, selectors.questions_of(current, vendor=False))
    return _page(
        request,
        operator,
        "account/surveys/build.html",
        {
            "draft": draft,
            "rows": [_row(draft, place) for place in range(len(draft.asked))],
            "kinds": Kind.choices,
            "site": place,
            "department": part,
            "current": current,
            "preview": _shown(_preview(draft), "en"),
            "t": languages.words("en")["survey"],
            "most": forms.QUESTIONS_MAX,
            "vendor": selectors.asks_for_vendor(operator.account_id),
        },
        status=400 if draft.errors else 200,
    )


def _row(draft: forms.Draft, place: int) -> dict[str, Any]:
    """What the template needs of one question that is being built."""
    return {
        "place": place,
        "asked": draft.asked[place],
        "options": "\n".join(draft.asked[place].options),
        "label_error": draft.errors.get(f"label-{place}", ""),
        "options_error": draft.errors.get(f"options-{place}", ""),
        "is_focus": draft.focus == f"label-{place}",
    }


def _department(site: Site, uid: str) -> Department:
    found = SiteDepartment.objects.select_related("department").filter(site=site, department__uid=uid)
    first = found.first()
    if first is None:
        raise NotFound
    return first.department


def _preview(draft: forms.Draft) -> list[Question]:
    return [
        Question(uid=f"preview-{place}", kind=each.kind, label=each.label or "…", options=list(each.options))
        for place, each in enumerate(draft.asked)
    ]


# --- results ------------------------------------------------------------------------------------------


@require_safe
@member_page(SUPERVISORS)
def show_results(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Numbers of a period with those of the one before."""
    survey, days = _asked_for(request, operator)
    found = results.results(operator, survey, days)
    mine = [each for site in selectors.sites_with_surveys(operator) for each in site.surveys.all()]
    told = {
        "results": found,
        "over_time": [(step, part, round(20 * (part.average or 0))) for step, part in found.over_time],
        "survey": survey,
        "choices": [(each.uid, _name(each)) for each in mine],
        "periods": results.PERIODS,
        "query": request.GET.urlencode(),
    }
    return _page(request, operator, "account/surveys/results.html", told)


@require_safe
@member_page(SUPERVISORS)
def download(request: HttpRequest, operator: Operator) -> HttpResponseBase:
    """One line for each offer of the period, one column for each question but those that tell who somebody
    is: of these there are only numbers (R-043)."""
    survey, days = _asked_for(request, operator)
    found = results.in_period(operator, survey, days)
    asked = results.columns(found)
    head = ["Response", "Offered at (UTC)", "State", "Site", "Department", "Operator"]
    rows = (_lines(batch, asked) for batch in results.batches(found))
    return csv_file(request, f"survey-{days}-days.csv", [*head, *(label for _, label in asked)], rows)


def _lines(batch: list[Response], asked: list[tuple[str, str]]) -> list[list[str]]:
    """A line each, with a cell for each column."""
    lines = []
    for response in batch:
        shown = [each for each in response.answers.all() if each.question.kind not in DEMOGRAPHIC]
        given = {(each.question.kind, each.question.label): said(each) for each in shown}
        line = [
            response.uid,
            response.offered_at.strftime("%Y-%m-%d %H:%M:%S"),
            response.state,
            response.site.name,
            response.department.name if response.department else "",
            response.operator.name if response.operator else "",
        ]
        lines.append([*line, *(given.get(key, "") for key in asked)])
    return lines


@require_safe
@member_page(SUPERVISORS)
def response(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """What was answered after one chat, without what tells who somebody is."""
    found = selectors.access_response(operator, uid)
    rows = [
        {"answer": each, "said": said(each), "is_contact": each.question.kind in CONTACT}
        for each in sorted(found.answers.all(), key=lambda each: each.question.position)
        if each.question.kind not in DEMOGRAPHIC
    ]
    hidden = sum(each.question.kind in DEMOGRAPHIC for each in found.answers.all())
    told = {"response": found, "rows": rows, "hidden": hidden}
    return _page(request, operator, "account/surveys/response.html", told)


def beside_transcript(chat: Chat) -> str:
    """What was answered after this chat, in brief, for the page of its transcript; "" where nothing was."""
    found = (
        Response.objects.filter(chat=chat, state=State.ANSWERED).prefetch_related("answers__question").first()
    )
    if found is None:
        return ""
    shown = [each for each in found.answers.all() if each.question.kind not in DEMOGRAPHIC]
    rows = [(each, said(each)) for each in sorted(shown, key=lambda each: each.question.position)]
    return render_to_string("account/surveys/beside.html", {"response": found, "rows": rows})


def said(answer: Answer) -> str:
    """An answer as a person reads it."""
    if answer.score is not None:
        return str(answer.score)
    return answer.text or results.band(answer.question.kind, answer.value)


def _asked_for(request: HttpRequest, operator: Operator) -> tuple[Survey | None, int]:
    uid, days = request.GET.get("survey", ""), request.GET.get("days", "")
    survey = _chosen(operator, uid) if uid else None
    return survey, int(days) if days in map(str, results.PERIODS) else 30


def _chosen(operator: Operator, uid: str) -> Survey:
    if not is_uid(uid):
        raise NotFound
    return selectors.access_survey(operator, uid)


def _name(survey: Survey) -> str:
    return f"{survey.site.name}, {survey.department.name}" if survey.department else survey.site.name


def _page(
    request: HttpRequest, operator: Operator, template: str, told: dict[str, Any], status: int = 200
) -> HttpResponse:
    rights = {"section": "surveys", "may_build": operator.role in ADMINS}
    return render(request, template, told | rights, status=status)


# --- by the link --------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The survey that a signed link names, for whoever holds it: it shows nothing of the chat (R-040)."""
    found = selectors.response_by_link(token)
    language = found.language
    words = languages.words(language)["survey"]
    told: dict[str, Any] = {
        "t": words,
        "public": languages.public(language),
        "language": language,
        "dir": languages.direction(language),
        "site": found.site,
        "version": found.version,
    }
    if request.method == "POST":
        try:
            asked = selectors.questions_of(found.version)
            given = {each.uid: request.POST.get(each.uid, "") for each in asked}
            actions.send_by_link(token=token, values={} if "skip" in request.POST else given)
        except (BadField, UnknownField) as error:
            told |= {"wrong": error.field, "given": request.POST}
        except SurveyOver:
            return redirect(request.path)
        else:
            return redirect(request.path + ("?skipped" if "skip" in request.POST else ""))
        found = selectors.response_by_link(token)
    told["is_answered"] = found.state == State.ANSWERED
    told["is_over"] = told["is_answered"] or not selectors.may_ask(found)
    told["questions"] = _shown(
        selectors.questions_of(found.version), language, told.get("given"), told.get("wrong")
    )
    return render(request, "public/survey.html", told, status=400 if "wrong" in told else 200)


def _shown(
    questions: Iterable[Question], language: str, given: Any = None, wrong: str | None = None
) -> list[dict[str, Any]]:
    """What the template needs of each question."""
    words = languages.words(language)["survey"]
    return [
        {
            "uid": each.uid,
            "kind": each.kind,
            "label": each.label,
            "options": [(code, _called(each.kind, code, words)) for code in answers.options_of(each)],
            "value": (given or {}).get(each.uid, ""),
            "is_wrong": wrong == each.uid,
        }
        for each in questions
    ]


def _called(kind: str, code: str, words: Any) -> str:
    """As frontend/src/chat/survey.ts says it, with Western digits."""
    if kind not in DEMOGRAPHIC:
        return code
    if code == "none":
        return str(words["unsaid"])
    plain = results.band(kind, code)
    for mine, theirs in (
        ("Under ", words["under"]),
        (" or over", words["above"]),
        (" or more", words["above"]),
    ):
        if mine in plain:
            return str(theirs).replace("{}", plain.replace(mine, ""))
    return plain.replace(" to ", " – ")
