"""What the commands about chats do, for visitors and for operators. Composed in chatlead/routing.py.

What is said goes by the journal and waits for nothing on the loop; the rest calls one action in the pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import msgspec
from django.conf import settings

from accounts.actions import renew_leases, set_availability
from accounts.selectors import OperatorPrincipal
from chatlead.errors import ChatClosed, ChatLeadError, NotFound, RateLimited
from chatlead.realtime import commands, events, replies
from chatlead.realtime.endpoint import Commands
from chats import actions, journal, marks, prechat, recovery, selectors, snapshot
from chats.selectors import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from chatlead.realtime.caller import Caller
    from chatlead.realtime.shapes import Side
    from chats.selectors import Principal
    from visitors.sessions import VisitorPrincipal

Said = commands.SendMessage | commands.EditMessage | commands.DeleteMessage | commands.AddNote
Of = Said | commands.SetTyping | commands.Mark

FRESH_SECONDS = 10.0  # a handle older than this is read again before somebody is told of typing
IN_FLIGHT = 256  # rows of one person that wait for the journal
TYPING_SECONDS = 0.2  # between two signs of typing that are passed on

both, visitors, operators = Commands(), Commands(), Commands()


class Bucket:
    """So many at once, then so many a second (D-1). One for all sockets of a visitor's session here."""

    __slots__ = ("__weakref__", "at", "left")

    def __init__(self) -> None:
        self.left = float(settings.MESSAGE_BURST)
        self.at = monotonic()

    def wait(self) -> float:
        """Takes one; 0, or the seconds after which there is one again."""
        now = monotonic()
        rate: float = settings.MESSAGE_RATE
        self.left = min(float(settings.MESSAGE_BURST), self.left + (now - self.at) * rate)
        self.at = now
        if self.left < 1.0:
            return (1.0 - self.left) / rate
        self.left -= 1.0
        return 0.0


class Flight:
    """What one person's sockets here have given to the journal and not heard of yet. Beyond IN_FLIGHT their
    next frames are not read until there is room, so that nobody fills everybody's queue."""

    __slots__ = ("__weakref__", "count", "waiting")

    def __init__(self) -> None:
        self.count = 0
        self.waiting: list[asyncio.Future[None]] = []

    def land(self) -> None:
        """One was settled."""
        self.count -= 1
        if self.waiting and self.count < IN_FLIGHT:
            woken, self.waiting = self.waiting, []
            for each in woken:
                if not each.done():
                    each.set_result(None)

    async def room(self) -> None:
        """Wait until there is some."""
        while self.count >= IN_FLIGHT:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn


def is_owed(caller: Caller) -> bool:
    """Whether something that this person has said is on its way to the journal."""
    flight = caller.memory.get(Flight)
    return flight is not None and flight.count > 0


# By session or operator, as long as one of their sockets is here and has written something.
_buckets: WeakValueDictionary[str, Bucket] = WeakValueDictionary()
_flights: WeakValueDictionary[str | int, Flight] = WeakValueDictionary()

# --- coming in ----------------------------------------------------------------------------------------


def welcome_visitor(principal: VisitorPrincipal) -> replies.PageWelcome | replies.VisitorWelcome:
    """The snapshot for the loader, or for the frame."""
    if principal.role == "page":
        return snapshot.page_welcome(principal)
    return snapshot.visitor_welcome(principal)


def welcome_operator(principal: OperatorPrincipal) -> replies.OperatorWelcome:
    """The snapshot for a console, of which the team learns that it is there."""
    renew_leases([principal.operator_id])
    return snapshot.operator_welcome(principal)


# --- what is said -------------------------------------------------------------------------------------


@both.fast(commands.SendMessage)
def send_message(socket: Caller, command: commands.SendMessage) -> Awaitable[None] | None:
    """The hot path: one look-up, one entry for the journal. The `ack` comes after the commit."""
    handle = socket.memory.get(command.chat)
    if handle is None:
        return _look_up(socket, command, send_message)
    if "\x00" in command.text:
        prechat.check_text(command.text)
    return _submit(socket, command, handle, command.ref, "text", command.text, None)


@both.fast(commands.EditMessage)
def edit_message(socket: Caller, command: commands.EditMessage) -> Awaitable[None] | None:
    handle = socket.memory.get(command.chat)
    if handle is None:
        return _look_up(socket, command, edit_message)
    text = prechat.check_text(command.text)
    return _submit(socket, command, handle, command.ref, "edit", text, command.target)


