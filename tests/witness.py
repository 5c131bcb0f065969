"""pytest plugin (`-p tests.witness`): a failing test shows what the servers around it have written.

Of each process that ran at some time during the test, whoever started it, the end of its log; and what the
pages of the browser tests complained of.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import processes

LINES = 60
LINE_CHARACTERS = 600  # of one line; a traceback in JSON has it all in one


# The outermost, so that whatever a fixture starts for this test is its own.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    processes.forget_the_dead()
    if browser := sys.modules.get("tests.e2e.browser"):
        browser.said_by_pages.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections += [
            (f"the end of {log.parent.name}/{log.name}", end_of(log))
            for log in dict.fromkeys(run.log for run in processes.runs)
        ]
        browser = sys.modules.get("tests.e2e.browser")
        if browser and browser.said_by_pages:
            report.sections.append(("what pages complained of", "\n".join(browser.said_by_pages)))
    return report


def end_of(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-LINES:]
    except OSError as error:  # its folder went with the test
        return str(error)
    return "\n".join(line[:LINE_CHARACTERS] for line in lines)
