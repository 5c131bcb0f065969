/** What the conversation shows: bubbles in runs, day lines, system lines, notes in their place. Pure. */
import { dayOf } from "../design/dates.ts";
import { displayName } from "../design/names.ts";
import type { Unsent } from "../wire/outbox.ts";
import type { NoteAdded, PublicRow } from "../wire/protocol.ts";
import type { Chat } from "./state.ts";
import { isLeftMessage, lineOf, visitorName } from "./words.ts";
import { say } from "./strings.ts";

export type Delivery = "" | "undo" | "sending" | "held" | "sent" | "delivered" | "read" | "failed";

export interface BubbleItem {
  readonly kind: "bubble";
  readonly key: string;
  readonly from: "visitor" | "own" | "colleague" | "note";
  /** Written by whoever reads it. */
  readonly own: boolean;
  readonly name: string;
  readonly text: string;
  readonly state: "" | "edited" | "deleted";
  readonly at: number;
  readonly delivery: Delivery;
  /** What waits in the outbox; null for what the server has. */
  readonly unsent: Unsent | null;
  /** First and last of a run by one person. */
  readonly first: boolean;
  readonly last: boolean;
}
export interface LineItem {
  readonly kind: "line";
  readonly key: string;
  readonly text: string;
  readonly at: number;
}
export interface DayItem {
  readonly kind: "day";
  readonly key: string;
  readonly at: number;
}
export type Item = BubbleItem | LineItem | DayItem;

const RUN_MS = 5 * 60_000;
/** So many rows are drawn when a chat is opened; up to twice as many stay while one follows it. */
export const DRAWN = 60;

/** The `seq` from which on rows are drawn. `from` is where they began before, 0 at first; who reads further up keeps all. */
export function firstDrawn(log: readonly PublicRow[], from: number, follows: boolean): number {
  const held = log[0]?.seq ?? 1;
  const last = held + log.length;
  const isLong = from > 0 && follows && last - from > 2 * DRAWN;
  return Math.max(held, from > 0 && !isLong ? from : last - DRAWN);
}

/** The chat as if it had begun there; what `log` is without gaps, so `seq` counts its rows. */
export function drawn(chat: Chat, from: number): Chat {
  const hidden = from - (chat.log[0]?.seq ?? from);
  if (hidden <= 0) return chat;
  const log = chat.log.slice(hidden);
  return { ...chat, log, notes: chat.notes.filter((note) => note.at >= (log[0]?.at ?? 0)) };
}

export function thread(chat: Chat, me: string, replies: readonly Unsent[], notes: readonly Unsent[], online: boolean, until: ReadonlyMap<string, number> = new Map()): Item[] {
  // an own row may be acknowledged while one before it is still on its way here
  const rows = [...chat.log, ...chat.early.filter((r) => r.operator === me)];
  const told = merged(rows.flatMap((r) => itemOf(r, chat, me)), [...chat.notes, ...chat.earlyNotes.filter((n) => n.operator === me)].map((n) => noteItem(n, me)));
  const known = new Set([...rows.map((r) => r.ref), ...chat.notes.map((n) => n.ref), ...chat.earlyNotes.map((n) => n.ref)]);
  const own = (box: readonly Unsent[]) => box.filter((u) => u.chat === chat.uid && !known.has(u.ref));
  const waiting = [...own(replies).map((u) => unsentItem(u, "own", online, until.has(u.ref))), ...own(notes).map((u) => unsentItem(u, "note", online))];
  return grouped(withDays([...told, ...waiting.sort((a, b) => a.at - b.at)]));
}

/** The newest own message carries its state in words for all; the others for those who hear them. */
export function newestOwn(items: readonly Item[]): string {
  return [...items].reverse().find((i) => i.kind === "bubble" && i.from === "own")?.key ?? "";
}

function itemOf(row: PublicRow, chat: Chat, me: string): Item[] {
  if (row.type !== "message_posted") {
    const text = row.type === "chat_opened" && isLeftMessage(chat) ? say.lines.messageLeft(displayName(row.department ?? "")) : lineOf(row, me);
    return text ? [{ kind: "line", key: `seq-${row.seq}`, text, at: row.at }] : [];
  }
  // what became of something that was said, by a way other than a browser
  if (row.author === "system") return [{ kind: "line", key: row.ref || `seq-${row.seq}`, text: row.text, at: row.at }];
  const from = row.author === "visitor" ? "visitor" : row.operator === me ? "own" : "colleague";
  const { visitor_read, visitor_delivered } = chat.marks;
  const delivery = from === "visitor" ? "" : row.seq <= visitor_read ? "read" : row.seq <= visitor_delivered ? "delivered" : "sent";
  const name = from === "visitor" ? visitorName(chat.visitor) : from === "own" ? say.who.you : displayName(row.name ?? "") || say.who.operator;
  return [{ ...plain, key: row.ref || `seq-${row.seq}`, from, own: from === "own", name, text: row.text, state: row.state ?? "", at: row.at, delivery }];
}

const plain = { kind: "bubble", state: "", delivery: "", unsent: null, own: false, first: true, last: true } as const;

function noteItem(note: NoteAdded, me: string): BubbleItem {
  return { ...plain, key: note.ref, from: "note", own: note.operator === me, name: note.operator === me ? say.who.you : displayName(note.name), text: note.text, at: note.at };
}

function unsentItem(unsent: Unsent, from: "own" | "note", online: boolean, held = false): BubbleItem {
  const delivery = unsent.failed ? "failed" : held ? "undo" : online ? "sending" : "held";
  return { ...plain, key: unsent.ref, from, own: true, name: say.who.you, text: unsent.text, at: unsent.at, delivery, unsent };
}

/** Each log keeps its own order; a note stands behind what had been said when it was written. */
function merged(rows: readonly Item[], notes: readonly Item[]): Item[] {
  const all: Item[] = [];
  let n = 0;
  for (const row of rows) {
    while (n < notes.length && notes[n]!.at < row.at) all.push(notes[n++]!);
    all.push(row);
  }
  return [...all, ...notes.slice(n)];
}

function withDays(items: readonly Item[]): Item[] {
  let day = 0;
  return items.flatMap((item): Item[] => {
    if (dayOf(item.at) <= day) return [item];
    day = dayOf(item.at);
    return [{ kind: "day", key: `day-${day}`, at: item.at }, item];
  });
}

function grouped(items: readonly Item[]): Item[] {
  const joins = (a: Item | undefined, b: BubbleItem) =>
    a?.kind === "bubble" && a.from === b.from && a.name === b.name && Math.abs(a.at - b.at) < RUN_MS;
  return items.map((item, i) => (item.kind === "bubble" ? { ...item, first: !joins(items[i - 1], item), last: !joins(items[i + 1], item) } : item));
}