@both.fast(commands.DeleteMessage)
def delete_message(socket: Caller, command: commands.DeleteMessage) -> Awaitable[None] | None:
    handle = socket.memory.get(command.chat)
    if handle is None:
        return _look_up(socket, command, delete_message)
    return _submit(socket, command, handle, command.ref, "deletion", "", command.target)


@operators.fast(commands.AddNote)
def add_note(socket: Caller, command: commands.AddNote) -> Awaitable[None] | None:
    handle = socket.memory.get(command.chat)
    if handle is None:
        return _look_up(socket, command, add_note)
    return _submit(socket, command, handle, command.ref, "note", prechat.check_text(command.text), None)


def _submit(
    socket: Caller, command: Said, handle: Handle, ref: UUID, kind: Any, text: str, target: int | None
) -> Awaitable[None] | None:
    principal = socket.principal
    flight = socket.memory.get(Flight)
    if flight is None:
        flight = socket.memory[Flight] = _flights.setdefault(_person(principal), Flight())
    if type(principal) is OperatorPrincipal:
        entry = journal.Entry(
            chat_id=handle.chat_id,
            account_id=principal.account_id,
            author="operator",
            author_id=principal.operator_id,
            rights_epoch=principal.rights_epoch,
            name=principal.name,
            author_uid=principal.operator_uid,
            ref=ref,
            kind=kind,
            text=text,
            target=target,
        )
    else:
        if not principal.is_unlimited:
            _limit(socket)
        entry = journal.Entry(
            chat_id=handle.chat_id,
            account_id=principal.account_id,
            author="visitor",
            session_key=principal.session_key,
            ref=ref,
            kind=kind,
            text=text,
            target=target,
        )
    journal.submit(entry, partial(_settled, socket, command, flight), socket)
    flight.count += 1
    return None if flight.count < IN_FLIGHT else flight.room()


def _person(principal: Principal) -> str | int:
    return principal.operator_id if isinstance(principal, OperatorPrincipal) else principal.session_key


def _limit(socket: Caller) -> None:
    bucket = socket.memory.get(Bucket)
    if bucket is None:
        bucket = socket.memory[Bucket] = _buckets.setdefault(socket.principal.session_key, Bucket())
    seconds = bucket.wait()
    if seconds:
        raise RateLimited(retry_after_ms=int(seconds * 1000) + 1)


def _settled(socket: Caller, command: Said, flight: Flight, result: journal.Outcome | ChatLeadError) -> None:
    """Back on the loop, after the commit."""
    flight.land()
    if isinstance(result, ChatLeadError):
        socket.fail(result, command)
        return
    status = result.status
    if status == "stored" or status == "known":
        socket.memory[command.chat] = Handle(
            result.entry.chat_id,
            result.state,
            result.department_id,
            result.operator_id,
            result.session_key,
            monotonic(),
        )
        socket.reply(
            replies.Ack(id=command.id, ref=str(command.ref), chat=command.chat, seq=result.seq, at=result.at)
        )
    elif status == "closed":
        socket.fail(ChatClosed(), command)
    elif status == "no_target":
        socket.fail(NotFound("There is no such message of yours.", field="target"), command)
    else:
        socket.memory.pop(command.chat, None)
        socket.fail(NotFound(), command)


async def _look_up(
    socket: Caller, command: Of, again: Callable[[Caller, Any], Awaitable[None] | None]
) -> None:
    """Find the chat by its uid, then carry the command out. Raises NotFound."""
    account_id = socket.principal.account_id
    socket.memory[command.chat] = await socket.run(selectors.find_handle, account_id, command.chat)
    waiting = again(socket, command)
    if waiting is not None:
        await waiting


# --- signs --------------------------------------------------------------------------------------------


def _side(principal: Principal) -> Side:
    return "operator" if isinstance(principal, OperatorPrincipal) else "visitor"


def _is_of(handle: Handle, principal: Principal) -> bool:
    """Whether it is this side's chat to talk in."""
    if isinstance(principal, OperatorPrincipal):
        return handle.operator_id == principal.operator_id
    return bool(principal.session_key) and handle.session_key == principal.session_key


def _fresh_handle(socket: Caller, uid: str, seconds: float = FRESH_SECONDS) -> Handle | None:
    """The handle, if it is young enough and says that the chat is theirs."""
    handle: Handle | None = socket.memory.get(uid)
    if handle is None or monotonic() - handle.as_of > seconds or not _is_of(handle, socket.principal):
        return None
    return handle


@both.fast(commands.SetTyping)
def set_typing(socket: Caller, command: commands.SetTyping) -> Awaitable[None] | None:
    """Passed on to the other side at most some times a second; nothing is answered."""
    handle = _fresh_handle(socket, command.chat)
    if handle is None:
        return _look_up(socket, command, _tell_typing)
    _tell_typing(socket, command)
    return None


