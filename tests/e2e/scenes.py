"""`dev.py shots DIR`: walks through every screen of a demo of its own and takes pictures, light and dark,
desktop and phone: `<screen>-<light|dark>-<desktop|phone>.png`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.abroad import NAMES, Foreigner
from tests.e2e.browser import chromium
from tests.e2e.hosts import Host, HostPage
from tests.e2e.people import PASSWORD, Desk, Visitor
from tests.servers import Server

DEVICES = {"desktop": (1440, 900), "phone": (390, 844)}
FIRST = {
    "ar": "مرحبًا، انزلقت في متجر بمدينة Tampa الأسبوع الماضي (٣ مايو)",
    "es": "Hola, la semana pasada me resbalé en un supermercado de Tampa",
    "de": "Guten Tag, meine Rechtsschutzversicherungsgesellschaft antwortet mir nicht",
}
SETTLED_MS = 300  # longer than any movement on a screen


class Walk:
    """One round through the screens with one scheme on one device."""

    def __init__(self, browser: Browser, server: Server, folder: Path, scheme: str, device: str) -> None:
        self.browser, self.server, self.folder = browser, server, folder
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

    def shoot(self, page: Page, screen: str, *, whole: bool = False) -> None:
        """`whole`: all of a long page, not only what the screen shows of it."""
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=self.folder / f"{screen}-{self.scheme}-{self.device}.png", full_page=whole)

    def all(self) -> None:
        self.public()
        self.chats()
        self.app()
        self.languages()

    def public(self) -> None:
        page = self.page()
        page.goto(self.server.url + "/")
        expect(page.get_by_role("button", name="Chat with us")).to_be_visible()
        self.shoot(page, "home", whole=True)
        page.goto(self.server.url + "/styleguide/")
        expect(page.get_by_role("heading", name="Progress")).to_be_visible()
        self.shoot(page, "styleguide", whole=True)
        page.get_by_role("switch", name="Right to left").click()
        self.shoot(page, "styleguide-rtl", whole=True)
        page.goto(self.server.url + "/nothing-here/")
        self.shoot(page, "not-found")
        page.goto(self.server.url + "/console/")
        self.shoot(page, "login")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".field-error").first).to_be_visible()
        self.shoot(page, "login-error")
        page.context.close()

    def app(self) -> None:
        """What an operator chooses, a reply that may be taken back, no network, and all of it in Spanish."""
        page = self.page("es-MX")
        page.context.grant_permissions(["notifications"])
        page.goto(self.server.url + "/console/")
        self.shoot(page, "login-es")
        page.get_by_role("textbox", name="Correo electrónico").fill("olga@demo.test")
        page.get_by_label("Contraseña").fill(PASSWORD)
        page.get_by_role("button", name="Iniciar sesión").click()
        page.get_by_role("button", name="su menú").click()
        page.get_by_role("menuitem", name="Ajustes").click()
        page.get_by_label("Tiempo para deshacer una respuesta").select_option("10")
        self.shoot(page, "console-settings-es")
        page.get_by_role("button", name="Listo").click()
        status = page.locator("button.status")
        if status.inner_text() == "Ausente":
            status.click()
        expect(status).to_have_text("En línea")
        vera = Visitor(self.page("es-MX"), self.server.url)
        vera.visits()
        vera.page.get_by_role("button", name="Chatee con nosotros").click()
        vera.frame.get_by_role("textbox", name="Nombre").fill("Dana O'Brien")
        vera.frame.get_by_role("button", name="Iniciar chat").click()
        page.get_by_role("button", name="Aceptar").click()
        page.get_by_role("textbox", name="Mensaje").fill("Buenos días, ¿en qué puedo ayudarle?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Deshacer")).to_be_visible()
        self.shoot(page, "console-undo-es")
        page.get_by_role("button", name="Terminar chat").click()
        page.get_by_role("dialog").get_by_role("button", name="Terminar chat").click()
        expect(page.get_by_text("Este chat ha terminado")).to_be_visible()
        page.goto(self.server.url + "/console/offline/")
        self.shoot(page, "console-offline-es")
        for each in (page, vera.page):
            each.context.close()

    def chats(self) -> None:
        olga = Desk(self.page(), self.server.url, "olga@demo.test")
        olga.logs_in()
        olga.is_away()
        hint = olga.page.get_by_role("button", name="Allow notifications")
        expect(hint).to_be_visible()
        self.shoot(olga.page, "console-hint")
        olga.page.context.grant_permissions(["notifications"])
        expect(hint).to_have_count(0)
        self.shoot(olga.page, "console-away")
        away = Visitor(self.page(), self.server.url)
        away.visits()
        away.opens_chat()
        expect(away.frame.get_by_role("button", name="Leave message")).to_be_visible()
        self.shoot(away.page, "widget-leave-message")
        away.page.context.close()
        olga.is_online()

        vera = Visitor(self.page(), self.server.url)
        vera.visits()
        self.shoot(vera.page, "demo")
        vera.opens_chat()
        expect(vera.frame.get_by_role("button", name="Start chat")).to_be_visible()
        self.shoot(vera.page, "widget-form")
        vera.frame.get_by_role("textbox", name="Name").fill("Dana O'Brien")
        vera.frame.get_by_role("textbox", name="Email").fill("dana@example.test")
        vera.frame.get_by_role("button", name="Start chat").click()
        expect(vera.log).to_be_visible()
        vera.says("Hi, I slipped in a supermarket in Tampa last week.")
        self.shoot(vera.page, "widget-waiting")
        others = [Visitor(self.page(), self.server.url) for _ in range(2)]
        others[0].starts_chat("Sam W.", "Is the first talk really free?")
        others[1].starts_chat("", "My neighbor's dog bit my son.")
        expect(olga.row("Waiting", "Sam W.")).to_be_visible()
        self.shoot(olga.page, "console-waiting")

        olga.accepts("Sam W.")
        self.to_list(olga)
        olga.accepts("Dana O'Brien")
        olga.says("I'm sorry to hear that, Dana. Are you getting medical care?")
        vera.says("Yes, I had surgery on Friday.")
        olga.sees("Yes, I had surgery on Friday.")
        olga.notes("Called in March about the same store. Check the earlier file before quoting anything.")
        olga.says("Good. Please keep every receipt and do not sign anything they send you.")
        others[0].says("And do you have time on Monday?")
        vera.message.press_sequentially("It happ")
        expect(olga.page.get_by_text("is typing").first).to_be_visible()
        self.shoot(olga.page, "console-chat")
        self.shoot(vera.page, "widget-chat")
        if self.is_phone:
            olga.page.get_by_role("button", name="About the visitor").click()
            self.shoot(olga.page, "console-visitor")
            olga.page.get_by_role("button", name="Close", exact=True).click()
        olga.page.get_by_role("button", name="Transfer").click()
        self.shoot(olga.page, "console-transfer")
        olga.page.keyboard.press("Escape")
        olga.page.get_by_role("button", name="Note", exact=True).click()
        olga.message.fill("Ask Nina whether the March file is still open.")
        self.shoot(olga.page, "console-note")
        olga.page.get_by_role("button", name="Reply", exact=True).click()
        self.by_keyboard(olga)

        for each in (olga.page, vera.page):
            each.context.set_offline(True)
        expect(olga.has_trouble()).to_be_visible()
        olga.says("When exactly did it happen?")
        self.shoot(olga.page, "console-trouble")
        vera.page.wait_for_timeout(1500)
        self.shoot(vera.page, "widget-trouble")
        for each in (olga.page, vera.page):
            each.context.set_offline(False)
        expect(olga.has_trouble()).to_have_count(0)
        vera.sees("When exactly did it happen?")

        olga.page.get_by_role("button", name="End chat").click()
        self.shoot(olga.page, "console-end")
        olga.page.get_by_role("dialog").get_by_role("button", name="End chat").click()
        expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
        self.shoot(olga.page, "console-ended")
        expect(vera.frame.get_by_text("ended the chat")).to_be_visible()
        self.shoot(vera.page, "widget-ended")
        others[1].ends_chat()
        self.to_list(olga)
        number = olga.region("Missed").locator("bdi").first
        expect(number).to_be_visible()
        number.click()
        self.shoot(olga.page, "console-missed")
        self.to_list(olga)
        olga.opens("Sam W.")
        olga.ends()
        self.to_list(olga)
        self.places(olga)
        for page in (olga.page, vera.page, *(each.page for each in others)):
            page.context.close()

    def places(self, olga: Desk) -> None:
        """The chat as a page of its own, and in the middle of somebody's page."""
        page = self.page()
        page.goto(self.server.url + "/demo/")
        key = page.locator("script[data-site]").first.get_attribute("data-site")
        page.goto(f"{self.server.url}/chat/{key}/")
        expect(page.get_by_role("button", name="Start chat")).to_be_visible()
        self.shoot(page, "hosted-form")
        page.get_by_role("textbox", name="Name").fill("Ana")
        page.get_by_role("button", name="Start chat").click()
        page.get_by_role("textbox", name="Message").fill("I have your card from the hospital.")
        page.get_by_role("button", name="Send").click()
        olga.accepts("Ana")
        olga.says("Good that you write, Ana. What happened?")
        expect(page.get_by_text("What happened?")).to_be_visible()
        self.shoot(page, "hosted-chat")
        olga.ends()
        page.context.close()
        with Host() as host:
            place = '<h1>Contact</h1><p>Write to us here.</p><div id="chatlead"></div>'
            snippet = f'src="{self.server.url}/widget/v1/loader.js" data-site="{key}" data-inline="#chatlead"'
            style = "<style>body { max-width: 640px; margin: 24px auto; font: 16px system-ui }</style>"
            html = f"<!doctype html><title>Contact</title>{style}{place}<script async {snippet}></script>"
            sized = '<meta name="viewport" content="width=device-width">'
            host.pages["/"] = HostPage(html.replace("<title>", f"{sized}<title>"))
            page = self.page()
            page.goto(host.address("/"))
            frame = page.frame_locator("iframe[title='Chat']")
            expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
            self.shoot(page, "inline-form")
            page.context.close()

    def languages(self) -> None:
        """The widget as others read it: from the right, and in long words."""
        olga = Desk(self.page(), self.server.url, "olga@demo.test")
        olga.logs_in()
        for language, names in NAMES.items():
            olga.is_online()
            vera = Foreigner(self.page(names.locale), self.server.url, language)
            vera.visits()
            vera.opens_chat()
            expect(vera.button(names.start)).to_be_visible()
            self.shoot(vera.page, f"widget-form-{language}")
            vera.frame.get_by_role("textbox", name=names.email, exact=True).fill("dana@nowhere")
            vera.button(names.start).click()
            expect(vera.frame.locator(".field-error")).to_have_count(1)
            self.shoot(vera.page, f"widget-refused-{language}")
            vera.frame.get_by_role("textbox", name=names.email, exact=True).fill("dana@example.test")
            vera.frame.get_by_role("textbox", name=names.name, exact=True).fill(f"Dana {language}")
            vera.button(names.start).click()
            expect(vera.log).to_be_visible()
            vera.says(FIRST[language])
            self.shoot(vera.page, f"widget-waiting-{language}")
            olga.accepts(f"Dana {language}")
            olga.says("I'm sorry to hear that. Are you getting medical care?")
            vera.says("+1 (813) 555-0100")
            expect(vera.frame.get_by_role("heading", name="Olga")).to_be_visible()
            self.shoot(vera.page, f"widget-chat-{language}")
            vera.page.context.set_offline(True)
            expect(vera.frame.locator(".trouble-shown")).to_be_visible()
            vera.says(FIRST[language] + ".")
            vera.button(names.end).first.click()
            self.shoot(vera.page, f"widget-trouble-{language}")
            vera.page.context.set_offline(False)
            expect(vera.frame.locator(".trouble-shown")).to_have_count(0)
            olga.ends()
            expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
            self.shoot(vera.page, f"widget-ended-{language}")
            self.to_list(olga)
            olga.is_away()
            late = Foreigner(self.page(names.locale), self.server.url, language)
            late.visits()
            late.opens_chat()
            late.button(names.leave).click()
            expect(late.frame.locator(".field-error").first).to_be_visible()
            self.shoot(late.page, f"widget-leave-message-{language}")
            for each in (vera, late):
                each.page.context.close()
        olga.page.context.close()

    def by_keyboard(self, olga: Desk) -> None:
        """The palette, the list of keys, prepared replies, and a message that is being reworded."""
        page = olga.page
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("prepared")
        self.shoot(page, "console-palette")
        page.keyboard.press("Enter")
        panel = page.get_by_role("dialog", name="Prepared replies")
        for shortcut, text in (
            ("fee", "The first consultation is free, {visitor_name}, and you owe nothing unless we win."),
            ("hours", "We are here from nine to six, Monday to Friday, and by appointment on Saturdays."),
        ):
            if panel.get_by_text(f"/{shortcut}").count() == 0:
                panel.get_by_role("button", name="New reply").click()
                panel.get_by_role("textbox", name="Shortcut").fill(shortcut)
                panel.get_by_role("textbox", name="Text").fill(text)
                panel.get_by_role("button", name="Save").click()
                expect(panel.get_by_text(f"/{shortcut} is saved.")).to_be_visible()
        self.shoot(page, "console-prepared")
        panel.get_by_role("button", name="Close", exact=True).click()
        olga.message.fill("")
        olga.message.press("/")
        expect(page.get_by_role("option").first).to_be_visible()
        self.shoot(page, "console-replies")
        page.keyboard.press("Escape")
        olga.message.fill("")
        olga.message.press("ArrowUp")
        self.shoot(page, "console-reword")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="End chat").focus()  # where nobody writes
        page.keyboard.press("?")
        self.shoot(page, "console-keys")
        page.keyboard.press("Escape")

    def to_list(self, desk: Desk) -> None:
        if self.is_phone:
            desk.page.get_by_role("button", name="Back to the list").click()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chatlead-shots-") as data:
        env = {"CHATLEAD_DEMO_PASSWORD": PASSWORD}
        with (
            Server(data_dir=Path(data), options=["--migrate", "--demo"], env=env) as server,
            chromium() as browser,
        ):
            for scheme in ("light", "dark"):
                for device in DEVICES:
                    Walk(browser, server, folder, scheme, device).all()
                    print(f"{scheme}, {device}: done", flush=True)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
