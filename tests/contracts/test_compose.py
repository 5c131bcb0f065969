"""What docker-compose.yml, Dockerfile and deploy/nginx.conf say, as far as no container is needed to see."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web1", "web2", "worker", "beat")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()


def test_there_are_two_web_processes_a_worker_one_beat_and_a_proxy() -> None:
    """Issue 3 E."""
    assert set(SERVICES) == {*OURS, "proxy", "postgres", "redis"}
    assert SERVICES["web1"]["command"] == SERVICES["web2"]["command"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nobody_is_root_and_nobody_can_become_it(name: str) -> None:
    """R-115, ASVS 13: not root, no capabilities, no new privileges; files of its own only where it must."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if name in OURS:
        assert service["build"] == "."
        assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE)[-1] == "chatlead"
    else:
        assert service["user"] not in ("", "root", "0")
    assert service.get("read_only") is True or name == "postgres"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_service_has_a_health_check_and_comes_back(name: str) -> None:
    """Issue 3 E."""
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_no_secret_has_a_default() -> None:
    """What is secret stands in .env, which is empty to begin with; without it nothing starts."""
    found = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET_KEY)\w*)(:?[-?]?)", TEXT)
    secrets = [
        each for each in found if each != ("CHATLEAD_S3_SECRET_KEY", ":-")
    ]  # only who has a store elsewhere
    assert {name for name, _ in secrets} == {
        *("SECRET_KEY", "POSTGRES_PASSWORD", "APP_DATABASE_PASSWORD", "REDIS_PASSWORD"),
    }
    demanded = {name for name, how in secrets if how == ":?"}
    assert demanded == {name for name, _ in secrets}
    assert not [name for name, how in secrets if how == ":-"]
    example = (ROOT / ".env.example").read_text()
    assert [re.findall(rf"^{name}=(.*)$", example, re.MULTILINE) for name in demanded] == [[""]] * len(
        demanded
    )


def test_only_the_proxy_is_reached_from_outside() -> None:
    """R-115: two ports; PostgreSQL and Redis are on a network that leads nowhere."""
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "proxy": ["0.0.0.0:443:8443", "0.0.0.0:80:8080"]
    }
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
    assert set(SERVICES["proxy"]["networks"]) == {"front"}


def test_only_the_proxy_is_believed() -> None:
    """R-096: its address is fixed, it is the one that is trusted, and it sets the header anew."""
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    trusted = {SERVICES[name]["environment"]["CHATLEAD_TRUSTED_PROXIES"] for name in OURS}
    assert trusted == {f"{address}/32"}
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in NGINX
    assert "$proxy_add_x_forwarded_for" not in NGINX


def test_packages_come_from_the_hash_locked_list() -> None:
    """R-118: and from nowhere else."""
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert installs and all("--require-hashes -r /tmp/base.txt" in line for line in installs)
    assert "COPY requirements/base.txt /tmp/base.txt" in DOCKERFILE


def test_there_is_time_to_leave() -> None:
    """V-10: Compose waits longer than a web process takes at most."""
    grace = int(SERVICES["web1"]["stop_grace_period"].removesuffix("s"))
    drain = float(SERVICES["web1"]["environment"]["CHATLEAD_DRAIN_SECONDS"])
    # readiness off, sockets, those that wait for an answer, requests, what is written last
    assert grace > 2 + drain + 3 + 5 + 2 * 5


def test_the_proxy_writes_no_address_and_no_query_down() -> None:
    """R-109: the application logs each request, without either."""
    assert re.findall(r"access_log (\w+);", NGINX) == ["off"]
    assert re.findall(r"error_log \S+ (\w+);", NGINX) == ["crit"]
