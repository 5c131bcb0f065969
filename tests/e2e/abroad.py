"""Visitors whose widget speaks another language: they find everything by the names that it has there."""

from __future__ import annotations

from typing import NamedTuple

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.e2e.people import Visitor


class Names(NamedTuple):
    """The accessible names of contract.md in a language, by their English ones."""

    locale: str
    launcher: str
    chat: str
    name: str
    email: str
    start: str
    leave: str
    conversation: str
    message: str
    send: str
    end: str


NAMES = {
    "ar": Names(
        "ar-EG", "تحدّث معنا", "محادثة", "الاسم", "البريد الإلكتروني", "بدء المحادثة", "ترك رسالة",
        "المحادثة", "الرسالة", "إرسال", "إنهاء المحادثة",
    ),
    "es": Names(
        "es-MX", "Chatee con nosotros", "Chat", "Nombre", "Correo electrónico", "Iniciar chat",
        "Dejar mensaje", "Conversación", "Mensaje", "Enviar", "Terminar chat",
    ),
    "de": Names(
        "de-AT", "Chatten Sie mit uns", "Chat", "Name", "E-Mail", "Chat beginnen", "Nachricht hinterlassen",
        "Gespräch", "Nachricht", "Senden", "Chat beenden",
    ),
    "fr": Names(
        "fr-CA", "Discuter avec nous", "Discussion", "Nom", "Adresse e-mail", "Démarrer la discussion",
        "Laisser un message", "Conversation", "Message", "Envoyer", "Terminer la discussion",
    ),
    "pt": Names(
        "pt-BR", "Converse conosco", "Chat", "Nome", "E-mail", "Iniciar chat", "Deixar mensagem",
        "Conversa", "Mensagem", "Enviar", "Encerrar chat",
    ),
}  # fmt: skip


class Foreigner(Visitor):
    """A visitor who does in her language what a Visitor does in English."""

    def __init__(self, page: Page, url: str, language: str) -> None:
        super().__init__(page, url)
        self.names = NAMES[language]

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator(f"iframe[title='{self.names.chat}']")

    @property
    def log(self) -> Locator:
        return self.frame.get_by_role("log", name=self.names.conversation, exact=True)

    @property
    def message(self) -> Locator:
        return self.frame.get_by_role("textbox", name=self.names.message, exact=True)

    def button(self, name: str) -> Locator:
        return self.frame.get_by_role("button", name=name, exact=True)

    def opens_chat(self) -> None:
        self.page.get_by_role("button", name=self.names.launcher, exact=True).click()

    def starts_chat(self, name: str, first: str = "") -> None:
        self.name = name
        self.visits()
        self.opens_chat()
        self.frame.get_by_role("textbox", name=self.names.name, exact=True).fill(name)
        self.button(self.names.start).click()
        self.is_in_the_chat()
        if first:
            self.says(first)

    def says(self, text: str) -> None:
        self.message.fill(text)
        self.button(self.names.send).click()
        expect(self.log.get_by_text(text, exact=True)).to_have_count(1)

    def ends_chat(self) -> None:
        self.button(self.names.end).first.click()
        self.frame.get_by_role("alertdialog").get_by_role("button", name=self.names.end, exact=True).click()
