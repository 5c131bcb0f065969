/** What calls for the operator, and how the title and the icon of the tab say so. Pure. */
import { type Chat, isMine, mine, type State, unread, waiting } from "./state.ts";

/** How many things want the operator: people who wait and messages unread. */
export function wanting(state: State): number {
  return waiting(state).length + mine(state).reduce((n, c) => n + (c.left ? 0 : unread(c)), 0);
}

/** With so many things that want the operator. */
export function titleOf(n: number): string {
  return n ? `(${n}) ChatLead` : "ChatLead";
}

/** An icon with a count on it, as an address; the plain one for none. */
export function iconOf(n: number, plain: string): string {
  if (n <= 0) return plain;
  const text = n > 99 ? "99+" : String(n);
  const size = [0, 20, 17, 13][text.length];
  return `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="16" fill="#b3261e"/><text x="16" y="16" dy=".36em" text-anchor="middle" font-family="system-ui,sans-serif" font-weight="700" font-size="${size}" fill="#fff">${text}</text></svg>`,
  )}`;
}

/** One call of a chat: a chat that comes back to the line, or is passed on, calls again. */
export interface Call {
  readonly key: string;
  readonly chat: Chat;
  readonly kind: "waits" | "passed";
}

/** Who waits for an answer, and what a colleague passed on and this operator has not answered. None while Away. */
export function calls(state: State): readonly Call[] {
  if (state.me?.availability !== "online") return [];
  const own = mine(state).filter((c) => isMine(state, c) && isPassedOn(state, c));
  return [...waiting(state).map((chat) => call(chat, "waits")), ...own.map((chat) => call(chat, "passed"))];
}

function call(chat: Chat, kind: Call["kind"]): Call {
  const moved = chat.log.findLast((r) => r.type === "chat_returned" || r.type === "chat_transferred");
  return { key: `${chat.uid}.${moved?.seq ?? 0}`, chat, kind };
}

function isPassedOn(state: State, chat: Chat): boolean {
  const last = chat.log.findLast(
    (r) => r.type === "chat_accepted" || r.type === "chat_transferred" || (r.type === "message_posted" && r.author === "operator" && r.operator === state.me?.uid),
  );
  return last?.type === "chat_transferred" && last.to_operator === state.me?.uid && last.operator !== state.me?.uid;
}

/** Own chats in which the visitor has written since `before`. */
export function wrote(before: State, now: State): Chat[] {
  return mine(now).filter((chat) => {
    const old = before.chats.get(chat.uid);
    return old && old !== chat && isMine(now, chat) && chat.log.some((r) => r.seq > old.seq && r.type === "message_posted" && r.author === "visitor");
  });
}
