"""People get in while the store of used tickets is away (V-15)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Site
from tests.processes import free_port
from visitors import tickets
from visitors.models import UsedTicket

PAGE = "https://www.acme.test"


@pytest.fixture(autouse=True)
def no_redis(settings: Settings) -> None:
    """An address where nobody answers."""
    redis = "django.core.cache.backends.redis.RedisCache"
    location = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {name: {"BACKEND": redis, "LOCATION": location} for name in ("default", "used")}
    assert type(caches["used"]).__name__ == "RedisCache"


def test_a_ticket_is_good_once_though_redis_is_away(site: Site) -> None:
    ticket = tickets.issue(site, PAGE)
    assert tickets.redeem_all([(ticket, site, PAGE)]) == [True]
    assert tickets.redeem_all([(ticket, site, PAGE)]) == [False]
    assert tickets.redeem_all([(tickets.issue(site, PAGE), site, PAGE)]) == [True]


def test_a_forged_ticket_leaves_no_row(site: Site) -> None:
    expiry, nonce, _ = tickets.issue(site, PAGE).split(".")
    assert tickets.redeem_all([(f"{expiry}.{nonce}.{'0' * 64}", site, PAGE)]) == [False]
    assert not UsedTicket.objects.exists()


def test_the_table_forgets_what_has_long_expired(site: Site) -> None:
    UsedTicket.objects.create(account=site.account, nonce="n" * 22)
    UsedTicket.objects.update(used_at=timezone.now() - timedelta(minutes=5))
    assert tickets.redeem_all([(tickets.issue(site, PAGE), site, PAGE)]) == [True]
    assert UsedTicket.objects.count() == 1
