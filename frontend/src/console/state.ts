/**
 * What a console knows, and the one way in which it changes: `apply(state, frame)`. Pure and idempotent: a
 * frame that comes twice, late or in a burst after a pause leads to the same state. Rows that overtook
 * others wait in `early`; whoever runs the reducer asks for them when they stay there (session.ts).
 */
import type {
  Answer,
  CannedReplyView,
  ChatMarks,
  ChatView,
  DepartmentView,
  GoneVisitor,
  Marks,
  NoteAdded,
  OperatorChanged,
  OperatorView,
  OperatorWelcome,
  PublicRow,
  Reply,
  ReturnedChat,
  StaffEvent,
  Synced,
  VisitorView,
} from "../wire/protocol.ts";
import { once } from "./once.ts";
import { fromView, furtherMarks, isFromVisitor, present, takeNotes, takeRows } from "./chat.ts";

export type Frame = StaffEvent | Reply;
/** Why a chat that is still on the screen is no longer ours. */
export type Left = "" | "ended" | "moved" | "taken" | "returned" | "gone";

export interface Chat {
  readonly uid: string;
  readonly site: string;
  readonly department: DepartmentView;
  readonly state: ChatView["state"];
  readonly visitor: VisitorView;
  /** Uid and name of who answers; "" while nobody does. */
  readonly operator: string;
  readonly operatorName: string;
  readonly pageUrl: string;
  readonly answers: readonly Answer[];
  readonly startedAt: number;
  readonly acceptedAt: number;
  readonly closedAt: number;
  readonly seq: number;
  readonly staffSeq: number;
  readonly marks: Required<Marks>;
  /** Ends at `seq`, without gaps; older rows may be missing at the front. */
  readonly log: readonly PublicRow[];
  readonly notes: readonly NoteAdded[];
  readonly early: readonly PublicRow[];
  readonly earlyNotes: readonly NoteAdded[];
  /** Unread messages that are older than the rows we hold. */
  readonly unreadBefore: number;
  /** How far this screen was read; the server's mark follows within a second or so. */
  readonly readHere: number;
  /** Whether the visitor's page is open, and since when (ms) not. */
  readonly presence: NonNullable<ChatView["presence"]>;
  readonly goneAt: number;
  /** When it last came back to the line because its operator was lost, 0 for never. */
  readonly returnedAt: number;
  /** When the visitor was last heard typing, 0 when not. */
  readonly typingAt: number;
  readonly left: Left;
  /** It was ours to answer when it left. */
  readonly wasMine: boolean;
}

export interface State {
  readonly epoch: string;
  readonly account: DepartmentView | null;
  readonly me: OperatorView | null;
  readonly departments: readonly DepartmentView[];
  readonly team: readonly OperatorView[];
  readonly version: number;
  readonly chats: ReadonlyMap<string, Chat>;
  /** Newest first. */
  readonly missed: readonly Chat[];
  /** Chats that went back to the line while nothing was heard of us, newest first. */
  readonly returned: readonly ReturnedChat[];
  /** We were gone for so long, since then, that we are Away now; 0 otherwise. */
  readonly awaySince: number;
  /** Our prepared replies, by shortcut; null where the server knows none. */
  readonly canned: readonly CannedReplyView[] | null;
  /** How often these have changed. */
  readonly cannedVersion: number;
  /** Uid of the chat on the screen, "" for none. */
  readonly open: string;
}

export const nothing: State = {
  epoch: "",
  account: null,
  me: null,
  departments: [],
  team: [],
  version: 0,
  chats: new Map(),
  missed: [],
  returned: [],
  awaySince: 0,
  canned: null,
  cannedVersion: 0,
  open: "",
};

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
      return state; // answers to one question; session.ts deals with them
    case "started":
    case "page_welcome":
    case "visitor_welcome":
      return state; // never sent to a console
    default:
      return unhandled(frame, state);
  }
}

/** A type that this client does not know may come from a newer server; one that tsc knows must be handled. */
function unhandled(_frame: never, state: State): State {
  return state;
}

// --- reading ------------------------------------------------------------------------------------------

export function isMine({ me }: Pick<State, "me">, chat: Chat): boolean {
  return chat.state === "active" && !chat.left && chat.operator === me?.uid;
}

/** Longest wait first. */
export function waiting(state: State): Chat[] {
  return [...state.chats.values()].filter((c) => c.state === "waiting" && !c.left).sort((a, b) => a.startedAt - b.startedAt);
}

