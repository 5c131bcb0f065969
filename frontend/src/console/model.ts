/** What a console knows, and how it is read. Pure. */
import type { Answer, CannedReplyView, ChatView, DepartmentView, Marks, NoteAdded, OperatorView, PublicRow, ReturnedChat, VisitorView } from "../wire/protocol.ts";
import { once } from "./once.ts";

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

/** Where an account has not set its own. */
export const TARGET_SECONDS = 60;

export interface State {
  readonly epoch: string;
  readonly account: DepartmentView | null;
  readonly me: OperatorView | null;
  readonly departments: readonly DepartmentView[];
  readonly team: readonly OperatorView[];
  readonly version: number;
  /** Within so many seconds the firm wants a visitor answered. */
  readonly target: number;
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
  target: TARGET_SECONDS,
  chats: new Map(),
  missed: [],
  returned: [],
  awaySince: 0,
  canned: null,
  cannedVersion: 0,
  open: "",
};

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
