"""What our staff may look at: accounts and how they are set up, never a conversation. Read-only, but for
how sites look and which pictures are shown: these forms call actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils.html import format_html

from accounts import actions
from accounts.forms import OperatorForm, SiteForm, StaffLogInForm
from accounts.models import Account, Consent, Department, Notice, Operator, OutboxItem, Site, User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


admin.site.unregister(Group)  # rights come from memberships; nobody edits groups
admin.site.login_form = StaffLogInForm


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no parameter when it runs
    """Staff sees the rows and changes none: whatever is done is an action, never a form of this admin."""

    actions: tuple[str, ...] | None = None
    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Every member of staff."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Every member of staff."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody."""
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "is_active", "is_staff", "created_at", "last_login")
    search_fields = ("email",)
    exclude = ("password",)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "subscriber_id", "is_unlimited", "created_at")
    search_fields = ("name", "subscriber_id")


@admin.register(Department)
class DepartmentAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "email")
    list_select_related = ("account",)


def _picture_of(row: Site | Operator) -> str:
    if row.picture is None:
        return "None: initials"
    return format_html('<img src="/widget/v1/picture/{}.png" alt="" width="72" height="72">', row.picture.uid)


@admin.register(Operator)
class OperatorAdmin(ReadOnlyAdmin):
    """All but the picture is for looking at."""

    form = OperatorForm
    exclude = ("picture",)
    list_display = ("name", "account", "role", "availability", "lease_until", "suspended_at")
    list_select_related = ("account",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Every member of staff, of the picture."""
        return self.has_module_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """All columns."""
        columns = [field.name for field in Operator._meta.fields if field.name not in ("id", "picture")]
        return [*columns, "shown_picture"]

    @admin.display(description="Present picture")
    def shown_picture(self, operator: Operator) -> str:
        """As visitors see it."""
        return _picture_of(operator)

    def save_model(self, request: HttpRequest, obj: Operator, form: OperatorForm, change: bool) -> None:
        """By the action, and the picture only."""
        if form.cleaned_data["png"] or form.cleaned_data["no_picture"]:
            actions.set_operator_picture(
                account_id=obj.account_id, operator_id=obj.pk, png=form.cleaned_data["png"]
            )


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    """How the widget looks, what it says and what it asks; the rest is for looking at."""

    form = SiteForm
    fieldsets = (
        (
            "Looks",
            {
                "fields": (
                    "color",
                    "corner",
                    "offset_side",
                    "offset_bottom",
                    "shown_picture",
                    "png",
                    "no_picture",
                )
            },
        ),
        ("Words", {"fields": ("language", "welcome", "offline", "greeting", "greeting_after")}),
        (
            "The form in front of a chat",
            {"fields": ("ask_name", "ask_email", "ask_phone", "ask_adult", "adult_hint", "fields")},
        ),
        (
            "Set up elsewhere",
            {
                "fields": (
                    "account",
                    "name",
                    "uid",
                    "key",
                    "allowed_domains",
                    "privacy_policy_url",
                    "visitor_count",
                    "is_enabled",
                    "hosted_page",
                    "created_at",
                )
            },
        ),
    )
    list_display = ("name", "account", "key", "is_enabled", "hosted_page", "created_at")
    actions = ("switch_hosted_page_on", "switch_hosted_page_off")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_select_related = ("account",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Every member of staff, of what is not read-only below."""
        return self.has_module_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """A column that is added tomorrow is one of them."""
        changed = {"id", "picture", "language", *actions.LOOK}
        return [*(each.name for each in Site._meta.fields if each.name not in changed), "shown_picture"]

    @admin.display(description="Present picture")
    def shown_picture(self, site: Site) -> str:
        """As visitors see it."""
        return _picture_of(site)

    def save_model(self, request: HttpRequest, obj: Site, form: SiteForm, change: bool) -> None:
        """By the actions, and what was filled in only."""
        with transaction.atomic():
            actions.set_site_language(site_id=obj.pk, language=form.cleaned_data["language"])
            actions.set_site_look(site_id=obj.pk, look=form.look)
            actions.set_site_fields(site_id=obj.pk, fields=form.asked)
            if form.cleaned_data["png"] or form.cleaned_data["no_picture"]:
                actions.set_site_picture(site_id=obj.pk, png=form.cleaned_data["png"])

    @admin.action(description="Switch the hosted page on")
    def switch_hosted_page_on(self, request: HttpRequest, queryset: QuerySet[Site]) -> None:
        """/chat/KEY/ opens for the chosen sites."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch the hosted page off")
    def switch_hosted_page_off(self, request: HttpRequest, queryset: QuerySet[Site]) -> None:
        """/chat/KEY/ is gone for the chosen sites, and who is on it is shown out."""
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Site], *, on: bool) -> None:
        changed = [site for site in queryset if actions.set_hosted_page(site_id=site.pk, on=on)]
        for site in changed:
            self.log_change(request, site, f"hosted page {'on' if on else 'off'}")
        self.message_user(request, f"The hosted page of {len(changed)} sites is {'on' if on else 'off'} now.")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("site", "version", "sha256", "created_at")
    list_select_related = ("site",)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("uid", "account", "purpose", "notice", "created_at")
    list_select_related = ("account", "notice")
    exclude = ("ip", "user_agent", "visitor_uid")


@admin.register(OutboxItem)
class OutboxAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "state", "attempt_count", "due_at", "last_error", "done_at")
    list_filter = ("state", "kind")
