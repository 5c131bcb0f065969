/**
 * What a console knows, and the one way in which it changes: `apply(state, frame)`. Pure and idempotent: a
 * frame that comes twice, late or in a burst after a pause leads to the same state. Rows that overtook
 * others wait in `early`; whoever runs the reducer asks for them when they stay there (session.ts).
 */
import type { CannedReplyView, ChatMarks, ChatView, GoneVisitor, OperatorChanged, OperatorView, OperatorWelcome, PublicRow, Reply, StaffEvent, Synced } from "../wire/protocol.ts";
import { fromView, furtherMarks, isFromVisitor, present, takeNotes, takeRows } from "./chat.ts";
import { type Chat, find, isMine, type Left, nothing, type State, TARGET_SECONDS } from "./model.ts";
import { change, leave, put, settle, without } from "./places.ts";

export * from "./model.ts";
export { tidied } from "./places.ts";
export type Frame = StaffEvent | Reply;
export const MISSED_SHOWN = 20;

/** `now` (ms) is used for typing only. */
export function apply(state: State, frame: Frame, now: number = Date.now()): State {
  switch (frame.type) {
    case "operator_welcome":
      return welcomed(state, frame);
    case "chat_opened":
    case "message_posted":
    case "message_edited":
    case "message_deleted":
    case "chat_accepted":
    case "chat_transferred":
    case "chat_returned":
    case "chat_closed":
      return change(state, frame.chat, (chat) => takeRows(chat, [frame]));
    case "note_added":
      return change(state, frame.chat, (chat) => takeNotes(chat, [frame]));
    case "chat_listed":
      return listed(state, frame.chat);
    case "chat_erased":
      return counted(forgotten(state, frame.chat), frame.version ?? 0);
    case "marks_changed":
      return change(state, frame.chat, (chat) => ({
        ...chat,
        marks: furtherMarks(chat.marks, {
          [`${frame.side}_delivered`]: frame.delivered,
          [`${frame.side}_read`]: frame.read,
        }),
      }));
    case "typing_changed":
      if (frame.side !== "visitor") return state;
      return change(state, frame.chat, (chat) => ({ ...chat, typingAt: frame.on ? now : 0 }));
    case "presence_changed":
      return change(state, frame.chat, (chat) => present(chat, frame.presence, frame.at));
    case "operator_changed":
      return operatorChanged(state, frame);
    case "target_changed":
      return frame.version > state.version ? { ...state, version: frame.version, target: frame.seconds } : state;
    case "canned_reply_saved":
      return prepared(state, frame.version, frame.reply.uid, frame.reply);
    case "canned_reply_deleted":
      return prepared(state, frame.version, frame.canned);
    case "resumed":
      return change(state, frame.chat, (chat) => takeNotes(takeRows(chat, frame.log), frame.notes ?? []));
    case "reset":
      if (frame.view) return listed({ ...without(state, frame.chat), epoch: frame.epoch }, frame.view);
      return leave({ ...state, epoch: frame.epoch }, frame.chat, "gone");
    case "messages":
      return change(state, frame.chat, (chat) => withOlder(chat, frame.log));
    case "synced":
      return synced(state, frame);
    case "position":
      return frame.gone ? whoIsGone(state, frame.gone) : state; // an older server does not say it
    case "ack":
    case "done":
    case "failed":
    case "pong":
    case "earlier":
      return state; // answers to one question; session.ts deals with them
    case "started":
    case "page_welcome":
    case "visitor_welcome":
    case "survey_offered":
    case "privacy_link":
      return state; // never sent to a console
    default:
      return unhandled(frame, state);
  }
}

/** A type that this client does not know may come from a newer server; one that tsc knows must be handled. */
function unhandled(_frame: never, state: State): State {
  return state;
}

// --- what the operator does to the screen -------------------------------------------------------------

/** Shows a chat (or none, with ""). One that left and was never ours goes when one looks away. */
export function open(state: State, uid: string): State {
  const before = state.chats.get(state.open);
  const next = before?.left && !before.wasMine && state.open !== uid ? without(state, state.open) : state;
  return { ...next, open: uid };
}

