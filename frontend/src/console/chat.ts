/** One chat: how its two logs grow and what each row does to it. Pure. */
import type { ChatView, Marks, NoteAdded, PublicRow } from "../wire/protocol.ts";
import type { Chat } from "./model.ts";

/** The server's picture of a chat. What we knew beyond it, older rows or newer ones, is kept. */
export function fromView(view: ChatView, old?: Chat): Chat {
  const log = view.log ?? [];
  const first = log[0]?.seq ?? view.seq + 1;
  const unreadHere = log.filter((r) => isFromVisitor(r) && r.seq > (view.marks.operator_read ?? 0)).length;
  const chat: Chat = {
    uid: view.uid,
    site: view.site,
    department: view.department,
    state: view.state,
    visitor: view.visitor,
    operator: view.operator ?? "",
    operatorName: view.operator_name ?? "",
    pageUrl: view.page_url ?? "",
    answers: view.answers ?? [],
    startedAt: view.started_at,
    acceptedAt: view.accepted_at ?? 0,
    closedAt: view.closed_at ?? 0,
    seq: view.seq,
    staffSeq: view.staff_seq,
    marks: furtherMarks(NO_MARKS, view.marks),
    log,
    notes: view.notes ?? [],
    early: [],
    earlyNotes: [],
    unreadBefore: Math.max(0, (view.unread_count ?? 0) - unreadHere),
    readHere: 0,
    presence: view.presence ?? "here",
    goneAt: view.gone_at ?? 0,
    returnedAt: view.returned_at ?? 0,
    typingAt: 0,
    left: "",
    wasMine: false,
  };
  if (!old) return chat;
  const older = old.seq >= first - 1 ? old.log.filter((r) => r.seq < first) : [];
  const kept: Chat = {
    ...chat,
    log: [...older, ...log],
    unreadBefore: older.length ? old.unreadBefore : chat.unreadBefore,
    marks: furtherMarks(chat.marks, old.marks),
    readHere: old.readHere,
    typingAt: old.typingAt,
  };
  const newer = [...old.log, ...old.early].filter((r) => r.seq > view.seq);
  const newerNotes = [...old.notes, ...old.earlyNotes].filter((n) => n.staff_seq > view.staff_seq);
  return takeNotes(takeRows(kept, newer), newerNotes);
}

/** Rows of the public log, in any order, some perhaps known: those in turn are applied, the others wait. */
export function takeRows(chat: Chat, rows: readonly PublicRow[]): Chat {
  const fresh = rows.filter((r) => r.seq > chat.seq && !chat.early.some((e) => e.seq === r.seq));
  if (fresh.length === 0) return chat;
  const queue = [...chat.early, ...fresh].sort((a, b) => a.seq - b.seq);
  let next: Chat = chat;
  while (queue[0] && queue[0].seq <= next.seq + 1) {
    const row = queue.shift()!;
    if (row.seq === next.seq + 1) next = applyRow({ ...next, seq: row.seq, log: [...next.log, row] }, row);
  }
  return { ...next, early: queue };
}

export function takeNotes(chat: Chat, notes: readonly NoteAdded[]): Chat {
  const fresh = notes.filter((n) => n.staff_seq > chat.staffSeq && !chat.earlyNotes.some((e) => e.staff_seq === n.staff_seq));
  if (fresh.length === 0) return chat;
  const queue = [...chat.earlyNotes, ...fresh].sort((a, b) => a.staff_seq - b.staff_seq);
  const inTurn: NoteAdded[] = [];
  let at = chat.staffSeq;
  while (queue[0] && queue[0].staff_seq <= at + 1) {
    const note = queue.shift()!;
    if (note.staff_seq === at + 1) inTurn.push(note);
    at = Math.max(at, note.staff_seq);
  }
  return { ...chat, staffSeq: at, notes: [...chat.notes, ...inTurn], earlyNotes: queue };
}

const NO_MARKS: Required<Marks> = { visitor_delivered: 0, visitor_read: 0, operator_delivered: 0, operator_read: 0 };

/** Positions only grow. */
export function furtherMarks(old: Required<Marks>, marks: Marks): Required<Marks> {
  return {
    visitor_delivered: Math.max(old.visitor_delivered, marks.visitor_delivered ?? 0),
    visitor_read: Math.max(old.visitor_read, marks.visitor_read ?? 0),
    operator_delivered: Math.max(old.operator_delivered, marks.operator_delivered ?? 0),
    operator_read: Math.max(old.operator_read, marks.operator_read ?? 0),
  };
}

export function isFromVisitor(row: PublicRow): boolean {
  return row.type === "message_posted" && row.author === "visitor";
}

/** The visitor's page is open, or not since `at`. */
export function present(chat: Chat, presence: Chat["presence"], at: number): Chat {
  const goneAt = presence === "here" ? 0 : at;
  if (chat.presence === presence && chat.goneAt === goneAt) return chat;
  return { ...chat, presence, goneAt, typingAt: presence === "here" ? chat.typingAt : 0 };
}

function applyRow(chat: Chat, row: PublicRow): Chat {
  switch (row.type) {
    case "chat_opened":
      return chat;
    case "message_posted":
      if (row.author !== "visitor") return chat;
      // who writes is there, should the news of it have been lost
      return { ...chat, typingAt: 0, ...(row.at > chat.goneAt && { presence: "here" as const, goneAt: 0 }) };
    case "message_edited":
      return { ...chat, log: replaced(chat.log, row.target, row.text, "edited") };
    case "message_deleted":
      return { ...chat, log: replaced(chat.log, row.target, "", "deleted") };
    case "chat_accepted":
      return { ...chat, state: "active", operator: row.operator ?? "", operatorName: row.name ?? "", acceptedAt: chat.acceptedAt || row.at };
    case "chat_transferred":
      return {
        ...chat,
        state: row.state,
        department: { uid: row.department_uid, name: row.department },
        operator: row.to_operator ?? "",
        operatorName: row.to_name ?? "",
      };
    case "chat_returned":
      return { ...chat, state: "waiting", operator: "", operatorName: "", returnedAt: row.at };
    case "chat_closed":
      return { ...chat, state: row.state, closedAt: row.at, typingAt: 0 };
    default:
      return passedOver(row, chat);
  }
}

/** A newer server writes rows that we do not know; they keep their place in the log. */
function passedOver(_row: never, chat: Chat): Chat {
  return chat;
}

function replaced(log: readonly PublicRow[], target: number, text: string, state: "edited" | "deleted"): readonly PublicRow[] {
  return log.map((r) => (r.seq === target && r.type === "message_posted" ? { ...r, text, state } : r));
}