/** In the order of taking over, which does not change while one works; those that left come last. */
export function mine(state: State): Chat[] {
  const own = [...state.chats.values()].filter((c) => isMine(state, c) || (c.left && c.wasMine));
  return own.sort((a, b) => Number(!!a.left) - Number(!!b.left) || a.acceptedAt - b.acceptedAt || a.startedAt - b.startedAt);
}

/** It waits, because the one who answered it was lost and nobody has taken it since. */
export function isReturned(chat: Chat): boolean {
  const last = chat.log.findLast((r) => r.type === "chat_accepted" || r.type === "chat_transferred" || r.type === "chat_returned");
  return chat.state === "waiting" && chat.returnedAt > 0 && (!last || last.type === "chat_returned");
}

export function find(state: State, uid: string): Chat | undefined {
  return state.chats.get(uid) ?? state.missed.find((c) => c.uid === uid);
}

/** The visitor's messages that nobody has read, on this screen or another. */
export const unread = once((chat: Chat): number => {
  const read = Math.max(chat.marks.operator_read, chat.readHere);
  const seen = chat.log.filter((r) => r.type === "message_posted" && r.author === "visitor" && r.seq > read).length;
  const first = chat.log[0]?.seq ?? chat.seq + 1;
  return seen + (read < first - 1 ? chat.unreadBefore : 0);
});

/** Chats with rows that wait for an earlier one. */
export function incomplete(state: State): Chat[] {
  return [...state.chats.values()].filter((c) => c.early.length > 0 || c.earlyNotes.length > 0);
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
  next = { ...next, missed, returned, team: frame.team, me, version: frame.version };
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

/** One chat changes; what follows from it for the lists is decided in one place. */
function change(state: State, uid: string, how: (chat: Chat) => Chat): State {
  const before = state.chats.get(uid);
  if (before) {
    const after = how(before);
    return after === before ? state : settle(lostAndFound(put(state, after), before, after), before, after);
  }
  const missed = state.missed.map((m) => (m.uid === uid ? how(m) : m));
  return missed.some((m, i) => m !== state.missed[i]) ? { ...state, missed } : state;
}

/** Which chats we have lost to the line, and have not taken again. */
function lostAndFound(state: State, before: Chat, after: Chat): State {
  if (isMine(state, after)) return { ...state, returned: state.returned.filter((r) => r.chat !== after.uid) };
  const row = after.log.findLast((r) => r.type === "chat_returned");
  if (row?.seq === undefined || row.seq <= before.seq || row.operator !== state.me?.uid) return state;
  const { number, name = "" } = after.visitor;
  const rest = state.returned.filter((r) => r.chat !== after.uid);
  return { ...state, returned: [{ chat: after.uid, at: row.at, number, ...(name && { name }) }, ...rest] };
}

/** Does the chat still belong on this console, after what happened to it? */
function settle(state: State, before: Chat, after: Chat): State {
  if (after.left) return after.state === "closed" && after.left === "gone" ? put(state, { ...after, left: "ended" }) : state;
  if (after.state === "closed" || after.state === "missed") return leave(state, after.uid, "ended", before);
  if (after.state === "active" && after.operator !== state.me?.uid) {
    return leave(state, after.uid, before.state === "waiting" ? "taken" : "moved", before);
  }
  const moved = after.state === "waiting" && (before.state !== "waiting" || after.department.uid !== before.department.uid);
  const why: Left = isReturned(after) ? "returned" : "moved";
  if (moved && !state.me?.departments.includes(after.department.uid)) return leave(state, after.uid, why, before);
  // what was lost to the line stays to be read when a colleague takes it, with what was not sent in it
  if (moved && why === "returned" && before.operator === state.me?.uid) return put(state, { ...after, wasMine: true });
  return state;
}

/** Off the lists; but what the operator answered, or reads just now, stays readable until dismissed. */
function leave(state: State, uid: string, why: Left, before: Chat | undefined = state.chats.get(uid)): State {
  const chat = state.chats.get(uid);
  if (!chat || chat.left) return state;
  const wasMine = chat.wasMine || (before !== undefined && before.state === "active" && before.operator === state.me?.uid);
  if (wasMine || state.open === uid) return put(state, { ...chat, left: why, wasMine, typingAt: 0, early: [], earlyNotes: [] });
  return without(state, uid);
}

function put(state: State, chat: Chat): State {
  return { ...state, chats: new Map(state.chats).set(chat.uid, chat) };
}

function without(state: State, uid: string): State {
  if (!state.chats.has(uid)) return state;
  const chats = new Map(state.chats);
  chats.delete(uid);
  return { ...state, chats };
}