/** Takes a chat that left off the screen. */
export function dismiss(state: State, uid: string): State {
  const next = state.open === uid ? { ...state, open: "" } : state;
  return state.chats.get(uid)?.left ? without(next, uid) : next;
}

export function readHere(state: State, uid: string, seq: number): State {
  return change(state, uid, (chat) => (seq > chat.readHere ? { ...chat, readHere: seq } : chat));
}

/** The server has carried out our change of the switch. */
export function availability(state: State, online: boolean): State {
  if (!state.me) return state;
  const me: OperatorView = { ...state.me, availability: online ? "online" : "away", online };
  return { ...state, me, awaySince: 0, team: state.team.map((o) => (o.uid === me.uid ? me : o)) };
}

// --- parts of the reducer -----------------------------------------------------------------------------

function welcomed(state: State, frame: OperatorWelcome): State {
  const sameLine = state.epoch === frame.epoch && state.me?.uid === frame.me.uid;
  let next: State = {
    ...nothing,
    epoch: frame.epoch,
    account: frame.account,
    me: frame.me,
    departments: frame.departments,
    team: frame.team,
    version: frame.version,
    target: frame.target_seconds ?? TARGET_SECONDS,
    returned: frame.returned ?? [],
    awaySince: frame.away_since ?? 0,
    canned: byShortcut(frame.canned),
    cannedVersion: frame.canned_version ?? 0,
    open: sameLine ? state.open : "",
  };
  const old = sameLine ? state.chats : nothing.chats;
  const seen = (view: ChatView): Chat => {
    const before = old.get(view.uid);
    const wasMine = view.state === "waiting" && before !== undefined && (before.wasMine || isMine(state, before));
    return { ...fromView(view, before), wasMine };
  };
  next = { ...next, chats: new Map(frame.chats.map((view) => [view.uid, seen(view)])) };
  next = { ...next, missed: frame.missed.map((view) => fromView(view, sameLine ? find(state, view.uid) : undefined)) };
  for (const chat of old.values()) {
    if (next.chats.has(chat.uid) || next.missed.some((m) => m.uid === chat.uid)) continue;
    const wasMine = chat.wasMine || isMine(state, chat);
    const why: Left = next.returned.some((r) => r.chat === chat.uid) ? "returned" : "gone";
    if (wasMine || chat.uid === next.open) next = put(next, { ...chat, wasMine, left: chat.left || why, typingAt: 0 });
  }
  return find(next, next.open) ? next : { ...next, open: "" };
}

function synced(state: State, frame: Synced): State {
  const returned = frame.returned ?? [];
  let next: State = { ...state, epoch: frame.epoch };
  for (const uid of frame.erased ?? []) next = forgotten(next, uid); // an older server does not say it
  for (const uid of frame.gone) next = leave(next, uid, returned.some((r) => r.chat === uid) ? "returned" : "gone");
  for (const view of frame.chats) next = listed(next, view);
  for (const row of frame.log) next = apply(next, row);
  for (const note of frame.notes) next = apply(next, note);
  for (const { chat: uid, ...marks } of frame.marks ?? ([] as ChatMarks[])) {
    next = change(next, uid, (chat) => ({ ...chat, marks: furtherMarks(chat.marks, marks) }));
  }
  const missed = frame.missed.map((view) => fromView(view, find(next, view.uid)));
  for (const chat of missed) next = without(next, chat.uid);
  const me = frame.team.find((o) => o.uid === next.me?.uid) ?? next.me;
  if (frame.canned) next = { ...next, canned: byShortcut(frame.canned), cannedVersion: frame.canned_version ?? 0 };
  next = { ...next, missed, returned, team: frame.team, me, version: frame.version, target: frame.target_seconds ?? TARGET_SECONDS };
  return find(next, next.open) ? next : { ...next, open: "" };
}

