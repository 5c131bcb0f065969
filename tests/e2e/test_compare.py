"""`dev.py bench widget` and `dev.py compare`: what they say is so. Bytes and requests; nothing is timed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import compare, widget
from bench.cold import Subject, line, visits
from bench.devtools import Browser
from tests.chromium import started
from tests.e2e.hosts import Host, HostPage
from tests.processes import free_port
from tests.servers import Server

pytestmark = pytest.mark.timeout(300)  # a browser of its own, on a machine that has two already

SCRIPT_BYTES, PANEL_BYTES = 20_000, 50_000
# Somebody else's widget: a button that is drawn late, and a panel that is a file of its own.
SCRIPT = """(() => {
  const button = document.createElement("button");
  button.style.cssText = "position:fixed;right:9px;bottom:9px;width:60px;height:60px";
  document.body.append(button);
  window.Peer = { open: () => {
    const panel = document.createElement("iframe");
    panel.src = new URL("panel", document.querySelector("script[data-peer]").src);
    document.body.append(panel);
  } };
})();//"""


@pytest.fixture(scope="module")
def lines(server: Server) -> Iterator[dict[str, dict[str, Any]]]:
    """One visit of each, of ours and of a peer's whose size is known; by name."""
    with Host() as maker:
        script = SCRIPT.ljust(SCRIPT_BYTES, "-")
        maker.pages["/widget.js"] = HostPage(script, {"Content-Type": "text/javascript"})
        maker.pages["/panel"] = HostPage("<!doctype html>".ljust(PANEL_BYTES, " "))
        peer = Subject(
            "peer",
            f'<script async data-peer src="{maker.address("/widget.js", "127.0.0.1")}"></script>',
            "Peer.open()",
            shown=lambda page: page.does("benchSeen.launcher"),
            opened=lambda page: any(each.url.endswith("/panel") and each.is_over for each in page.requests),
        )
        gone = f'<script async src="http://127.0.0.1:{free_port()}/widget.js"></script>'
        subjects = [widget.subject(server.url), peer, Subject("gone", gone)]
        with started() as address, Browser(address) as browser:
            taken = visits(browser, subjects, count=1, quiet=0.3, loads=0, warm=0, throttle=1)
        with pytest.raises(compare.CompareError) as refused:
            compare.check(subjects[2], taken)
        assert refused.value.code == "nothing_loaded"
        for each in subjects[:2]:
            compare.check(each, taken)
        yield {each.name: line(f"widget:{each.name}", each.name, taken) for each in subjects}


def test_our_widget_weighs_what_performance_md_asks(lines: dict[str, dict[str, Any]]) -> None:
    """R-003, performance.md `widget`: in a real browser, every frame, socket and redirect counted."""
    ours = lines["ours"]
    assert 0 < ours["value"] <= 6
    assert 0 < ours["requests"] <= 3
    assert ours["value"] < ours["opened_kb"] <= 35
    assert ours["opened_requests"] > ours["requests"]
    assert ours["wire_kb"] > ours["value"]


def test_a_peer_of_known_size_is_measured_to_the_byte(lines: dict[str, dict[str, Any]]) -> None:
    """Its file, and what its snippet adds to the page; opened, its frame in another process too."""
    peer = lines["peer"]
    assert SCRIPT_BYTES / 1000 <= peer["value"] <= SCRIPT_BYTES / 1000 + 0.2
    assert peer["requests"] == 1
    assert round(peer["opened_kb"] - peer["value"], 2) == PANEL_BYTES / 1000
    assert peer["opened_requests"] == 2
    assert peer["launcher_ms"] > 0


def test_a_line_has_the_fields_of_the_contract_and_the_report_a_column_each(
    lines: dict[str, dict[str, Any]],
) -> None:
    """contract.md, `bench`: a figure counts only with its floor from the same run."""
    for each in lines.values():
        assert list(each)[:5] == ["bench", "unit", "value", "floor", "ratio"]
        assert each["floor"] > 0
    text = compare.report([lines["ours"] | {"bench": "widget"}, lines["peer"]])
    assert "| measured | ours | peer |" in text
    assert f"| before opening, KB | {lines['ours']['value']} | {lines['peer']['value']} |" in text
    for row in compare.recorded():
        assert row["source"] in text and row["date"] in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--peer", "tawk"], "bad_arguments"),
        (["--peer", "a b=x.html"], "bad_arguments"),
        (["--peers"], "bad_arguments"),
        (["--visits", "0"], "bad_arguments"),
        (["--visits", "many"], "bad_arguments"),
        (["--peer", "ours={good}"], "name_taken"),
        (["--peer", "tawk={good}", "--peer", "tawk={good}"], "name_taken"),
        (["--peer", "tawk={good}", "--open", "crisp=open()"], "no_such_peer"),
        (["--peer", "tawk=/no/such/file.html"], "snippet_unreadable"),
        (["--peer", "tawk={folder}"], "snippet_unreadable"),
        (["--peer", "tawk={binary}"], "snippet_unreadable"),
        (["--peer", "tawk={empty}"], "snippet_empty"),
        (["--peer", "tawk={large}"], "snippet_too_large"),
        (["--peer", "tawk=http://[::1"], "bad_address"),
        (["--peer", "tawk=https:///widget.js"], "bad_address"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_started(
    arguments: list[str], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, a sentence for people and a code for programs."""
    files = {
        "good": b"<script>1</script>",
        "binary": b"\xff\xfe<script>",
        "empty": b"<p>no</p>",
        "large": b" " * (compare.SNIPPET_MAX + 1),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    places = {name: str(tmp_path / name) for name in files} | {"folder": str(tmp_path)}
    assert compare.main([each.format(**places) for each in arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"dev.py compare: {code}: ")
    assert len(told.err.strip().splitlines()) == 1


def test_each_noted_figure_says_where_it_is_from_and_when() -> None:
    """No figure is made up: whoever doubts one can look."""
    assert [sorted(row) for row in json.loads(compare.RECORDED.read_text())] == [
        sorted(["name", "figure", "value", "source", "date"]) for _ in compare.recorded()
    ]
    assert all(value for row in compare.recorded() for value in row.values())
