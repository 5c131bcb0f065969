"""What staff sees of senders: whose a number is, and the button that releases it. No secret, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from sms import actions
from sms.models import SmsSender

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from accounts.models import User


@admin.register(SmsSender)
class SmsSenderAdmin(ReadOnlyAdmin):
    """Who holds which number, and since when the provider says so."""

    exclude = ("auth_token", "shared_key", "shared_key_id")
    list_display = ("number", "account", "gateway", "kind", "proved_at", "fault")
    list_filter = ("gateway", "fault")
    list_select_related = ("account",)
    search_fields = ("number", "account__name", "account__subscriber_id")
    actions = ("release_numbers",)

    @admin.action(description="Release the number, for whoever can prove that it is theirs")
    def release_numbers(self, request: HttpRequest, queryset: QuerySet[SmsSender]) -> None:
        """Their senders are neither heard nor send, until they prove the number again."""
        by = cast("User", request.user)
        released = [each for each in queryset if actions.release_number(sender=each, by=by)]
        for each in released:
            self.log_change(request, each, "number released")
        numbers = "1 number is" if len(released) == 1 else f"{len(released)} numbers are"
        self.message_user(request, f"{numbers} released.")
