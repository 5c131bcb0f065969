"""Pages that people see when the database is gone: they say what happened, and need nothing to do so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT

# A process of its own, because the tests' own database is there.
ASK = """
import json, logging, sys
import django
django.setup()
logging.disable()
from django.test import Client
client = Client(raise_request_exception=False)
client.cookies["cl_login"] = "a" * 32
asked = json.loads(sys.argv[1])
found = []
for method, path, language in asked:
    headers = {"Accept": "text/html", "Accept-Language": language, "Host": "127.0.0.1:8000"}
    answer = client.generic(method, path, headers=headers)
    told = dict(answer.items())
    found.append({"status": answer.status_code, "text": answer.content.decode(), "headers": told})
print(json.dumps(found))
"""
ASKED = {
    "the front page": ("GET", "/", ""),
    "the front page in Spanish": ("GET", "/", "es-MX"),
    "a page that is not there": ("GET", "/nowhere/", ""),
    "a file that is not there": ("GET", "/static/dist/nowhere.js", ""),
    "a method that is not meant": ("POST", "/demo/", ""),
    "a log-in form of long ago": ("GET", "/console/", ""),
    "the style guide": ("GET", "/styleguide/", ""),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each is answered with while the database cannot be opened."""
    data: Path = tmp_path_factory.mktemp("data")
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "chatlead.settings"}
    env |= {"CHATLEAD_DATA_DIR": str(data), "CHATLEAD_ENV_FILE": os.devnull}
    env["DATABASE_URL"] = f"sqlite:///{data}/gone/db.sqlite3"
    command = [sys.executable, "-c", ASK, json.dumps(list(ASKED.values()))]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(zip(ASKED, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    ("what", "status", "title"),
    [
        ("the front page", 500, "Something broke on our side"),
        ("the front page in Spanish", 500, "Algo falló de nuestro lado"),
        ("a log-in form of long ago", 500, "Something broke on our side"),
        ("a page that is not there", 404, "There is nothing here"),
        ("a file that is not there", 404, "There is nothing here"),
        ("a method that is not meant", 405, "That cannot be done here"),
    ],
)
def test_an_error_is_a_page_also_while_the_database_is_gone(
    answers: dict[str, dict[str, Any]], what: str, status: int, title: str
) -> None:
    """Issue 4 E, V-15: with a way on, the headers of every page, and no word of the inside."""
    answer = answers[what]
    assert answer["status"] == status
    assert f"<h1>{title}</h1>" in answer["text"]
    assert 'href="/"' in answer["text"]
    assert "pages.css" in answer["text"]
    assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
    assert answer["headers"]["Cache-Control"] == "no-store"
    for inside in ("sqlite", "Traceback", "OperationalError", "django"):
        assert inside not in answer["text"]


def test_a_page_that_needs_no_rows_is_there(answers: dict[str, dict[str, Any]]) -> None:
    """So that what is down is the database alone."""
    assert answers["the style guide"]["status"] == 200
