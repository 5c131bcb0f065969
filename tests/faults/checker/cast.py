"""`python -m tests.faults.checker.cast`: migrates, makes two firms, logs everybody in, prints JSON.

Each firm has the departments intake and billing, a site for pages of this machine, and the operators olga
(intake), sam (billing) and nina (supervisor of both); in the second they are called otto, sara and eve. Runs
beside a server, on its database: {"acme": {"site", "intake", "billing", "people": {name: cookie}}, …}.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.models import (  # noqa: E402
    Account,
    Department,
    DepartmentMember,
    Operator,
    OperatorRole,
    Site,
    SiteDepartment,
    User,
)
from bench.crew import log_in  # noqa: E402

FIRMS = {
    "acme": {"olga": ("intake",), "sam": ("billing",), "nina": ("intake", "billing")},
    "rival": {"otto": ("intake",), "sara": ("billing",), "eve": ("intake", "billing")},
}
SUPERVISORS = ("nina", "eve")


def firm(name: str) -> dict[str, object]:
    """Makes one firm; what its clients need to know."""
    account = Account.objects.create(name=name, legal_name=f"{name}/ LLP", is_unlimited=True)
    site = Site.objects.create(account=account, name=f"{name}/ site", allowed_domains=["127.0.0.1"])
    departments = {}
    for position, title in enumerate(("intake", "billing")):
        departments[title] = Department.objects.create(
            account=account, name=title, position=position, email=f"{title}@{name}.test"
        )
        SiteDepartment.objects.create(account=account, site=site, department=departments[title])
    people = {}
    for person, titles in FIRMS[name].items():
        role = OperatorRole.SUPERVISOR if person in SUPERVISORS else OperatorRole.OPERATOR
        user = User.objects.create_user(f"{person}@{name}.test")
        operator = Operator.objects.create(account=account, user=user, name=person, role=role)
        for title in titles:
            DepartmentMember.objects.create(account=account, department=departments[title], operator=operator)
        people[person] = log_in(user)
    return {"site": site.key, "people": people, **{key: each.uid for key, each in departments.items()}}


if __name__ == "__main__":
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    print(json.dumps({name: firm(name) for name in FIRMS}))
    sys.stdout.flush()
