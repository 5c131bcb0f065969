"""`/account/sms/`: for admins only, the ledger of consents above all (R-191)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.members import ADMINS, member_page
from accounts.models import Site
from accounts.paging import paged
from accounts.sites import site_fields
from chatlead.errors import BadField, TooMany
from chatlead.realtime.files import csv_file
from sms import actions, history, selectors
from sms.forms import LookUpForm, OptOutForm, ProgrammeForm, SenderForm
from sms.models import SmsContact, SmsForm, SmsMessage, SmsPause, SmsProgramme, SmsSender, SmsSuppression
from sms.numbers import e164, key_of
from sms.wordings import reason

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import Operator

PAGE = 50


@require_safe
@member_page(ADMINS)
def overview(request: HttpRequest, operator: Operator) -> HttpResponse:
    """What is set up, how to set it up, and the switch."""
    senders = SmsSender.objects.filter(account=operator.account_id)
    programmes = SmsProgramme.objects.filter(account=operator.account_id).order_by("id")
    paused = SmsPause.objects.filter(account=operator.account_id, ended_at=None)
    told = {
        "senders": senders.select_related("programme", "department").order_by("id"),
        "programmes": programmes,
        "paused": paused.filter(programme=None).first(),
        "paused_programmes": set(paused.exclude(programme=None).values_list("programme_id", flat=True)),
        "is_off": settings.SMS_OFF,
        "waiting": SmsMessage.objects.filter(account=operator.account_id, state="queued").count(),
        "base": _base(request),
        "forms": _forms(operator),
    }
    return page_of(request, "overview", told)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def programme(request: HttpRequest, operator: Operator) -> HttpResponse:
    """A new programme."""
    form = ProgrammeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = actions.add_programme(account=operator.account, by=operator, **form.cleaned_data)
        except BadField as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, f"{made.name} is set up. Now add the number it is sent from.", "good")
            return redirect("sms_sender_new")
    return page_of(request, "programme", {"form": form}, is_wrong=form.is_bound)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def sender(request: HttpRequest, operator: Operator, uid: str = "") -> HttpResponse:
    """A sender, new or known, with the addresses that the provider must be told."""
    known = selectors.access_sender(uid, operator.account) if uid else None
    if not SmsProgramme.objects.filter(account=operator.account_id).exists():
        return redirect("sms_programme")
    form = SenderForm(
        operator.account, request.POST if request.method == "POST" else None, initial=_facts(known)
    )
    if form.is_valid():
        try:
            made = _store(operator, known, form.cleaned_data)
        except (BadField, TooMany) as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            saved = f"{made.number or made.service_sid} is saved"
            if made.is_live:
                messages.success(request, f"{saved}.", "good")
            else:
                messages.warning(request, f"{saved}, but nothing is sent or heard yet.", "warn")
            return redirect("sms_sender", uid=made.uid)
    told = {"form": form, "sender": known, "base": _base(request)}
    return page_of(request, "sender", told, is_wrong=form.is_bound)


@member_page(ADMINS)
@require_POST
def prove(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """Asks the provider once more whose the number is."""
    known = selectors.access_sender(uid, operator.account)
    if actions.prove_sender(sender=known, by=operator):
        messages.warning(request, f"{known.get_fault_display()}.", "warn")
    else:
        messages.success(request, f"{known.number} is confirmed by the provider.", "good")
    return redirect("sms_sender", uid=known.uid)


@member_page(ADMINS)
@require_POST
def switch(request: HttpRequest, operator: Operator) -> HttpResponse:
    """The kill switch, of all programmes or of one (R-186)."""
    uid = request.POST.get("programme", "")
    of = selectors.access_programme(uid, operator.account) if uid else None
    if request.POST.get("on") == "yes":
        actions.resume(operator=operator, programme=of)
        messages.success(request, "Text messages are on. What was cancelled stays so.", "good")
    else:
        cancelled = actions.pause(operator=operator, programme=of)
        waited = "1 message that waited was" if cancelled == 1 else f"{cancelled} messages that waited were"
        messages.success(request, f"Text messages are off; {waited} cancelled.", "good")
    return redirect("sms")


@member_page(ADMINS)
@require_POST
def yes(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Whether a consent to a programme needs a YES by text (B1-8). Raises NotFound."""
    of = selectors.access_programme(request.POST.get("programme", ""), operator.account)
    on = request.POST.get("on") == "yes"
    actions.ask_for_yes(operator=operator, programme=of, on=on)
    counts = "when the phone has answered YES" if on else "at once"
    messages.success(request, f"A consent to {of.name} counts {counts}.", "good")
    return redirect("sms")


