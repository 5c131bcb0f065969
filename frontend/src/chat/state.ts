/** What the chat frame knows, and how frames change it. Pure and idempotent; no clock, no socket. */
import { append, openLog, prepend } from "../wire/log.ts";
import type {
  Marks, Messages, PublicRow, Reset, SiteView, Started, VisitorChatView, VisitorEvent, VisitorWelcome,
} from "../wire/protocol.ts";

export interface ChatState {
  readonly site: SiteView | null;
  readonly chat: VisitorChatView | null;
  readonly epoch: string;
  /** Whether the operator is typing. */
  readonly typing: boolean;
  /** After about how many minutes visitors are answered, by the department; not there where too little is known. */
  readonly replies: Readonly<Record<string, number>>;
}

export const NOTHING: ChatState = { site: null, chat: null, epoch: "", typing: false, replies: {} };

export type Incoming = VisitorEvent | VisitorWelcome | Started | Reset | Messages;

export function apply(state: ChatState, frame: Incoming): ChatState {
  switch (frame.type) {
    case "visitor_welcome":
      return { site: frame.site, chat: frame.chat ?? null, epoch: frame.epoch, typing: false, replies: frame.reply_minutes ?? {} };
    case "started":
    case "chat_started":
      return frame.chat.uid === state.chat?.uid && frame.chat.seq <= state.chat.seq ? state : { ...state, chat: frame.chat, typing: false };
    case "reset":
      // another chat counts only where it is going on and ours is not: it began in another tab
      if (frame.chat !== state.chat?.uid && (isOpen(state.chat) || !isOpen(frame.own ?? null))) return state;
      return { ...state, epoch: frame.epoch, chat: frame.own ?? null, typing: false };
    case "messages":
      return onChat(state, frame.chat, (chat) => ({ ...chat, log: [...prepend(logOf(chat), frame.log).rows] }));
    case "marks_changed":
      return onChat(state, frame.chat, (chat) => ({
        ...chat,
        marks: {
          ...chat.marks,
          [`${frame.side}_delivered`]: Math.max(chat.marks[`${frame.side}_delivered`] ?? 0, frame.delivered),
          [`${frame.side}_read`]: Math.max(chat.marks[`${frame.side}_read`] ?? 0, frame.read),
        },
      }));
    case "typing_changed":
      return frame.side === "operator" && frame.chat === state.chat?.uid && frame.on !== state.typing ? { ...state, typing: frame.on } : state;
    case "queue_moved":
      return onChat(state, frame.chat, (chat) => (chat.state === "waiting" ? { ...chat, position: frame.position, minutes: frame.minutes ?? 0 } : chat));
    case "chat_erased":
      return { ...state, chat: null }; // all of a visitor's chats are erased together
    case "availability_changed":
      return state.site ? { ...state, site: { ...state.site, online: frame.online } } : state;
    case "chat_opened":
    case "message_posted":
    case "message_edited":
    case "message_deleted":
    case "chat_accepted":
    case "chat_transferred":
    case "chat_returned":
    case "chat_closed":
      return row(state, frame);
    default:
      return unhandled(frame, state);
  }
}

/** Our own side has received or read as far as this. */
export function marked(state: ChatState, delivered: number, read: number): ChatState {
  if (!state.chat) return state;
  return apply(state, { type: "marks_changed", chat: state.chat.uid, side: "visitor", delivered, read });
}

export function isOpen(chat: VisitorChatView | null): chat is VisitorChatView & { state: "waiting" | "active" } {
  return chat?.state === "waiting" || chat?.state === "active";
}

/** Whether it waits in a department where nobody is there to answer it. */
export function inVain(state: ChatState): boolean {
  const { chat, site } = state;
  return chat?.state === "waiting" && !site?.online.includes(chat.department_uid);
}

export function marksSum(marks: Marks): number {
  return (marks.visitor_delivered ?? 0) + (marks.visitor_read ?? 0) + (marks.operator_delivered ?? 0) + (marks.operator_read ?? 0);
}

/** Operators' messages that were not read here. */
export function unreadCount(chat: VisitorChatView | null): number {
  const read = chat?.marks.visitor_read ?? 0;
  return (chat?.log ?? []).filter((r) => r.seq > read && r.type === "message_posted" && r.author === "operator" && r.state !== "deleted").length;
}

function row(state: ChatState, r: PublicRow): ChatState {
  return onChat(state, r.chat, (chat) => {
    const log = append(logOf(chat), r);
    if (log.seq === chat.seq) return chat;
    return { ...chat, ...consequence(chat, r), seq: log.seq, log: [...log.rows] };
  }, r.author === "operator" && r.type === "message_posted");
}

function consequence(chat: VisitorChatView, r: PublicRow): Partial<VisitorChatView> {
  switch (r.type) {
    case "chat_accepted":
      return { state: "active", operator_name: r.name ?? "", position: 0, minutes: 0 };
    case "chat_transferred":
      return { state: r.state, department: r.department, department_uid: r.department_uid, operator_name: r.to_name ?? "", position: 0, minutes: 0 };
    case "chat_returned":
      return { state: "waiting", operator_name: "", position: 0, minutes: 0 };
    case "chat_closed":
      return { state: r.state, closed_at: r.at, position: 0, minutes: 0 };
    default:
      return chat;
  }
}

function onChat(state: ChatState, uid: string, change: (c: VisitorChatView) => VisitorChatView, stopsTyping = false): ChatState {
  if (state.chat?.uid !== uid) return state;
  const chat = change(state.chat);
  return chat === state.chat ? state : { ...state, chat, typing: state.typing && !stopsTyping && isOpen(chat) };
}

function logOf(chat: VisitorChatView) {
  return openLog(chat.log, chat.seq);
}

/** Adding an event on the server without saying here what it does fails `tsc`; at run time it is passed over. */
/** What a newer server says; a row of a kind that we do not know keeps its place in the log. */
function unhandled(frame: never, state: ChatState): ChatState {
  const known = frame as Partial<PublicRow>;
  return known.seq !== undefined && known.chat !== undefined ? row(state, frame) : state;
}