function listed(state: State, view: ChatView): State {
  const chat = fromView(view, find(state, view.uid));
  // their other chats hear what is new of the visitor, too
  const same = (c: Chat): Chat => (c.visitor.uid === view.visitor.uid ? { ...c, visitor: view.visitor } : c);
  const others = without(state, view.uid);
  const chats = new Map([...others.chats].map(([uid, c]) => [uid, same(c)]));
  const rest: State = { ...others, chats, missed: state.missed.filter((m) => m.uid !== view.uid).map(same) };
  if (chat.state === "missed") return { ...rest, missed: [chat, ...rest.missed].sort(newestMissed).slice(0, MISSED_SHOWN) };
  return settle(put(rest, chat), chat, chat);
}

/** Its texts are gone for good: nothing of it stays on the screen, whoever it belonged to. */
function forgotten(state: State, uid: string): State {
  const missed = state.missed.filter((m) => m.uid !== uid);
  const returned = state.returned.filter((r) => r.chat !== uid);
  return { ...without(state, uid), missed, returned, open: state.open === uid ? "" : state.open };
}

/** News that were lost in between keep the old number, so that the next position tells of them. */
function counted(state: State, version: number): State {
  return version === state.version + 1 ? { ...state, version } : state;
}

/** As the server orders them, which the digest relies on: the latest `closed_at`, then the largest uid. */
function newestMissed(a: Chat, b: Chat): number {
  return b.closedAt - a.closedAt || (a.uid < b.uid ? 1 : -1);
}

/** One of our prepared replies reads like this now, or is gone. After news that were lost the old number stays, so
 * that the next position tells of it. */
function prepared(state: State, version: number, uid: string, reply?: CannedReplyView): State {
  if (!state.canned || version <= state.cannedVersion) return state;
  const others = state.canned.filter((c) => c.uid !== uid);
  const cannedVersion = version === state.cannedVersion + 1 ? version : state.cannedVersion;
  return { ...state, cannedVersion, canned: byShortcut(reply ? [...others, reply] : others) };
}

/** The same order everywhere, whatever the server's database makes of letters. */
function byShortcut(replies: readonly CannedReplyView[] | null | undefined): readonly CannedReplyView[] | null {
  return replies ? [...replies].sort((a, b) => (a.shortcut < b.shortcut ? -1 : 1)) : null;
}

function operatorChanged(state: State, { operator, version, gone }: OperatorChanged): State {
  if (version <= state.version) return state;
  if (gone) return { ...state, version, team: state.team.filter((o) => o.uid !== operator.uid) };
  const known = state.team.some((o) => o.uid === operator.uid);
  return {
    ...state,
    version,
    me: state.me?.uid === operator.uid ? operator : state.me,
    awaySince: state.me?.uid === operator.uid && operator.availability === "online" ? 0 : state.awaySince,
    team: known ? state.team.map((o) => (o.uid === operator.uid ? operator : o)) : [...state.team, operator],
  };
}

/** Heals what news of a coming or going was lost; of whoever has written since nobody says that she is gone. */
function whoIsGone(state: State, gone: readonly GoneVisitor[]): State {
  const counted = [...state.chats.values()].filter((c) => !c.left && (c.state === "waiting" || isMine(state, c)));
  return counted.reduce((next, { uid }) => {
    const now = gone.find((g) => g.chat === uid);
    const isBack = (chat: Chat) => now && (chat.log.findLast(isFromVisitor)?.at ?? 0) > now.at;
    return change(next, uid, (chat) => (isBack(chat) ? chat : present(chat, now?.presence ?? "here", now?.at ?? 0)));
  }, state);
}

function withOlder(chat: Chat, rows: readonly PublicRow[]): Chat {
  const first = chat.log[0]?.seq ?? chat.seq + 1;
  const older = rows.filter((r) => r.seq < first);
  if (older.at(-1)?.seq !== first - 1) return chat;
  return { ...chat, log: [...older, ...chat.log], unreadBefore: 0 };
}
