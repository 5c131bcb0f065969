"""On PostgreSQL the application is an ordinary user of the database (design §5, R-111)."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_application_is_neither_superuser_nor_owner_of_the_cluster() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolreplication, "
            "(SELECT datdba FROM pg_database WHERE datname = 'postgres') = oid "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False, False)
