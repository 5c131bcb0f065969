"""The console as an app of its own (R-006): installed, without a network, renewed, and after the log-out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD, Desk
from tests.servers import Server

KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
    }
    return found.sort();
}"""
IS_READY = "async () => Boolean((await navigator.serviceWorker.ready).active) && Boolean(await caches.keys())"


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD}
    folder = tmp_path_factory.mktemp("app")
    with Server(data_dir=folder, options=["--migrate", "--demo"], env=env) as running:
        yield running
        running.kill()


@pytest.fixture
def frail(lasting: Server) -> Server:
    """A server that a test may stop."""
    return lasting.start()


@pytest.fixture(scope="module")
def kept() -> dict[str, list[Any]]:
    """Her log-in, while it holds."""
    return {}


@pytest.fixture
def olga(frail: Server, new_page: Callable[..., Page], kept: dict[str, list[Any]]) -> Desk:
    operator = Desk(new_page(), frail.url, "olga@demo.test")
    operator.comes_in(kept)
    operator.page.wait_for_function(IS_READY)
    return operator


def test_chromium_would_install_it(olga: Desk) -> None:
    """R-006, R-076: name, icons and start are there, and it asks for nothing."""
    line = olga.page.context.new_cdp_session(olga.page)
    # a context of a test counts as a private window, where nothing is ever installed
    errors = {each["errorId"] for each in line.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}
    manifest = line.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert '"name": "ChatLead console"' in manifest["data"]
    assert "permissions" not in manifest["data"]


def test_the_browser_keeps_files_of_the_shell_and_no_datum(olga: Desk) -> None:
    kept = olga.page.evaluate(KEPT)
    assert kept == [
        "/console/offline/",
        "/static/dist/console.css",
        "/static/dist/console.js",
        "/static/dist/offline.js",
        "/static/dist/pages.css",
        "/static/dist/poll.js",
        "/static/dist/tools.js",
    ]
    olga.page.reload()
    expect(olga.status).to_be_visible()
    assert olga.page.evaluate(KEPT) == kept
    bodies = """async () => {
        const texts = [];
        for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) texts.push(await (await cache.match(request)).text());
        }
        return texts.join();
    }"""
    text = olga.page.evaluate(bodies)
    assert "olga" not in text.lower() and "csrfmiddlewaretoken" not in text


def test_without_a_network_it_says_so_and_is_back_by_itself(olga: Desk, frail: Server) -> None:
    """R-006: no silent failure. The page asks again every ten seconds."""
    frail.kill()
    olga.page.reload()
    expect(olga.page.get_by_role("heading", name="No connection")).to_be_visible()
    expect(olga.page.get_by_role("link", name="Try now")).to_be_visible()
    background = olga.page.locator("body").evaluate("el => getComputedStyle(el).fontFamily")
    assert "system-ui" in background  # its styles are there, too
    frail.start()
    expect(olga.status).to_be_visible(timeout=30_000)


def test_a_new_version_is_there_at_once_and_the_old_one_gone(olga: Desk) -> None:
    """An old cache from an earlier version is cleared, and no page is held back by it."""
    olga.page.evaluate(
        """async () => {
            const old = await caches.open("chatlead-console-before");
            await old.put("/console/", new Response("an old console"));
            await caches.open("somebody-else");
            await (await navigator.serviceWorker.getRegistration("/console/")).unregister();
        }"""
    )
    olga.page.reload()
    expect(olga.status).to_be_visible()
    olga.page.wait_for_function("async () => !(await caches.keys()).includes('chatlead-console-before')")
    assert "somebody-else" in olga.page.evaluate("async () => caches.keys()")


def test_after_the_log_out_nothing_is_kept(olga: Desk) -> None:
    """R-125: neither in caches nor in storage, but what olga chose for herself."""
    olga.page.get_by_role("button", name="your menu").click()
    olga.page.get_by_role("menuitem", name="Log out").click()
    expect(olga.page).to_have_url(re.compile("/console/login/"))
    left = """async () => ({
        caches: await caches.keys(),
        workers: (await navigator.serviceWorker.getRegistrations()).length,
        session: Object.values({...sessionStorage}).join(),
        local: Object.values({...localStorage}).join(),
    })"""
    kept = olga.page.evaluate(left)
    assert (kept["caches"], kept["workers"]) == ([], 0)
    assert "olga" not in (kept["session"] + kept["local"]).lower()
    olga.logs_in()
    olga.page.wait_for_function(f"async () => (await ({KEPT})()).length === 5")


def test_olga_reads_spanish_where_her_browser_asks_for_it_or_she_chose_it(
    frail: Server, new_page: Callable[..., Page], violations: Callable[[Page], list[str]]
) -> None:
    """Issue 4 D: from the log-in page on, errors too."""
    page = new_page(locale="es-MX")
    page.goto(frail.url + "/console/")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    assert violations(page) == []
    page.get_by_role("textbox", name="Correo electrónico").fill("olga@demo.test")
    page.get_by_label("Contraseña").fill("falsa")
    page.get_by_role("button", name="Iniciar sesión").click()
    expect(page.get_by_role("alert")).to_contain_text("no coinciden")
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Iniciar sesión").click()
    expect(page.get_by_role("button", name="Ausente", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="En espera")).to_contain_text("Está ausente")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    assert violations(page) == []
    page.wait_for_function(IS_READY)
    offline = "async () => (await caches.match('/console/offline/?lang=es')).text()"
    assert "Sin conexión" in page.evaluate(offline)
    page.get_by_role("button", name="su menú").click()
    page.get_by_role("menuitem", name="Ajustes").click()
    assert violations(page) == []
    page.get_by_role("dialog").get_by_label("Idioma").select_option("en")
    expect(page.get_by_role("region", name="Waiting")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
