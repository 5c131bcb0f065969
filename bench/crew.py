"""`python -m bench.crew N`: N more operators in the demo's Intake, logged in; prints their `Cookie` headers.

For benches that need more consoles than the demo has people. Runs beside the server on its database.
"""

from __future__ import annotations

import json
import secrets
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from accounts.models import Department, DepartmentMember, Operator, User  # noqa: E402


def log_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def main(count: int) -> None:
    intake = Department.objects.get(name="Intake", operators__user__email="olga@demo.test")
    cookies = []
    for number in range(count):
        user = User.objects.create_user(f"crew-{secrets.token_hex(6)}@demo.test")
        operator = Operator.objects.create(account=intake.account, user=user, name=f"Crew {number}")
        DepartmentMember.objects.create(account=intake.account, department=intake, operator=operator)
        cookies.append(log_in(user))
    print(json.dumps(cookies))


if __name__ == "__main__":
    main(int(sys.argv[1]))
