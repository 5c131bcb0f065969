"""A visitor's chat frame without a browser.

visitor = Visitor("http://127.0.0.1:8000", site_key)
await visitor.open()
chat = await visitor.start_chat(name="Vera", text="Hello")
ack = await visitor.say(chat, "I have a question")
"""

from __future__ import annotations

import asyncio
from random import Random  # noqa: TID251 - jitter

from bench import http
from bench.chat_log import Chat, uuid7
from bench.client import PROTOCOL, Client
from bench.link import Frame


class Visitor(Client):
    """The chat frame of one browser session. `session` is the token that opens its chats again."""

    side = "visitor"

    def __init__(
        self,
        server: str,
        site_key: str,
        *,
        session: str = "",
        page_origin: str = "",
        chance: Random | None = None,
        polls: bool = False,
    ) -> None:
        super().__init__(server, "/ws/v1/visitor", cookie="", chance=chance, polls=polls)
        self.site_key, self.session = site_key, session
        self.page_origin = page_origin or self.server
        self.site: Frame = {}
        self.chat: Chat | None = None

    async def start_chat(self, *, name: str, text: str = "", department: str = "") -> Chat:
        """Fill the form, read the notice, start. `department` is a name; "" takes the first with somebody
        online. Raises Refused (`nobody_online`, `chat_already_open` …)."""
        uids = {view["name"]: view["uid"] for view in self.site["departments"]}
        chosen = uids[department] if department else (self.site.get("online") or [""])[0]
        command: Frame = {
            "type": "start_chat",
            "ref": uuid7(),
            "department": chosen,
            "fields": {spec["name"]: _answer(spec, name) for spec in self.site.get("fields", ())},
            "notice": self.site["notice"]["sha256"],
        }
        if text:
            command["text"] = text
        await self.post(command)
        assert self.chat is not None
        return self.chat

    async def _hello(self) -> Frame:
        body = f'{{"site":"{self.site_key}"}}'
        ticket = await asyncio.to_thread(
            http.json, f"{self.server}/widget/v1/ticket", body=body, origin=self.page_origin
        )
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "role": "chat",
            "site": self.site_key,
            "ticket": ticket["ticket"],
            "embedder": self.page_origin,
            "session": self.session,
            "page_url": f"{self.page_origin}/",
        }

    def _at(self) -> Frame:
        at: Frame = {"epoch": self.epoch, "online": self.site.get("online", [])}
        if self.chat is not None:
            at |= {"chat": self.chat.uid, "seq": self.chat.seq, "marks": list(self.chat.marks.values())}
        return at

    def _take_welcome(self, frame: Frame) -> None:
        self.session = frame.get("session") or self.session
        self.site = frame["site"]
        other_epoch, self.epoch = self.epoch not in ("", frame["epoch"]), frame["epoch"]
        if view := frame.get("chat"):
            self._adopt(view, anew=other_epoch)
        else:
            self.chat = None  # it ended long ago, by the server's clock

    def _adopt(self, view: Frame, *, anew: bool = False) -> None:
        if self.chat is None or self.chat.uid != view["uid"]:
            self.chat = Chat(view["uid"], self.resume, self._changed)
        self.chat.snapshot(view, anew=anew)

    def _chat(self, uid: str) -> Chat | None:
        return self.chat if self.chat is not None and self.chat.uid == uid else None

    def _take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "started":
            self._adopt(frame["chat"])
            self._settle(frame["ref"], frame)
        elif kind == "chat_started":
            self._adopt(frame["chat"])
        elif kind == "reset":
            if frame.get("own"):
                self.epoch = frame["epoch"]
                self._adopt(frame["own"], anew=True)
        elif kind == "position" and (chat := self._chat(frame["chat"])) is not None:
            behind = frame.get("seq", 0) > chat.seq or frame.get("marks", 0) != chat.marks_sum
            if (behind and not chat.holds_back) or frame["epoch"] != self.epoch:
                self.resume(chat)
        elif kind == "availability_changed":
            self.site = {**self.site, "online": frame["online"]}


def _answer(spec: Frame, name: str) -> str:
    """What a person would put into a field of the pre-chat form."""
    kind = spec["kind"]
    if kind == "email":
        return "vera@example.com"
    if kind == "phone":
        return "+12025550123"
    if kind == "select":
        return str(spec["options"][0])
    return "yes" if kind == "checkbox" else name