def _tell_typing(socket: Caller, command: commands.SetTyping) -> None:
    handle: Handle = socket.memory[command.chat]
    if not _is_of(handle, socket.principal):
        raise NotFound
    now = monotonic()
    if handle.state in selectors.OPEN and now - socket.memory.get(commands.SetTyping, 0.0) > TYPING_SECONDS:
        socket.memory[commands.SetTyping] = now
        actions.set_typing(
            uid=command.chat,
            handle=handle,
            side=_side(socket.principal),
            on=command.on,
            skip=socket,
        )


@both.fast(commands.Mark)
def mark(socket: Caller, command: commands.Mark) -> Awaitable[None] | None:
    """Kept for at most a second and written with the others; nothing is answered."""
    handle: Handle | None = socket.memory.get(command.chat)
    if handle is None or not _is_of(handle, socket.principal):
        return _look_up(socket, command, _keep_mark)
    _keep_mark(socket, command)
    return None


def _keep_mark(socket: Caller, command: commands.Mark) -> None:
    principal, handle = socket.principal, socket.memory[command.chat]
    if not _is_of(handle, principal):
        raise NotFound
    if isinstance(principal, OperatorPrincipal):
        key = (handle.chat_id, "operator", "", principal.operator_id)
    else:
        key = (handle.chat_id, "visitor", principal.session_key, 0)
    marks.of(socket.hub, _write_marks).add(key, command.delivered, command.read)


def _write_marks(kept: Sequence[tuple[Any, int, int]]) -> None:
    actions.set_marks(
        [
            actions.Progress(chat_id, side, delivered, read, session_key, operator_id)
            for (chat_id, side, session_key, operator_id), delivered, read in kept
        ]
    )


# --- catching up --------------------------------------------------------------------------------------


@both.fast(commands.Resume)
async def resume(socket: Caller, command: commands.Resume) -> None:
    """The answer is followed by the marks of both sides."""
    answer, progress = await socket.run(_resumed, socket.principal, command)
    socket.reply(msgspec.structs.replace(answer, id=command.id))
    for event in progress:
        socket.deliver(events.encode(event).decode())


def _resumed(
    principal: Principal, command: commands.Resume
) -> tuple[replies.Resumed | replies.Reset, list[events.MarksChanged]]:
    return recovery.resumed(
        principal,
        uid=command.chat,
        after=command.after,
        staff_after=command.staff_after,
        epoch=command.epoch,
    )


@both.slow(commands.LoadMessages)
def load_messages(principal: Principal, command: commands.LoadMessages) -> replies.Messages:
    return recovery.page(principal, uid=command.chat, before=command.before)


@operators.slow(commands.Sync)
def sync(principal: OperatorPrincipal, command: commands.Sync) -> replies.Synced:
    return recovery.synced(principal, positions=command.positions, epoch=command.epoch)


# --- low-rate commands: one action each -----------------------------------------------------------------


@both.slow(commands.EndChat)
def end_chat(principal: Principal, command: commands.EndChat) -> None:
    actions.end_chat(principal=principal, uid=command.chat)


@visitors.slow(commands.StartChat)
def start_chat(principal: VisitorPrincipal, command: commands.StartChat) -> replies.Started:
    chat = actions.start_chat(
        principal=principal,
        ref=command.ref,
        department=command.department,
        fields=command.fields,
        notice=command.notice,
        text=command.text,
    )
    return replies.Started(ref=str(command.ref), chat=snapshot.visitor_view(chat))


@visitors.slow(commands.LeaveMessage)
def leave_message(principal: VisitorPrincipal, command: commands.LeaveMessage) -> None:
    actions.leave_message(
        principal=principal,
        ref=command.ref,
        department=command.department,
        name=command.name,
        email=command.email,
        text=command.text,
        notice=command.notice,
    )


@operators.slow(commands.SetAvailability)
def switch_availability(principal: OperatorPrincipal, command: commands.SetAvailability) -> None:
    set_availability(
        account_id=principal.account_id, operator_id=principal.operator_id, online=command.online
    )


@operators.slow(commands.AcceptChat)
def accept_chat(principal: OperatorPrincipal, command: commands.AcceptChat) -> None:
    actions.accept_chat(principal=principal, uid=command.chat)


@operators.slow(commands.TransferChat)
def transfer_chat(principal: OperatorPrincipal, command: commands.TransferChat) -> None:
    actions.transfer_chat(
        principal=principal,
        uid=command.chat,
        department=command.department,
        operator=command.operator,
    )
