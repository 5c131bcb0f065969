"""What the commands about chats do, for visitors and for operators. Composed in chatlead/routing.py.

What is said goes by the journal and waits for nothing on the loop; the rest calls one action in the pool.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

from accounts.actions import set_availability
from accounts.selectors import OperatorPrincipal
from chatlead.errors import ChatClosed, ChatLeadError, ChatReturned, NotFound
from chatlead.realtime import commands, events, pool, replies
from chatlead.realtime.endpoint import Commands
from chatlead.realtime.faults import report
from chats import (
    actions,
    beside,
    flow,
    history,
    journal,
    marks,
    positions,
    prechat,
    recovery,
    selectors,
    snapshot,
)
from chats.flow import Flight
from chats.selectors import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from chatlead.realtime.caller import Caller
    from chatlead.realtime.shapes import Side
    from chats.selectors import Principal
    from visitors.sessions import VisitorPrincipal

logger = logging.getLogger(__name__)

Said = commands.SendMessage | commands.EditMessage | commands.DeleteMessage | commands.AddNote
Of = Said | commands.SetTyping | commands.Mark

FRESH_SECONDS = 10.0  # a handle older than this is read again before somebody is told of typing
TYPING_SECONDS = 0.2  # between two signs of typing that are passed on

both, visitors, operators = Commands(), Commands(), Commands()


def is_owed(caller: Caller) -> bool:
    """Whether something that this person has said is on its way to the journal."""
    flight = caller.memory.get(Flight)
    return flight is not None and flight.count > 0


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
    principal, settled = socket.principal, _settled
    flight = socket.memory.get(Flight)
    if flight is None:
        flight = socket.memory[Flight] = flow.flight_of(principal)
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
        if kind == "text" and ":" in handle.session_key:
            settled = _settled_elsewhere
    else:
        if not _is_of(handle, principal):
            raise NotFound  # before it takes of what all visitors of the site share
        flow.take_of_site(socket, handle)
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
    journal.submit(entry, partial(settled, socket, command, flight), socket)
    flight.count += 1
    return flight.room() if flight.is_full() else None


def _settled(socket: Caller, command: Said, flight: Flight, result: journal.Outcome | ChatLeadError) -> None:
    """Back on the loop, after the commit."""
    flight.land()
    if isinstance(result, ChatLeadError):
        socket.fail(result, command)
        return
    status = result.status
    if status == "stored" or status == "known":
        now = (result.state, result.department_id, result.operator_id, result.session_key, monotonic())
        socket.memory[command.chat] = Handle(result.entry.chat_id, *now)
        socket.endpoint.in_right(socket.memory)
        socket.reply(
            replies.Ack(id=command.id, ref=str(command.ref), chat=command.chat, seq=result.seq, at=result.at)
        )
    elif status == "closed":
        socket.fail(ChatClosed(), command)
    elif status == "no_target":
        socket.fail(NotFound("There is no such message of yours.", field="target"), command)
    else:
        socket.memory.pop(command.chat, None)
        if isinstance(socket.principal, OperatorPrincipal):
            task = socket.hub.loop.create_task(_refuse(socket, command))
            _refusals.add(task)
            task.add_done_callback(_refusals.discard)
        else:
            socket.fail(NotFound(), command)


def _settled_elsewhere(
    socket: Caller, command: Said, flight: Flight, result: journal.Outcome | ChatLeadError
) -> None:
    """The same in a chat whose visitor has no browser: whoever carries the words further is told at once."""
    _settled(socket, command, flight, result)
    if isinstance(result, journal.Outcome) and result.status == "stored":
        for follow in beside.FOLLOWERS:
            task = socket.hub.loop.create_task(pool.run(follow, result.entry.chat_id))
            _followed.add(task)
            task.add_done_callback(_followed.discard)


_followed: set[asyncio.Task[None]] = set()  # the loop itself would forget them
_refusals: set[asyncio.Task[None]] = set()


async def _refuse(socket: Caller, command: Said) -> None:
    """Why an operator may not write: the chat went back to the line meanwhile, or nobody's business."""
    try:
        returned = await socket.run(selectors.was_returned_from, socket.principal, command.chat)
    except Exception as error:
        report(logger, "a refusal was not looked up", error)
        returned = False
    socket.fail(ChatReturned() if returned else NotFound(), command)


async def _look_up(
    socket: Caller, command: Of, again: Callable[[Caller, Any], Awaitable[None] | None]
) -> None:
    """Find the chat by its uid, then carry the command out. Raises NotFound."""
    account_id = socket.principal.account_id
    socket.memory[command.chat] = await socket.run(selectors.find_handle, account_id, command.chat)
    waiting = again(socket, command)
    if waiting is not None:
        await waiting


# --- being there ----------------------------------------------------------------------------------------


@both.fast(commands.StillHere)
def still_here(socket: Caller, command: commands.StillHere) -> None:
    """Written down with the others' (rounds.keep_presence)."""
    positions.heard(socket)


@visitors.fast(commands.LeavePage)
async def leave_page(socket: Caller, command: commands.LeavePage) -> None:
    """Another page of the same session that is open here says that she is still there."""
    principal: VisitorPrincipal = socket.principal
    socket.memory[positions.LEAVING] = True
    if principal.session_key and not positions.is_elsewhere(socket):
        await socket.run(partial(actions.leave_page, principal=principal))


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


@operators.slow(commands.LoadEarlier)
def load_earlier(principal: OperatorPrincipal, command: commands.LoadEarlier) -> replies.Earlier:
    return history.earlier_chats(principal, uid=command.chat, older_than=command.older_than)


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
        answer=command.work,
    )
    return replies.Started(ref=str(command.ref), chat=snapshot.visitor_view(chat))


@visitors.slow(commands.LeaveMessage)
def leave_message(principal: VisitorPrincipal, command: commands.LeaveMessage) -> None:
    actions.leave_message(
        principal=principal,
        ref=command.ref,
        chat=command.chat,
        department=command.department,
        name=command.name,
        email=command.email,
        text=command.text,
        notice=command.notice,
        answer=command.work,
    )


@visitors.slow(commands.MailTranscript)
def mail_transcript(principal: VisitorPrincipal, command: commands.MailTranscript) -> None:
    actions.mail_transcript(
        principal=principal,
        uid=command.chat,
        ref=command.ref,
        email=command.email,
        notice=command.notice,
        language=command.language,
        zone=command.zone,
        answer=command.work,
    )


@operators.slow(commands.SetAvailability)
def switch_availability(principal: OperatorPrincipal, command: commands.SetAvailability) -> None:
    set_availability(
        account_id=principal.account_id, operator_id=principal.operator_id, online=command.online
    )


@operators.slow(commands.AcceptChat)
def accept_chat(principal: OperatorPrincipal, command: commands.AcceptChat) -> None:
    actions.accept_chat(principal=principal, uid=command.chat)


@operators.slow(commands.ReportMinor)
def report_minor(principal: OperatorPrincipal, command: commands.ReportMinor) -> None:
    actions.report_minor(principal=principal, uid=command.chat)


@operators.slow(commands.TransferChat)
def transfer_chat(principal: OperatorPrincipal, command: commands.TransferChat) -> None:
    actions.transfer_chat(
        principal=principal,
        uid=command.chat,
        department=command.department,
        operator=command.operator,
    )
