"""The pages that Django draws for an account, for those who ask it for something, and for whoever runs the
server: empty, full, with what was typed in wrongly. Imports no pytest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.filled import fill
from tests.e2e.people import until
from tests.e2e.widget_scenes import WidgetScenes
from tests.servers import Server

EMPTY = {
    "overview": "/account/", "chats": "/account/chats/", "surveys": "/account/surveys/",
    "results": "/account/surveys/results/", "sms": "/account/sms/",
    "sms-programme": "/account/sms/programme/",
    "sms-messages": "/account/sms/messages/", "sms-consents": "/account/sms/consents/",
    "sms-blocked": "/account/sms/blocked/", "privacy": "/account/privacy/",
    "keeping": "/account/privacy/keeping/", "privacy-holds": "/account/privacy/holds/",
}  # fmt: skip
FULL = {
    "overview": "/account/", "chats": "/account/chats/", "chat": "chat", "chat-archived": "archived",
    "surveys": "/account/surveys/", "survey-build": "survey_build", "results": "/account/surveys/results/",
    "survey-response": "survey_response", "sms": "/account/sms/", "sms-sender": "sms_sender",
    "sms-messages": "/account/sms/messages/", "sms-consents": "/account/sms/consents/",
    "sms-blocked": "/account/sms/blocked/", "sms-number": "sms_number",
    "privacy": "/account/privacy/?show=all", "privacy-erase": "privacy_request",
    "privacy-refused": "privacy_refused", "privacy-search": "/account/privacy/search/",
    "keeping": "/account/privacy/keeping/",
}  # fmt: skip


# A look at these finds what is wrong with the others, too, which have no part of their own.
SHORT = {
    *("keeping-empty", "sms-empty", "chats", "chat-archived", "surveys", "results", "sms", "sms-sender"),
    *("sms-messages", "sms-consents", "sms-blocked", "privacy", "keeping"),
}


@cache
def filled(server: Server) -> dict[str, Any]:
    """What `fill` made there, once; and how many codes were typed in."""
    return fill(server, backups=True) | {"used": 0}


class AccountScenes(WidgetScenes):
    """With one scheme on one device."""

    def account(self, *, short: bool = False) -> None:
        """`short`: every part once, and no waiting for a worker."""
        known = filled(self.server)
        paths: dict[str, str] = known["paths"]
        page = self.as_somebody("fresh")
        for name, path in EMPTY.items():
            if not short or f"{name}-empty" in SHORT:
                self.goes(page, path, f"account-{name}-empty")
        page.context.close()
        page = self.as_somebody("owner")
        for name, path in FULL.items():
            if not short or name in SHORT:
                self.goes(page, paths.get(path, path), f"account-{name}")
        if not short:
            self.by_worker(page, paths)
        self.wrong(page, paths)
        page.context.close()
        page = self.as_somebody("staff")
        self.goes(page, "/admin/backups/", "admin-backups")
        page.context.close()
        self.visitors(known, paths)

    def goes(self, page: Page, path: str, screen: str) -> None:
        page.goto(self.server.url + path)
        self.look(page, screen, whole=True)

    def as_somebody(self, who: str) -> Page:
        page = self.page()
        cookie = filled(self.server)["cookies"][who]
        page.context.add_cookies([cookie | {"url": self.server.url}])
        return page

    def presses(self, page: Page, path: str, button: str, screen: str) -> None:
        """Sends a form as it is, and is told what is wrong with it."""
        page.goto(self.server.url + path)
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator(".field-error, [role=alert]").first).to_be_visible()
        self.look(page, screen, whole=True)

    def wrong(self, page: Page, paths: dict[str, str]) -> None:
        """What an admin forgot to fill in, and the question before all texts are stopped."""
        page.goto(self.server.url + paths["survey_build"])
        page.get_by_role("button", name="Add a question").click()
        expect(page.locator("#label-5")).to_be_focused()
        page.get_by_role("button", name="Publish").click()
        expect(page.locator(".field-error").first).to_be_visible()
        self.look(page, "account-survey-build-wrong", whole=True)
        page.on("dialog", lambda dialog: dialog.accept())  # leaves what is not published
        self.presses(page, "/account/privacy/search/", "Enter the request", "account-privacy-search-wrong")
        self.presses(page, paths["privacy_request"], "Refuse", "account-privacy-erase-wrong")
        page.goto(self.server.url + "/account/sms/programme/")
        page.get_by_role("textbox", name="Name").fill("Harbor & Lane texts")
        page.get_by_role("textbox", name="Help contact").fill("call us")
        page.get_by_role("textbox", name="Terms and privacy policy").fill("https://harbor.test/terms")
        page.get_by_role("button", name="Set up").click()
        expect(page.locator(".field-error").first).to_be_visible()
        self.look(page, "account-sms-programme-wrong", whole=True)
        page.goto(self.server.url + "/account/sms/")
        opener = page.get_by_role("button", name="Turn text messages off")
        opener.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        self.look(page, "account-sms-switch")
        page.keyboard.press("Escape")
        expect(opener).to_be_focused()

    def by_worker(self, page: Page, paths: dict[str, str]) -> None:
        """A copy that waits for whoever it is of, and a certificate: a worker has made them by now."""
        for name, title in (("copied", "The copy"), ("erased", "Certificate of erasure")):
            page.goto(self.server.url + paths[f"privacy_{name}"])

            def is_done(title: str = title) -> bool:
                page.reload()
                return page.get_by_role("heading", name=title).count() == 1

            until(page, is_done, f"there is: {title}", seconds=60)
            self.look(page, f"account-privacy-{name}", whole=True)

    def visitors(self, known: dict[str, Any], paths: dict[str, str]) -> None:
        """The pages of those who have no log-in."""
        place, known["used"] = known["used"], known["used"] + 1
        page = self.page()
        self.goes(page, paths["ask"], "ask")
        page.locator("main form button").click()
        expect(page.locator(".field-error")).to_be_visible()
        self.look(page, "ask-wrong", whole=True)
        self.goes(page, paths["ask_ar"], "ask-ar")
        page.locator("main form button").click()
        expect(page.locator(".field-error")).to_be_visible()
        self.look(page, "ask-wrong-ar", whole=True)
        self.goes(page, paths["code_ar"], "ask-code-ar")
        page.goto(self.server.url + paths[f"code_{place}"])
        page.get_by_role("textbox", name="Code").fill("00000000")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("alert")).to_be_visible()
        self.look(page, "ask-code-wrong", whole=True)
        page.get_by_role("textbox", name="Code").fill(paths[f"digits_{place}"])
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Your request is confirmed.")).to_be_visible()
        self.look(page, "ask-stands", whole=True)
        for name in ("survey_open", "survey_ar"):
            self.goes(page, paths[name], name.replace("_", "-"))
        page.locator("select").first.select_option(index=1)
        self.goes(page, paths["survey_done"], "survey-done")
        self.goes(page, paths["sms_consent"], "sms-consent")
        page.get_by_role("textbox", name="Mobile phone").fill("12")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_be_visible()
        self.look(page, "sms-consent-wrong", whole=True)
        page.context.close()
