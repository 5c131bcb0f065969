"""The screens of the widget that are seen in every language, and what they need. Imports no pytest."""

from __future__ import annotations

from abc import ABC, abstractmethod

from playwright.sync_api import Browser, Page, expect

from tests.e2e.abroad import NAMES, Foreigner
from tests.e2e.people import Desk, Visitor
from tests.e2e.wishes import Settings
from tests.servers import Server

DEVICES = {"desktop": (1440, 900), "phone": (390, 844)}
FIRST = {
    "ar": "مرحبًا، انزلقت في متجر بمدينة Tampa الأسبوع الماضي (٣ مايو)",
    "es": "Hola, la semana pasada me resbalé en un supermercado de Tampa",
    "de": "Guten Tag, meine Rechtsschutzversicherungsgesellschaft antwortet mir nicht",
    "fr": "Bonjour, je suis tombé dans un supermarché de Tampa la semaine dernière",
    "pt": "Olá, na semana passada escorreguei num supermercado de Tampa",
}


class WidgetScenes(ABC):
    """With one scheme on one device."""

    def __init__(self, browser: Browser, server: Server, scheme: str, device: str) -> None:
        self.browser, self.server = browser, server
        self.scheme, self.device = scheme, device
        self.is_phone = device == "phone"

    def page(self, locale: str = "en-US") -> Page:
        width, height = DEVICES[self.device]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if self.scheme == "dark" else "light",
            reduced_motion="reduce",
            locale=locale,
        )
        context.set_default_timeout(15_000)
        return context.new_page()

    def desk(self) -> Desk:
        """olga, logged in."""
        olga = Desk(self.page(), self.server.url, "olga@demo.test")
        olga.logs_in()
        return olga

    @abstractmethod
    def look(self, page: Page, screen: str, *, whole: bool = False) -> None:
        """`page` shows `screen`. `whole`: all of a long page is meant, not what the window shows of it."""

    def to_list(self, desk: Desk) -> None:
        if self.is_phone:
            desk.page.get_by_role("button", name="Back to the list").click()

    def faces(self, olga: Desk) -> None:
        """A greeting beside the launcher, and pictures of the firm and of who answers."""
        wants = Settings(self.server)
        page = self.page()
        with wants.put_back():
            wants.faces(painted(page, "#1b2a49", "H&L"), painted(page, "#8a5a2b", "O"))
            for locale, words in (
                ("en-US", "Hurt in a crash? Ask us, it costs nothing."),
                ("ar-EG", "هل أُصبت في حادث؟ اسألنا مجانًا."),
            ):
                wants(greeting=words, greeting_after=1)
                greeted = self.page(locale)
                greeted.goto(self.server.url + "/demo/")
                expect(greeted.get_by_role("button", name=words)).to_be_visible()
                self.look(greeted, "greeting" if locale == "en-US" else "greeting-ar")
                greeted.context.close()
            wants(greeting="")
            vera = Visitor(page, self.server.url)
            vera.visits()
            vera.opens_chat()
            expect(vera.frame.get_by_role("button", name="Start chat")).to_be_visible()
            self.look(page, "widget-form-faces")
            vera.frame.get_by_role("textbox", name="Name").fill("Dana Faces")
            vera.frame.get_by_role("button", name="Start chat").click()
            vera.says("Are you the one from the phone?")
            olga.accepts("Dana Faces")
            olga.says("Yes, that was me.")
            olga.says("Is the file on your desk the one about the store?")
            expect(vera.frame.locator(".said .avatar img")).to_have_count(1)
            self.look(page, "widget-chat-faces")
            olga.ends()
            expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
            self.to_list(olga)
        page.context.close()

    def abroad(self, olga: Desk, language: str) -> None:
        """The widget as others read it: from the right, and in long words."""
        names = NAMES[language]
        olga.is_online()
        vera = Foreigner(self.page(names.locale), self.server.url, language)
        vera.visits()
        vera.opens_chat()
        expect(vera.button(names.start)).to_be_visible()
        self.look(vera.page, f"widget-form-{language}")
        vera.frame.get_by_role("textbox", name=names.email, exact=True).fill("dana@nowhere")
        vera.button(names.start).click()
        expect(vera.frame.locator(".field-error")).to_have_count(1)
        self.look(vera.page, f"widget-refused-{language}")
        vera.frame.get_by_role("textbox", name=names.email, exact=True).fill("dana@example.test")
        vera.frame.get_by_role("textbox", name=names.name, exact=True).fill(f"Dana {language}")
        vera.button(names.start).click()
        expect(vera.log).to_be_visible()
        vera.says(FIRST[language])
        self.look(vera.page, f"widget-waiting-{language}")
        olga.accepts(f"Dana {language}")
        olga.says("I'm sorry to hear that. Are you getting medical care?")
        vera.says("+1 (813) 555-0100")
        expect(vera.frame.get_by_role("heading", name="Olga")).to_be_visible()
        self.look(vera.page, f"widget-chat-{language}")
        self.visitors_own(vera, f"-{language}")
        vera.page.context.set_offline(True)
        expect(vera.frame.locator(".trouble-shown")).to_be_visible()
        vera.says(FIRST[language] + ".")
        vera.button(names.end).first.click()
        expect(vera.frame.get_by_role("alertdialog")).to_be_visible()
        self.look(vera.page, f"widget-trouble-{language}")
        vera.page.context.set_offline(False)
        expect(vera.frame.locator(".trouble-shown")).to_have_count(0)
        olga.ends()
        expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
        expect(vera.frame.locator(".ask .button-primary.button-wide")).to_be_visible()
        self.look(vera.page, f"widget-ended-{language}")
        self.transcript(vera, f"-{language}")
        self.to_list(olga)
        olga.is_away()
        late = Foreigner(self.page(names.locale), self.server.url, language)
        late.visits()
        late.opens_chat()
        late.button(names.leave).click()
        expect(late.frame.locator(".field-error").first).to_be_visible()
        self.look(late.page, f"widget-leave-message-{language}")
        for each in (vera, late):
            each.page.context.close()

    def visitors_own(self, vera: Visitor, suffix: str = "") -> None:
        """What she opens in a chat herself; it is as before then."""
        opener = vera.frame.locator(".composer-box .button-plain")
        opener.click()
        expect(vera.frame.get_by_role("grid")).to_be_visible()
        self.look(vera.page, f"widget-emoji{suffix}")
        opener.click()
        expect(vera.frame.get_by_role("grid")).to_have_count(0)

    def transcript(self, vera: Visitor, suffix: str = "") -> None:
        """Asks for it, and is told what is missing."""
        vera.frame.locator(".ask .button-wide:not(.button-primary)").click()
        expect(vera.frame.locator("#transcript-email")).to_be_focused()
        self.look(vera.page, f"widget-transcript{suffix}")
        vera.frame.locator("#transcript-email").fill("")
        vera.page.keyboard.press("Enter")
        expect(vera.frame.locator("#transcript-trouble")).not_to_be_empty()
        self.look(vera.page, f"widget-transcript-refused{suffix}")


def painted(page: Page, colour: str, letters: str) -> bytes:
    """A face for those who have none here: 96 x 96, as PNG."""
    drawn: list[int] = page.evaluate(
        """async ([colour, letters]) => {
            const canvas = Object.assign(document.createElement("canvas"), {width: 96, height: 96});
            const pen = canvas.getContext("2d");
            pen.fillStyle = colour;
            pen.fillRect(0, 0, 96, 96);
            pen.fillStyle = "#fff";
            pen.font = "600 34px Georgia, serif";
            pen.textAlign = "center";
            pen.fillText(letters, 48, 60);
            const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
            return [...new Uint8Array(await blob.arrayBuffer())];
        }""",
        [colour, letters],
    )
    return bytes(drawn)
