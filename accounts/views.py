"""Log in and log out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import views
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import devices
from accounts.forms import LogInForm
from chatlead import speech

if TYPE_CHECKING:
    from django.contrib.auth.forms import AuthenticationForm
    from django.http import HttpResponse


@method_decorator(sensitive_post_parameters(), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class LogIn(views.LoginView):
    """Asks for e-mail and password; a success begins a session under a new key (ASVS 7.2.4)."""

    form_class = LogInForm
    template_name = "account/login.html"
    redirect_authenticated_user = True
    http_method_names = ["get", "post", "head"]

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form's refusals come in the language of the page."""
        return super().get_form_kwargs() | {"words": speech.speaking(self.request)["t"]}

    def get_context_data(self, **known: Any) -> dict[str, Any]:
        """With `language` and its words, `t`."""
        return super().get_context_data(**known, **speech.speaking(self.request))

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        devices.remember(response, form.cleaned_data["username"])
        return response


class LogOut(views.LogoutView):
    """Ends the session: its key opens nothing any more, and its sockets close within seconds."""

    http_method_names = ["post"]
