/** Taking back or rewording what one has just said. The server tells the visitor; its ack is our own news. */
import type { MessageDeleted, MessageEdited, MessagePosted } from "../wire/protocol.ts";
import { uuid7 } from "../wire/uuid7.ts";
import { say } from "./strings.ts";
import type { Session } from "./session.ts";
import { type Chat, isMine } from "./state.ts";

/** The own message that can be corrected: the last one that is not deleted, of a chat that is ours; or null. */
export function lastOwn(session: Session, chat: Chat): MessagePosted | null {
  const state = session.state.peek();
  if (!isMine(state, chat)) return null;
  const own = chat.log.findLast((r) => r.type === "message_posted" && r.author === "operator" && r.operator === state.me?.uid && r.state !== "deleted");
  return own?.type === "message_posted" ? own : null;
}

/** False where it was not done; the operator was told why. */
export function reword(session: Session, chat: string, target: number, text: string): Promise<boolean> {
  return correct(session, { type: "edit_message", chat, ref: uuid7(), target, text }, (row) => ({ ...row, type: "message_edited", text }));
}

export function takeBack(session: Session, chat: string, target: number): Promise<boolean> {
  return correct(session, { type: "delete_message", chat, ref: uuid7(), target }, (row) => ({ ...row, type: "message_deleted" }));
}

type Correction = { type: "edit_message"; chat: string; ref: string; target: number; text: string } | { type: "delete_message"; chat: string; ref: string; target: number };
type Row = Omit<MessageDeleted, "type">;

async function correct(session: Session, command: Correction, event: (row: Row) => MessageEdited | MessageDeleted): Promise<boolean> {
  const { chat, ref, target } = command;
  const reply = await session.questions.ask(command, `correction ${chat}`, { not_found: say.corrections.notChanged, chat_closed: say.corrections.over, chat_returned: say.corrections.notYours });
  if (reply?.type !== "ack") return false;
  const me = session.state.peek().me;
  session.learn(event({ chat, seq: reply.seq, at: reply.at, author: "operator", ref, target, operator: me?.uid ?? "", name: me?.name ?? "" }));
  return true;
}
