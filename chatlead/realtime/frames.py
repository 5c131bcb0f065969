"""A text from a browser -> a command, or the error that says what is wrong with it.

One typed decode checks names, types, bounds and nesting. Two things it does not see, a key that comes
twice and a NUL, are looked for in the text: cheaply, and thoroughly only where they might be.
"""

from __future__ import annotations

import json
import re
from functools import reduce
from operator import or_
from typing import Any

import msgspec
from django.conf import settings

from chatlead.errors import BadField, BadFrame, ChatLeadError, MissingField, UnknownField
from chatlead.realtime.commands import PROTOCOL, Command

WHERE = re.compile(r"^(?P<what>.*?) - at `.*?\$\.(?P<field>[a-z_]+)[^`]*`$", re.DOTALL)
MISSING = re.compile(r"^Object missing required field `(\w+)`")
UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`", re.DOTALL)


class CommandDecoder:
    """Decodes the commands of one endpoint. `decode` raises BadFrame, BadField, MissingField or
    UnknownField, the last three with `field`."""

    def __init__(self, commands: tuple[type[Command], ...]) -> None:
        self._decode = msgspec.json.Decoder(reduce(or_, commands)).decode
        # Quoted names of the fields; None where a value is a map whose keys may be anything.
        self._names: dict[type[Command], tuple[str, ...] | None] = {}
        self._of_hello: set[str] = set()
        for command in commands:
            info = msgspec.inspect.type_info(command)
            assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101
            fields = info.fields
            if info.tag == "hello":
                self._of_hello = {"type", *(field.encode_name for field in fields)}
            has_map = any(isinstance(field.type, msgspec.inspect.DictType) for field in fields)
            names = ('"type"', *(f'"{field.encode_name}"' for field in fields))
            self._names[command] = None if has_map else names

    def decode(self, text: str) -> Any:
        """The command in `text`."""
        try:
            command = self._decode(text)
        except msgspec.ValidationError as error:
            command = self._hello_of_newer(text)
            if command is None:
                raise explained(str(error)) from None
        except (ValueError, RecursionError):
            raise BadFrame from None
        names = self._names[command.__class__]
        if names is None or "\\u" in text:
            strictly(text)
        else:
            count = text.count
            for name in names:
                if count(name) > 1:  # a key twice, or a value that reads like one
                    strictly(text)
                    break
        return command

    def _hello_of_newer(self, text: str) -> Any:
        """Who speaks a newer version may say more in `hello`: what we do not know of it is passed over. None
        for anything else."""
        try:
            found = json.loads(text)
            if found["type"] != "hello" or not found["protocol"] > PROTOCOL:
                return None
            known = {name: value for name, value in found.items() if name in self._of_hello}
            return self._decode(json.dumps(known))
        except (ValueError, TypeError, KeyError, RecursionError, msgspec.ValidationError):
            return None


def explained(description: str) -> ChatLeadError:
    """The error for a description such as "Expected `str`, got `int` - at `$.text`"."""
    if found := MISSING.match(description):
        name = found[1]
        return BadFrame() if name == "type" else MissingField(field=name)
    if found := UNKNOWN.match(description):
        return UnknownField(field=found[1][:40])
    if (found := WHERE.match(description)) and found["field"] != "type":
        what = found["what"].replace("`", "")
        return BadField(f"{found['field']}: {what}"[:300], field=found["field"])
    return BadFrame()


def strictly(text: str) -> None:
    """Raises BadFrame for an object with a key twice, BadField for a text that holds a NUL."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise BadFrame("A key stands twice in one object.")
        for name, value in pairs:
            if "\0" in name or (isinstance(value, str) and "\0" in value):
                raise BadField("A text may not hold a NUL.", field=name.replace("\0", "")[:40])
        return made

    json.loads(text, object_pairs_hook=unique)


def top_names(text: str) -> list[str]:
    """The names of a valid JSON object's own fields, in their order, each as often as it stands there."""
    names: list[str] = []

    def see(pairs: list[tuple[str, Any]]) -> None:
        names[:] = [name for name, _ in pairs]  # the outermost object is seen last

    json.loads(text, object_pairs_hook=see)
    return names


class Traces(msgspec.Struct, frozen=True):
    """What an answer to an unreadable frame can still refer to."""

    id: int = 0
    ref: str = ""
    chat: str = ""


def traces(text: str) -> Traces:
    """`id`, `ref` and `chat` of a frame that is no valid command, as far as they can be read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Traces()
    if not isinstance(found, dict):
        return Traces()
    number, ref, chat = found.get("id"), found.get("ref"), found.get("chat")
    return Traces(
        id=number if type(number) is int and 0 <= number < 2**31 else 0,
        ref=ref if isinstance(ref, str) and len(ref) <= 36 and ref.isascii() else "",
        chat=chat if isinstance(chat, str) and len(chat) <= 32 and chat.isascii() else "",
    )


def size_of(text: str) -> int:
    """In bytes, as it is sent."""
    return len(text) if text.isascii() else len(text.encode())


def too_big(text: str) -> bool:
    """Whether a frame is above the limit, in bytes. The server in front says the same with its own limit."""
    limit: int = settings.FRAME_MAX_BYTES
    return len(text) > limit or (len(text) * 4 > limit and len(text.encode()) > limit)
