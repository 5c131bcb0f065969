"""Every screen of a demo, one after the other, as people come to them: the one list that pictures are taken
of (`dev.py shots`) and that is looked through for what stands in somebody's way (test_reach.py). Imports no
pytest.
"""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.abroad import NAMES
from tests.e2e.account_scenes import AccountScenes
from tests.e2e.hosts import Host, HostPage
from tests.e2e.people import PASSWORD, Desk, Visitor


class Walk(AccountScenes):
    """One round through all screens with one scheme on one device."""

    def all(self) -> None:
        self.public()
        self.account()
        olga = self.desk()
        self.chats(olga)
        self.places(olga)
        self.faces(olga)
        for language in NAMES:
            self.abroad(olga, language)
        olga.page.context.close()
        self.app()

    def public(self) -> None:
        page = self.page()
        page.goto(self.server.url + "/")
        expect(page.get_by_role("button", name="Chat with us")).to_be_visible()
        self.look(page, "home", whole=True)
        page.goto(self.server.url + "/styleguide/")
        expect(page.get_by_role("heading", name="Progress")).to_be_visible()
        self.look(page, "styleguide", whole=True)
        page.get_by_role("switch", name="Right to left").click()
        self.look(page, "styleguide-rtl", whole=True)
        page.goto(self.server.url + "/nothing-here/")
        self.look(page, "not-found")
        spanish = self.page("es-MX")
        spanish.goto(self.server.url + "/nothing-here/")
        expect(spanish.get_by_role("heading", name="Aquí no hay nada")).to_be_visible()
        self.look(spanish, "not-found-es")
        spanish.context.close()
        page.goto(self.server.url + "/console/")
        self.look(page, "login")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".field-error").first).to_be_visible()
        self.look(page, "login-error")
        page.context.close()

    def app(self) -> None:
        """What an operator chooses, a reply that may be taken back, no network, and all of it in Spanish."""
        page = self.page("es-MX")
        page.context.grant_permissions(["notifications"])
        page.goto(self.server.url + "/console/")
        self.look(page, "login-es")
        page.get_by_role("textbox", name="Correo electrónico").fill("olga@demo.test")
        page.get_by_label("Contraseña").fill(PASSWORD)
        page.get_by_role("button", name="Iniciar sesión").click()
        page.get_by_role("button", name="su menú").click()
        page.get_by_role("menuitem", name="Ajustes").click()
        page.get_by_label("Tiempo para deshacer una respuesta").select_option("10")
        self.look(page, "console-settings-es")
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
        self.look(page, "console-undo-es")
        page.get_by_role("button", name="Terminar chat").click()
        page.get_by_role("dialog").get_by_role("button", name="Terminar chat").click()
        expect(page.get_by_text("Este chat ha terminado")).to_be_visible()
        page.goto(self.server.url + "/console/offline/")
        self.look(page, "console-offline-es")
        for each in (page, vera.page):
            each.context.close()

    def chats(self, olga: Desk) -> None:
        """What an operator and a visitor in English see of each other; afterwards she is online."""
        olga.is_away()
        hint = olga.page.get_by_role("button", name="Allow notifications")
        expect(hint).to_be_visible()
        self.look(olga.page, "console-hint")
        olga.page.context.grant_permissions(["notifications"])
        expect(hint).to_have_count(0)
        self.look(olga.page, "console-away")
        away = Visitor(self.page(), self.server.url)
        away.visits()
        away.opens_chat()
        expect(away.frame.get_by_role("button", name="Leave message")).to_be_visible()
        self.look(away.page, "widget-leave-message")
        away.page.context.close()
        olga.is_online()

        vera = Visitor(self.page(), self.server.url)
        vera.visits()
        self.look(vera.page, "demo")
        vera.opens_chat()
        expect(vera.frame.get_by_role("button", name="Start chat")).to_be_visible()
        self.look(vera.page, "widget-form")
        vera.frame.get_by_role("textbox", name="Email").fill("dana at home")
        vera.frame.get_by_role("button", name="Start chat").click()
        expect(vera.frame.locator(".field-error")).to_have_count(1)
        self.look(vera.page, "widget-refused")
        vera.frame.get_by_role("textbox", name="Name").fill("Dana O'Brien")
        vera.frame.get_by_role("textbox", name="Email").fill("dana@example.test")
        vera.frame.get_by_role("button", name="Start chat").click()
        expect(vera.log).to_be_visible()
        vera.says("Hi, I slipped in a supermarket in Tampa last week.")
        self.look(vera.page, "widget-waiting")
        others = [Visitor(self.page(), self.server.url) for _ in range(2)]
        others[0].starts_chat("Sam W.", "Is the first talk really free?")
        others[1].starts_chat("", "My neighbor's dog bit my son.")
        expect(olga.row("Waiting", "Sam W.")).to_be_visible()
        self.look(olga.page, "console-waiting")

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
        self.look(olga.page, "console-chat")
        self.look(vera.page, "widget-chat")
        self.visitors_own(vera)
        if self.is_phone:
            olga.page.get_by_role("button", name="About the visitor").click()
            self.look(olga.page, "console-visitor")
            olga.page.get_by_role("button", name="Close", exact=True).click()
        olga.page.get_by_role("button", name="Transfer").click()
        self.look(olga.page, "console-transfer")
        olga.page.keyboard.press("Escape")
        olga.page.get_by_role("button", name="More", exact=True).click()
        olga.page.get_by_role("menuitem", name="Visitor is under 18").click()
        self.look(olga.page, "console-minor")
        olga.page.keyboard.press("Escape")
        olga.page.get_by_role("button", name="Note", exact=True).click()
        olga.message.fill("Ask Nina whether the March file is still open.")
        self.look(olga.page, "console-note")
        olga.page.get_by_role("button", name="Reply", exact=True).click()
        self.by_keyboard(olga)

        for each in (olga.page, vera.page):
            each.context.set_offline(True)
        expect(olga.has_trouble()).to_be_visible()
        olga.says("When exactly did it happen?")
        self.look(olga.page, "console-trouble")
        expect(vera.frame.locator(".trouble-shown")).to_be_visible()
        vera.says("On Thursday, at about six in the evening.")
        self.look(vera.page, "widget-trouble")
        for each in (olga.page, vera.page):
            each.context.set_offline(False)
        expect(olga.has_trouble()).to_have_count(0)
        vera.sees("When exactly did it happen?")

        olga.page.get_by_role("button", name="End chat").click()
        self.look(olga.page, "console-end")
        olga.page.get_by_role("dialog").get_by_role("button", name="End chat").click()
        expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
        self.look(olga.page, "console-ended")
        expect(vera.frame.get_by_text("ended the chat")).to_be_visible()
        self.look(vera.page, "widget-ended")
        self.transcript(vera)
        vera.frame.locator("#transcript-email").fill("dana@example.test")
        vera.page.keyboard.press("Enter")
        expect(vera.frame.get_by_role("status").filter(has_text="dana@example.test")).to_be_visible()
        self.look(vera.page, "widget-mailed")
        others[1].ends_chat()
        self.to_list(olga)
        number = olga.region("Missed").locator("bdi").first
        expect(number).to_be_visible()
        number.click()
        self.look(olga.page, "console-missed")
        self.to_list(olga)
        olga.opens("Sam W.")
        olga.ends()
        self.to_list(olga)
        for page in (vera.page, *(each.page for each in others)):
            page.context.close()

    def places(self, olga: Desk) -> None:
        """The chat as a page of its own, and in the middle of somebody's page."""
        page = self.page()
        page.goto(self.server.url + "/demo/")
        key = page.locator("script[data-site]").first.get_attribute("data-site")
        page.goto(f"{self.server.url}/chat/{key}/")
        expect(page.get_by_role("button", name="Start chat")).to_be_visible()
        self.look(page, "hosted-form")
        page.get_by_role("textbox", name="Name").fill("Ana")
        page.get_by_role("button", name="Start chat").click()
        page.get_by_role("textbox", name="Message").fill("I have your card from the hospital.")
        page.get_by_role("button", name="Send").click()
        olga.accepts("Ana")
        olga.says("Good that you write, Ana. What happened?")
        expect(page.get_by_text("What happened?")).to_be_visible()
        self.look(page, "hosted-chat")
        olga.ends()
        expect(olga.page.get_by_text("This chat has ended")).to_be_visible()
        self.to_list(olga)
        page.context.close()
        with Host() as host:
            snippet = f'src="{self.server.url}/widget/v1/loader.js" data-site="{key}" data-inline="#chatlead"'
            style = "<style>body { max-width: 640px; margin: 24px auto; font: 16px system-ui }</style>"
            head = f'<title>Contact</title><meta name="viewport" content="width=device-width">{style}'
            place = '<main><h1>Contact</h1><p>Write to us here.</p><div id="chatlead"></div></main>'
            html = f'<!doctype html><html lang="en">{head}{place}<script async {snippet}></script></html>'
            host.pages["/"] = HostPage(html)
            page = self.page()
            page.goto(host.address("/"))
            frame = page.frame_locator("iframe[title='Chat']")
            expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
            self.look(page, "inline-form")
            page.context.close()

    def by_keyboard(self, olga: Desk) -> None:
        """The palette, the list of keys, prepared replies, and a message that is being reworded."""
        page = olga.page
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("prepared")
        self.look(page, "console-palette")
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
        self.look(page, "console-prepared")
        panel.get_by_role("button", name="Close", exact=True).click()
        olga.message.fill("")
        olga.message.press("/")
        expect(page.get_by_role("option").first).to_be_visible()
        self.look(page, "console-replies")
        page.keyboard.press("Escape")
        olga.message.fill("")
        olga.message.press("ArrowUp")
        self.look(page, "console-reword")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="End chat").focus()  # where nobody writes
        page.keyboard.press("?")
        self.look(page, "console-keys")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("open settings")
        page.keyboard.press("Enter")
        compact = page.get_by_role("switch", name="Compact view")
        compact.click()
        self.look(page, "console-settings")
        page.keyboard.press("Escape")
        self.look(page, "console-compact")
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("open settings")
        page.keyboard.press("Enter")
        compact.click()
        page.keyboard.press("Escape")