@member_page(ADMINS)
@require_POST
def form(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Which programme's boxes the form of a site has, if any (R-180). Raises NotFound."""
    site = selectors.access_site(request.POST.get("site", ""), operator.account)
    uid = request.POST.get("programme", "")
    of = selectors.access_programme(uid, operator.account) if uid else None
    actions.ask_in_form(operator=operator, site=site, programme=of)
    said = f"asks for consent to {of.name}" if of else "asks for no consent to texts"
    messages.success(request, f"The chat’s form on {site.name} {said}.", "good")
    return redirect("sms")


@require_safe
@member_page(ADMINS)
def texts(request: HttpRequest, operator: Operator) -> HttpResponse:
    """All texts, the newest first, with what became of them."""
    found = SmsMessage.objects.filter(account=operator.account_id).select_related("contact", "sender")
    page = paged(request, found.order_by("-id"), PAGE)
    for each in page["page"]:
        each.why = reason(each.error)
    return page_of(request, "messages", page)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def blocked(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Who is never written to, since when and why; and the form for whoever asked otherwise (R-196)."""
    form = OptOutForm(operator.account, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            is_new = actions.opt_out(operator=operator, **form.cleaned_data)
        except BadField as error:
            form.add_error(error.field, error.message)
        else:
            said = "is blocked from now on" if is_new else "was blocked already"
            messages.success(request, f"{form.cleaned_data['phone']} {said}.", "good")
            return redirect("sms_blocked")
    rows = SmsSuppression.objects.filter(account=operator.account_id, lifted_at=None)
    page = paged(request, rows.select_related("programme").order_by("-id"), PAGE)
    selectors.name_numbers(operator.account_id, page["page"])
    names = dict(SmsProgramme.objects.filter(account=operator.account_id).values_list("uid", "name"))
    for each in page["page"]:
        each.source_name = history.SOURCES.get(each.source, each.source)
        each.except_names = [names[uid] for uid in each.except_programmes if uid in names]
    return page_of(
        request, "blocked", page | {"form": form, "has_programme": bool(names)}, is_wrong=form.is_bound
    )


@member_page(ADMINS)
@require_POST
def number(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Finds one number: to its history. Asked by POST, since addresses are written down in many places."""
    form = LookUpForm(request.POST)
    if form.is_valid():
        try:
            key = key_of(e164(form.cleaned_data["phone"]))
        except BadField as error:
            messages.error(request, error.message, "bad")
            return redirect("sms_messages")
        contact = SmsContact.objects.filter(account=operator.account_id, number_key=key).first()
        if contact is not None:
            return redirect("sms_history", uid=contact.uid)
    messages.error(request, "Nothing is known of this number.", "warn")
    return redirect("sms_messages")


@require_safe
@member_page(ADMINS)
def one(request: HttpRequest, operator: Operator, uid: str) -> HttpResponseBase:
    """All that is known of a number (B1-11); with `?as=csv` or `?as=json` as a file."""
    contact = selectors.access_contact(uid, operator.account)
    events = history.of_contact(contact)
    wanted = request.GET.get("as", "")
    if wanted == "json":
        found = {"phone": contact.number, "number_key": contact.number_key, "events": history.as_rows(events)}
        answer = JsonResponse(found, json_dumps_params={"ensure_ascii": False, "indent": 2})
    elif wanted == "csv":
        rows = [list(row.values()) for row in history.as_rows(events)]
        return csv_file(request, f"number-{contact.uid}.csv", ("at", "what", "detail", "proof"), [rows])
    else:
        return page_of(request, "number", {"contact": contact, "events": events})
    answer["Content-Disposition"] = f'attachment; filename="number-{contact.uid}.json"'
    return answer


def _forms(operator: Operator) -> list[dict[str, Any]]:
    """The sites of the account: whether their forms ask for a phone number, and what about texts."""
    asked = dict(SmsForm.objects.filter(account=operator.account_id).values_list("site", "programme"))
    sites = Site.objects.filter(account=operator.account_id).order_by("id")
    return [
        {
            "site": site,
            "programme_id": asked.get(site.pk),
            "has_phone": any(each.kind == "phone" for each in site_fields(site)),
        }
        for site in sites
    ]


def _store(operator: Operator, known: SmsSender | None, said: dict[str, Any]) -> SmsSender:
    if known is not None:
        return actions.change_sender(sender=known, by=operator, **said)
    return actions.add_sender(account=operator.account, by=operator, **said)


def _facts(sender: SmsSender | None) -> dict[str, Any]:
    """What a form begins with: never a secret."""
    if sender is None:
        return {}
    plain = ("gateway", "kind", "number", "service_sid", "account_sid", "shared_key_id", "answers_stop")
    facts: dict[str, Any] = {name: getattr(sender, name) for name in plain}
    linked = {name: getattr(sender, name).uid for name in ("programme", "site", "department")}
    return facts | linked | {"is_registered": sender.is_registered}


def _base(request: HttpRequest) -> str:
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def page_of(request: HttpRequest, name: str, told: dict[str, Any], *, is_wrong: bool = False) -> HttpResponse:
    context = {"section": "sms", "part": name, "look_up": LookUpForm(auto_id="look_%s")} | told
    return render(request, f"account/sms/{name}.html", context, status=422 if is_wrong else 200)
