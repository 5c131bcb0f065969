/** For tests: acme's people and what the server would say about them. */
import type { ChatClosed, ChatView, MessagePosted, OperatorView, OperatorWelcome, PublicRow } from "../wire/protocol.ts";

export const SALES = { uid: "department-sales-uid0", name: "Sales" };
export const SUPPORT = { uid: "department-support-uid", name: "Support" };
export const OLGA = "operator-olga-uid-0000";
export const SAM = "operator-sam-uid-00000";
export const VERA = "chat-of-vera-uid-00000";
export const DANA = "chat-of-dana-uid-00000";
export const T = 1_760_000_000_000;

export function operator(uid: string, name: string, departments: string[], online = true): OperatorView {
  return { uid, name, role: "operator", departments, availability: online ? "online" : "away", online };
}

export function view(uid: string, more: Partial<ChatView> = {}): ChatView {
  const log: PublicRow[] = more.log ?? [{ type: "chat_opened", chat: uid, seq: 1, at: T, author: "system", department: "Sales" }];
  return {
    uid,
    site: "acme.test",
    department: SALES,
    state: "waiting",
    visitor: { uid: `visitor-${uid}`, number: 7, name: uid === VERA ? "Vera" : "Dana" },
    started_at: T,
    seq: log.at(-1)?.seq ?? 0,
    staff_seq: 0,
    marks: {},
    log,
    ...more,
  };
}

export function welcome(chats: ChatView[] = [], more: Partial<OperatorWelcome> = {}): OperatorWelcome {
  return {
    type: "operator_welcome",
    protocol: 1,
    epoch: "e1",
    account: { uid: "account-acme-uid-00000", name: "acme" },
    me: operator(OLGA, "Olga", [SALES.uid]),
    departments: [SALES, SUPPORT],
    team: [operator(OLGA, "Olga", [SALES.uid]), operator(SAM, "Sam", [SUPPORT.uid], false)],
    version: 3,
    chats,
    missed: [],
    digest: "",
    ...more,
  };
}

export function says(chat: string, seq: number, text: string, author: "visitor" | "operator" = "visitor"): MessagePosted {
  return { type: "message_posted", chat, seq, at: T + seq * 1000, author, ref: `ref-${chat}-${seq}`, text };
}

export function accepted(chat: string, seq: number, by: string, name: string): PublicRow {
  return { type: "chat_accepted", chat, seq, at: T + seq * 1000, author: "system", operator: by, name };
}

export function closed(chat: string, seq: number, state: "closed" | "missed" = "closed"): ChatClosed {
  return { type: "chat_closed", chat, seq, at: T + seq * 1000, author: "visitor", state, reason: "ended" };
}

/** Vera's chat as olga answers it. */
export function active(uid: string, texts: string[] = [], by = OLGA): ChatView {
  const log: PublicRow[] = [
    { type: "chat_opened", chat: uid, seq: 1, at: T, author: "system", department: "Sales" },
    accepted(uid, 2, by, by === OLGA ? "Olga" : "Sam"),
    ...texts.map((text, i) => says(uid, 3 + i, text)),
  ];
  return view(uid, { state: "active", operator: by, operator_name: by === OLGA ? "Olga" : "Sam", accepted_at: T + 2000, log, unread_count: texts.length });
}
