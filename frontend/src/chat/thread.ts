/** What the conversation shows, from what the chat knows: bubbles in groups, day lines, system lines. Pure. */
import { dayOf } from "../design/dates.ts";
import { alone } from "../design/names.ts";
import type { Unsent } from "../wire/outbox.ts";
import type { ChatClosed, PublicRow, VisitorChatView } from "../wire/protocol.ts";
import { t } from "./strings.ts";

export type Delivery = "" | "sending" | "held" | "sent" | "delivered" | "read" | "failed";

export interface BubbleItem {
  kind: "bubble";
  key: string;
  own: boolean;
  name: string;
  /** The uid of the operator's picture. */
  picture: string | undefined;
  text: string;
  state: "" | "edited" | "deleted";
  at: number;
  becameOf: Delivery;
  /** The machine code behind `failed`. */
  reason: string;
  /** First and last of a run by one person. */
  first: boolean;
  last: boolean;
}
export type LineItem = { kind: "line" | "day"; key: string; text: string; at: number };
export type Item = BubbleItem | LineItem;

const RUN_MS = 5 * 60_000;

/** `skew` is added to what this machine's clock says: days are the server's. */
export function thread(chat: VisitorChatView, unsent: readonly Unsent[], online: boolean, skew = 0): Item[] {
  const items: Item[] = [];
  let day = 0;
  const push = (item: Item) => {
    if (dayOf(item.at) !== day) {
      day = dayOf(item.at);
      items.push({ kind: "day", key: `day-${day}`, text: "", at: item.at });
    }
    items.push(item);
  };
  const faces = facesOf(chat);
  for (const row of chat.log ?? []) {
    const item = row.type === "message_posted" ? bubble(row, chat, faces) : line(row);
    if (item) push(item);
  }
  const known = new Set((chat.log ?? []).map((r) => r.ref));
  const newest = chat.log?.at(-1)?.at ?? 0;
  for (const u of unsent) {
    if (u.chat !== chat.uid || known.has(u.ref)) continue;
    const becameOf: Delivery = u.failed ? "failed" : online ? "sending" : "held";
    push({ kind: "bubble", key: u.ref, own: true, name: "", picture: undefined, text: u.text, state: "", at: Math.max(newest, u.at + skew), becameOf, reason: u.failed, first: true, last: true });
  }
  return grouped(items);
}

/** The uid of each operator's picture by their own, as far as the log says, and under "now" of who answers. */
export function facesOf(chat: VisitorChatView): Record<string, string | undefined> {
  const faces: Record<string, string | undefined> = {};
  for (const row of chat.log ?? []) {
    if (row.type === "chat_accepted") faces[row.operator ?? ""] = faces["now"] = row.picture;
    if (row.type === "chat_transferred") faces[row.to_operator ?? ""] = faces["now"] = row.to_picture;
  }
  return faces;
}

function bubble(row: PublicRow & { type: "message_posted" }, chat: VisitorChatView, faces: ReturnType<typeof facesOf>): BubbleItem {
  const own = row.author === "visitor";
  const { operator_read = 0, operator_delivered = 0 } = chat.marks;
  const becameOf = !own ? "" : row.seq <= operator_read ? "read" : row.seq <= operator_delivered ? "delivered" : "sent";
  return {
    kind: "bubble", key: row.ref || `seq-${row.seq}`, own, name: row.name ?? "", picture: faces[row.operator ?? ""], text: row.text,
    state: row.state ?? "", at: row.at, becameOf, reason: "", first: true, last: true,
  };
}

function line(row: PublicRow): LineItem | null {
  const text = words(row);
  return text ? { kind: "line", key: `seq-${row.seq}`, text, at: row.at } : null;
}

function words(row: PublicRow): string {
  switch (row.type) {
    case "chat_opened":
      return t.started(alone(row.department ?? ""));
    case "chat_accepted":
      return t.joined(alone(row.name ?? ""));
    case "chat_transferred":
      return row.to_name ? t.movedTo(alone(row.to_name)) : t.moved(alone(row.department));
    case "chat_returned":
      return row.reason === "lost" ? t.lost(alone(row.name ?? "")) : t.withdrawn(alone(row.name ?? ""));
    case "chat_closed":
      if (row.reason === "message") return t.youLeftMessage;
      if (row.author === "visitor") return t.youEnded;
      if (row.reason === "idle" || row.reason === "abandoned") return t.idleEnded;
      if (row.state === "missed") return t.missedRow;
      return row.author === "operator" ? t.theyEnded(alone(row.name ?? "")) : t.ended;
    default:
      return ""; // an edit or a deletion shows at its target
  }
}

function grouped(items: Item[]): Item[] {
  return items.map((item, i) => {
    if (item.kind !== "bubble") return item;
    const joins = (other: Item | undefined) =>
      other?.kind === "bubble" && other.own === item.own && other.name === item.name && Math.abs(other.at - item.at) < RUN_MS;
    return { ...item, first: !joins(items[i - 1]), last: !joins(items[i + 1]) };
  });
}

/** The newest own bubble that carries its state in words; those that failed always do. */
export function spoken(items: readonly Item[]): string {
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]!;
    if (item.kind === "bubble" && item.own) return item.key;
  }
  return "";
}

/** Whether it was left to wait in vain, rather than ended by its visitor. */
export function wasMissed(chat: VisitorChatView): boolean {
  return chat.state === "missed" && endOf(chat)?.author !== "visitor";
}

/** Whether its visitor left a message when nobody was there any more. */
export function leftMessage(chat: VisitorChatView): boolean {
  return endOf(chat)?.reason === "message";
}

function endOf(chat: VisitorChatView): ChatClosed | undefined {
  return chat.log?.findLast((r): r is ChatClosed => r.type === "chat_closed");
}
