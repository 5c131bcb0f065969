"""Who may open which page of `/account/`: the membership in which somebody works, and its role."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.views.decorators.cache import never_cache

from accounts import selectors
from accounts.models import Operator, OperatorRole
from chatlead.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    from accounts.models import User

P = ParamSpec("P")
# Roles from which on a page is open; rights grow from operator to owner.
ADMINS = frozenset({OperatorRole.OWNER, OperatorRole.ADMIN})
SUPERVISORS = ADMINS | {OperatorRole.SUPERVISOR}
EVERYBODY = SUPERVISORS | {OperatorRole.OPERATOR}


def member_page(
    roles: frozenset[OperatorRole] = ADMINS,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Operator, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Decorator of a view `f(request, operator, …)`: `operator` is a live membership with one of `roles`, its
    account at hand. Whoever is not logged in is sent to the log-in; anybody else gets `forbidden` (403).
    Nothing of the answer is kept by a browser or a proxy. The view still asks for rows by the account."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, Operator, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @never_cache
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            user: User = request.user  # type: ignore[assignment]
            operator = selectors.first_membership(user)
            if operator is None or operator.role not in roles:
                raise Forbidden
            request.operator = operator  # type: ignore[attr-defined]  # for the menu of templates/account/
            return view(request, operator, *args, **kwargs)

        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", guarded)

    return decorate
